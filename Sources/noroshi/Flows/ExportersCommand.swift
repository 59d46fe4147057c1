import ArgumentParser
import FlowCluster
import FlowRecords
import Foundation
import NetworkTypes

struct FlowsExportersCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "exporters",
    abstract: "Say who sends flows, what is lost, and where sampling rates come from.",
    discussion: """
      It shows what the collector of this data directory wrote last, every five seconds while it runs. \
      Missing are, by sequence number, flows of NetFlow v5 and IPFIX, datagrams of NetFlow v9 and sFlow.
      """)

  @OptionGroup var options: HouseOptions
  @OptionGroup var list: ListOutput

  func run() throws {
    let house = try options.house()
    let path = house.data.flowExporters
    guard FileManager.default.fileExists(atPath: path) else {
      throw CommandFailure(
        "No collector has run in \(house.data.path)",
        advice: "`noroshi flows collect` runs one, `noroshi serve` does with flows.enabled.",
        status: .noInput)
    }
    let report = try CollectorReport.read(path)
    let exporters = report.statistics.exporters.sorted {
      ($0.exporter.address, $0.exporter.domain, $0.version.rawValue)
        < ($1.exporter.address, $1.exporter.domain, $1.version.rawValue)
    }
    try list.write(
      exporters,
      columns: [
        ListColumn("exporter") { .text($0.exporter.address.description) },
        ListColumn("domain") { .count($0.exporter.domain) },
        ListColumn("protocol") { .text($0.version.rawValue) },
        ListColumn("flows") { .count($0.flows) },
        ListColumn("datagrams") { .count($0.datagrams) },
        ListColumn("missing") { .count($0.lost) },
        ListColumn("rate") { $0.sampling.rate == 0 ? .none : .count($0.sampling.rate) },
        ListColumn("rate_from") { .text($0.sampling.source.name) },
        ListColumn("templates") { .count($0.templates) },
        ListColumn("faults") { exporter in
          .list(
            DecodingFault.allCases.filter { exporter.faults[$0] > 0 }
              .map { "\($0.name) \(exporter.faults[$0])" })
        },
        ListColumn("last") { $0.datagrams == 0 ? .none : .time($0.lastReceived) },
        ListColumn("gaps", extra: true) { .count($0.gaps) },
        ListColumn("reordered", extra: true) { .count($0.reordered) },
        ListColumn("restarts", extra: true) { .count($0.restarts) },
        ListColumn("options_records", extra: true) { .count($0.optionsRecords) },
        ListColumn("other_records", extra: true) { .count($0.otherRecords) },
        ListColumn("counter_samples", extra: true) { .count($0.counterSamples) },
        ListColumn("held_octets", extra: true) { .count($0.heldOctets) },
        ListColumn("held_sets", extra: true) { .count($0.heldSets) },
        ListColumn("octets", extra: true) { .count($0.octets) },
        ListColumn("first", extra: true) { $0.datagrams == 0 ? .none : .time($0.firstReceived) },
      ],
      nothing: "The collector runs, and nobody has sent anything yet.")
    guard list.format == .table else { return }
    let statistics = report.statistics
    Terminal.error.line(
      "As of \(report.written). Dropped by the kernel: \(Quantity.grouped(statistics.kernelDrops)); "
        + "not allowed: \(Quantity.grouped(statistics.refused)); above the rate: "
        + "\(Quantity.grouped(statistics.shed)); unreadable: "
        + "\(Quantity.grouped(statistics.strayFaults.total)) datagrams.")
    if let cluster = report.cluster, let error = cluster.lastError {
      Terminal.error.line(
        "The cluster: \(error). \(Quantity.bytes(Int64(cluster.spoolOctets))) wait in the spool; "
          + "\(Quantity.grouped(cluster.dropped + cluster.lost)) flows were dropped or lost.")
    }
    guard let archive = report.archive, archive.dropped + archive.lost > 0 else { return }
    Terminal.error.line(
      "The archive is too slow or full: \(Quantity.grouped(archive.dropped)) flows were dropped, "
        + "\(Quantity.grouped(archive.lost)) could not be written."
        + (archive.lastError.map { " \($0)." } ?? ""))
  }
}
