import Crypto
public import NetworkTypes

/// What a sensor concluded: the one value through which all systems of the house speak.
///
/// A finding says *what* (``kind``), *who* (``subject``), *when* (``firstSeen``, ``lastSeen``), *how
/// we know* (``evidence``), *how sure* (``confidence``), *who may see it* (``marking``) and *from
/// where* (``sensor``).
///
/// Its identifier is derived from what makes it this finding and no other: kind, subject, sensor and
/// the moment it began. A later reading of the same thing (a longer ``lastSeen``, more evidence)
/// therefore carries the same identifier and updates it, and the same input read twice counts once.
public struct Finding: Hashable, Sendable, Codable, Identifiable {
  public let kind: Kind
  public let subject: Subject
  public let sensor: String
  public let firstSeen: Timestamp
  public var lastSeen: Timestamp
  public var confidence: Confidence
  public var marking: TrafficLight
  public var evidence: [Evidence]
  /// Further facts under stable, dotted names: `malware.name`, `ports`, `estimated.rate.pps`.
  public var attributes: [String: String]

  public init(
    kind: Kind, subject: Subject, sensor: String, firstSeen: Timestamp, lastSeen: Timestamp,
    confidence: Confidence, marking: TrafficLight, evidence: [Evidence],
    attributes: [String: String] = [:]
  ) {
    self.kind = kind
    self.subject = subject
    self.sensor = sensor
    self.firstSeen = firstSeen
    self.lastSeen = max(firstSeen, lastSeen)
    self.confidence = confidence
    self.marking = marking
    self.evidence = evidence
    self.attributes = attributes
  }

  /// 32 hexadecimal digits: the first 128 bits of SHA-256 over the identifying fields.
  public var id: String {
    var identity: [UInt8] = []
    identity.reserveCapacity(128)
    identity.append(contentsOf: "noroshi-finding-1".utf8)
    // The fields are parted by the separator of units, U+001F.
    for field in [kind.rawValue, subject.description, sensor, String(firstSeen.nanoseconds)] {
      identity.append(0x1f)
      identity.append(contentsOf: field.utf8)
    }
    let digest = SHA256.hash(data: identity)
    return String(unsafeUninitializedCapacity: 32) { text in
      var place = 0
      for byte in digest.prefix(16) {
        for digit in [byte >> 4, byte & 15] {
          text[place] = digit < 10 ? 48 + digit : 87 + digit
          place += 1
        }
      }
      return place
    }
  }
}

extension Finding {
  /// What was found. Raw values are stable: they stand in databases and exchanged files.
  public enum Kind: String, Hashable, Sendable, Codable, CaseIterable {
    /// A host that spreads malware (M2).
    case infectedHost = "infected-host"
    /// A host that is under a denial-of-service attack, seen by its backscatter.
    case denialOfServiceVictim = "dos-victim"
    /// An address of a member organisation that reached the darknet (DAEDALUS).
    case memberAlert = "member-alert"
    /// A host that scans and is neither infected as far as is known nor a declared survey.
    case scanner = "scanner"
    /// A server that commands infected hosts, found in flows (M6).
    case commandAndControl = "command-and-control"
    /// A host that takes part in a denial-of-service attack under its own address (M9).
    case denialOfServiceSource = "dos-source"
    /// A host whose service answers to forged questions, and so reflects attacks (M9).
    case denialOfServiceReflector = "dos-reflector"
  }

  /// Whom it is about: an address, with port and protocol where they belong to the identity.
  public struct Subject: Hashable, Sendable, Codable, CustomStringConvertible {
    public let address: IPAddress
    public let port: UInt16?
    public let transport: IPProtocol?

    public init(_ address: IPAddress, port: UInt16? = nil, transport: IPProtocol? = nil) {
      self.address = address
      self.port = port
      self.transport = transport
    }

    /// Whether neither port nor protocol belong to it: its text is the address's.
    public var isAddressAlone: Bool { port == nil && transport == nil }

    /// `192.0.2.1`, `192.0.2.1:80/tcp`, `[2001:db8::1]:53/udp`, `192.0.2.1/icmp`.
    public var description: String {
      if isAddressAlone { return address.description }
      let host = port != nil && !address.isIPv4 ? "[\(address)]" : "\(address)"
      return host + (port.map { ":\($0)" } ?? "") + (transport.map { "/\($0)" } ?? "")
    }
  }

  /// One reason to believe it, in the words of a rule, with the numbers that speak for it.
  public struct Evidence: Hashable, Sendable, Codable {
    /// The rule or observation: `mirai-sequence`, `iot-port-set`, `backscatter-syn-ack`.
    public let name: String
    /// One English sentence with figures. Notices translate by ``name`` and ``values``.
    public let summary: String
    public let values: [String: String]

    public init(name: String, summary: String, values: [String: String] = [:]) {
      self.name = name
      self.summary = summary
      self.values = values
    }
  }
}

/// How sure a finding is, in per cent, with n6's three words for people.
public struct Confidence: Hashable, Comparable, Sendable, Codable {
  public let percent: Int

  /// Values outside 0...100 are clamped.
  public init(percent: Int) { self.percent = min(100, max(0, percent)) }

  public static func < (left: Self, right: Self) -> Bool { left.percent < right.percent }

  public enum Level: String, Sendable, Codable, CaseIterable { case low, medium, high }

  /// high from 80 %, medium from 50 %: our own cut, so that "high" means at most one in five wrong.
  public var level: Level { percent >= 80 ? .high : percent >= 50 ? .medium : .low }

  public init(from decoder: any Decoder) throws {
    self.init(percent: try decoder.singleValueContainer().decode(Int.self))
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(percent)
  }
}

/// The Traffic Light Protocol 2.0 of FIRST (2022), from the widest circle to the narrowest.
public enum TrafficLight: String, Hashable, Sendable, Codable, CaseIterable, Comparable {
  case clear = "TLP:CLEAR"
  case green = "TLP:GREEN"
  case amber = "TLP:AMBER"
  case amberStrict = "TLP:AMBER+STRICT"
  case red = "TLP:RED"

  public static func < (left: Self, right: Self) -> Bool {
    allCases.firstIndex(of: left)! < allCases.firstIndex(of: right)!  // every case is in allCases
  }
}
