public import NetworkTypes

/// What is asked of an archive.
public struct FlowQuery: Sendable {
  /// What comes back.
  public enum Kind: Hashable, Sendable {
    /// Single flows.
    case listing
    /// The greatest of the values of an element, or of a pair of elements.
    case statistic([FlowElement], splitsByProtocol: Bool)
    /// Sums by the values of several elements together.
    case aggregation([FlowElement])
    /// Both directions of connections together.
    case biflows
  }

  /// What rows are ordered by; numbers from the greatest, times from the earliest, unless reversed.
  public enum Order: String, Hashable, Sendable, CaseIterable {
    case flows, packets, bytes, pps, bps, bpp, tstart, tend, duration

    var isAscending: Bool { self == .tstart || self == .tend }
  }

  /// Which flows a time window takes.
  public enum WindowRule: Hashable, Sendable {
    /// Those that begin and end in it, as nfdump's `-t`.
    case inside
    /// Those that were alive at some moment of it.
    case overlapping
  }

  public var kind: Kind
  public var filter: FlowFilter
  /// The filter as it was typed, for the audit trail.
  public var filterText: String
  public var window: ClosedRange<Timestamp>?
  public var windowRule = WindowRule.inside
  public var order: Order
  /// Whether the order is turned around.
  public var isReversed = false
  /// Rows at most; nil for all.
  public var limit: Int?
  /// Whether packets and octets are as counted; otherwise they are times the sampling rate, as nfcapd
  /// stores them.
  public var isRaw = false

  /// A query by a filter's text.
  ///
  /// - Throws: ``FilterError``.
  public init(
    _ kind: Kind, filter: String = "", order: Order? = nil, limit: Int? = nil
  ) throws(FilterError) {
    self.kind = kind
    self.filter = try FlowFilter(filter)
    filterText = filter
    self.limit = limit
    self.order = order ?? (kind == .listing ? .tstart : .flows)
  }
}

/// Who searches, and why: the secrecy of communications (通信の秘密) asks for it.
public struct SearchPurpose: Hashable, Sendable {
  /// The person or program that searches.
  public let actor: String
  /// Why, in their words.
  public let purpose: String

  /// - Throws: ``ArchiveError/badQuery(_:)`` when either is blank.
  public init(actor: String, purpose: String) throws(ArchiveError) {
    guard !actor.allSatisfy(\.isWhitespace) else {
      throw .badQuery("a search of flows needs to know who searches")
    }
    guard !purpose.allSatisfy(\.isWhitespace) else {
      throw .badQuery("a search of flows needs a purpose; say why these flows are looked at")
    }
    self.actor = actor
    self.purpose = purpose
  }
}

/// One line for the audit trail, before a search begins and again after it ended.
public struct SearchRecord: Hashable, Sendable, Codable {
  public enum Stage: String, Hashable, Sendable, Codable { case begun, ended, failed }

  public var stage: Stage
  public var actor: String
  public var purpose: String
  /// `listing`, `statistic srcip`, `aggregation srcip,dstport`, `biflows`, `export`.
  public var kind: String
  /// As it was typed.
  public var filter: String
  /// The time window, if there was one.
  public var from: String?
  public var to: String?
  public var archive: String
  /// Flows looked at and flows that the filter let pass; 0 when it begins.
  public var scanned = 0
  public var matched = 0
  public var rows = 0
  /// Why it failed.
  public var failure: String?

  /// The record of a query that begins.
  ///
  /// - Parameters:
  ///   - kind: what is done with the flows; the query's own kind unless given.
  ///   - archive: the folder, or the cluster's address, that is searched.
  public init(
    begun query: FlowQuery, for purpose: SearchPurpose, kind: String? = nil, archive: String
  ) {
    self.init(
      stage: .begun, actor: purpose.actor, purpose: purpose.purpose,
      kind: kind ?? query.kind.words, filter: query.filterText,
      from: query.window?.lowerBound.description, to: query.window?.upperBound.description,
      archive: archive)
  }

  /// The same search, answered.
  public func ended(with result: FlowQueryResult) -> SearchRecord {
    var record = self
    record.stage = .ended
    record.scanned = result.scanned
    record.matched = result.matched
    record.rows = result.rows.count + result.records.count
    return record
  }

  /// The same search, failed.
  public func failed(_ error: any Error) -> SearchRecord {
    var record = self
    record.stage = .failed
    record.failure = "\(error)"
    return record
  }

