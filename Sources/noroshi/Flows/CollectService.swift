import FlowArchive
import FlowRecords
import Foundation
import Logging
import NetworkTypes
import ServiceLifecycle

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

  private static let reportSeconds = 5.0

  /// - Parameters:
  ///   - archive: the archive's folder.
  ///   - report: the file of the report.
  init(
    _ configuration: CollectorConfiguration, archive: String, report: String, logger: Logger
  ) throws {
    let writer = try ArchiveWriter(root: archive, clock: { Int64(Date().timeIntervalSince1970) })
    self.writer = writer
    self.report = report
    self.logger = logger
    collector = FlowCollector(
      configuration, note: { logger.warning("\($0)") },
      makeSink: { _ in
        { batch in
          writer.append(batch)
          return batch
        }
      })
  }

  func run() async throws {
    let deadline = duration.map { ContinuousClock.now + $0 }
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask {
        try await cancelWhenGracefulShutdown { try await collector.run() }
      }
      group.addTask {
        await cancelWhenGracefulShutdown {
          while !Task.isCancelled, deadline.map({ $0 > .now }) ?? true {
            let left = deadline.map { $0 - .now } ?? .seconds(Self.reportSeconds)
            // Cancellation ends the sleep and the loop.
            try? await Task.sleep(for: min(max(left, .zero), .seconds(Self.reportSeconds)))
            writeReport()
          }
        }
      }
      // Whichever ends first ends the other: a port in use, or the deadline.
      defer { group.cancelAll() }
      try await group.next()
    }
    try writer.close()
    writeReport()
  }

  private func writeReport() {
    do {
      try CollectorReport(
        written: Timestamp(seconds: Int64(Date().timeIntervalSince1970)),
        statistics: collector.statistics()
      ).write(to: report)
    } catch {
      logger.warning("\(report): \(error)")
    }
  }
}

/// What a running collector last said about itself.
struct CollectorReport: Codable {
  var written: Timestamp
  var statistics: CollectorStatistics

  func write(to path: String) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys]
    try encoder.encode(self).write(to: URL(fileURLWithPath: path), options: .atomic)
  }

  static func read(_ path: String) throws -> CollectorReport {
    let octets = try Data(contentsOf: URL(fileURLWithPath: path))
    return try JSONDecoder().decode(CollectorReport.self, from: octets)
  }

  static func path(in house: House) -> String { house.data.path + "/flow-exporters.json" }
}
