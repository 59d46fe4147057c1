import FlowArchive
import Foundation
import Synchronization

/// A thread that waits for a task.
enum Waiting {
  /// Blocks the calling thread, which must be none of those that tasks run on, until `work` is done.
  ///
  /// - Parameter isCancelled: asked ten times a second; when it says so, the task is cancelled.
  /// - Throws: what `work` throws; `ArchiveError.cancelled` where it was cancelled.
  static func forAnswer<Answer: Sendable>(
    isCancelled: (@Sendable () -> Bool)? = nil,
    _ work: @escaping @Sendable () async throws -> Answer
  ) throws -> Answer {
    let done = DispatchSemaphore(value: 0)
    let outcome = Outcome<Answer>()
    let task = Task.detached {
      let result: Result<Answer, any Error>
      do { result = .success(try await work()) } catch { result = .failure(error) }
      outcome.set(result)
      done.signal()
    }
    var wasCancelled = false
    while done.wait(timeout: .now() + .milliseconds(100)) == .timedOut {
      if !wasCancelled, isCancelled?() ?? false {
        wasCancelled = true
        task.cancel()
      }
    }
    switch outcome.take() {
    case .success(let value)?: return value
    case .failure(let error)?: throw wasCancelled ? ArchiveError.cancelled : error
    case nil: throw ArchiveError.cancelled
    }
  }

  private final class Outcome<Answer: Sendable>: Sendable {
    private let result = Mutex<Result<Answer, any Error>?>(nil)
    func set(_ value: Result<Answer, any Error>) { result.withLock { $0 = value } }
    func take() -> Result<Answer, any Error>? { result.withLock { $0 } }
  }
}
