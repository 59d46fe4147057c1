public import NetworkTypes

/// How flows are put into datagrams.
public struct EncoderParameters: Sendable {
  public var version: FlowProtocol
  /// Observation domain (IPFIX), source identifier (v9), engine type and number (v5), sub-agent
  /// (sFlow).
  public var domain: UInt32 = 1
  /// Octets of a datagram at most; 1,400 pass every tunnel of an Ethernet.
  public var largestDatagram = 1_400
  /// Datagrams after which templates are announced again (RFC 3954 §9, RFC 7011 §8.1).
  public var datagramsPerTemplate = 500
  /// A rate to announce, by options data (v9, IPFIX) or in the header (v5); nil for none. sFlow has
  /// the rate in every sample.
  public var samplingRate: UInt32?
  /// The agent's address in sFlow.
  public var agent = IPAddress(v4: 0x7f00_0001)

  public init(version: FlowProtocol) { self.version = version }
}

/// Turns flows into datagrams of one exporter.
///
/// Times are kept in milliseconds. NetFlow v5 has no IPv6 and 32-bit counters: flows of IPv6 are
/// passed over and counted, larger counters become the largest. sFlow has no flows: each becomes one
/// sampled packet with the flow's mean size.
public protocol FlowEncoder {
  /// Flows that the protocol has no place for.
  var skipped: UInt64 { get }

  /// Encodes rows of a batch, and gives `send` each datagram as it is full or the rows end.
  ///
  /// - Parameter exportTime: the time in the headers; whole seconds are taken from it.
  mutating func encode(
    _ batch: FlowBatch, rows: Range<Int>, exportTime: Timestamp, send: (RawSpan) throws -> Void)
    rethrows
}

extension EncoderParameters {
  /// The encoder of the protocol.
  public func encoder() -> any FlowEncoder {
    switch version {
    case .netflow5: NetFlow5Encoder(self)
    case .netflow9, .ipfix: TemplateEncoder(self)
    case .sflow5: SFlow5Encoder(self)
    }
  }
}

/// The exporter's clock: it started a while before the first flow.
struct ExporterClock {
  private var started: Int64?

  /// Milliseconds since the start, wrapped to 32 bits as the protocols have it.
  mutating func uptime(_ moment: Int64, exportTime: Int64) -> UInt32 {
    // A quarter of an hour: longer than routers keep a flow before they report it.
    let start = started ?? exportTime / 1_000_000 &- 900_000
    started = start
    return UInt32(truncatingIfNeeded: moment / 1_000_000 &- start)
  }
}
