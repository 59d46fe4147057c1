import FlowRecords
import NetworkTypes

/// Who sends flows, what of them is lost, and where each sampling rate comes from: what
/// `noroshi flows exporters` shows.
struct FlowExporters: Sendable {
  let source: FlowSource

  static let columns: [Column<ExporterStatistics>] = [
    Column("exporter", .address, value: { .text($0.exporter.address.description) }),
    Column(
      "domain", .integer, markup: { item, _ in "\(item.exporter.domain)" },
      value: { .integer(Int64($0.exporter.domain)) }),
    Column(
      "version", .choice(prefix: "flow-protocol", words: FlowProtocol.allCases.map(\.rawValue)),
      value: { .choice($0.version.rawValue) }),
    Column("flows", .integer, value: { .count($0.flows) }),
    Column("datagrams", .integer, value: { .count($0.datagrams) }),
    Column("missing", .integer, value: { .count($0.lost) }),
    Column(
      "rate", .integer,
      value: { $0.sampling.rate == 0 ? .none : .integer(Int64($0.sampling.rate)) }),
    Column(
      "rate_from", .choice(prefix: "rate-from", words: SamplingSource.allCases.map(\.name)),
      markup: { item, visit in
        let name = item.sampling.source.name
        let text = visit.name("rate-from", name)
        // Totals of a router that samples without saying so are too low: the word stands out.
        return name == "unknown" ? "<span class=\"badge unknown\">\(text)</span>" : "\(text)"
      }, value: { .choice($0.sampling.source.name) }),
    Column("templates", .integer, value: { .integer(Int64($0.templates)) }),
    Column(
      "faults", .list, sort: false,
      value: { exporter in
        .list(
          DecodingFault.allCases.filter { exporter.faults[$0] > 0 }
            .map { "\($0.name) \(exporter.faults[$0])" })
      }),
    Column(
      "last_seen", .time, value: { $0.datagrams == 0 ? .none : .time($0.lastReceived) }),
    Column(
      "first_seen", .time, hidden: true,
      value: { $0.datagrams == 0 ? .none : .time($0.firstReceived) }),
    Column("gaps", .integer, hidden: true, value: { .count($0.gaps) }),
    Column("reordered", .integer, hidden: true, value: { .count($0.reordered) }),
    Column("restarts", .integer, hidden: true, value: { .count($0.restarts) }),
    Column("options_records", .integer, hidden: true, value: { .count($0.optionsRecords) }),
    Column("counter_samples", .integer, hidden: true, value: { .count($0.counterSamples) }),
    Column("held_octets", .integer, hidden: true, value: { .integer(Int64($0.heldOctets)) }),
  ]

  var table: Table<ExporterStatistics> {
    Table(
      name: "exporters", path: "/flows/exporters", section: "flows", audience: .staff,
      columns: Self.columns, order: .init("exporter"),
      rows: { query, _ in
        query.answer(try source.collector()?.statistics.exporters ?? [], columns: Self.columns)
      },
      lead: { visit in try lead(visit) })
  }

  private func lead(_ visit: Visit) throws -> HTML {
    let navigation = FlowPages.subnavigation("exporters", visit)
    guard let report = try source.collector() else {
      return """
        \(navigation)<section class="panel"><p class="empty">\(visit.t("exporters.none"))</p></section>
        """
    }
    let statistics = report.statistics
    var facts = Facts()
    facts.add(visit.t("exporters.as-of"), visit.timeElement(report.written))
    for (name, value) in [
      ("received", statistics.datagrams), ("kernel", statistics.kernelDrops),
      ("refused", statistics.refused), ("shed", statistics.shed),
      ("stray", statistics.strayFaults.total), ("dropped", UInt64(max(0, report.dropped))),
      ("lost", UInt64(max(0, report.lost))),
    ] {
      facts.add(visit.t("exporters.\(name)"), "\(visit.number(value))")
    }
    let alarm: HTML =
      report.dropped + report.lost > 0 || report.lastError != nil
      ? """
      <p class="alert" role="alert">\(visit.t("exporters.archive-alarm")) \
      <span lang="en">\(report.lastError ?? "")</span></p>
      """ : .empty
    return """
      \(navigation)\(alarm)
      <section class="panel"><h2>\(visit.t("exporters.losses"))</h2>\(facts.html)</section>
      """
  }
}
