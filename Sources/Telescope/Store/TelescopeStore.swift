import Foundation
import GRDB
public import NetworkTypes
public import Store

/// What the telescope has concluded, in the database of the data directory.
///
/// All rows carry keys made of what they say (an address and when it was first seen), so that a
/// longer reading of the same thing replaces the shorter one.
public struct TelescopeStore: Sendable {
  let store: DataStore

  /// Brings the telescope's tables up to date.
  public init(_ store: DataStore) throws {
    self.store = store
    try store.migrate(Self.migrations)
  }

  /// A capture that has been read.
  public struct Input: Sendable, Codable, Hashable {
    public var digest: String
    public var name: String
    public var readAt: Timestamp
    public var firstPacket: Timestamp?
    public var lastPacket: Timestamp?
    public var packets: UInt64
    /// `complete`, or where and why it broke off.
    public var ending: String

    public init(
      digest: String, name: String, readAt: Timestamp, firstPacket: Timestamp?,
      lastPacket: Timestamp?, packets: UInt64, ending: String
    ) {
      self.digest = digest
      self.name = name
      self.readAt = readAt
      self.firstPacket = firstPacket
      self.lastPacket = lastPacket
      self.packets = packets
      self.ending = ending
    }
  }

  // MARK: Progress

  /// The number of the last checkpoint that was completed; 0 before the first.
  public func generation() throws -> Int {
    try store.writer.read {
      try Int.fetchOne($0, sql: "SELECT generation FROM telescope_progress") ?? 0
    }
  }

  public func counters() throws -> TelescopeCounters {
    try store.writer.read { database in
      try String.fetchOne(database, sql: "SELECT counters FROM telescope_progress")
        .map { try JSONDecoder().decode(TelescopeCounters.self, from: Data($0.utf8)) }
        ?? TelescopeCounters()
    }
  }

  /// The latest moment seen on the telescope.
  public func now() throws -> Timestamp? {
    try store.writer.read {
      try Int64.fetchOne($0, sql: "SELECT now FROM telescope_progress").map {
        Timestamp(nanoseconds: $0)
      }
    }
  }

  public func hasRead(digest: String) throws -> Bool {
    try store.writer.read {
      try Bool.fetchOne(
        $0, sql: "SELECT EXISTS (SELECT 1 FROM telescope_inputs WHERE digest = ?)",
        arguments: [digest]) ?? false
    }
  }

  public func inputs() throws -> [Input] {
    try store.writer.read { database in
      try Row.fetchAll(database, sql: "SELECT * FROM telescope_inputs ORDER BY firstPacket, name")
        .map {
          Input(
            digest: $0["digest"], name: $0["name"], readAt: Self.time($0["readAt"]),
            firstPacket: ($0["firstPacket"] as Int64?).map(Self.time),
            lastPacket: ($0["lastPacket"] as Int64?).map(Self.time),
            packets: UInt64(bitPattern: $0["packets"] as Int64), ending: $0["ending"])
        }
    }
  }

  // MARK: Recording

  /// Stores a checkpoint's conclusions together with the inputs they came from and the number of the
  /// engine state that belongs to them: all of it or nothing.
  ///
  /// - Parameter openEvents: called with a consumer for every event that is still going on.
  public func record(
    _ results: TelescopeResults, inputs: [Input], generation: Int, now: Timestamp?,
    openEvents: ((TelescopeEvent) throws -> Void) throws -> Void
  ) throws {
    try store.writer.write { database in
      try Self.insert(results.series, database)
      try Self.insert(results.hosts, database)
      try Self.insert(results.victims, database)
      try Self.insert(results.alerts, database)
      try Self.insert(results.campaigns, database)
      let statement = try database.makeStatement(sql: Self.eventSQL)
      for event in results.events { try Self.insert(event, statement) }
      try openEvents { try Self.insert($0, statement) }
      for input in inputs {
        try database.execute(
          sql: "INSERT OR REPLACE INTO telescope_inputs VALUES (?, ?, ?, ?, ?, ?, ?)",
          arguments: [
            input.digest, input.name, input.readAt.nanoseconds, input.firstPacket?.nanoseconds,
            input.lastPacket?.nanoseconds, Self.integer(input.packets), input.ending,
          ])
      }
      try database.execute(
        sql: "INSERT OR REPLACE INTO telescope_progress VALUES (1, ?, ?, ?)",
        arguments: [generation, try Self.json(results.counters), now?.nanoseconds])
    }
  }

  private static func insert(_ points: [SeriesPoint], _ database: Database) throws {
    let statement = try database.makeStatement(
      sql: "INSERT OR REPLACE INTO telescope_series VALUES (?, ?, ?, ?, ?, ?, ?)")
    for point in points {
      try statement.execute(arguments: [
        point.resolution.rawValue, point.start, point.dimension.rawValue, point.key,
        integer(point.packets), integer(point.bytes), point.hosts,
      ])
    }
  }

