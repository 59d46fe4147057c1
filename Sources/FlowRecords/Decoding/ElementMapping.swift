/// What a field's octets are, and so how they become a column's value.
enum FieldKind: UInt8, Sendable {
  /// A number in network byte order; its low bits fill the column.
  case number
  /// Bits that are OR-ed to what the column holds.
  case flags
  case address4
  case address6
  /// Milliseconds since the exporter started.
  case uptime
  /// Seconds since 1970.
  case seconds
  /// Milliseconds since 1970.
  case milliseconds
  /// Seconds since 1900 and a binary fraction (RFC 7011 §6.1.9, §6.1.10).
  case ntpTime
  /// Microseconds before the export time (RFC 5102 §5.9.9).
  case microsecondsBefore
  /// A label stack entry without its time to live: 20 bits of label, then four other bits.
  case label
}

/// One way to fill a column from an information element.
struct ElementMapping {
  let column: FlowColumn
  let kind: FieldKind
  /// Of several elements for one column the lowest is taken.
  let preference: Int
  /// Octets of the field to skip, and to read; nil for all of them.
  let part: (skip: Int, length: Int)?

  init(
    _ column: FlowColumn, _ kind: FieldKind = .number, preference: Int = 0,
    part: (skip: Int, length: Int)? = nil
  ) {
    self.column = column
    self.kind = kind
    self.preference = preference
    self.part = part
  }

  /// Elements of RFC 5103's reverse direction.
  static let reverseEnterprise: UInt32 = 29_305
  /// CERT's elements, which YAF uses for TCP flags.
  static let certEnterprise: UInt32 = 6_871

  /// What an element fills: nothing for elements that no column is for.
  static func of(_ field: TemplateField) -> [ElementMapping] {
    switch field.enterprise {
    case 0: registered(field.element)
    case reverseEnterprise: reverse(field.element)
    // initialTCPFlags and unionTCPFlags: the first packet's flags, and those of all others.
    case certEnterprise where field.element == 14 || field.element == 15:
      [.init(.tcpFlags, .flags, preference: 2)]
    default: []
    }
  }

  private static func reverse(_ element: UInt16) -> [ElementMapping] {
    switch element {
    case 1: [.init(.reverseBytes)]
    case 2: [.init(.reversePackets)]
    case 6: [.init(.reverseTCPFlags)]
    case 85: [.init(.reverseBytes, preference: 1)]
    case 86: [.init(.reversePackets, preference: 1)]
    default: []
    }
  }

  private static func registered(_ element: UInt16) -> [ElementMapping] {
    switch element {
    // Counters. "post" counters come last: a template may have no others, as Cisco's egress ones.
    case 1: [.init(.bytes)]
    case 85: [.init(.bytes, preference: 1)]
    case 231: [.init(.bytes, preference: 2)]
    case 352: [.init(.bytes, preference: 3)]
    case 353: [.init(.bytes, preference: 4)]
    case 23: [.init(.bytes, preference: 5), .init(.reverseBytes, preference: 5)]
    case 2: [.init(.packets)]
    case 86: [.init(.packets, preference: 1)]
    case 298: [.init(.packets, preference: 2)]
    case 24: [.init(.packets, preference: 5), .init(.reversePackets, preference: 5)]
    case 232: [.init(.reverseBytes, preference: 2)]
    case 299: [.init(.reversePackets, preference: 2)]
    case 3: [.init(.aggregatedFlows)]
    // Addresses.
    case 8: [.init(.sourceAddress, .address4)]
    case 12: [.init(.destinationAddress, .address4)]
    case 27: [.init(.sourceAddress, .address6)]
    case 28: [.init(.destinationAddress, .address6)]
    case 44: [.init(.sourceAddress, .address4, preference: 1)]
    case 45: [.init(.destinationAddress, .address4, preference: 1)]
    case 170: [.init(.sourceAddress, .address6, preference: 1)]
    case 169: [.init(.destinationAddress, .address6, preference: 1)]
    case 15: [.init(.nextHop, .address4)]
    case 62: [.init(.nextHop, .address6)]
    case 18: [.init(.bgpNextHop, .address4)]
    case 63: [.init(.bgpNextHop, .address6)]
    case 225: [.init(.postSourceAddress, .address4)]
    case 226: [.init(.postDestinationAddress, .address4)]
    case 281: [.init(.postSourceAddress, .address6)]
    case 282: [.init(.postDestinationAddress, .address6)]
    // 40001 to 40005: the same of ASA before its version 8.4, in NetFlow v9.
    case 40_001: [.init(.postSourceAddress, .address4, preference: 1)]
    case 40_002: [.init(.postDestinationAddress, .address4, preference: 1)]
    case 40_003: [.init(.postSourcePort, preference: 1)]
    case 40_004: [.init(.postDestinationPort, preference: 1)]
    case 40_005: [.init(.event, preference: 2)]
    default: registeredNumber(element)
    }
  }

