public import NetworkTypes

/// Everything that a tracker remembers of one client and one service, reckoned elsewhere: by a database
/// that was asked with ``PairStatement``.
public struct PairSummary: Hashable, Sendable {
  public var client: IPAddress
  public var server: IPAddress
  public var serverPort: UInt16
  /// IP protocol number.
  public var transport: UInt8
  /// Flow records.
  public var records: UInt64 = 0
  /// Contacts: records from the client's side, or from both, with the pieces of a cut session as one.
  public var contacts: UInt64 = 0
  /// Records from the server's side alone.
  public var replies: UInt64 = 0
  /// Whether a contact itself shows an answer.
  public var isAnswered = false
  /// Octets in units of sixteen, packets.
  public var bytesOut: UInt64 = 0
  public var bytesIn: UInt64 = 0
  public var packetsOut: UInt64 = 0
  /// Seconds since 1970: first start, last end.
  public var first: UInt32 = 0
  public var last: UInt32 = 0
  /// Seconds of the longest session, and its octets both ways in units of sixteen.
  public var longest: UInt32 = 0
  public var longestBytes: UInt64 = 0
  /// The latest distinct seconds of contacts in rising order, at most ``PairStatement/seconds``, and octets
  /// that the client sent in each, 0 for not known.
  public var seconds: [UInt32] = []
  public var sizes: [UInt64] = []
  /// One of how many packets the exporter looked at at most; 0 unknown, 1 all.
  public var samplingRate: UInt32 = 0

  public init(client: IPAddress, server: IPAddress, serverPort: UInt16, transport: UInt8) {
    self.client = client
    self.server = server
    self.serverPort = serverPort
    self.transport = transport
  }
}

extension ContactTracker {
  /// Takes in a pair that was reckoned elsewhere; each pair once. One that is known already finds no room
  /// and is counted as refused.
  public func add(_ summary: PairSummary) {
    guard !Self.staysLocal(summary.client), !Self.staysLocal(summary.server) else {
      counters.local &+= summary.records
      return
    }
    count(
      summary.records, from: summary.first, to: max(summary.first, summary.last),
      samplingRate: summary.samplingRate)
    guard
      let place = pair(
        client: summary.client, server: summary.server, port: summary.serverPort,
        transport: summary.transport), place.isNew
    else {
      counters.refused &+= 1
      return
    }
    var pair = Pair()
    pair.contacts = UInt32(clamping: summary.contacts)
    pair.replies = UInt32(clamping: summary.replies)
    pair.isAnswered = summary.isAnswered
    pair.bytesOut = UInt32(clamping: summary.bytesOut)
    pair.bytesIn = UInt32(clamping: summary.bytesIn)
    pair.packetsOut = UInt32(clamping: summary.packetsOut)
    pair.first = summary.first
    pair.last = max(summary.first, summary.last)
    pair.longest = summary.longest
    pair.longestBytes = UInt32(clamping: summary.longestBytes)
    for (second, size) in zip(summary.seconds, summary.sizes) {
      enter(second, size: Pair.code(size), into: &pair)
    }
    states[place.index] = pair
  }
}
