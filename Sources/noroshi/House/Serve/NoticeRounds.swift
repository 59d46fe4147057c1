import Casework
import Constituency
import Logging
import NetworkTypes
import ServiceLifecycle
import Synchronization

/// Makes the notices that are due, and brings them, for as long as the house serves.
struct NoticeRounds: Service {
  let outbox: Outbox
  let delivery: DeliveryService
  let constituency: @Sendable () -> Constituency

  func run() async throws {
    let stopped = Atomic(false)
    // Between two rounds it waits up to half a minute: a stop must not wait for it.
    try await withGracefulShutdownHandler {
      try await cancelWhenGracefulShutdown {
        try await delivery.run(until: { stopped.load(ordering: .acquiring) }) { now in
          let report = try outbox.makeNotices(for: constituency(), at: now)
          let logger = Logger(label: "noroshi.notices")
          if !report.made.isEmpty { logger.info("\(report.made.count) notices made") }
          for problem in report.problems { logger.error("\(problem)") }
        }
      }
    } onGracefulShutdown: {
      stopped.store(true, ordering: .releasing)
    }
  }
}
