import FlowArchive
import FlowRecords
import NetworkTypes

/// A query in SQL: what is asked, and how the answer is read.
struct QuerySQL {
  let query: FlowQuery
  /// `` `noroshi`.`flows` ``.
  let table: String
  let condition: String

  /// - Throws: ``ClusterError/inexpressible(_:)``.
  init(_ query: FlowQuery, table: String) throws(ClusterError) {
    self.query = query
    self.table = table
    var tests = [try FilterSQL(isRaw: query.isRaw).condition(query.filter)]
    if let window = query.window { tests.append(Self.window(window, query.windowRule)) }
    condition = tests.joined(separator: " AND ")
  }

  /// The flows of a time window. Filing day and hour, by which the table is ordered, go with the end of
  /// regular flows; these lasted a day at most.
  private static func window(
    _ window: ClosedRange<Timestamp>, _ rule: FlowQuery.WindowRule
  ) -> String {
    // Whole milliseconds, as the archive has them.
    let first = window.lowerBound.nanoseconds / 1_000_000
    let last = max(first, window.upperBound.nanoseconds / 1_000_000)
    let latest = rule == .inside ? last : last + 86_400_000
    func second(_ milliseconds: Int64) -> Int64 {
      min(max(0, milliseconds / 1_000), 0xffff_ffff)
    }
    let hours = (second(first) / 3_600 * 3_600, second(latest))
    let days = (min(hours.0 / 86_400, 65_535), min(hours.1 / 86_400, 65_535))
    let exact =
      rule == .inside
      ? "start >= \(first) AND end <= \(last)" : "end >= \(first) AND start <= \(last)"
    return "\(exact) AND day >= toDate(\(days.0)) AND (irregular = 1 OR (irregular = 0 AND "
      + "day <= toDate(\(days.1)) AND hour >= toDateTime(\(hours.0)) AND "
      + "hour <= toDateTime(\(hours.1))))"
  }

  // MARK: Totals

  /// Sums over all flows that match, and how many records there are.
  var totals: String {
    var (packets, bytes) = (scaled("packets"), scaled("bytes"))
    // As the archive: a listing shows the forward direction, sums have both.
    if query.kind != .listing {
      packets = "\(packets) + \(scaled("reverse_packets"))"
      bytes = "\(bytes) + \(scaled("reverse_bytes"))"
    }
    return "SELECT count(), sum(\(SQL.flows)), sum(\(packets)), sum(\(bytes)), min(start), max(end)"
      + " FROM \(table) WHERE \(condition)"
  }

  private func scaled(_ name: String) -> String { SQL.scaled(name, isRaw: query.isRaw) }

  // MARK: Listing

  /// The flows themselves, all of their columns.
  func listing(columns: [String]) throws(ClusterError) -> String {
    let quantity: FlowQuantity? =
      switch query.order {
      case .flows: .flows
      case .packets: .packets
      case .bytes: .bytes
      case .pps: .packetsPerSecond
      case .bps: .bitsPerSecond
      case .bpp: .bytesPerPacket
      case .duration: .duration
      case .tstart, .tend: nil
      }
    var measure = query.order == .tend ? "end" : "start"
    if let quantity { measure = try FilterSQL(isRaw: query.isRaw).number(quantity) }
    let names = columns.map { "`\($0)`" }.joined(separator: ", ")
    return
      "SELECT \(names) FROM \(table) WHERE \(condition) ORDER BY \(measure) \(direction)\(limit)"
  }

  private var direction: String {
    let isAscending = query.order == .tstart || query.order == .tend
    return isAscending != query.isReversed ? "ASC" : "DESC"
  }

  private var limit: String { query.limit.map { " LIMIT \(max(0, $0))" } ?? "" }

  // MARK: Groups

  /// The elements of each row's key.
  func elements() throws(ClusterError) -> [ElementSQL] {
    var all: [ElementSQL] = []
    switch query.kind {
    case .listing: return []
    case .statistic(let elements, let splitsByProtocol):
      guard let first = elements.first else {
        throw .inexpressible("a statistic without an element")
      }
      if splitsByProtocol, !isProtocol(elements) { all.append(try ElementSQL(.transport)) }
      all.append(try ElementSQL(first))
    case .aggregation(let elements):
      guard !elements.isEmpty else {
        throw .inexpressible("an aggregation without an element")
      }
      for element in elements { all.append(try ElementSQL(element)) }
    case .biflows:
      for element in FlowElement.connection { all.append(try ElementSQL(element)) }
    }
    return all
  }

