public import FlowRecords
public import NetworkTypes

/// What attack detection needs of one flow, in 80 octets.
@frozen
public struct AttackFlow: Sendable, BitwiseCopyable, Hashable {
  /// Unix nanoseconds of the first packet; never after ``end``.
  public var start: Int64
  /// Unix nanoseconds of the last packet.
  public var end: Int64
  public var source: IPAddress
  public var destination: IPAddress
  /// Scaled by the sampling rate.
  public var packets: UInt64
  /// Octets of layer 3, scaled by the sampling rate.
  public var octets: UInt64
  public var sourcePort: UInt16
  public var destinationPort: UInt16
  /// One of how many packets was looked at; at least 1, at most 65,535.
  public var samplingRate: UInt16
  public var transport: UInt8
  public var tcpFlags: UInt8
  public var icmpType: UInt8
  /// How many flows an aggregated record stands for, at most 255; at least 1.
  public var flows: UInt8
  public var kind: TrafficKind

  /// Whether its end lies between 1970 and 2100: other times are no times, and arithmetic on them
  /// might leave the range of numbers.
  var hasTime: Bool { end > 0 && end < Self.latest }

  /// 2100-01-01.
  static let latest: Int64 = 4_102_444_800_000_000_000

  /// - Parameter end: a moment before `start` becomes `start`.
  public init(
    start: Timestamp, end: Timestamp, source: IPAddress, destination: IPAddress,
    sourcePort: UInt16 = 0, destinationPort: UInt16 = 0, transport: IPProtocol,
    tcpFlags: UInt8 = 0, icmpType: UInt8 = 0, packets: UInt64, octets: UInt64,
    samplingRate: UInt16 = 1
  ) {
    self.start = start.nanoseconds
    self.end = max(start.nanoseconds, end.nanoseconds)
    self.source = source
    self.destination = destination
    self.packets = packets
    self.octets = octets
    self.sourcePort = sourcePort
    self.destinationPort = destinationPort
    self.samplingRate = max(1, samplingRate)
    self.transport = transport.rawValue
    self.tcpFlags = tcpFlags
    self.icmpType = icmpType
    flows = 1
    kind = TrafficKind.of(
      transport: transport.rawValue, tcpFlags: tcpFlags, sourcePort: sourcePort,
      destinationPort: destinationPort)
  }

  /// One row of a batch; nil for rows without packets or without a time. The row must exist.
  ///
  /// Packets and octets of the reverse direction of a biflow are not in it: ``reverse(of:row:)``
  /// has them.
  public init?(_ batch: FlowBatch, row: Int) {
    let rate = UInt32(truncatingIfNeeded: batch.number(.samplingRate, row: row))
    let raw = batch.number(.packets, row: row)
    let last = Int64(bitPattern: batch.number(.end, row: row))
    guard raw > 0, last > 0 else { return nil }
    let first = Int64(bitPattern: batch.number(.start, row: row))
    end = last
    start = first <= 0 || first > last ? last : first
    source = batch.address(.sourceAddress, row: row)
    destination = batch.address(.destinationAddress, row: row)
    packets = SamplingRate.scaled(raw, by: rate)
    octets = SamplingRate.scaled(batch.number(.bytes, row: row), by: rate)
    sourcePort = UInt16(truncatingIfNeeded: batch.number(.sourcePort, row: row))
    destinationPort = UInt16(truncatingIfNeeded: batch.number(.destinationPort, row: row))
    samplingRate = UInt16(clamping: max(1, rate))
    transport = UInt8(truncatingIfNeeded: batch.number(.transport, row: row))
    tcpFlags = UInt8(truncatingIfNeeded: batch.number(.tcpFlags, row: row))
    icmpType = UInt8(truncatingIfNeeded: batch.number(.icmpType, row: row))
    flows = UInt8(clamping: max(1, batch.number(.aggregatedFlows, row: row)))
    if transport == 1 || transport == 58 {
      // NetFlow v5 and many others put type and code where the destination port would be.
      if icmpType == 0 { icmpType = UInt8(truncatingIfNeeded: destinationPort >> 8) }
      sourcePort = 0
      destinationPort = 0
    }
    kind = TrafficKind.of(
      transport: transport, tcpFlags: tcpFlags, sourcePort: sourcePort,
      destinationPort: destinationPort)
  }

  /// The other direction of a biflow's row (RFC 5103); nil where it has none. The row must exist.
  public static func reverse(of batch: FlowBatch, row: Int) -> AttackFlow? {
    let raw = batch.number(.reversePackets, row: row)
    guard raw > 0, let forward = AttackFlow(batch, row: row) else { return nil }
    let rate = UInt32(truncatingIfNeeded: batch.number(.samplingRate, row: row))
    var flow = forward
    flow.source = forward.destination
    flow.destination = forward.source
    flow.sourcePort = forward.destinationPort
    flow.destinationPort = forward.sourcePort
    flow.packets = SamplingRate.scaled(raw, by: rate)
    flow.octets = SamplingRate.scaled(batch.number(.reverseBytes, row: row), by: rate)
    flow.tcpFlags = UInt8(truncatingIfNeeded: batch.number(.reverseTCPFlags, row: row))
    flow.kind = TrafficKind.of(
      transport: flow.transport, tcpFlags: flow.tcpFlags, sourcePort: flow.sourcePort,
      destinationPort: flow.destinationPort)
    return flow
  }
}
