public import FlowRecords
import NetworkTypes

/// Finds out which end of a flow is the client, from the flow alone, so that archive and live stream
/// agree whatever came before.
///
/// In this order: the SYN flag without ACK (only a client's first packet has it), SYN with ACK in a
/// single packet (only a server's), then the ports: the one that looks more like a service's
/// (``PortClass``), at last the lower one. An exporter that makes biflows (RFC 5103) names the
/// initiator itself.
public enum Orientation {
  private static let syn: UInt8 = 2
  private static let reset: UInt8 = 4
  private static let ack: UInt8 = 16

  /// Whether the destination of a one-way record is the client.
  @inlinable
  public static func isReply(
    sourcePort: UInt16, destinationPort: UInt16, transport: UInt8, flags: UInt8, packets: UInt64
  ) -> Bool {
    decide(sourcePort, destinationPort, transport, flags, packets)
  }

  @usableFromInline
  static func decide(
    _ sourcePort: UInt16, _ destinationPort: UInt16, _ transport: UInt8, _ flags: UInt8,
    _ packets: UInt64
  ) -> Bool {
    if transport == 6 {
      if flags & syn != 0, flags & ack == 0 { return false }
      if packets <= 1, flags & (syn | ack) == syn | ack { return true }
      if packets <= 1, flags & (reset | ack) == reset | ack {
        return PortClass.rank(sourcePort) >= PortClass.rank(destinationPort)
      }
    }
    let source = PortClass.rank(sourcePort)
    let destination = PortClass.rank(destinationPort)
    if source != destination { return source > destination }
    // Equal ports (time servers among each other): the sender counts as the client.
    return sourcePort < destinationPort
  }

  /// The contact that a row of a batch shows; nil for what is neither TCP, UDP nor ICMP, and for
  /// records without an address.
  public static func contact(_ batch: FlowBatch, row: Int) -> Contact? {
    let transport = UInt8(truncatingIfNeeded: batch.number(.transport, row: row))
    guard transport == 6 || transport == 17 || transport == 1 || transport == 58 else {
      return nil
    }
    let source = batch.address(.sourceAddress, row: row)
    let destination = batch.address(.destinationAddress, row: row)
    guard source.bits != 0, destination.bits != 0 else { return nil }
    let isICMP = transport == 1 || transport == 58
    let sourcePort = isICMP ? 0 : UInt16(truncatingIfNeeded: batch.number(.sourcePort, row: row))
    let destinationPort =
      isICMP ? 0 : UInt16(truncatingIfNeeded: batch.number(.destinationPort, row: row))
    let flags = UInt8(truncatingIfNeeded: batch.number(.tcpFlags, row: row))
    let packets = batch.number(.packets, row: row)
    let packetsBack = batch.number(.reversePackets, row: row)
    let start = Int64(bitPattern: batch.number(.start, row: row))
    let end = Int64(bitPattern: batch.number(.end, row: row))
    var contact = Contact(
      start: start, end: end, client: source, server: destination, clientPort: sourcePort,
      serverPort: destinationPort, transport: transport, side: .outward, isAnswered: false,
      packetsOut: packets, packetsIn: packetsBack,
      bytesOut: batch.number(.bytes, row: row), bytesIn: batch.number(.reverseBytes, row: row),
      samplingRate: UInt32(truncatingIfNeeded: batch.number(.samplingRate, row: row)))
    if packetsBack > 0 {
      contact.side = .both
      contact.isAnswered = true
      return contact
    }
    if decide(sourcePort, destinationPort, transport, flags, packets) {
      contact = contact.reversed
      contact.isAnswered = true
    } else if transport == 6 {
      // A client acknowledges only after the server has.
      contact.isAnswered = flags & ack != 0 && flags & ~(syn | reset | ack) != 0
    }
    return contact
  }
}
