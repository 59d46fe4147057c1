/// What a tracker remembers of every pair of client and service, as one statement in ClickHouse's SQL.
///
/// Whoever runs it hands each row to ``ContactTracker/add(_:)-(PairSummary)``, and the ranking is that of the
/// same flows from an archive. The table has the columns of `FlowColumn` by their names, times in
/// milliseconds since 1970 and addresses of 16 octets. The words are those that ClickHouse 18.16 and
/// today's versions both know; no array is captured by a lambda, which would copy it for each element.
public struct PairStatement: Sendable {
  /// Seconds that a row has at most.
  public static let seconds = Timelines.length

  public var parameters: TrackingParameters

  public init(parameters: TrackingParameters = TrackingParameters()) {
    self.parameters = parameters
  }

  /// The statement. Its columns are those of ``Column``, in that order.
  ///
  /// - Parameters:
  ///   - table: as it stands after FROM.
  ///   - condition: which of its rows; nothing of it may come from outside unchecked.
  public func text(table: String, condition: String) -> String {
    """
    SELECT client, server, server_port, transport, records, contacts, replies, answered, out_units, \
    in_units, out_packets, first, last, longest, longest_units, \(Self.list("toUInt32", "seconds")), \
    \(Self.list("toUInt64", "sizes")), rate FROM (\(summed(sessions(ordered(grouped(
      oriented(table, condition)))))))
    """
  }

  /// The columns of an answer.
  public enum Column: String, Sendable, CaseIterable {
    case client, server
    case serverPort = "server_port"
    case transport, records, contacts, replies, answered
    case bytesOut = "out_units"
    case bytesIn = "in_units"
    case packetsOut = "out_packets"
    case first, last
    case longest
    case longestBytes = "longest_units"
    case seconds, sizes
    case samplingRate = "rate"
  }

  private static func list(_ type: String, _ name: String) -> String {
    "arrayMap(x -> \(type)(x), \(name)_of) AS \(name)"
  }

  // MARK: Orientation

  /// Each flow with its client and its server: ``Orientation`` in SQL.
  private func oriented(_ table: String, _ condition: String) -> String {
    let port = { (name: String) in "if(protocol IN (6, 17), \(name), 0)" }
    let source = Self.rank(port("source_port"))
    let destination = Self.rank(port("destination_port"))
    let byPorts =
      "if(\(source) != \(destination), \(source) > \(destination), "
      + "\(port("source_port")) < \(port("destination_port")))"
    let isReply = """
      toUInt8(multiIf(reverse_packets > 0, 0, \
      protocol = 6 AND bitAnd(tcp_flags, 2) != 0 AND bitAnd(tcp_flags, 16) = 0, 0, \
      protocol = 6 AND packets <= 1 AND bitAnd(tcp_flags, 18) = 18, 1, \
      protocol = 6 AND packets <= 1 AND bitAnd(tcp_flags, 20) = 20, \(source) >= \(destination), \
      \(byPorts)))
      """
    // A client acknowledges only after the server has.
    let isAcknowledging =
      "protocol = 6 AND bitAnd(tcp_flags, 16) != 0 AND bitAnd(tcp_flags, 233) != 0"
    let turn = { (one: String, other: String) in "if(is_reply, \(one), \(other))" }
    let ends = [
      "source_address", "destination_address", "source_port", "destination_port", "protocol",
      "packets", "bytes", "reverse_packets", "reverse_bytes", "tcp_flags", "start", "end",
      "sampling_rate",
    ].joined(separator: ", ")
    return """
      SELECT \(turn("destination_address", "source_address")) AS client, \
      \(turn("source_address", "destination_address")) AS server, \
      toUInt16(\(turn(port("destination_port"), port("source_port")))) AS client_port, \
      toUInt16(\(turn(port("source_port"), port("destination_port")))) AS server_port, \
      toUInt8(protocol) AS transport, \
      toUInt8(is_reply) AS is_inward, \
      toUInt8(reverse_packets > 0 OR is_reply OR \(isAcknowledging)) AS is_answered, \
      \(turn("reverse_packets", "packets")) AS packets_out, \
      \(turn("reverse_bytes", "bytes")) AS bytes_out, \
      \(turn("bytes", "reverse_bytes")) AS bytes_in, \
      \(Self.seconds("start")) AS start_second, \
      greatest(start_second, \(Self.seconds("end"))) AS end_second, \
      end AS end_time, toUInt32(sampling_rate) AS sampled \
      FROM (SELECT \(ends), \(isReply) AS is_reply FROM \(table) \
      WHERE \(condition) AND protocol IN (1, 6, 17, 58) \
      AND NOT \(Self.staysLocal("source_address")) AND NOT \(Self.staysLocal("destination_address")))
      """
  }

