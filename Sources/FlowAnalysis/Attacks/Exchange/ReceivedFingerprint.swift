public import Foundation
public import NetworkTypes

/// Why a fingerprint of others could not be read.
public enum FingerprintError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The text is no JSON object.
  case notJSON
  /// Something that a fingerprint must have is not there, or is of another kind.
  case missing(String)
  /// Longer than ``ReceivedFingerprint/longestText``.
  case tooLong

  /// What is wrong, and what to do.
  public var description: String {
    switch self {
    case .notJSON: "it is no JSON object; a fingerprint of the DDoS Clearing House is one"
    case .missing(let what):
      "it has no \(what); ask for a fingerprint as the Clearing House's dissector writes it"
    case .tooLong:
      "it has more than \(ReceivedFingerprint.longestText >> 20) MiB; ask for one with fewer sources"
    }
  }
}

/// An attack's fingerprint as others wrote it: in the DDoS Clearing House's format of 2022, or in the
/// older one of DDoS-DB with one vector at the root (`src_ips`, `start_timestamp`).
///
/// What is not understood is passed over: both formats have more members in some files than in others.
public struct ReceivedFingerprint: Hashable, Sendable {
  /// One kind of traffic of the attack.
  public struct Vector: Hashable, Sendable {
    /// `DNS`, `Unknown service` …; nil where the file does not say.
    public var service: String?
    public var transport: IPProtocol?
    /// Nil where it varies.
    public var sourcePort: UInt16?
    /// Empty where they vary.
    public var destinationPorts: Set<UInt16> = []
    /// Share of the attack, 0...1.
    public var fraction: Double?
    public var sources: Set<IPAddress> = []
  }

  /// Octets of a file at most: the largest published one has some hundred thousand sources.
  public static let longestText = 64 << 20
  /// Vectors that are read of one file at most.
  static let mostVectors = 256

  /// MD5 of the fingerprint; the file's name in DDoS-DB.
  public var key: String?
  /// Nil where it is `Anonymous`.
  public var target: IPPrefix?
  public var tags: [String] = []
  public var start: Timestamp?
  public var durationSeconds: Double?
  public var packets: UInt64?
  public var vectors: [Vector] = []

  /// Sources of all vectors.
  public var sources: Set<IPAddress> { vectors.reduce(into: []) { $0.formUnion($1.sources) } }

  /// - Throws: ``FingerprintError``.
  public init(json: Data) throws(FingerprintError) {
    guard json.count <= Self.longestText else { throw .tooLong }
    guard let root = (try? JSONSerialization.jsonObject(with: json)) as? [String: Any] else {
      throw .notJSON
    }
    key = root["key"] as? String
    tags = (root["tags"] as? [Any] ?? []).prefix(Self.mostVectors).compactMap { $0 as? String }
    target = Self.address(root["target"]).map { IPPrefix($0) }
    if target == nil, let text = root["target"] as? String { target = IPPrefix(text) }
    packets = Self.number(root["total_packets"]).map { UInt64(min($0, 1e18)) }
    if let list = root["attack_vectors"] as? [Any] {
      start = (root["time_start"] as? String).flatMap { Timestamp($0) }
      durationSeconds = Self.number(root["duration_seconds"])
      vectors = list.prefix(Self.mostVectors).compactMap { ($0 as? [String: Any]).map(Self.vector) }
      guard !vectors.isEmpty else { throw .missing("attack vector") }
    } else if root["src_ips"] is [Any] {
      start = Self.number(root["start_timestamp"]).flatMap { seconds in
        // To the microsecond, as far as 64 bits of nanoseconds reach (2262).
        seconds < 9e9 ? Timestamp(nanoseconds: Int64(seconds * 1e6) * 1_000) : nil
      }
      durationSeconds = Self.number(root["duration_sec"])
      vectors = [Self.olderVector(root)]
    } else {
      throw .missing("attack_vectors, nor src_ips of the older format,")
    }
  }

