import NetworkTypes
import PacketCapture

extension SFlow5.Sample {
  /// Takes in one flow record of a sample; those that no column is for are passed over.
  mutating func add(_ format: UInt32, _ body: RawSpan) {
    switch format {
    case 1: rawHeader(body)
    case 2: sampledEthernet(body)
    case 3: sampledIP(body, isIPv6: false)
    case 4: sampledIP(body, isIPv6: true)
    case 1_001: extendedSwitch(body)
    case 1_002: extendedRouter(body)
    case 1_003: extendedGateway(body)
    case 1_007: extendedNAT(body)
    case 1_020: extendedNATPort(body)
    default: return
    }
  }

  /// The first octets of the packet itself.
  private mutating func rawHeader(_ body: RawSpan) {
    var reader = XDRReader(body)
    let linkProtocol = reader.u32()
    let frameLength = reader.u32()
    _ = reader.u32()  // octets stripped
    let length = Int(reader.u32())
    guard !reader.isBroken, let start = reader.opaque(length) else {
      hasFault = true
      return
    }
    let linkType: LinkType
    switch linkProtocol {
    case 1: linkType = .ethernet
    case 11: linkType = .ipv4
    case 12: linkType = .ipv6
    default:
      isOther = true
      return
    }
    let packet = body.extracting(start..<start + length)
    if linkType == .ethernet { ethernet(packet) }
    var headers = PacketHeaders()
    let capture = PacketRecord(
      timestamp: Timestamp(nanoseconds: 0), index: 0, capturedLength: UInt32(clamping: length),
      originalLength: frameLength, linkType: linkType)
    switch PacketDecoder.decode(capture, packet, into: &headers) {
    case .decoded, .truncatedTransport, .malformedTCPHeader: break
    case .notIP:
      isOther = true
      return
    default: return
    }
    hasPacket = true
    take(headers, frameLength)
    let network = linkType == .ethernet ? Self.networkOffset(packet) : 0
    if let network, packet.byteCount >= network + 2 {
      let first = packet.u16(network)
      record.typeOfService = UInt8(
        truncatingIfNeeded: first >> 12 == 4 ? first & 255 : (first >> 4) & 255)
    }
  }

  private mutating func take(_ headers: PacketHeaders, _ frameLength: UInt32) {
    record.source = headers.source
    record.destination = headers.destination
    record.transport = headers.transport
    record.bytes = headers.ipLength > 0 ? UInt64(headers.ipLength) : UInt64(frameLength)
    switch headers.transport {
    case .icmp, .icmpv6:
      record.icmpType = headers.icmpType
      record.icmpCode = headers.icmpCode
      record.destinationPort = UInt16(headers.icmpType) << 8 | UInt16(headers.icmpCode)
    default:
      record.sourcePort = headers.sourcePort
      record.destinationPort = headers.destinationPort
      record.tcpFlags = headers.transport == .tcp ? headers.tcpFlags : 0
    }
  }

  private mutating func ethernet(_ packet: RawSpan) {
    guard packet.byteCount >= 14 else { return }
    record.destinationMAC = packet.number(0, length: 6)
    record.sourceMAC = packet.number(6, length: 6)
    if packet.u16(12) == 0x8100, packet.byteCount >= 16, record.sourceVLAN == 0 {
      record.sourceVLAN = packet.u16(14) & 0xfff
    }
  }

  /// Where IP starts behind up to two VLAN tags; nil behind anything else.
  private static func networkOffset(_ packet: RawSpan) -> Int? {
    var at = 12
    for _ in 0..<3 {
      guard packet.byteCount >= at + 2 else { return nil }
      switch packet.u16(at) {
      case 0x0800, 0x86dd: return at + 2
      case 0x8100, 0x88a8, 0x9100: at += 4
      default: return nil
      }
    }
    return nil
  }

