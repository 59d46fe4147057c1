import FlowCluster
import FlowRecords
import Foundation
import Logging
import NetworkTypes
import ServiceLifecycle

/// Collects flows into a ClickHouse cluster for as long as it runs, by a spool on the disk, and says every
/// few seconds in a file how it goes.
struct ClusterCollectService: Service {
  let collector: FlowCollector
  let sink: ClusterSink
  /// The file of the report.
  let report: String
  let logger: Logger
  /// After which to stop; nil for never.
  var duration: Duration?

  /// What is in the spool when the collector stops is still sent for so long; the rest waits for the next
  /// start.
  private static let closingSeconds = 10.0

  /// - Parameters:
  ///   - spool: the spool's folder.
  ///   - report: the file of the report.
  ///   - tap: is shown every batch before it goes into the spool, from the threads that decode.
  init(
    _ configuration: CollectorConfiguration, to address: ClusterAddress, spool: String,
    parameters: SinkParameters, report: String, logger: Logger,
    tap: (@Sendable (FlowBatch) -> Void)? = nil
  ) throws {
    let sink = try ClusterSink(
      address, spool: spool, parameters: parameters,
      clock: { Int64(Date().timeIntervalSince1970) }, logger: logger)
    self.sink = sink
    self.report = report
    self.logger = logger
    collector = FlowCollector(
      configuration, note: { logger.warning("\($0)") },
      makeSink: { _ in
        { batch in
          tap?(batch)
          sink.append(batch)
          return batch
        }
      })
  }

  func run() async throws {
    // Not a child of what a stop cancels: it outlives the receiving by some seconds.
    let delivery = Task { await sink.run() }
    do {
      try await collector.run(for: duration) { writeReport() }
    } catch {
      await finish(delivery)
      throw error
    }
    await finish(delivery)
  }

  private func finish(_ delivery: Task<Void, Never>) async {
    sink.close()
    // Of its own, because this task may be cancelled and would not wait.
    await Task.detached {
      let end = ContinuousClock.now + .seconds(Self.closingSeconds)
      while !sink.isEmpty, ContinuousClock.now < end {
        try? await Task.sleep(for: .milliseconds(50))
      }
    }.value
    delivery.cancel()
    await delivery.value
    writeReport()
  }

  private func writeReport() {
    do {
      var said = CollectorReport(
        written: Timestamp(seconds: Int64(Date().timeIntervalSince1970)),
        statistics: collector.statistics())
      said.cluster = sink.counters
      try said.write(to: report)
    } catch {
      logger.warning("\(report): \(error)")
    }
  }
}
