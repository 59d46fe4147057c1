import Foundation
import GRDB
public import NetworkTypes
public import Store
import Synchronization

/// What the telescope has concluded, in the database of the data directory, and the events in an archive
/// of files beside it.
///
/// All rows carry keys made of what they say (an address and when it was first seen), so that a
/// longer reading of the same thing replaces the shorter one.
public struct TelescopeStore: Sendable {
  let store: DataStore
  let archive: EventArchive

  /// Brings the telescope's tables up to date.
  ///
  /// - Parameter events: the directory of the events' files. Unless given it is `telescope/events`
  ///   beside the database; of a database in memory, a temporary one that goes with the value.
  public init(
    _ store: DataStore, events: String? = nil,
    parameters: EventArchiveParameters = EventArchiveParameters()
  ) throws {
    self.store = store
    let beside = store.path.map {
      let parent = ($0 as NSString).deletingLastPathComponent
      return (parent.isEmpty ? "." : parent) + "/telescope/events"
    }
    if let directory = events ?? beside {
      archive = EventArchive(directory: directory, parameters: parameters)
    } else {
      archive = EventArchive(
        directory: NSTemporaryDirectory() + "/noroshi-events-\(UUID().uuidString)",
        parameters: parameters, isTemporary: true)
    }
    try store.migrate(Self.migrations)
    try moveEventsToArchive()
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
  /// engine state that belongs to them: all of it or nothing. Files of events are written before, and
  /// count from the moment the database names them.
  ///
  /// - Parameter openEvents: called with a consumer for every event that is still going on.
  public func record(
    _ results: TelescopeResults, inputs: [Input], generation: Int, now: Timestamp?,
    openEvents: ((TelescopeEvent) throws -> Void) throws -> Void
  ) throws {
    var files = try archive.write(closed: results.events, generation: generation)
    do {
      if let open = try archive.write(open: openEvents, generation: generation) {
        files.append(open)
      }
      let replaced = try store.writer.write { database in
        try Self.store(results, inputs, generation, now, database)
        let former = try EventFile.all(database, where: "hour IS NULL")
        try EventFile.delete(former, database)
        for file in files { try file.insert(database) }
        return former
      }
      archive.supersede(replaced)
    } catch {
      archive.remove(files.map(\.name))
      throw error
    }
    try mergeEventFiles(generation: generation)
  }

  private static func store(
    _ results: TelescopeResults, _ inputs: [Input], _ generation: Int, _ now: Timestamp?,
    _ database: Database
  ) throws {
    let stored = try Int.fetchOne(database, sql: "SELECT generation FROM telescope_progress") ?? 0
    guard stored < generation else {
      throw TelescopeError.storage(
        "another process has stored checkpoint \(stored) of the telescope meanwhile; let only one "
          + "read captures into a data directory at a time")
    }
    try insert(results.series, database)
    try insert(results.hosts, database)
    try insert(results.victims, database)
    try insert(results.alerts, database)
    try insert(results.campaigns, database)
    for input in inputs {
      try database.execute(
        sql: "INSERT OR REPLACE INTO telescope_inputs VALUES (?, ?, ?, ?, ?, ?, ?)",
        arguments: [
          input.digest, input.name, input.readAt.nanoseconds, input.firstPacket?.nanoseconds,
          input.lastPacket?.nanoseconds, integer(input.packets), input.ending,
        ])
    }
    try database.execute(
      sql: "INSERT OR REPLACE INTO telescope_progress VALUES (1, ?, ?, ?)",
      arguments: [generation, try json(results.counters), now?.nanoseconds])
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
    for (host, document) in zip(hosts, try documents(hosts)) {
      try statement.execute(arguments: [
        blob(host.address), host.firstSeen.nanoseconds, host.lastSeen.nanoseconds,
        host.verdict.rawValue, host.confidence, integer(host.packets), host.destinations,
        host.rate.packetsPerSecond, host.country.description, Int64(host.asn.number),
        host.tools.first, host.malware, host.address.description, document,
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
    try json(value, encoder())
  }

  private static func json(_ value: some Encodable, _ encoder: JSONEncoder) throws -> String {
    String(decoding: try encoder.encode(value), as: UTF8.self)
  }

  private static func encoder() -> JSONEncoder {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return encoder
  }

  /// The JSON of many values in their order, made on all cores: making it takes longer than storing it.
  private static func documents<Value: Encodable & Sendable>(_ values: [Value]) throws -> [String] {
    let size = 512
    let parts = Mutex<[Int: [String]]>([:])
    let count = (values.count + size - 1) / size
    DispatchQueue.concurrentPerform(iterations: count) { part in
      let encoder = encoder()
      let made = try? values[part * size..<min(values.count, (part + 1) * size)].map {
        try json($0, encoder)
      }
      if let made { parts.withLock { $0[part] = made } }
    }
    let made = parts.withLock { $0 }
    var documents: [String] = []
    documents.reserveCapacity(values.count)
    for part in 0..<count {
      // What could not be made says why when it is made again.
      documents +=
        try made[part]
        ?? values[part * size..<min(values.count, (part + 1) * size)].map { try json($0) }
    }
    return documents
  }
}