  private mutating func sampledEthernet(_ body: RawSpan) {
    guard body.byteCount >= 20 else {
      hasFault = true
      return
    }
    record.sourceMAC = body.number(4, length: 6)
    record.destinationMAC = body.number(12, length: 6)
    isOther = true
  }

  private mutating func sampledIP(_ body: RawSpan, isIPv6: Bool) {
    var reader = XDRReader(body)
    let length = reader.u32()
    let transport = reader.u32()
    let source: IPAddress
    let destination: IPAddress
    if isIPv6 {
      source = IPAddress(high: reader.u64(), low: reader.u64())
      destination = IPAddress(high: reader.u64(), low: reader.u64())
    } else {
      source = IPAddress(v4: reader.u32())
      destination = IPAddress(v4: reader.u32())
    }
    let (sourcePort, destinationPort) = (reader.u32(), reader.u32())
    let (flags, priority) = (reader.u32(), reader.u32())
    guard !reader.isBroken else {
      hasFault = true
      return
    }
    // The packet's own header says more, where both are given.
    guard !hasPacket else { return }
    hasPacket = true
    record.source = source
    record.destination = destination
    record.bytes = UInt64(length)
    record.transport = IPProtocol(rawValue: UInt8(truncatingIfNeeded: transport))
    record.sourcePort = UInt16(truncatingIfNeeded: sourcePort)
    record.destinationPort = UInt16(truncatingIfNeeded: destinationPort)
    record.tcpFlags = UInt8(truncatingIfNeeded: flags)
    record.typeOfService = UInt8(truncatingIfNeeded: priority)
  }

  private mutating func extendedSwitch(_ body: RawSpan) {
    var reader = XDRReader(body)
    let source = reader.u32()
    _ = reader.u32()
    let destination = reader.u32()
    guard !reader.isBroken else {
      hasFault = true
      return
    }
    record.sourceVLAN = UInt16(truncatingIfNeeded: source)
    record.destinationVLAN = UInt16(truncatingIfNeeded: destination)
  }

  private mutating func extendedRouter(_ body: RawSpan) {
    var reader = XDRReader(body)
    let nextHop = reader.address()
    let (source, destination) = (reader.u32(), reader.u32())
    guard !reader.isBroken else {
      hasFault = true
      return
    }
    record.nextHop = nextHop
    record.sourceMask = UInt8(truncatingIfNeeded: source)
    record.destinationMask = UInt8(truncatingIfNeeded: destination)
  }

  private mutating func extendedGateway(_ body: RawSpan) {
    var reader = XDRReader(body)
    let nextHop = reader.address()
    let own = reader.u32()
    let source = reader.u32()
    _ = reader.u32()  // the source's peer AS
    let segments = reader.u32()
    var destination: UInt32 = 0
    var index: UInt32 = 0
    while index < segments, !reader.isBroken {
      _ = reader.u32()  // set or sequence
      let count = reader.u32()
      guard Int(count) <= reader.left / 4 else {
        hasFault = true
        return
      }
      for _ in 0..<count { destination = reader.u32() }
      index += 1
    }
    guard !reader.isBroken else {
      hasFault = true
      return
    }
    record.bgpNextHop = nextHop
    // 0 is the router's own AS in this record.
    record.sourceAS = source == 0 ? own : source
    record.destinationAS = destination == 0 ? own : destination
  }

  private mutating func extendedNAT(_ body: RawSpan) {
    var reader = XDRReader(body)
    let (source, destination) = (reader.address(), reader.address())
    guard !reader.isBroken else {
      hasFault = true
      return
    }
    record.postSource = source
    record.postDestination = destination
  }

  private mutating func extendedNATPort(_ body: RawSpan) {
    var reader = XDRReader(body)
    let (source, destination) = (reader.u32(), reader.u32())
    guard !reader.isBroken else {
      hasFault = true
      return
    }
    record.postSourcePort = UInt16(truncatingIfNeeded: source)
    record.postDestinationPort = UInt16(truncatingIfNeeded: destination)
  }
}
