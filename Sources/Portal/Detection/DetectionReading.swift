import FlowAnalysis
import NetworkTypes

/// What the portal asks of detection: C&C servers, attacks, and what precedes them.
struct DetectionReading: Sendable {
  var servers: @Sendable (TableQuery) async throws -> Rows<ServerSummary>
  /// Nil where no ranking listed it.
  var server: @Sendable (Service) async throws -> ServerRegister.Entry?
  /// Servers at an address, and those that it was a client of, the most likely first.
  var serversTouching: @Sendable (IPAddress) async throws -> [ServerSummary]
  /// Keeps a verdict, or takes it back (nil): server, verdict, who, why.
  var judge: @Sendable (Service, ServerVerdict?, String, String) async throws -> Void
  /// The weights that rankings are made with.
  var ranking: @Sendable () -> RankingParameters
  var attacks: @Sendable (TableQuery) async throws -> Rows<AttackSummary>
  var attack: @Sendable (String) async throws -> Attack?
  /// Attacks on an address, or with it among their sources, the latest first.
  var attacksTouching: @Sendable (IPAddress) async throws -> [AttackSummary]
  var scans: @Sendable (TableQuery) async throws -> Rows<ObservedScan>
  var reflectors: @Sendable (TableQuery) async throws -> Rows<ObservedReflector>
  /// Who is behind an address, as of now.
  var owners: @Sendable () -> @Sendable (IPAddress) -> SourceOwner
}

/// What a list shows of a server of the register.
struct ServerSummary: Sendable {
  /// Whether it stands on the list.
  enum State: String, Sendable, CaseIterable {
    case listed
    /// It was not seen for so long that it left the list.
    case expired
    /// An analyst said that it is none.
    case wrong
  }

  var service: Service
  /// 0...1, as of the latest ranking that saw it.
  var probability: Double
  /// The highest that it ever had.
  var highest: Double
  /// The ranking's, or what the verdict says instead.
  var grade: ServerGrade
  var state: State
  /// The kinds of evidence that speak for it, what speaks loudest first.
  var evidence: [EvidenceKind]
  var clients: Int
  var firstSeen: Timestamp
  var lastSeen: Timestamp
  var expires: Timestamp
  var verdict: ServerRegister.Statement?
}

extension ServerSummary {
  /// The grade that a verdict given since the ranking makes of the ranking's.
  static func grade(_ grade: ServerGrade, _ verdict: ServerVerdict?) -> ServerGrade {
    switch verdict {
    case .confirmed: .confirmed
    case .wrong: .none
    case .watch: max(grade, .candidate)
    case nil: grade
    }
  }

  static func state(
    expires: Timestamp, _ verdict: ServerVerdict?, at now: Timestamp
  ) -> State {
    verdict == .wrong ? .wrong : expires < now ? .expired : .listed
  }

  /// What speaks for a server, what speaks loudest first.
  static func evidence(
    of server: DetectedServer, _ parameters: RankingParameters
  ) -> [EvidenceKind] {
    ServerExplanation(server, parameters: parameters).lines.filter { $0.points > 0 }.map(\.kind)
  }

  init(_ entry: ServerRegister.Entry, _ parameters: RankingParameters, at now: Timestamp) {
    let verdict = entry.verdict?.verdict
    self.init(
      service: entry.server.service, probability: entry.server.probability,
      highest: entry.highest, grade: Self.grade(entry.server.grade, verdict),
      state: Self.state(expires: entry.expires, verdict, at: now),
      evidence: Self.evidence(of: entry.server, parameters), clients: entry.server.clientCount,
      firstSeen: entry.firstSeen, lastSeen: entry.lastSeen, expires: entry.expires,
      verdict: entry.verdict)
  }
}

/// What a list shows of an attack, without its thousands of sources.
struct AttackSummary: Sendable {
  var id: String
  var target: IPPrefix
  var name: String
  var vectors: [String]
  var start: Timestamp
  var end: Timestamp
  var isOngoing: Bool
  var packets: UInt64
  var octets: UInt64
  var peakPackets: Double
  var peakBits: Double
  var sources: Double
  /// What the sources of the strongest vector really are.
  var nature: SourceNature
}

extension AttackSummary {
  init(_ attack: Attack) {
    self.init(
      id: attack.id, target: attack.target, name: attack.name,
      vectors: attack.vectors.map(\.name), start: attack.start, end: attack.end,
      isOngoing: !attack.isOver, packets: attack.total.packets, octets: attack.total.octets,
      peakPackets: attack.peak.packetsPerSecond, peakBits: attack.peak.bitsPerSecond,
      sources: attack.sourceCount, nature: attack.vectors.first?.nature ?? .unknown)
  }
}

/// A server's place in addresses: `192.0.2.1:6667-tcp`, as a stroke would part the path.
enum ServerPath {
  static func page(_ service: Service) -> String {
    var text = service.description
    if let stroke = text.lastIndex(of: "/") { text.replaceSubrange(stroke...stroke, with: "-") }
    return "/servers/\(QueryText.encode(text))"
  }

  static func service(_ text: String) -> Service? {
    var text = text
    if let mark = text.lastIndex(of: "-") { text.replaceSubrange(mark...mark, with: "/") }
    return Service(text: text)
  }

  static func attack(_ id: String) -> String { "/attacks/\(QueryText.encode(id))" }
}
