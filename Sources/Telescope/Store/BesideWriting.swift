import Foundation
import Synchronization

/// Writing the file of the events that are going on beside the transaction that will name it: the one
/// walks the engine's tables, the other fills the database's, each on a core of its own.
struct BesideWriting {
  private let archive: EventArchive
  private let generation: Int

  init(_ archive: EventArchive, generation: Int) {
    self.archive = archive
    self.generation = generation
  }

  private final class Written: Sendable {
    let file = Mutex<Result<EventFile?, any Error>?>(nil)
    let group = DispatchGroup()
  }

  /// Runs both, and returns when both are done.
  ///
  /// - Parameters:
  ///   - openEvents: calls its consumer for each event, on another thread than the caller's.
  ///   - transaction: is given a function that waits for the file and returns it, nil where no event
  ///     is going on; it must ask before it commits.
  /// - Throws: what either throws; the file is away then.
  func run<Outcome>(
    _ openEvents: ((TelescopeEvent) throws -> Void) throws -> Void,
    _ transaction: (_ file: () throws -> EventFile?) throws -> Outcome
  ) throws -> (outcome: Outcome, file: EventFile?) {
    try withoutActuallyEscaping(openEvents) { openEvents in
      // Every path below waits for the thread's end, so the source does not outlive this call, and
      // the caller, who waits too, does not touch what it walks.
      nonisolated(unsafe) let source = openEvents
      let written = Written()
      let (archive, generation) = (archive, generation)
      DispatchQueue.global(qos: .userInitiated).async(group: written.group) {
        let file = Result { try archive.write(open: source, generation: generation) }
        written.file.withLock { $0 = file }
      }
      func file() throws -> EventFile? {
        written.group.wait()
        return try written.file.withLock { $0 }?.get()
      }
      do {
        let outcome = try transaction(file)
        return (outcome, try file())
      } catch {
        if let file = try? file() { archive.remove([file.name]) }
        throw error
      }
    }
  }
}
