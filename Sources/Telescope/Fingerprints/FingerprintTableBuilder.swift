import NetworkTypes
public import PacketCapture

/// Lays a rule set out as ``FingerprintTables``; `bits[i]` is the mask bit of `rules[i]`.
struct FingerprintTableBuilder {
  let rules: [FingerprintRule]
  let bits: [UInt64]
  private var words: [UInt64]
  private var pageIndex: [[UInt64]: Int] = [:]

  init(rules: [FingerprintRule], bits: [UInt64]) {
    self.rules = rules
    self.bits = bits
    words = Array(repeating: 0, count: FingerprintTables.pages)
  }

  /// The bits of the rules for which `allows` holds.
  private func mask(_ allows: (FingerprintRule) -> Bool) -> UInt64 {
    zip(rules, bits).reduce(0) { allows($1.0) ? $0 | $1.1 : $0 }
  }

  private func mask(_ field: FingerprintField, _ value: Int) -> UInt64 {
    mask { rule in rule.fields[field]?.contains { $0.contains(value) } ?? true }
  }

  mutating func build() -> FingerprintTables {
    // The matcher reads no TCP fields of other packets: what they would say is said here.
    let withoutTCP =
      mask(.window, 0) & mask(.maximumSegmentSize, 0) & mask(.windowScale, 255) & mask(.tcpFlags, 0)
      & mask { $0.optionLayouts?.contains("none") ?? true }
    for value in 0..<256 {
      let octet = UInt8(value)
      words[FingerprintTables.kinds + value] =
        mask { $0.appliesTo.contains(ProbeKind(tcpFlags: octet)) } & mask(.tcpFlags, value)
      words[FingerprintTables.kinds + 256 + value] =
        withoutTCP & mask { $0.appliesTo.contains(ProbeKind(icmpType: octet)) }
      words[FingerprintTables.kinds + 512 + value] =
        withoutTCP
        & mask {
          guard let kind = ProbeKind(transport: IPProtocol(rawValue: octet)) else { return false }
          return $0.appliesTo.contains(kind)
        }
      words[FingerprintTables.timeToLive + value] = mask(.timeToLive, value)
      words[FingerprintTables.windowScale + value] = mask(.windowScale, value)
      let traits = PacketHeaders.Traits(rawValue: octet)
      words[FingerprintTables.traits + value] = mask { rule in
        !traits.contains(.laterFragment)
          && (rule.optionLayouts == nil || !traits.contains(.brokenOptions))
          && (rule.dontFragment ?? traits.contains(.dontFragment)) == traits.contains(.dontFragment)
      }
    }
    for value in 0..<32 {
      let isIPv4 = value & 1 != 0
      words[FingerprintTables.facts + value] = mask { rule in
        func holds(_ formula: FingerprintFormula) -> Bool { value & formula.fact != 0 }
        return isIPv4 && rule.formulas.allSatisfy(holds) && !rule.unless.contains(where: holds)
      }
    }
    wide(FingerprintTables.window, .window)
    wide(FingerprintTables.ipLength, .ipLength)
    wide(FingerprintTables.identification, .identification)
    wide(FingerprintTables.maximumSegmentSize, .maximumSegmentSize)
    wide(FingerprintTables.sourcePort, .sourcePort)
    wide(FingerprintTables.destinationPort, .destinationPort)
    wide(FingerprintTables.payloadLength, .payloadLength)
    let multiplier = layouts()
    return FingerprintTables(words: words, multiplier: multiplier)
  }

  private mutating func wide(_ directory: Int, _ field: FingerprintField) {
    let open = mask { $0.fields[field] == nil }
    let constrained = zip(rules, bits).compactMap { rule, bit in
      rule.fields[field].map { (ranges: $0, bit: bit) }
    }
    for high in 0..<256 {
      let values = high << 8...high << 8 | 255
      var page = Array(repeating: open, count: 256)
      for (ranges, bit) in constrained {
        for range in ranges where range.overlaps(values) {
          for value in range.clamped(to: values) { page[value & 255] |= bit }
        }
      }
      let start = pageIndex[page] ?? words.count
      if start == words.count {
        pageIndex[page] = start
        words += page
      }
      words[directory + high] = UInt64(start)
    }
  }

  /// Fills the option layouts' slots and returns the multiplier under which none collide.
  private mutating func layouts() -> UInt64 {
    words[FingerprintTables.layoutMiss] = mask { $0.optionLayouts == nil }
    let named = Set(rules.flatMap { $0.optionLayouts ?? [] }).sorted()
    let known = named.compactMap { text in
      TCPOptionLayout(fingerprint: text).map { layout in
        (layout.bits, mask { $0.optionLayouts?.contains(text) ?? true })
      }
    }
    let base = FingerprintTables.layouts
    // 2^64 / golden ratio, then the next odd numbers of a fixed sequence. With 64 layouts in 512
    // slots one multiplier in some sixty is free of collisions.
    var multiplier: UInt64 = 0x9e37_79b9_7f4a_7c15
    while true {
      var slots: Set<UInt64> = []
      // The empty layout hashes to slot 0 under every multiplier, as zeroed slots say it does.
      slots.insert(0)
      let free = known.allSatisfy { bits, _ in
        bits == 0 || slots.insert((bits &* multiplier) >> FingerprintTables.layoutShift).inserted
      }
      if free { break }
      multiplier = (multiplier &* 0xd129_42f0_4d6d_5c1d) | 1
    }
    for slot in 0..<FingerprintTables.layoutSlots {
      words[base + 2 * slot] = 0
      words[base + 2 * slot + 1] = words[FingerprintTables.layoutMiss]
    }
    for (bits, mask) in known {
      let slot = Int((bits &* multiplier) >> FingerprintTables.layoutShift)
      words[base + 2 * slot] = bits
      words[base + 2 * slot + 1] = mask
    }
    return multiplier
  }
}

extension FingerprintFormula {
  /// The formula's bit in the index of ``FingerprintTables/facts``.
  var fact: Int {
    switch self {
    case .miraiSequence: 2
    case .masscanIdentification: 4
    case .zmapTimestamp: 8
    case .hajime: 16
    }
  }
}

extension ProbeKind {
  init(tcpFlags: UInt8) {
    // ECE and CWR (RFC 3168) do not change what a packet is for.
    switch tcpFlags & 0x3f {
    case 0x02: self = .tcpSyn
    case 0x10: self = .tcpAck
    case 0x01: self = .tcpFin
    case 0x00: self = .tcpNull
    case 0x29: self = .tcpXmas
    case 0x12: self = .tcpSynAck
    case 0x04, 0x14: self = .tcpReset
    default: self = .tcpOther
    }
  }

  init(icmpType: UInt8) {
    switch icmpType {
    case 8: self = .icmpEcho
    case 13: self = .icmpTimestamp
    case 17: self = .icmpMask
    default: self = .icmpOther
    }
  }

  /// UDP and SCTP; TCP and ICMP need their flags or type.
  init?(transport: IPProtocol) {
    switch transport {
    case .udp: self = .udp
    case .sctp: self = .sctp
    default: return nil
    }
  }

  /// What a decoded packet is; nil for other protocols.
  public init?(_ headers: PacketHeaders) {
    switch headers.transport {
    case .tcp: self.init(tcpFlags: headers.tcpFlags)
    case .icmp: self.init(icmpType: headers.icmpType)
    default: self.init(transport: headers.transport)
    }
  }
}
