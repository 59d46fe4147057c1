/// How much a matching rule proves.
public enum FingerprintGrade: String, Codable, Sendable, Comparable {
  /// Nothing but the tool is known to send such packets.
  case certain
  /// The tool sends such packets; another program could.
  case probable

  public static func < (left: Self, right: Self) -> Bool {
    left == .certain && right == .probable
  }
}

/// The packets that a rule speaks about, by transport and by TCP flags or ICMP type.
public enum ProbeKind: String, CaseIterable, Codable, Sendable {
  /// SYN and no other of FIN, RST, PSH, ACK, URG.
  case tcpSyn = "tcp-syn"
  case tcpAck = "tcp-ack"
  case tcpFin = "tcp-fin"
  /// No flag at all.
  case tcpNull = "tcp-null"
  /// FIN, PSH and URG.
  case tcpXmas = "tcp-xmas"
  /// SYN and ACK: usually the answer of a victim, rarely a probe.
  case tcpSynAck = "tcp-synack"
  /// RST, with or without ACK.
  case tcpReset = "tcp-rst"
  /// Any other combination of flags.
  case tcpOther = "tcp-other"
  case udp
  /// ICMP type 8.
  case icmpEcho = "icmp-echo"
  /// ICMP type 13.
  case icmpTimestamp = "icmp-timestamp"
  /// ICMP type 17.
  case icmpMask = "icmp-mask"
  /// Any other ICMP message.
  case icmpOther = "icmp-other"
  case sctp
}

/// A header field that a rule can constrain.
public enum FingerprintField: String, CaseIterable, Codable, Sendable {
  case timeToLive = "ttl"
  case ipLength = "ip-length"
  case identification = "identification"
  case sourcePort = "source-port"
  case destinationPort = "destination-port"
  case tcpFlags = "tcp-flags"
  case window = "window"
  /// The value of the MSS option; 0 without one.
  case maximumSegmentSize = "mss"
  /// The value of the window scale option; 255 without one.
  case windowScale = "window-scale"
  /// Captured payload octets.
  case payloadLength = "payload-length"

  /// The largest value that the field can have.
  public var maximum: Int {
    switch self {
    case .timeToLive, .tcpFlags, .windowScale: 255
    default: 65_535
    }
  }
}

/// A relation between fields of one packet that a constant cannot express.
public enum FingerprintFormula: String, CaseIterable, Codable, Sendable {
  /// TCP sequence number = IPv4 destination address (Mirai, scanner.c).
  case miraiSequence = "mirai-sequence"
  /// IPv4 identification = low 16 bits of destination address ^ destination port ^ sequence number
  /// (masscan, templ-pkt.c).
  case masscanIdentification = "masscan-identification"
  /// The timestamp option's TSval is the time of capture in Unix seconds (ZMap ≥ 4.1).
  case zmapTimestamp = "zmap-timestamp"
  /// The upper or the lower half of the sequence number is zero (Hajime, by the literature).
  case hajime

  /// Whether the formula says something only while the destination address is the real one.
  public var needsDestination: Bool {
    self == .miraiSequence || self == .masscanIdentification
  }
}

/// A relation between consecutive packets of one source.
public enum FingerprintBehaviour: String, CaseIterable, Codable, Sendable {
  /// The sequence number stays the same (first probes of one nmap run).
  case sameSequence = "same-sequence"
  /// The XOR of two sequence numbers has equal halves (nmap's retries and first probes).
  case xorNonce = "xor-nonce"
  /// The source port grows by one (hping3).
  case sourcePortIncrements = "source-port-increments"
  /// sequence ^ address ^ ((port << 16) + source port) stays the same, in either byte order of the
  /// address, while the sequence number changes (unicornscan, tcphash.h).
  case unicornscanKey = "unicornscan-key"
  /// The TTL changes from packet to packet (nmap draws 37 to 59 for each).
  case ttlVaries = "ttl-varies"
}

/// One rule: which packets a tool sends.
public struct FingerprintRule: Codable, Hashable, Sendable, Identifiable {
  /// The rule's name, unique in a set.
  public let id: String
  public let tool: String
  /// Which versions of the tool, such as `>= 4.1.1`.
  public let versionFamily: String
  public let grade: FingerprintGrade
  public let appliesTo: [ProbeKind]
  /// For each constrained field the ranges of values allowed.
  public let fields: [FingerprintField: [ClosedRange<Int>]]
  /// TCP option layouts allowed, such as `mss,nop,ws`, or `none`. Nil allows any.
  public let optionLayouts: [String]?
  /// Required state of the IP flag Don't Fragment; nil allows both.
  public let dontFragment: Bool?
  /// Formulas that must hold.
  public let formulas: [FingerprintFormula]
  /// Formulas that must not hold.
  public let unless: [FingerprintFormula]
  /// Behaviours that must hold over the source's packets.
  public let behaviours: [FingerprintBehaviour]
  public let minimumPackets: Int
  /// From 0 to 1.
  public let share: Double
  /// The malware's name, if a source that matches is an infected host.
  public let malware: String?
  public let enabled: Bool
  /// Where the rule comes from.
  public let source: String

  /// A rule of behaviours alone, which is decided on the source's packets as a whole.
  public var isWholeSource: Bool {
    fields.isEmpty && optionLayouts == nil && dontFragment == nil && formulas.isEmpty
  }

  /// Whether the rule can be tested only while destination addresses are the real ones.
  public var needsDestination: Bool {
    formulas.contains(where: \.needsDestination) || behaviours.contains(.unicornscanKey)
  }
}
