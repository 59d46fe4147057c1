import NetworkTypes
import PacketCapture

/// The probes of one capture as the fingerprints see them.
struct FingerprintReading {
  struct Key: Hashable {
    let source: IPAddress
    /// 0 SYN, 1 other TCP, 2 UDP, 3 ICMP, 4 anything else.
    let probeClass: UInt8
  }

  let matcher: FingerprintMatcher
  let only: Set<IPAddress>?
  private(set) var packets = 0
  private(set) var probes = 0
  private(set) var tallies: [Key: FingerprintTally] = [:]
  private(set) var destinations: Set<IPAddress> = []
  /// Packets that match, for each mask bit.
  private(set) var matches = Array(repeating: 0, count: FingerprintParameters.maximumRules)
  /// Packets that match at least one rule of a tool.
  private(set) var toolMatches: [String: Int] = [:]
  private var masks: [UInt64: Int] = [:]

  init(matcher: FingerprintMatcher, only: Set<IPAddress>?) {
    self.matcher = matcher
    self.only = only
  }

  mutating func read(_ path: String) throws(CaptureError) {
    var reader = try CaptureReader(path: path)
    var headers = PacketHeaders()
    while try reader.read(
      limit: 4096,
      { record, bytes in
        packets += 1
        if PacketDecoder.decode(record, bytes, into: &headers) == .decoded { add(headers) }
      }) > 0
    {}
    finish()
  }

  private mutating func add(_ headers: PacketHeaders) {
    let mask = matcher.match(headers)
    guard let probeClass = Self.probeClass(headers), only?.contains(headers.source) ?? true
    else { return }
    probes += 1
    destinations.insert(headers.destination)
    masks[mask, default: 0] += 1
    let key = Key(source: headers.source, probeClass: probeClass)
    tallies[key, default: FingerprintTally()].add(mask: mask, headers: headers)
  }

  private mutating func finish() {
    for (mask, count) in masks {
      // Whole-source rules match any such packet: they count in their decision only.
      let mask = mask & FingerprintTally.packetRules
      let rules = matcher.rules(in: mask)
      for tool in Set(rules.map(\.tool)) { toolMatches[tool, default: 0] += count }
      for bit in matches.indices where mask >> UInt64(bit) & 1 != 0 { matches[bit] += count }
    }
  }

  /// Nil for backscatter and ICMP errors.
  private static func probeClass(_ headers: PacketHeaders) -> UInt8? {
    switch ProbeKind(headers) {
    case .tcpSyn: 0
    case .tcpSynAck, .tcpReset, .icmpOther: nil
    case .tcpAck, .tcpFin, .tcpNull, .tcpXmas, .tcpOther: 1
    case .udp: 2
    case .icmpEcho, .icmpTimestamp, .icmpMask: 3
    case .sctp: 4
    case nil: nil
    }
  }
}
