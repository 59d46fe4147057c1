import Foundation

/// What a client does besides, that infected hosts do.
public struct ClientConduct: Hashable, Sendable, Codable {
  /// Distinct servers on ``scannedPort`` that did not answer.
  public var scanned = 0
  public var scannedPort: UInt16 = 0
  /// Distinct mail servers contacted on port 25.
  public var mailServers = 0
  /// Packets per second of its strongest one-way stream.
  public var floodRate = 0.0
  /// Somebody else knows it as infected: the telescope, the survey, a member.
  public var isKnownInfected = false

  /// 0 for nothing to 1 for surely infected.
  public var suspicion = 0.0

  public init() {}

  /// In words: `scans port 23 (812 silent servers)`.
  public var words: [String] {
    var words: [String] = []
    if isKnownInfected { words.append("known as infected") }
    if scanned > 0 { words.append("scans port \(scannedPort): \(scanned) servers without answer") }
    if mailServers > 0 { words.append("sends mail to \(mailServers) servers") }
    if floodRate > 0 { words.append("floods at \(Int(min(floodRate, 1e12))) packets/s") }
    return words
  }
}

/// Judges clients by their other contacts.
public struct ConductParameters: Hashable, Sendable, Codable {
  /// Silent servers on one port from which a client may scan, and from which it does. A hundred is the
  /// telescope's scan, ten a badly configured program.
  public var scanFrom = 10.0
  public var scanSure = 100.0
  /// At least this share of its servers on the port must be silent.
  public var scanSilence = 0.6
  /// Distinct mail servers, from and sure: a person's program knows one or two.
  public var mailFrom = 8.0
  public var mailSure = 60.0
  /// A mail server is one that others send mail to; it is left out from so many of them on.
  public var mailServerClients = 3
  /// A one-way stream: packets, and packets per second.
  public var floodPackets: UInt32 = 20_000
  public var floodRate = 500.0
  /// Octets back for each sent one that still count as none.
  public var floodReplyShare = 0.05
  /// Attempts without answer at one server, and how many a second.
  public var floodAttempts: UInt32 = 2_000
  public var floodAttemptRate = 2.0

  public init() {}

  static func grade(_ value: Double, from: Double, sure: Double) -> Double {
    guard value > from, sure > from else { return value > from ? 1 : 0 }
    return min(1, log(value / from) / log(sure / from))
  }
}
