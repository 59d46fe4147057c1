public import Foundation
import NetworkTypes

/// An attack in the fingerprint format of the DDoS Clearing House (`fingerprint_format.md` of its
/// dissector, 2022), for DDoS-DB, MISP and the tools around them.
public struct AttackFingerprint: Sendable {
  /// What may be told of an attack to others.
  public struct Options: Sendable {
    /// The zone that the format's local times are in.
    public var timeZone: TimeZone
    /// Whether the target is named; `Anonymous` stands there otherwise, as DDoS-DB does when it
    /// shares.
    public var namesTarget: Bool
    /// Where it was recorded.
    public var location: String?
    /// The format's extended member `nr_packets_by_source`.
    public var hasPacketsBySource: Bool

    public init(
      timeZone: TimeZone, namesTarget: Bool = false, location: String? = nil,
      hasPacketsBySource: Bool = false
    ) {
      self.timeZone = timeZone
      self.namesTarget = namesTarget
      self.location = location
      self.hasPacketsBySource = hasPacketsBySource
    }
  }

  /// MD5 of the fingerprint without this member; the file is called so, with `.json`.
  public let key: String
  public let json: String

  public init(_ attack: Attack, _ options: Options) {
    let seconds = max(1, Int64(attack.seconds.rounded()))
    let octets = Double(attack.total.octets)
    let packets = Double(attack.total.packets)
    let whole = attack.vectors.filter { $0.kind != .fragment }
      .reduce(0.0) { $0 + Double($1.volume.octets) }
    let members: [(String, JSONText)] = [
      (
        "attack_vectors",
        .list(attack.vectors.map { Self.vector($0, attack, whole: whole, options) })
      ),
      ("target", .text(options.namesTarget ? Self.target(attack) : "Anonymous")),
      ("tags", .list(Self.tags(attack).map { .text($0) })),
      ("time_start", .text(Self.local(attack.start, options.timeZone))),
      ("time_end", .text(Self.local(attack.end, options.timeZone))),
      ("duration_seconds", .integer(seconds)),
      ("total_flows", .count(attack.total.flows)),
      ("total_megabytes", .count(attack.total.octets / 1_000_000)),
      ("total_packets", .count(attack.total.packets)),
      ("total_ips", .whole(attack.sourceCount)),
      ("avg_bps", .whole(octets * 8 / Double(seconds))),
      ("avg_pps", .whole(packets / Double(seconds))),
      ("avg_Bpp", .whole(attack.total.octetsPerPacket)),
      ("location", options.location.map { .text($0) } ?? .null),
    ]
    key = MD5.hexadecimal(Array(JSONText.object(members).written().utf8))
    var keyed = members
    keyed.insert(("key", .text(key)), at: 3)
    json = JSONText.object(keyed).written() + "\n"
  }

  private static func target(_ attack: Attack) -> String {
    attack.target.length == attack.target.address.bitWidth
      ? attack.target.address.description : attack.target.description
  }

  private static func vector(
    _ vector: AttackVector, _ attack: Attack, whole: Double, _ options: Options
  ) -> JSONText {
    let isFragment = vector.kind == .fragment
    let sources = attack.sources.filter { $0.vectors.contains(vector.name) }
    // Without a reflecting service the port is told too, where there is only one.
    let service = vector.sourcePort.flatMap { port in
      vector.transport == 17 ? AmplificationService.at(port) : nil
    }
    var members: [(String, JSONText)] = [
      (
        "service",
        .text(isFragment ? "Fragmented IP packets" : service?.title ?? "Unknown service")
      ),
      (
        "protocol",
        .text(IPProtocol(rawValue: vector.transport).description.uppercased())
      ),
      (
        "fraction_of_attack",
        isFragment ? .null : .decimal(rounded(Double(vector.volume.octets) / max(1, whole)))
      ),
      ("source_port", vector.sourcePort.map { .integer(Int64($0)) } ?? .text("random")),
      (
        "destination_ports",
        vector.destinationPorts.isEmpty
          ? .text("random")
          : .object(
            vector.destinationPorts.map { ("\($0.value)", .decimal(rounded($0.share))) })
      ),
      (
        "tcp_flags",
        vector.transport == 6 && !vector.tcpFlags.isEmpty
          ? .object(
            vector.tcpFlags.map { (flags($0.flags), .decimal(rounded($0.share))) }) : .null
      ),
      ("nr_flows", .count(vector.volume.flows)),
      ("nr_packets", .count(vector.volume.packets)),
      ("nr_megabytes", .count(vector.volume.octets / 1_000_000)),
      ("time_start", .text(local(vector.first, options.timeZone))),
      ("duration_seconds", .whole(max(0, vector.last.seconds(since: vector.first)))),
      ("source_ips", .list(sources.map { .text($0.address.description) })),
    ]
    if options.hasPacketsBySource {
      members.append(
        (
          "nr_packets_by_source",
          .object(sources.map { ($0.address.description, .count($0.packets)) })
        ))
    }
    if vector.transport == 1 || vector.transport == 58, !vector.icmpTypes.isEmpty {
      members.append(
        (
          "ICMP type",
          .object(vector.icmpTypes.map { ("\($0.value)", .decimal(rounded($0.share))) })
        ))
    }
    members.append(("detection_threshold", .decimal(rounded(vector.share))))
    return .object(members)
  }

  private static func tags(_ attack: Attack) -> [String] {
    var tags: [String] = []
    if attack.vectors.contains(where: { $0.service != nil }) { tags.append("Amplification attack") }
    if attack.vectors.filter({ $0.kind != .fragment }).count > 1 {
      tags.append("Multi-vector attack")
    }
    for vector in attack.vectors {
      switch vector.kind {
      case .tcpSYN: tags.append("TCP SYN flag attack")
      case .tcpACK: tags.append("TCP ACK flag attack")
      case .tcpRST: tags.append("TCP RST flag attack")
      case .tcpSYNACK: tags.append("TCP SYN ACK flag attack")
      case .icmp: tags.append("ICMP flood")
      case .fragment: tags.append("Fragmentation attack")
      case .udp where vector.service == nil: tags.append("UDP flood")
      default: break
      }
    }
    if attack.isCarpet { tags.append("Carpet bombing attack") }
    return tags
  }

  /// `...A....`: CWR, ECE, URG, ACK, PSH, RST, SYN, FIN.
  static func flags(_ flags: UInt8) -> String {
    String(zip("CEUAPRSF", (0..<8).reversed()).map { flags >> UInt8($1) & 1 == 1 ? $0 : "." })
  }

  private static func rounded(_ share: Double) -> Double { (share * 1_000).rounded() / 1_000 }

  private static func local(_ moment: Timestamp, _ zone: TimeZone) -> String {
    var style = Date.ISO8601FormatStyle(timeZone: zone)
    style = style.year().month().day().timeZone(separator: .colon).time(
      includingFractionalSeconds: false)
    return Date(timeIntervalSince1970: Double(moment.seconds)).formatted(style)
  }
}