  /// A record without an outcome yet.
  init(
    stage: Stage, actor: String, purpose: String, kind: String, filter: String, from: String?,
    to: String?, archive: String
  ) {
    self.stage = stage
    self.actor = actor
    self.purpose = purpose
    self.kind = kind
    self.filter = filter
    self.from = from
    self.to = to
    self.archive = archive
  }
}

/// The numbers that bound a search.
public struct QueryParameters: Hashable, Sendable {
  /// Threads; 0 for as many as the machine has processors.
  public var threads = 0
  /// Octets that groups and listed rows may take in memory.
  public var memoryOctets = 512 << 20
  /// Octets of a temporary file for groups that memory does not hold.
  public var spillOctets = 8 << 30
  /// Where that file is made.
  public var temporaryFolder = "/tmp"
  /// Groups that a thread keeps before it hands them to partitions: about 30 MB (our own choice; ten
  /// times the addresses that a busy hour has).
  public var groupsPerThread = 1 << 19
  /// Files that are kept open; others are opened again for each read. A process may have 1,024
  /// descriptors by default.
  public var openFiles = 256

  /// The values above.
  public init() {}
}

/// What comes of a search.
public struct FlowQueryResult: Sendable {
  /// Sums of all flows that matched.
  public struct Totals: Hashable, Sendable {
    public var flows: UInt64 = 0
    public var packets: UInt64 = 0
    public var bytes: UInt64 = 0
    /// Milliseconds since 1970; the first is greater than the last when nothing matched.
    public var first = Int64.max
    public var last = Int64.min
  }

  public var rows: [FlowSum] = []
  /// Single flows, of a listing.
  public var records: [FlowListed] = []
  public var totals = Totals()
  /// Flows that were looked at: those of row groups that statistics could not rule out.
  public var scanned = 0
  /// Records that the filter let pass.
  public var matched = 0
  public var files = 0
  /// Groups before the limit.
  public var groupCount = 0
  /// Octets that went to a temporary file.
  public var spillOctets = 0

  /// An empty result.
  public init() {}
}

/// One row of a statistic, aggregation or biflow table.
public struct FlowSum: Hashable, Sendable {
  /// The values of the elements, in the query's order.
  public var key: [FlowValue]
  public var flows: UInt64
  public var packets: UInt64
  public var bytes: UInt64
  /// Milliseconds since 1970 of the first start and the last end.
  public var first: Int64
  public var last: Int64
  /// Of the reverse direction of a biflow.
  public var reversePackets: UInt64 = 0
  public var reverseBytes: UInt64 = 0

  /// A row without a reverse direction.
  public init(
    key: [FlowValue], flows: UInt64, packets: UInt64, bytes: UInt64, first: Int64, last: Int64
  ) {
    self.key = key
    self.flows = flows
    self.packets = packets
    self.bytes = bytes
    self.first = first
    self.last = last
  }

  var milliseconds: UInt64 { UInt64(bitPattern: last &- first) }

  /// Both directions together, cut to a whole number; 0 without duration.
  public var packetsPerSecond: UInt64 {
    QuantityColumns.rate(packets &+ reversePackets, 1_000, per: milliseconds)
  }
  public var bitsPerSecond: UInt64 {
    QuantityColumns.rate(bytes &+ reverseBytes, 8_000, per: milliseconds)
  }
  public var bytesPerPacket: UInt64 {
    let all = packets &+ reversePackets
    return all == 0 ? 0 : (bytes &+ reverseBytes) / all
  }

  func measure(_ order: FlowQuery.Order) -> UInt64 {
    switch order {
    case .flows: flows
    case .packets: packets &+ reversePackets
    case .bytes: bytes &+ reverseBytes
    case .pps: packetsPerSecond
    case .bps: bitsPerSecond
    case .bpp: bytesPerPacket
    case .tstart: UInt64(bitPattern: first) ^ 1 << 63
    case .tend: UInt64(bitPattern: last) ^ 1 << 63
    case .duration: milliseconds
    }
  }
}

/// A value of an element.
public enum FlowValue: Hashable, Sendable, CustomStringConvertible {
  case number(UInt64)
  /// All zero bits for none.
  case address(IPAddress)
  /// 48 bits.
  case mac(UInt64)

  public var description: String {
    switch self {
    case .number(let value): "\(value)"
    case .address(let address): address.bits == 0 ? "0.0.0.0" : "\(address)"
    case .mac(let value):
      (0..<6).map { index in
        let octet = String(value >> UInt64(40 - 8 * index) & 255, radix: 16)
        return octet.count == 1 ? "0" + octet : octet
      }.joined(separator: ":")
    }
  }
}
