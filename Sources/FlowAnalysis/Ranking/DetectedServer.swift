public import NetworkTypes

/// How sure a server's place on the list is.
public enum ServerGrade: String, Hashable, Sendable, Codable, CaseIterable, Comparable {
  /// Below what is worth a look.
  case none
  case candidate
  /// Above the reporting line.
  case probable
  case confirmed

  public static func < (left: Self, right: Self) -> Bool {
    (allCases.firstIndex(of: left) ?? 0) < (allCases.firstIndex(of: right) ?? 0)
  }
}

/// What an analyst said about a server.
public enum ServerVerdict: String, Hashable, Sendable, Codable, CaseIterable {
  /// It is a C&C server.
  case confirmed
  /// It is not; it leaves the list and stays away until the verdict is taken back.
  case wrong
  /// To be watched: it stays in sight whatever its probability.
  case watch
}

/// A client of a detected server.
public struct DetectedClient: Hashable, Sendable, Codable {
  public var address: IPAddress
  public var contacts: UInt32
  public var firstSeen: Timestamp
  public var lastSeen: Timestamp
  public var bytesOut: UInt64
  public var bytesIn: UInt64
  public var rhythm: PeriodicityTest.Result
  /// Seconds of its longest session.
  public var longestSession: UInt32
  public var conduct: ClientConduct
}

/// A service with its place in the ranking, and why.
public struct DetectedServer: Hashable, Sendable, Codable {
  public var service: Service
  /// 0...1.
  public var probability: Double
  /// The probability's log-odds, by which the list is ordered.
  public var score: Double
  public var grade: ServerGrade
  /// Value of each kind of evidence that is not zero.
  public var evidence: [EvidenceKind: Double]
  /// The most telling client first.
  public var clients: [DetectedClient]
  public var clientCount: Int
  /// Seconds since 1970 of the most telling client's latest contacts.
  public var contacts: [UInt32]
  public var firstSeen: Timestamp
  public var lastSeen: Timestamp
  /// When it leaves the list unless it is seen again.
  public var expires: Timestamp
  /// Clients of the whole population, and the sum of their suspicions.
  public var population: Int
  public var suspects: Double
  /// log10 of the chance of so many suspects among its clients (hypergeometric).
  public var enrichmentChance: Double
  public var lists: [ThreatList.Match]
  public var verdict: ServerVerdict?
  /// 0 unknown, 1 all packets.
  public var samplingRate: UInt32
}