  private static func insert(_ hosts: [ObservedHost], _ database: Database) throws {
    let statement = try database.makeStatement(
      sql: "INSERT OR REPLACE INTO telescope_hosts VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?)")
    for host in hosts {
      try statement.execute(arguments: [
        blob(host.address), host.firstSeen.nanoseconds, host.lastSeen.nanoseconds,
        host.verdict.rawValue, host.confidence, integer(host.packets), host.destinations,
        host.rate.packetsPerSecond, host.country.description, Int64(host.asn.number),
        host.tools.first, host.malware, host.address.description, try json(host),
      ])
    }
  }

  private static func insert(_ victims: [VictimEvent], _ database: Database) throws {
    let statement = try database.makeStatement(
      sql: "INSERT OR REPLACE INTO telescope_victims VALUES (?,?,?,?,?,?,?,?,?,?,?)")
    for event in victims {
      try statement.execute(arguments: [
        blob(event.victim), event.start.nanoseconds, event.end.nanoseconds,
        integer(event.packets), integer(event.peakPacketsPerMinute), event.rate.packetsPerSecond,
        event.country.description, Int64(event.asn.number), event.isClosed,
        event.victim.description, try json(event),
      ])
    }
  }

  private static func insert(_ alerts: [MemberAlert], _ database: Database) throws {
    let statement = try database.makeStatement(
      sql: "INSERT OR REPLACE INTO telescope_alerts VALUES (?,?,?,?,?,?,?,?,?)")
    for alert in alerts {
      try statement.execute(arguments: [
        alert.organisation, blob(alert.address), alert.reach.rawValue, alert.firstSeen.nanoseconds,
        alert.lastSeen.nanoseconds, integer(alert.packets), alert.state.rawValue,
        alert.address.description, try json(alert),
      ])
    }
  }

  private static func insert(_ campaigns: [Campaign], _ database: Database) throws {
    let statement = try database.makeStatement(
      sql: "INSERT OR REPLACE INTO telescope_campaigns VALUES (?,?,?,?,?,?,?,?,?)")
    for campaign in campaigns {
      try statement.execute(arguments: [
        campaign.subject.rawValue, campaign.key, campaign.began.nanoseconds,
        campaign.lastSeen.nanoseconds, campaign.isOver, campaign.peakSources, campaign.baseline,
        campaign.deviations, try json(campaign),
      ])
    }
  }

  private static let eventSQL =
    "INSERT OR REPLACE INTO telescope_events VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)"

  private static func insert(_ event: TelescopeEvent, _ statement: Statement) throws {
    try statement.execute(arguments: [
      blob(event.source), Int64(event.port), event.trafficClass.name, event.firstSeen.nanoseconds,
      event.lastSeen.nanoseconds, integer(event.packets), integer(event.bytes),
      event.destinations, event.destinationBlocks, event.rate.packetsPerSecond, event.rate.lower,
      event.rate.upper, event.country.description, Int64(event.asn.number),
      event.tools.joined(separator: "\n"), pack(event.samples), event.isClosed,
    ])
  }

  // MARK: Forms

  /// Sixteen octets, most significant first, so that SQLite's order is the addresses' order.
  static func blob(_ address: IPAddress) -> Data {
    withUnsafeBytes(of: address.bits.bigEndian) { Data($0) }
  }

  static func address(_ data: Data) -> IPAddress {
    IPAddress(bits: data.prefix(16).reduce(UInt128(0)) { $0 << 8 | UInt128($1) })
  }

  static func time(_ nanoseconds: Int64) -> Timestamp { Timestamp(nanoseconds: nanoseconds) }

  /// SQLite's integers are signed: what does not fit is held at the largest.
  static func integer(_ value: UInt64) -> Int64 { Int64(clamping: value) }

  private static func json(_ value: some Encodable) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return String(decoding: try encoder.encode(value), as: UTF8.self)
  }

  /// Each sample behind its length.
  static func pack(_ samples: [[UInt8]]) -> Data {
    var data = Data()
    for sample in samples {
      data.append(UInt8(min(255, sample.count)))
      data.append(contentsOf: sample.prefix(255))
    }
    return data
  }

  static func unpack(_ data: Data) -> [[UInt8]] {
    var samples: [[UInt8]] = []
    var rest = data[...]
    while let length = rest.first {
      rest = rest.dropFirst()
      samples.append(Array(rest.prefix(Int(length))))
      rest = rest.dropFirst(Int(length))
    }
    return samples
  }
}