  private func isProtocol(_ elements: [FlowElement]) -> Bool {
    elements.map(\.source) == [.number(.transport)]
  }

  /// The groups in order. Columns: those of the elements, flows, packets, bytes, first start, last end; of
  /// biflows also packets and bytes of the other direction and the first start of either.
  func groups() throws(ClusterError) -> String {
    if query.kind == .biflows { return biflows }
    let elements = try elements()
    var keys = elements.flatMap(\.keys)
    var selected = elements.flatMap(\.selected)
    var pair = ""
    if case .statistic(let both, _) = query.kind, both.count > 1 {
      var sides: [String] = []
      for element in both {
        let side = try ElementSQL(element)
        guard side.keys.count == 1 else {
          throw .inexpressible("a statistic of both \(element.name)")
        }
        sides.append(side.keys[0])
      }
      // A flow counts under both of its ends, as a row for each.
      pair = " ARRAY JOIN [\(sides.joined(separator: ", "))] AS side"
      let place = keys.count - 1
      selected[place] = selected[place].hasPrefix("hex(") ? "hex(side)" : "side"
      keys[place] = "side"
    }
    let sums = [
      "sum(\(SQL.flows)) AS sum_flows",
      "sum(\(scaled("packets")) + \(scaled("reverse_packets"))) AS sum_packets",
      "sum(\(scaled("bytes")) + \(scaled("reverse_bytes"))) AS sum_bytes",
      "min(start) AS first_start", "max(end) AS last_end",
    ]
    return "SELECT \((selected + sums).joined(separator: ", ")) FROM \(table)\(pair)"
      + " WHERE \(condition) GROUP BY \(keys.joined(separator: ", "))"
      + order("sum_packets", "sum_bytes", keys)
  }

  /// TCP and UDP flows are turned so that the lesser end comes first, and their counters with them.
  private var biflows: String {
    let isTurned =
      "(protocol IN (6, 17) AND (destination_address, destination_port) < "
      + "(source_address, source_port))"
    func turned(_ one: String, _ other: String) -> String {
      "if(\(isTurned), \(other), \(one))"
    }
    // The reverse direction has not been seen to begin on its own.
    let never = "toInt64(9223372036854775807)"
    let keys = [
      "protocol", turned("source_address", "destination_address"),
      turned("destination_address", "source_address"), turned("source_port", "destination_port"),
      turned("destination_port", "source_port"),
    ]
    let selected = [keys[0], "hex(\(keys[1]))", "hex(\(keys[2]))", keys[3], keys[4]]
    let (packets, back) = (scaled("packets"), scaled("reverse_packets"))
    let (bytes, bytesBack) = (scaled("bytes"), scaled("reverse_bytes"))
    let sums = [
      "sum(\(SQL.flows)) AS sum_flows", "sum(\(turned(packets, back))) AS sum_packets",
      "sum(\(turned(bytes, bytesBack))) AS sum_bytes", "min(start) AS first_start",
      "max(end) AS last_end", "sum(\(turned(back, packets))) AS back_packets",
      "sum(\(turned(bytesBack, bytes))) AS back_bytes",
      "min(\(turned("start", never))) AS forward_start",
      "min(\(turned(never, "start"))) AS back_start",
    ]
    return "SELECT \((selected + sums).joined(separator: ", ")) FROM \(table)"
      + " WHERE \(condition) GROUP BY \(keys.joined(separator: ", "))"
      + order("(sum_packets + back_packets)", "(sum_bytes + back_bytes)", keys)
  }

  private func order(_ packets: String, _ bytes: String, _ keys: [String]) -> String {
    let duration = "toUInt64(last_end - first_start)"
    let measure =
      switch query.order {
      case .flows: "sum_flows"
      case .packets: packets
      case .bytes: bytes
      case .pps: SQL.rate(packets, 1_000, per: duration)
      case .bps: SQL.rate(bytes, 8_000, per: duration)
      case .bpp: SQL.quotient(bytes, packets)
      case .tstart: "first_start"
      case .tend: "last_end"
      case .duration: duration
      }
    // Equal measures come in the order of their keys, so that the answer is always the same.
    return " ORDER BY \(measure) \(direction), \(keys.joined(separator: ", "))\(limit)"
  }
}

extension FlowElement {
  /// The protocol; `FlowElement.connection` begins with it.
  static var transport: FlowElement { connection[0] }
}
