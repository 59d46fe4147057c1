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
  /// - Parameter openEvents: called once with a consumer for every event that is still going on, on
  ///   another thread while the caller waits. What it writes elsewhere stands before the conclusions do.
  public func record(
    _ results: TelescopeResults, inputs: [Input], generation: Int, now: Timestamp?,
    openEvents: ((TelescopeEvent) throws -> Void) throws -> Void
  ) throws {
    let files = try archive.write(closed: results.events, generation: generation)
    do {
      let writing = BesideWriting(archive, generation: generation)
      let (replaced, _) = try writing.run(openEvents) { open in
        try store.writer.write { database in
          try Self.store(results, inputs, generation, now, database)
          let former = try EventFile.all(database, where: "hour IS NULL")
          try EventFile.delete(former, database)
          // Only a file that is whole is named.
          let written = files + (try open().map { [$0] } ?? [])
          for file in written { try file.insert(database) }
          return former
        }
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
      arguments: [generation, try DocumentEncoder().text(of: results.counters), now?.nanoseconds])
  }

  private static func insert(_ points: [SeriesPoint], _ database: Database) throws {
    let statement = try database.makeStatement(
      sql: "INSERT OR REPLACE INTO telescope_series VALUES (?, ?, ?, ?, ?, ?, ?)")
    // In the order of the table's key: pages are filled one after the other.
    let points = points.sorted {
      ($0.resolution.rawValue, $0.dimension.rawValue, $0.start, $0.key)
        < ($1.resolution.rawValue, $1.dimension.rawValue, $1.start, $1.key)
    }
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
    // In the order of the table's key: pages are filled one after the other.
    let hosts = hosts.sorted { ($0.address, $0.firstSeen) < ($1.address, $1.firstSeen) }
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
    let encoder = DocumentEncoder()
    let statement = try database.makeStatement(
      sql: "INSERT OR REPLACE INTO telescope_victims VALUES (?,?,?,?,?,?,?,?,?,?,?)")
    for event in victims {
      try statement.execute(arguments: [
        blob(event.victim), event.start.nanoseconds, event.end.nanoseconds,
        integer(event.packets), integer(event.peakPacketsPerMinute), event.rate.packetsPerSecond,
        event.country.description, Int64(event.asn.number), event.isClosed,
        event.victim.description, try encoder.text(of: event),
      ])
    }
  }

  private static func insert(_ alerts: [MemberAlert], _ database: Database) throws {
    let encoder = DocumentEncoder()
    let statement = try database.makeStatement(
      sql: "INSERT OR REPLACE INTO telescope_alerts VALUES (?,?,?,?,?,?,?,?,?)")
    for alert in alerts {
      try statement.execute(arguments: [
        alert.organisation, blob(alert.address), alert.reach.rawValue, alert.firstSeen.nanoseconds,
        alert.lastSeen.nanoseconds, integer(alert.packets), alert.state.rawValue,
        alert.address.description, try encoder.text(of: alert),
      ])
    }
  }

  private static func insert(_ campaigns: [Campaign], _ database: Database) throws {
    let encoder = DocumentEncoder()
    let statement = try database.makeStatement(
      sql: "INSERT OR REPLACE INTO telescope_campaigns VALUES (?,?,?,?,?,?,?,?,?)")
    for campaign in campaigns {
      try statement.execute(arguments: [
        campaign.subject.rawValue, campaign.key, campaign.began.nanoseconds,
        campaign.lastSeen.nanoseconds, campaign.isOver, campaign.peakSources, campaign.baseline,
        campaign.deviations, try encoder.text(of: campaign),
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

  /// The JSON of many values in their order, made on all cores.
  private static func documents<Value: Encodable & Sendable>(_ values: [Value]) throws -> [String] {
    let size = 512
    let parts = Mutex<[Int: Result<[String], any Error>]>([:])
    let count = (values.count + size - 1) / size
    DispatchQueue.concurrentPerform(iterations: count) { part in
      let encoder = DocumentEncoder()
      let made = Result {
        try values[part * size..<min(values.count, (part + 1) * size)].map {
          try encoder.text(of: $0)
        }
      }
      parts.withLock { $0[part] = made }
    }
    let made = parts.withLock { $0 }
    var documents: [String] = []
    documents.reserveCapacity(values.count)
    for part in 0..<count { documents += try made[part]?.get() ?? [] }
    return documents
  }
}
