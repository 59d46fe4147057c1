public import ArgumentParser
public import FlowArchive
import FlowCluster
import Foundation
import NetworkTypes
import Store

/// What `flows query` writes.
enum QueryFormat: String, CaseIterable, ExpressibleByArgument, Sendable {
  case table, json, csv
  /// A file, named by `--output`.
  case parquet
}

extension FlowQuery.Order: ExpressibleByArgument {}

struct FlowsQueryCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "query",
    abstract: "Search the flow archive: list flows, rank addresses and ports, add up.",
    discussion: """
      The filter is nfdump's: src ip 192.0.2.1, dst port in [22 23], proto tcp and flags S and not \
      flags AFRPU, bytes > 1m. See docs/flow-archive.md. Every search needs a purpose and is written \
      into the audit trail.

      Examples:
        noroshi flows query --purpose "case 41" 'ip 192.0.2.7' --from 2026-11-25T00:00:00Z
        noroshi flows query --purpose capacity -s srcip/bytes -n 10
        noroshi flows query --purpose "case 41" -A srcip4/24,dstport 'proto tcp' --format csv
        noroshi flows query --purpose "case 41" -b 'host 192.0.2.7' --order bytes
        noroshi flows query --purpose "case 41" --on clickhouse://db1/noroshi/flows 'port 23'
      """)

  @OptionGroup var options: HouseOptions

  @Argument(help: "The filter; without one, all flows.")
  var filter: [String] = []

  @Option(
    name: .long, help: "Why these flows are looked at; it goes into the audit trail.")
  var purpose: String

  @Option(name: .long, help: "The archive. Default: flows in the data directory.")
  var archive: String?

  @Option(
    name: .long,
    help: ArgumentHelp(
      "A ClickHouse cluster instead of the archive: clickhouse://user@server/database/table.",
      valueName: "address"))
  var on: String?

  @Option(
    name: [.customShort("s"), .customLong("statistic")],
    help: "The greatest of an element: srcip/bytes, dstport:p/flows, record/packets.")
  var statistic: String?

  @Option(
    name: [.customShort("A"), .customLong("aggregate")],
    help: "Add up by these elements: srcip4/24,dstport,proto.")
  var aggregate: String?

  @Flag(
    name: [.customShort("b"), .customLong("biflows")],
    help: "Add up both directions of connections.")
  var biflows = false

  @Option(
    name: [.customShort("n"), .customLong("limit")], help: "At most this many rows; 0 for all.")
  var limit = 10

  @Option(
    name: [.customShort("O"), .customLong("order")],
    help: "flows, packets, bytes, pps, bps, bpp, tstart, tend or duration.")
  var order: FlowQuery.Order?

  @Flag(name: .long, help: "The other end of the order first.")
  var reverse = false

  @Option(name: .long, help: "From this moment on.")
  var from: String?

  @Option(name: .long, help: "Up to this moment.")
  var to: String?

  @Flag(
    name: .long,
    help: "Flows that were alive at any moment of the time; otherwise those wholly in it.")
  var overlapping = false

  @Flag(name: .long, help: "Counters as sent, not times the sampling rate.")
  var raw = false

  @Option(name: .long, help: "Threads; 0 for as many as there are processors.")
  var threads = 0

  @Option(name: .long, help: "Megabytes of memory for groups and rows.")
  var memory = 512

  @Option(name: .long, help: "How to write the result: table, json, csv or parquet.")
  var format = QueryFormat.table

  @Option(name: .long, help: "Only these columns, separated by commas; `all` for all.")
  var columns: String?

  @Option(name: [.customShort("o"), .long], help: "The file to write (parquet).")
  var output: String?

  func validate() throws {
    guard [statistic != nil, aggregate != nil, biflows].filter({ $0 }).count <= 1 else {
      throw ValidationError("Only one of -s, -A and -b can be answered at a time.")
    }
    guard limit >= 0 else { throw ValidationError("--limit must be 0 or more.") }
    guard (1...1_048_576).contains(memory), (0...256).contains(threads) else {
      throw ValidationError("--memory is 1 to 1048576, --threads 0 to 256.")
    }
    guard (format == .parquet) == (output != nil) else {
      throw ValidationError("--format parquet and --output belong together.")
    }
    guard !purpose.allSatisfy(\.isWhitespace) else {
      throw ValidationError("--purpose must say why these flows are looked at.")
    }
    guard on == nil || archive == nil else {
      throw ValidationError("Only one of --archive and --on can be searched at a time.")
    }
    if let on {
      do {
        _ = try ClusterAddress(on)
      } catch {
        throw ValidationError("--on \(error).")
      }
    }
    _ = try QueryWindow.read(from: from, to: to)
  }

  func run() async throws {
    let house = try options.house()
    let store = try house.store()
    let bar = ProgressBar("Searching flows", unit: "")
    let why = try SearchPurpose(actor: House.operatorName, purpose: purpose)
    let audit: @Sendable (SearchRecord) throws -> Void = { record in
      try house.record(
        "flows.search." + record.stage.rawValue, subject: record.archive,
        details: record.details, in: store)
    }
    if let on {
      var search = ClusterSearch(try ClusterAddress(on), purpose: why, audit: audit)
      search.parameters.memoryOctets = memory << 20
      search.progress = { done, total in
        bar.update(UInt64(done), fraction: Double(done) / Double(max(1, total)))
      }
      let query = try query()
      return try write(try await search.run(query), of: query, bar)
    }
    var search = FlowSearch(
      archive: archive ?? house.data.flows, purpose: why, audit: audit)
    search.parameters.threads = threads
    search.parameters.memoryOctets = memory << 20
    search.parameters.temporaryFolder = NSTemporaryDirectory()
    search.progress = { done, total in
      bar.update(UInt64(done), fraction: total > 0 ? Double(done) / Double(total) : 1)
    }
    search.isCancelled = { Task.isCancelled }
    let query = try query()
    if case .listing = query.kind, let output {
      let count = try search.export(query, toParquet: output)
      bar.finish()
      Terminal.error.line("\(Quantity.grouped(count)) flows are in \(output).")
      return
    }
    try write(try search.run(query), of: query, bar)
  }

  private func write(_ result: FlowQueryResult, of query: FlowQuery, _ bar: ProgressBar) throws {
    bar.finish()
    if let output {
      if case .listing = query.kind {
        try result.writeRecords(toParquet: output)
        Terminal.error.line("\(Quantity.grouped(result.records.count)) flows are in \(output).")
      } else {
        try result.writeRows(of: query, toParquet: output)
        Terminal.error.line("\(Quantity.grouped(result.rows.count)) rows are in \(output).")
      }
      return
    }
    var list = ListOutput.table
    list.format = ListFormat(rawValue: format.rawValue) ?? .table
    list.columns = columns
    try FlowTable.write(result, of: query, with: list)
  }

  private func query() throws -> FlowQuery {
    var kind = FlowQuery.Kind.listing
    var order = order
    if let statistic {
      // ELEMENT[:p][/ORDER], as nfdump has it; masks stand before the last slash.
      var name = statistic[...]
      if let slash = name.lastIndex(of: "/"),
        let named = FlowQuery.Order(rawValue: String(name[name.index(after: slash)...]))
      {
        order = order ?? named
        name = name[..<slash]
      }
      let splits = name.hasSuffix(":p")
      if splits { name = name.dropLast(2) }
      if name == "record" {
        kind = .aggregation(FlowElement.connection)
      } else {
        guard let elements = FlowElement.statistic(String(name)) else {
          throw CommandFailure(
            "There is no statistic of \(name)", advice: "See docs/flow-archive.md.",
            status: .usage)
        }
        kind = .statistic(elements, splitsByProtocol: splits)
      }
    } else if let aggregate {
      kind = .aggregation(try FlowElement.aggregation(aggregate))
    } else if biflows {
      kind = .biflows
    }
    do {
      var query = try FlowQuery(
        kind, filter: try FlowFilter.including(filter.joined(separator: " "), read: Self.text(of:)),
        order: order,
        limit: limit == 0 ? nil : limit)
      query.window = try QueryWindow.read(from: from, to: to)
      query.windowRule = overlapping ? .overlapping : .inside
      query.isReversed = reverse
      query.isRaw = raw
      return query
    } catch let error as FilterError {
      throw CommandFailure(
        "The filter cannot be read: \(error)", advice: "See docs/flow-archive.md.",
        status: .usage)
    }
  }
}

extension House {
  /// Who is at the command line, as the audit trail has it.
  static var operatorName: String { House.operator.text }
}

extension SearchRecord {
  /// For the audit trail: what was asked and what came of it.
  var details: [String: String] {
    var details = ["purpose": purpose, "kind": kind, "filter": filter]
    details["from"] = from
    details["to"] = to
    details["failure"] = failure
    if stage == .ended {
      details["scanned"] = "\(scanned)"
      details["matched"] = "\(matched)"
      details["rows"] = "\(rows)"
    }
    return details
  }
}

extension FlowsQueryCommand {
  /// What an `@include` of the filter names; no more than a filter may be long, whatever the file.
  fileprivate static func text(of path: String) throws -> String {
    let file = try FileHandle(forReadingFrom: URL(fileURLWithPath: path))
    let most = FilterParameters().longestText
    return String(decoding: try file.read(upToCount: most + 1) ?? Data(), as: UTF8.self)
  }
}