  /// Milliseconds as whole seconds that fit into 32 bits.
  private static func seconds(_ name: String) -> String {
    "toUInt32(least(greatest(intDiv(\(name), 1000), 0), 4294967295))"
  }

  /// ``PortClass/rank(_:)``.
  private static func rank(_ port: String) -> String {
    let known = (PortClass.infrastructurePorts.union(PortClass.webPorts)).filter { $0 >= 1_024 }
      .sorted().map { "\($0)" }.joined(separator: ", ")
    return "multiIf(\(port) = 0, 0, \(port) < 1024, 3, \(port) IN (\(known)), 2, "
      + "\(port) < 49152, 1, 0)"
  }

  /// ``ContactTracker/staysLocal(_:)``, and what is no address at all.
  static func staysLocal(_ name: String) -> String {
    let mapped: UInt128 = 0xffff << 32
    let ranges: [(UInt128, UInt128)] = [
      (0, 1), (mapped, mapped | 0x00ff_ffff), (mapped | 0x7f00_0000, mapped | 0x7fff_ffff),
      (mapped | 0xa9fe_0000, mapped | 0xa9fe_ffff), (mapped | 0xe000_0000, mapped | 0xffff_ffff),
      (0xfe80 << 112, 0xfebf << 112 | UInt128.max >> 16), (0xff00 << 112, .max),
    ]
    let tests = ranges.map { first, last in
      "(\(name) >= \(literal(first)) AND \(name) <= \(literal(last)))"
    }
    return "(" + tests.joined(separator: " OR ") + ")"
  }

  private static func literal(_ bits: UInt128) -> String {
    var text = "'"
    for shift in stride(from: 120, through: 0, by: -8) {
      let octet = UInt8(truncatingIfNeeded: bits >> UInt128(shift))
      text += "\\x" + (octet < 16 ? "0" : "") + String(octet, radix: 16, uppercase: true)
    }
    return text + "'"
  }

  // MARK: Pairs

  /// Sums of each pair, and its records in the order in which they ended.
  private func grouped(_ contacts: String) -> String {
    let most = "4294967295"
    let octets =
      "least(intDiv(bytes_out, 16) + intDiv(bytes_in, 16) "
      + "+ intDiv(bytes_out % 16 + bytes_in % 16, 16), \(most))"
    let units = { (name: String) in
      "sum(least(intDiv(\(name), 16) + if(\(name) % 16 > 0, 1, 0), \(most)))"
    }
    return """
      SELECT client, server, server_port, transport, toUInt64(count()) AS records, \
      toUInt64(sum(is_inward)) AS replies, max(if(is_inward, 0, is_answered)) AS answered, \
      toUInt64(\(units("bytes_out"))) AS out_units, toUInt64(\(units("bytes_in"))) AS in_units, \
      toUInt64(sum(least(packets_out, \(most)))) AS out_packets, min(start_second) AS first, \
      max(end_second) AS last, max(sampled) AS rate, \
      arraySort(groupArray((end_time, start_second, client_port, end_second, is_inward, \
      toUInt64(\(octets)), if(is_inward, toUInt64(0), bytes_out), \
      toUInt8(is_inward AND sampled > 1)))) AS all_of \
      FROM (\(contacts)) GROUP BY client, server, server_port, transport
      """
  }

