import Synchronization

/// Lets a few uploads in at a time, so that memory stays bounded whoever comes.
final class UploadGate: Sendable {
  private let inside = Mutex(0)
  private let capacity: Int

  init(capacity: Int) { self.capacity = capacity }

  /// - Throws: ``Problem`` 503 when it is full.
  func pass<Answer>(_ body: () async throws -> Answer) async throws -> Answer {
    let isIn = inside.withLock { count -> Bool in
      guard count < capacity else { return false }
      count += 1
      return true
    }
    guard isIn else { throw Problem.unavailable }
    defer { inside.withLock { $0 -= 1 } }
    return try await body()
  }
}
