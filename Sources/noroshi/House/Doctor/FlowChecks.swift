import FlowRecords
import Foundation
import Settings

/// What collecting flows needs, and what a collector lost.
enum FlowChecks {
  static func run(_ house: House) -> [Diagnosis] {
    guard house.configuration.flows.enabled else {
      return [.ok("flows", "not collected by `noroshi serve` (flows.enabled)")]
    }
    let flows = house.configuration.flows
    var diagnoses = [
      Diagnosis.ok(
        "flows",
        "collected on \((flows.listen + flows.tcp).map(\.configurationText).joined(separator: ", "))"
      )
    ]
    if let largest = MachineChecks.largestReceiveBuffer {
      diagnoses.append(buffer(wanted: flows.bufferKilobytes << 10, largest: largest))
    }
    if FileManager.default.fileExists(atPath: house.data.flowExporters) {
      diagnoses += losses(house.data.flowExporters)
    }
    return diagnoses
  }

  /// Whether a socket gets the buffer that is configured.
  static func buffer(wanted: Int, largest: Int) -> Diagnosis {
    let subject = "flow buffer"
    guard largest < wanted else {
      return .ok(
        subject,
        "\(Quantity.bytes(wanted)) of at most \(Quantity.bytes(largest)) (net.core.rmem_max)")
    }
    return .note(
      subject,
      "sockets get \(Quantity.bytes(largest)) (net.core.rmem_max), not the \(Quantity.bytes(wanted)) "
        + "of flows.bufferKilobytes, unless the service has CAP_NET_ADMIN; bursts may be lost",
      "echo net.core.rmem_max=\(wanted) | sudo tee /etc/sysctl.d/60-noroshi.conf && sudo sysctl --system"
    )
  }

  private static func losses(_ path: String) -> [Diagnosis] {
    let report: CollectorReport
    do {
      report = try CollectorReport.read(path)
    } catch {
      return [
        .note("flow report", "\(path) cannot be read: \(error)", "the collector writes it anew")
      ]
    }
    var diagnoses: [Diagnosis] = []
    let statistics = report.statistics
    if statistics.kernelDrops > 0 {
      diagnoses.append(
        .note(
          "flow losses",
          "the kernel dropped \(Quantity.grouped(statistics.kernelDrops)) of "
            + "\(Quantity.grouped(statistics.datagrams &+ statistics.kernelDrops)) datagrams up to "
            + "\(report.written)",
          "raise flows.bufferKilobytes and net.core.rmem_max, or flows.shards"))
    }
    if let archive = report.archive, archive.dropped + archive.lost > 0 {
      diagnoses.append(
        .fault(
          "flow archive",
          "\(Quantity.grouped(archive.dropped + archive.lost)) flows did not get to the disk up to "
            + "\(report.written)" + (archive.lastError.map { ": \($0)" } ?? ""),
          "make room, or give \(path) a faster disk"))
    }
    return diagnoses
  }
}
