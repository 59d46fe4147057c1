import FlowArchive
import Foundation
import Logging
import NetworkTypes
import ServiceLifecycle
import Settings
import Store
import Synchronization

/// Keeps the flow archive within `flows.retention`, and puts the small files of past hours together,
/// once an hour for as long as flows are collected.
///
/// The work is done on a thread of its own, and a stop does not wait for it: the archive bears being
/// left at any moment.
struct ArchiveUpkeep: Service {
  let archive: String
  let retention: ArchiveRetention
  let logger: Logger
  /// Writes into the audit trail what was deleted.
  let record: @Sendable (ArchiveRetention.Outcome) throws -> Void

  /// Flows lie in folders by the hour.
  private static let intervalSeconds = 3_600.0

  init(of house: House, store: DataStore) {
    let limits = house.configuration.flows.retention
    archive = house.data.flows
    retention = ArchiveRetention(
      keepSeconds: Int64(limits.days) * 86_400, keepOctets: Int(limits.gigabytes * 1e9))
    logger = house.logger
    record = { outcome in
      try house.record(
        "flows.forgotten", subject: house.data.flows,
        details: [
          "days": String(limits.days), "gigabytes": limits.gigabytes.configurationText,
          "files": String(outcome.files), "bytes": String(outcome.octets),
          "oldest": outcome.folders.first ?? "", "newest": outcome.folders.last ?? "",
        ], by: .system("flows"), in: store)
    }
  }

  func run() async throws {
    let turn = Turn()
    await cancelWhenGracefulShutdown {
      while !Task.isCancelled {
        if turn.begin() {
          Thread.detachNewThread {
            look()
            turn.end()
          }
        }
        // Cancellation ends the sleep and the loop.
        try? await Task.sleep(for: .seconds(Self.intervalSeconds))
      }
    }
  }

  /// One round.
  func look() {
    let now = House.now.seconds
    do {
      let outcome = try retention.enforce(root: archive, now: now)
      if outcome.files > 0 {
        try record(outcome)
        logger.info(
          "flows: \(outcome.files) files of \(Quantity.bytes(Int64(outcome.octets))) deleted by age or size"
        )
      }
    } catch {
      logger.error("old flows are not deleted: \(error)")
    }
    do {
      let outcome = try ArchiveCompaction(root: archive).run(before: now / 3_600)
      if outcome.filesBefore > 0 {
        logger.info(
          "flows: \(outcome.filesBefore) files of past hours became \(outcome.filesAfter)")
      }
    } catch {
      logger.error("flows of past hours are not put together: \(error)")
    }
  }

  /// One round at a time.
  private final class Turn: Sendable {
    private let isTaken = Mutex(false)

    func begin() -> Bool {
      isTaken.withLock { isTaken in
        defer { isTaken = true }
        return !isTaken
      }
    }

    func end() { isTaken.withLock { $0 = false } }
  }
}
