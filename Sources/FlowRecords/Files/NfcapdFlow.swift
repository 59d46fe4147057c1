import NetworkTypes

/// A flow record of nfdump 1.7: a header, and elements that each have a number and a length.
enum NfcapdFlow {
  private static let headerLength = 12

  /// The flow of a record; nil when an element is longer than the record, or shorter than its kind.
  static func read(_ record: RawSpan, _ exporters: [UInt16: FlowExporter]) -> FlowRecord? {
    guard record.byteCount >= headerLength else { return nil }
    var flow = FlowRecord()
    let count = Int(record.little16(4))
    if let exporter = exporters[record.little16(8)] { flow.exporter = exporter }
    var at = headerLength
    for _ in 0..<count {
      guard record.byteCount - at >= 4 else { return nil }
      let type = record.little16(at)
      let length = Int(record.little16(at + 2))
      guard length >= 4, length <= record.byteCount - at else { return nil }
      guard flow.take(type, record.extracting(at + 4..<at + length)) else { return nil }
      at += length
    }
    return flow
  }

  /// The number that records give an exporter, and the exporter.
  static func exporter(_ record: RawSpan) -> (UInt16, FlowExporter)? {
    guard record.byteCount >= 32 else { return nil }
    let address = IPAddress(
      nfdumpHigh: record.little64(8), low: record.little64(16),
      isIPv4: record.little16(24) == 2)
    return (
      record.little16(26), FlowExporter(address: address, domain: record.little32(28))
    )
  }
}

extension IPAddress {
  fileprivate init(nfdumpHigh high: UInt64, low: UInt64, isIPv4: Bool) {
    self =
      isIPv4
      ? IPAddress(v4: UInt32(truncatingIfNeeded: low)) : IPAddress(high: high, low: low)
  }
}

extension FlowRecord {
  /// Takes in one element; false when it is shorter than its kind. Unknown kinds are passed over.
  fileprivate mutating func take(_ type: UInt16, _ body: RawSpan) -> Bool {
    let count = body.byteCount
    switch type {
    case 1:
      guard count >= 48 else { return false }
      start = Self.time(body.little64(0))
      end = Self.time(body.little64(8))
      received = Self.time(body.little64(16))
      packets = body.little64(24)
      bytes = body.little64(32)
      sourcePort = body.little16(40)
      destinationPort = body.little16(42)
      transport = IPProtocol(rawValue: body.u8(44))
      tcpFlags = body.u8(45)
      forwardingStatus = body.u8(46)
      typeOfService = body.u8(47)
    case 2:
      guard count >= 8 else { return false }
      source = IPAddress(v4: body.little32(0))
      destination = IPAddress(v4: body.little32(4))
    case 3:
      guard count >= 32 else { return false }
      source = IPAddress(high: body.little64(0), low: body.little64(8))
      destination = IPAddress(high: body.little64(16), low: body.little64(24))
    case 4:
      guard count >= 15 else { return false }
      inputInterface = body.little32(0)
      outputInterface = body.little32(4)
      sourceMask = body.u8(8)
      destinationMask = body.u8(9)
      direction = body.u8(10)
      postTypeOfService = body.u8(11)
      endReason = body.u8(13)
      reverseTCPFlags = body.u8(14)
    case 5:
      guard count >= 24 else { return false }
      aggregatedFlows = UInt32(clamping: body.little64(0))
      reversePackets = body.little64(8)
      reverseBytes = body.little64(16)
    case 6:
      guard count >= 8 else { return false }
      sourceVLAN = UInt16(truncatingIfNeeded: body.little32(0))
      destinationVLAN = UInt16(truncatingIfNeeded: body.little32(4))
    case 7:
      guard count >= 8 else { return false }
      sourceAS = body.little32(0)
      destinationAS = body.little32(4)
    default: return takeRare(type, body)
    }
    return true
  }

  private mutating func takeRare(_ type: UInt16, _ body: RawSpan) -> Bool {
    let count = body.byteCount
    switch type {
    case 8, 10, 12:
      guard count >= 4 else { return false }
      let address = IPAddress(v4: body.little32(0))
      switch type {
      case 8: bgpNextHop = address
      case 10: nextHop = address
      default: exporter.address = address
      }
    case 9, 11, 13:
      guard count >= 16 else { return false }
      let address = IPAddress(high: body.little64(0), low: body.little64(8))
      switch type {
      case 9: bgpNextHop = address
      case 11: nextHop = address
      default: exporter.address = address
      }
    case 14:
      guard count >= 4 else { return false }
      // A label stack entry without its time to live.
      mplsTopLabel = body.little32(0) >> 4
    case 15:
      guard count >= 32 else { return false }
      sourceMAC = body.little64(0)
      postDestinationMAC = body.little64(8)
      destinationMAC = body.little64(16)
      postSourceMAC = body.little64(24)
    case 19:
      guard count >= 15 else { return false }
      event = body.u8(14)
    case 20:
      guard count >= 8 else { return false }
      postSource = IPAddress(v4: body.little32(0))
      postDestination = IPAddress(v4: body.little32(4))
    case 21:
      guard count >= 32 else { return false }
      postSource = IPAddress(high: body.little64(0), low: body.little64(8))
      postDestination = IPAddress(high: body.little64(16), low: body.little64(24))
    case 22:
      guard count >= 4 else { return false }
      postSourcePort = body.little16(0)
      postDestinationPort = body.little16(2)
    case 36:
      guard count >= 8 else { return false }
      egressVRF = body.little32(0)
      ingressVRF = body.little32(4)
    default: break
    }
    return true
  }

  private static func time(_ milliseconds: UInt64) -> Timestamp {
    Timestamp(
      nanoseconds: milliseconds > 9_223_372_036_854 ? .max : Int64(milliseconds) * 1_000_000)
  }
}
