import FlowArchive
import FlowCluster
import FlowRecords
import Foundation
import Logging
import NetworkTypes
import ServiceLifecycle
import Settings
import Synchronization

/// Collects flows into the archive for as long as it runs, and says every few seconds in a file how it
/// goes, for `noroshi flows exporters`.
struct CollectService: Service {
  let collector: FlowCollector
  let writer: ArchiveWriter
  /// The file of the report.
  let report: String
  let logger: Logger
  /// After which to stop; nil for never.
  var duration: Duration?

  /// - Parameters:
  ///   - archive: the archive's folder.
  ///   - report: the file of the report.
  ///   - tap: is shown every batch before it goes into the archive, from the threads that decode.
  init(
    _ configuration: CollectorConfiguration, archive: String, report: String, logger: Logger,
    tap: (@Sendable (FlowBatch) -> Void)? = nil
  ) throws {
    let writer = try ArchiveWriter(root: archive, clock: { Int64(Date().timeIntervalSince1970) })
    self.writer = writer
    self.report = report
    self.logger = logger
    collector = FlowCollector(
      configuration, note: { logger.warning("\($0)") },
      makeSink: { _ in
        { batch in
          tap?(batch)
          writer.append(batch)
          return batch
        }
      })
  }

  func run() async throws {
    let toldFailure = Mutex<String?>(nil)
    try await collector.run(for: duration) {
      writeReport()
      let failure = writer.counters.lastError
      let isNew = toldFailure.withLock { told in
        defer { told = failure }
        return failure != told
      }
      if isNew, let failure { logger.error("flows cannot be kept: \(failure)") }
    }
    try writer.close()
    writeReport()
  }

  private func writeReport() {
    do {
      try CollectorReport(
        written: Timestamp(seconds: Int64(Date().timeIntervalSince1970)),
        statistics: collector.statistics(), archive: ArchiveProgress(writer.counters)
      ).write(to: report)
    } catch {
      logger.warning("\(report): \(error)")
    }
  }
}

extension FlowCollector {
  /// Seconds between two reports.
  private static var reportSeconds: Double { 5 }

  /// Collects until it is stopped, fails, or the time is over, and calls `report` every few seconds.
  ///
  /// - Parameter duration: nil for no end.
  func run(for duration: Duration?, report: @escaping @Sendable () -> Void) async throws {
    let deadline = duration.map { ContinuousClock.now + $0 }
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask {
        try await cancelWhenGracefulShutdown { try await self.run() }
      }
      group.addTask {
        await cancelWhenGracefulShutdown {
          while !Task.isCancelled, deadline.map({ $0 > .now }) ?? true {
            let left = deadline.map { $0 - .now } ?? .seconds(Self.reportSeconds)
            // Cancellation ends the sleep and the loop.
            try? await Task.sleep(for: min(max(left, .zero), .seconds(Self.reportSeconds)))
            report()
          }
        }
      }
      // Whichever ends first ends the other: a port in use, or the deadline.
      defer { group.cancelAll() }
      try await group.next()
    }
  }
}

/// What a running collector last said about itself.
struct CollectorReport: Codable {
  var written: Timestamp
  var statistics: CollectorStatistics
  /// nil in reports of versions that did not say it.
  var archive: ArchiveProgress?
  /// What went to a cluster; nil where flows go into the archive.
  var cluster: ClusterSink.Counters?

  func write(to path: String) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys]
    try encoder.encode(self).write(to: URL(fileURLWithPath: path), options: .atomic)
  }

  static func read(_ path: String) throws -> CollectorReport {
    let octets = try Data(contentsOf: URL(fileURLWithPath: path))
    return try JSONDecoder().decode(CollectorReport.self, from: octets)
  }
}

/// What became of the flows that a collector decoded.
struct ArchiveProgress: Codable {
  var accepted: Int
  var synced: Int
  /// Refused because all blocks were waiting for the disk.
  var dropped: Int
  /// Could not be written.
  var lost: Int
  var lastError: String?

  init(_ counters: ArchiveWriter.Counters) {
    accepted = counters.accepted
    synced = counters.synced
    dropped = counters.dropped
    lost = counters.lost
    lastError = counters.lastError
  }
}

extension House {
  /// What the keys below `flows` say.
  func collectorConfiguration() -> CollectorConfiguration {
    let flows = configuration.flows
    var collecting = CollectorConfiguration(
      datagrams: flows.listen.map { CollectorConfiguration.Endpoint($0) })
    collecting.streams = flows.tcp.map { CollectorConfiguration.Endpoint($0) }
    collecting.allowed = flows.allow
    collecting.datagramsPerSecond = flows.rateLimit
    collecting.parameters.sampling = flows.sampling.map { SamplingConfiguration($0) }
    collecting.shards = flows.shards
    collecting.receiveBuffer = flows.bufferKilobytes << 10
    collecting.stateFile = data.flowTemplates
    return collecting
  }

  /// A collector of this house.
  ///
  /// - Parameters:
  ///   - archive: the archive's folder; that of the data directory unless given.
  ///   - tap: is shown every batch, such as ``AttackService/feed(_:)``.
  func collectService(
    _ configuration: CollectorConfiguration, archive: String? = nil,
    tap: (@Sendable (FlowBatch) -> Void)? = nil
  ) throws -> CollectService {
    try CollectService(
      configuration, archive: archive ?? data.flows, report: data.flowExporters, logger: logger,
      tap: tap)
  }
}

extension CollectorConfiguration.Endpoint {
  init(_ place: ListeningAddress) { self.init(address: place.address, port: place.port) }
}

extension SamplingConfiguration {
  init(_ sampling: ExporterSampling) {
    self.init(
      exporters: sampling.exporters, rate: sampling.rate, overrides: sampling.overrides)
  }
}