  private static func registeredNumber(_ element: UInt16) -> [ElementMapping] {
    switch element {
    case 4: [.init(.transport)]
    case 5: [.init(.typeOfService)]
    case 6: [.init(.tcpFlags)]
    case 7: [.init(.sourcePort)]
    case 180, 182: [.init(.sourcePort, preference: 1)]
    case 11: [.init(.destinationPort)]
    case 181, 183: [.init(.destinationPort, preference: 1)]
    case 9, 29: [.init(.sourceMask)]
    case 13, 30: [.init(.destinationMask)]
    case 10: [.init(.inputInterface)]
    case 252: [.init(.inputInterface, preference: 1)]
    case 14: [.init(.outputInterface)]
    case 253: [.init(.outputInterface, preference: 1)]
    case 16: [.init(.sourceAS)]
    case 17: [.init(.destinationAS)]
    case 32, 139:
      [
        .init(.icmpType, preference: 1, part: (0, 1)),
        .init(.icmpCode, preference: 1, part: (1, 1)),
      ]
    case 176, 178: [.init(.icmpType)]
    case 177, 179: [.init(.icmpCode)]
    case 34, 50: [.init(.samplingRate)]
    case 55: [.init(.postTypeOfService)]
    case 56: [.init(.sourceMAC)]
    case 57: [.init(.postDestinationMAC)]
    case 80: [.init(.destinationMAC)]
    case 81: [.init(.postSourceMAC)]
    case 58: [.init(.sourceVLAN)]
    case 243: [.init(.sourceVLAN, preference: 1)]
    case 59: [.init(.destinationVLAN)]
    case 254: [.init(.destinationVLAN, preference: 1)]
    case 61: [.init(.direction)]
    case 70: [.init(.mplsTopLabel, .label)]
    case 89: [.init(.forwardingStatus)]
    case 136: [.init(.endReason)]
    case 227: [.init(.postSourcePort)]
    case 228: [.init(.postDestinationPort)]
    case 233: [.init(.event)]
    case 230: [.init(.event, preference: 1)]
    case 234: [.init(.ingressVRF)]
    case 235: [.init(.egressVRF)]
    default: registeredTime(element)
    }
  }

  private static func registeredTime(_ element: UInt16) -> [ElementMapping] {
    switch element {
    case 156: [.init(.start, .ntpTime)]
    case 157: [.init(.end, .ntpTime)]
    case 154: [.init(.start, .ntpTime, preference: 1)]
    case 155: [.init(.end, .ntpTime, preference: 1)]
    case 152: [.init(.start, .milliseconds, preference: 2)]
    case 153: [.init(.end, .milliseconds, preference: 2)]
    case 22: [.init(.start, .uptime, preference: 3)]
    case 21: [.init(.end, .uptime, preference: 3)]
    case 158: [.init(.start, .microsecondsBefore, preference: 4)]
    case 159: [.init(.end, .microsecondsBefore, preference: 4)]
    case 150: [.init(.start, .seconds, preference: 5)]
    case 151: [.init(.end, .seconds, preference: 5)]
    // Observation and event times: of one moment.
    case 325: [.init(.start, .ntpTime, preference: 6)]
    case 324: [.init(.start, .ntpTime, preference: 7)]
    case 323: [.init(.start, .milliseconds, preference: 8)]
    case 322: [.init(.start, .seconds, preference: 9)]
    default: []
    }
  }
}
