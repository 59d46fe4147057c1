public import Anonymisation
public import NetworkTypes
public import PacketCapture

/// Makes flowtuples of captures: how many packets of each minute share source, destination, ports, protocol,
/// TTL, TCP flags and length.
///
/// Columns are those of CAIDA's FlowTuple: `time` (the minute's start, UTC), `src_ip`, `dst_ip`,
/// `src_port` (ICMP type), `dst_port` (ICMP code), `protocol`, `ttl`, `tcp_flags`, `ip_len`, `packets`.
/// Memory is bounded by ``FlowtupleParameters``; what that makes appear in several rows is counted.
public struct FlowtupleExport {
  /// What became of the packets.
  public struct Counts: Sendable, Hashable {
    public var packets: UInt64 = 0
    /// Not IP, cut short or malformed.
    public var undecoded: UInt64 = 0
    /// Not addressed to the networks asked for.
    public var outside: UInt64 = 0
    /// Not in the time asked for.
    public var otherTime: UInt64 = 0
    public var rows = 0
    /// Rows written before their minute had ended, because memory was full.
    public var spilledRows = 0
    /// Packets of minutes that had been written already; they make rows of their own.
    public var latePackets: UInt64 = 0

    public init() {}
  }

  public static let columns: [ExportColumn] = [
    .init("time", .moment), .init("src_ip", .text), .init("dst_ip", .text),
    .init("src_port", .count(bits: 16)), .init("dst_port", .count(bits: 16)),
    .init("protocol", .count(bits: 8)), .init("ttl", .count(bits: 8)),
    .init("tcp_flags", .count(bits: 8)), .init("ip_len", .count(bits: 16)),
    .init("packets", .count(bits: 64)),
  ]

  private var table: FlowtupleTable
  private let writer: FlowtupleWriter
  private let space: PrefixMap<Bool>?
  private let since: Int64
  private let until: Int64
  public private(set) var counts = Counts()

  /// - Parameters:
  ///   - networks: only packets to these; all when empty.
  ///   - since: only packets from then on.
  ///   - until: only packets before.
  public init(
    to path: String, format: ExportFormat, networks: [IPPrefix] = [], since: Timestamp? = nil,
    until: Timestamp? = nil, anonymisedWith key: AnonymisationKey? = nil,
    parameters: FlowtupleParameters = FlowtupleParameters()
  ) throws {
    writer = FlowtupleWriter(
      try ExportSink(Self.columns, format: format, path: path), anonymisedWith: key)
    table = FlowtupleTable(parameters)
    space = networks.isEmpty ? nil : PrefixMap(networks.map { ($0, true) })
    self.since = since?.nanoseconds ?? .min
    self.until = until?.nanoseconds ?? .max
  }

  /// Reads up to `limit` packets of captures in the order of their times; 0 means that all have ended.
  public mutating func read(_ captures: inout MergedCapture, limit: Int) throws -> Int {
    var headers = PacketHeaders()
    // A reader's closure cannot throw: the fault waits for the end of the call.
    var fault: (any Error)?
    let count = try captures.read(limit: limit) { record, octets in
      guard fault == nil else { return }
      do {
        try take(record, octets, &headers)
      } catch {
        fault = error
      }
    }
    if let fault { throw fault }
    return count
  }

  private mutating func take(
    _ record: borrowing PacketRecord, _ octets: RawSpan, _ headers: inout PacketHeaders
  ) throws {
    counts.packets &+= 1
    guard PacketDecoder.decode(copy record, octets, into: &headers) == .decoded else {
      counts.undecoded &+= 1
      return
    }
    if let space, space[headers.destination] == nil {
      counts.outside &+= 1
      return
    }
    let time = headers.timestamp.nanoseconds
    guard time >= since, time < until else {
      counts.otherTime &+= 1
      return
    }
    let writer = writer
    try table.add(headers) { try writer.write($0, $1) }
  }

  /// Writes what is left and gives the file its name.
  public mutating func finish() throws -> Counts {
    let writer = writer
    try table.finish { try writer.write($0, $1) }
    try writer.sink.finish()
    counts.rows = writer.sink.rows
    counts.spilledRows = table.spilled
    counts.latePackets = table.late
    return counts
  }
}

/// Turns tuples into rows, with anonymised addresses on request.
private final class FlowtupleWriter {
  let sink: ExportSink
  private var anonymiser: CachedCryptoPAn?

  init(_ sink: ExportSink, anonymisedWith key: AnonymisationKey?) {
    self.sink = sink
    anonymiser = key.map { CachedCryptoPAn(CryptoPAn(key: $0)) }
  }

  func write(_ tuple: Flowtuple, _ packets: UInt64) throws {
    try sink.append([
      .moment(Timestamp(nanoseconds: tuple.minute &* 60_000_000_000)), shown(tuple.source),
      shown(tuple.destination), .count(UInt64(tuple.sourcePort)),
      .count(UInt64(tuple.destinationPort)), .count(UInt64(tuple.transport)),
      .count(UInt64(tuple.timeToLive)), .count(UInt64(tuple.tcpFlags)),
      .count(UInt64(tuple.ipLength)), .count(packets),
    ])
  }

  private func shown(_ address: IPAddress) -> ExportValue {
    .address(anonymiser?.anonymised(address) ?? address)
  }
}