  private static let sums =
    "client, server, server_port, transport, records, replies, answered, out_units, in_units, "
    + "out_packets, first, last, rate"

  /// The records of the side that speaks, column by column: the client's, or where there are none the
  /// server's; and the times of answers that sampling left over.
  private func ordered(_ pairs: String) -> String {
    let part = { (place: Int) in "arrayMap(x -> x.\(place), spoken)" }
    return """
      SELECT \(Self.sums), is_client_heard, \(part(2)) AS starts, \(part(3)) AS ports, \
      \(part(4)) AS ends, \(part(6)) AS units, \(part(7)) AS octets, \(part(8)) AS is_alone, \
      arrayMap(x -> (x.2, x.7), arrayFilter(x -> x.8 AND is_client_heard, all_of)) AS answers \
      FROM (SELECT \(Self.sums), all_of, toUInt8(replies < records) AS is_client_heard, \
      arrayFilter(x -> x.5 != is_client_heard, all_of) AS spoken FROM (\(pairs)))
      """
  }

  /// Which records go on with the session before: ``ContactTracker``'s `follow`.
  private func sessions(_ pairs: String) -> String {
    let before = { (name: String) in "arrayPushFront(arrayPopBack(\(name)), 0)" }
    let pause = max(0, parameters.continuationSeconds)
    return """
      SELECT \(Self.sums), is_client_heard, starts, ends, octets, is_alone, answers, arrayCumSum(units) AS sums_of, \
      arrayMap((s, p, e, q) -> toUInt8(p != 0 AND p = q AND s <= e + \(pause) AND s + 1 >= e), \
      starts, ports, \(before("ends")), \(before("ports"))) AS goes_on FROM (\(pairs))
      """
  }

  /// Contacts, the longest session, and the latest seconds.
  private func summed(_ pairs: String) -> String {
    let isLast = "arrayPushBack(arrayPopFront(goes_on), 0)"
    let before = { (name: String) in "arrayPushFront(arrayPopBack(\(name)), 0)" }
    let sessions = """
      SELECT \(Self.sums), is_client_heard, \
      arrayFilter((s, g) -> g = 0, starts, goes_on) AS begins, \
      arrayFilter((e, n) -> n = 0, ends, \(isLast)) AS finishes, \
      arrayFilter((u, n) -> n = 0, sums_of, \(isLast)) AS totals, \
      arraySort(arrayConcat(answers, arrayFilter((x, g, a) -> g = 0 OR a, \
      arrayMap((s, o) -> (s, o), starts, octets), goes_on, is_alone))) AS sent FROM (\(pairs))
      """
    // The latest of the longest: the list from behind, and the first in it.
    let lengths = """
      SELECT \(Self.sums), is_client_heard, toUInt64(length(begins)) AS sessions_of, \
      arrayReverse(arrayMap((e, s) -> toUInt32(if(e > s, e - s, 0)), finishes, begins)) AS lengths, \
      arrayReverse(arrayMap((t, b) -> toUInt64(t - b), totals, \(before("totals")))) AS units, \
      arrayFilter((x, n) -> x.1 != n, sent, \
      arrayPushBack(arrayPopFront(arrayMap(x -> toUInt64(x.1), sent)), 4294967296)) AS distinct_of \
      FROM (\(sessions))
      """
    let latest = Self.seconds
    return """
      SELECT \(Self.sums), if(is_client_heard, sessions_of, 0) AS contacts, \
      toUInt32(arrayReduce('max', lengths)) AS longest, \
      units[indexOf(lengths, arrayReduce('max', lengths))] AS longest_units, \
      arraySlice(distinct_of, greatest(toInt64(length(distinct_of)) - \(latest - 1), 1), \(latest)) \
      AS latest_of, arrayMap(x -> x.1, latest_of) AS seconds_of, arrayMap(x -> x.2, latest_of) AS sizes_of \
      FROM (\(lengths))
      """
  }
}