  private static func vector(_ object: [String: Any]) -> Vector {
    var vector = Vector()
    vector.service = object["service"] as? String
    vector.transport = transport(object["protocol"])
    vector.sourcePort = port(object["source_port"])
    if let ports = object["destination_ports"] as? [String: Any] {
      vector.destinationPorts = Set(ports.keys.compactMap { UInt16($0) })
    }
    vector.fraction = number(object["fraction_of_attack"]).map { min(1, $0) }
    vector.sources = addresses(object["source_ips"])
    return vector
  }

  private static func olderVector(_ root: [String: Any]) -> Vector {
    var vector = Vector()
    vector.transport = transport(root["protocol"])
    let from = Set((root["src_ports"] as? [Any] ?? []).compactMap(port))
    vector.sourcePort = from.count == 1 ? from.first : nil
    let to = Set((root["dst_ports"] as? [Any] ?? []).compactMap(port))
    // The newer format calls more than a few `random`.
    vector.destinationPorts = to.count <= 10 ? to : []
    vector.fraction = 1
    vector.sources = addresses(root["src_ips"])
    return vector
  }

  private static func addresses(_ value: Any?) -> Set<IPAddress> {
    Set((value as? [Any] ?? []).compactMap(address))
  }

  /// An address as text, or an object with one in `ip`.
  private static func address(_ value: Any?) -> IPAddress? {
    if let text = value as? String { return IPAddress(text) }
    return ((value as? [String: Any])?["ip"] as? String).flatMap { IPAddress($0) }
  }

  private static func transport(_ value: Any?) -> IPProtocol? {
    if let text = value as? String { return IPProtocol(name: text.lowercased()) }
    return number(value).flatMap { UInt8(exactly: $0) }.map { IPProtocol(rawValue: $0) }
  }

  private static func port(_ value: Any?) -> UInt16? {
    if let text = value as? String { return UInt16(text) }
    return number(value).flatMap { UInt16(exactly: $0) }
  }

  /// A number that is none below zero.
  private static func number(_ value: Any?) -> Double? {
    guard let number = value as? NSNumber else { return nil }
    let double = number.doubleValue
    return double.isFinite && double >= 0 ? double : nil
  }
}

/// What an attack here and a fingerprint of others have in common.
public struct FingerprintComparison: Hashable, Sendable {
  /// Names of this attack's vectors that the fingerprint has too: of the same protocol, and with the same
  /// source port or, where both vary, a destination port in common or none fixed.
  public var vectors: [String]
  /// Sources in both, and how many the fingerprint has.
  public var sharedSources: Int
  public var theirSources: Int
  /// Seconds from the one's start to the other's, negative where the fingerprint began first; nil where it
  /// does not say when.
  public var secondsApart: Double?

  /// The fingerprint's sources that are here too, 0...1.
  public var sourceShare: Double {
    theirSources == 0 ? 0 : Double(sharedSources) / Double(theirSources)
  }
}

extension Attack {
  /// Compares with a fingerprint of others. Forged sources are in common by chance alone; a reflector or a
  /// bot that is in both is a hint at the same hands or the same list.
  public func compared(with other: ReceivedFingerprint) -> FingerprintComparison {
    let common = vectors.filter { vector in
      other.vectors.contains { their in
        guard let transport = their.transport, transport.rawValue == vector.transport else {
          return false
        }
        guard vector.sourcePort == their.sourcePort else { return false }
        let ports = Set(vector.destinationPorts.map(\.value))
        return vector.sourcePort != nil || ports.isEmpty && their.destinationPorts.isEmpty
          || !ports.isDisjoint(with: their.destinationPorts)
      }
    }
    let theirs = other.sources
    return FingerprintComparison(
      vectors: common.map(\.name),
      sharedSources: sources.count { theirs.contains($0.address) }, theirSources: theirs.count,
      secondsApart: other.start.map { $0.seconds(since: start) })
  }
}
