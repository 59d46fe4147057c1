import Foundation

/// Sorts and writes runs of events on another thread, one at a time, while its user gathers the next.
///
/// One thread uses it. What the other thread changes is touched only after ``wait()``.
final class EventRuns {
  private let begin: () throws -> EventFileWriter
  private let group = DispatchGroup()
  private var writer: EventFileWriter?
  private var failure: (any Error)?

  /// - Parameter begin: makes the file, when there is something to write.
  init(begin: @escaping () throws -> EventFileWriter) {
    self.begin = begin
  }

  /// Returns when the run before is written.
  func write(_ run: [TelescopeEvent]) throws {
    try settle()
    // Nobody touches this value before the group is empty again.
    nonisolated(unsafe) let this = self
    DispatchQueue.global(qos: .userInitiated).async(group: group) { this.store(run) }
  }

  private func store(_ run: [TelescopeEvent]) {
    do {
      let writer = try self.writer ?? begin()
      self.writer = writer
      let places = run.indices.map { (key: EventKey(run[$0]), place: $0) }.sorted {
        ($0.key, $0.place) < ($1.key, $1.place)
      }
      try writer.append(run, at: places.map(\.place))
    } catch {
      failure = error
    }
  }

  /// Waits for the other thread, and throws what stopped it.
  private func settle() throws {
    wait()
    if let failure { throw failure }
  }

  /// Waits for the other thread.
  func wait() { group.wait() }

  /// The file with all runs; nil where there was none.
  func finish() throws -> EventFile? {
    try settle()
    return try writer?.finish()
  }
}
