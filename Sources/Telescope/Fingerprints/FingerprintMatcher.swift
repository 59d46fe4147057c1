public import NetworkTypes
public import PacketCapture

/// Finds all rules that one packet satisfies, in constant time.
///
/// Each field's value selects the set of rules that it leaves possible, as a bit mask, and the AND
/// of the masks is the answer: Lakshman and Stiliadis, "High-speed policy-based packet forwarding
/// using efficient multi-dimensional range matching" (SIGCOMM 1998). The cost does not depend on
/// the number of rules.
public struct FingerprintMatcher: Sendable {
  public let rules: FingerprintRules
  @usableFromInline let tables: FingerprintTables
  @usableFromInline let constrainsPorts: Bool
  @usableFromInline let constrainsTCPPayload: Bool
  /// The rule of each mask bit; nil for a bit without one.
  let ruleOfBit: [FingerprintRule?]

  /// Compiles a rule set.
  public init(_ rules: FingerprintRules) {
    self.rules = rules
    let firstWhole = FingerprintParameters.firstWholeSourceBit
    var nextPacket = 0
    var nextWhole = firstWhole
    var ofBit: [FingerprintRule?] = Array(repeating: nil, count: FingerprintParameters.maximumRules)
    var bits: [UInt64] = []
    for rule in rules.rules {
      let place = rule.isWholeSource ? nextWhole : nextPacket
      if rule.isWholeSource { nextWhole += 1 } else { nextPacket += 1 }
      // FingerprintRules has refused larger sets, so `place` is below 64.
      ofBit[place] = rule
      bits.append(1 << UInt64(place))
    }
    ruleOfBit = ofBit
    constrainsPorts = rules.rules.contains {
      $0.fields[.sourcePort] != nil || $0.fields[.destinationPort] != nil
    }
    constrainsTCPPayload = rules.rules.contains { rule in
      rule.fields[.payloadLength] != nil && rule.appliesTo.contains { $0.rawValue.hasPrefix("tcp") }
    }
    var builder = FingerprintTableBuilder(rules: rules.rules, bits: bits)
    tables = builder.build()
  }

  /// The rules that this packet satisfies, one bit each; behaviours are not looked at.
  @inlinable @inline(__always)
  public func match(_ headers: borrowing PacketHeaders) -> UInt64 {
    let tables = tables
    let isTCP = headers.transport.rawValue == 6
    var mask: UInt64
    if isTCP {
      mask = tables.octet(FingerprintTables.kinds, headers.tcpFlags)
      mask &= tables.wide(FingerprintTables.window, headers.window)
      mask &= tables.layout(headers.optionLayout.bits)
      mask &= tables.octet(FingerprintTables.windowScale, headers.windowScale)
      mask &= tables.wide(FingerprintTables.maximumSegmentSize, headers.maximumSegmentSize)
    } else if headers.transport.rawValue == 1 {
      mask = tables.octet(FingerprintTables.kinds &+ 256, headers.icmpType)
    } else {
      mask = tables.octet(FingerprintTables.kinds &+ 512, headers.transport.rawValue)
    }
    mask &= tables.octet(FingerprintTables.timeToLive, headers.timeToLive)
    mask &= tables.octet(FingerprintTables.traits, headers.traits.rawValue)
    mask &= tables.wide(FingerprintTables.ipLength, headers.ipLength)
    mask &= tables.wide(FingerprintTables.identification, headers.identification)
    mask &= tables.octet(FingerprintTables.facts, Self.facts(headers, isTCP: isTCP))
    // Few sets speak of these three; the branch is the same for every packet.
    if constrainsPorts {
      mask &= tables.wide(FingerprintTables.sourcePort, headers.sourcePort)
      mask &= tables.wide(FingerprintTables.destinationPort, headers.destinationPort)
    }
    if !isTCP || constrainsTCPPayload {
      mask &= tables.wide(FingerprintTables.payloadLength, headers.payloadLength)
    }
    return mask
  }

  /// Which formulas hold: the index into ``FingerprintTables/facts``.
  @inlinable @inline(__always)
  static func facts(_ headers: borrowing PacketHeaders, isTCP: Bool) -> UInt8 {
    let sequence = headers.sequence
    let window = headers.window
    let value = headers.optionTimestamp
    let destination = UInt32(truncatingIfNeeded: headers.destination.bits)
    let mixed = destination ^ UInt32(headers.destinationPort) ^ sequence
    let capture = UInt32(
      truncatingIfNeeded: headers.timestamp.nanoseconds / 1_000_000_000)
    // Wraps as TSval itself does (RFC 7323 §5.2), so the distance is right across a wrap.
    let distance = Int32(bitPattern: value &- capture).magnitude
    var facts: UInt8 = headers.destination.isIPv4 ? 1 : 0
    if isTCP {
      facts |= sequence == destination ? 2 : 0
      facts |= headers.identification == UInt16(truncatingIfNeeded: mixed) ? 4 : 0
      facts |=
        distance <= FingerprintParameters.timestampTolerance && value != 0 ? 8 : 0
      facts |=
        window == 14_600 && (sequence >> 16 == 0 || sequence & 0xffff == 0) ? 16 : 0
    }
    return facts
  }

  /// The rules of a mask, in the order of its bits.
  public func rules(in mask: UInt64) -> [FingerprintRule] {
    ruleOfBit.indices.compactMap { mask >> UInt64($0) & 1 != 0 ? ruleOfBit[$0] : nil }
  }

  /// The bits of the rules for which `condition` holds, to ask one packet's mask a question:
  /// `mask & matcher.bits { $0.malware != nil }`.
  public func bits(where condition: (FingerprintRule) -> Bool) -> UInt64 {
    ruleOfBit.enumerated().reduce(0) { bits, entry in
      entry.element.map(condition) == true ? bits | 1 << UInt64(entry.offset) : bits
    }
  }
}
