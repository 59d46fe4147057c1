import Foundation
import GRDB
public import NetworkTypes
public import Store

/// The attacks, scanners and reflectors that were found, in the database of the data directory.
///
/// Rows carry keys made of what they say, so that a later reading of the same thing replaces the
/// earlier one.
public struct AttackStore: Sendable {
  let store: DataStore

  /// Brings the tables up to date.
  public init(_ store: DataStore) throws {
    self.store = store
    try store.migrate(Self.migrations)
  }

  /// The tables of attack detection.
  public static let migrations: [StoreMigration] = [
    StoreMigration(id: "ddos-001") { database in
      try database.execute(
        sql: """
          CREATE TABLE ddos_attacks (
            id TEXT PRIMARY KEY, target BLOB NOT NULL, targetEnd BLOB NOT NULL,
            targetText TEXT NOT NULL, name TEXT NOT NULL, start INTEGER NOT NULL,
            end INTEGER NOT NULL, isOver INTEGER NOT NULL, packets INTEGER NOT NULL,
            octets INTEGER NOT NULL, peakPackets REAL NOT NULL, peakBits REAL NOT NULL,
            sources REAL NOT NULL, document TEXT NOT NULL
          ) WITHOUT ROWID;
          CREATE INDEX ddos_attacks_by_time ON ddos_attacks (start);
          CREATE TABLE ddos_sources (
            attack TEXT NOT NULL REFERENCES ddos_attacks (id) ON DELETE CASCADE,
            address BLOB NOT NULL, packets INTEGER NOT NULL, nature TEXT NOT NULL,
            PRIMARY KEY (attack, address)
          ) WITHOUT ROWID;
          CREATE INDEX ddos_sources_by_address ON ddos_sources (address);
          CREATE TABLE ddos_scans (
            id TEXT PRIMARY KEY, source BLOB NOT NULL, sourceText TEXT NOT NULL,
            shape TEXT NOT NULL, transport INTEGER NOT NULL, port INTEGER, targets REAL NOT NULL,
            packets INTEGER NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL,
            document TEXT NOT NULL
          ) WITHOUT ROWID;
          CREATE INDEX ddos_scans_by_time ON ddos_scans (last);
          CREATE TABLE ddos_reflectors (
            id TEXT PRIMARY KEY, address BLOB NOT NULL, addressText TEXT NOT NULL,
            service TEXT NOT NULL, octets INTEGER NOT NULL, first INTEGER NOT NULL,
            last INTEGER NOT NULL, document TEXT NOT NULL
          ) WITHOUT ROWID;
          CREATE INDEX ddos_reflectors_by_time ON ddos_reflectors (last);
          CREATE TABLE ddos_learned (
            prefix TEXT NOT NULL, kind INTEGER NOT NULL, document TEXT NOT NULL,
            PRIMARY KEY (prefix, kind)
          ) WITHOUT ROWID;
          """)
    }
  ]

  // MARK: Recording

  /// Stores what a monitor told, all or nothing.
  public func record(_ events: [AttackEvent]) throws {
    guard !events.isEmpty else { return }
    try store.writer.write { database in
      for event in events {
        switch event {
        case .began(let attack), .changed(let attack), .ended(let attack):
          try Self.insert(attack, database)
        case .absorbed(let id, let attack):
          try database.execute(sql: "DELETE FROM ddos_attacks WHERE id = ?", arguments: [id])
          try Self.insert(attack, database)
        }
      }
    }
  }

  private static func insert(_ attack: Attack, _ database: Database) throws {
    try database.execute(
      sql: """
        INSERT INTO ddos_attacks VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
        ON CONFLICT (id) DO UPDATE SET name = excluded.name, end = excluded.end,
          isOver = excluded.isOver, packets = excluded.packets, octets = excluded.octets,
          peakPackets = excluded.peakPackets, peakBits = excluded.peakBits,
          sources = excluded.sources, document = excluded.document
        """,
      arguments: [
        attack.id, blob(attack.target.first), blob(attack.target.last), attack.target.description,
        attack.name, attack.start.nanoseconds, attack.end.nanoseconds, attack.isOver,
        Int64(clamping: attack.total.packets), Int64(clamping: attack.total.octets),
        attack.peak.packetsPerSecond, attack.peak.bitsPerSecond, attack.sourceCount,
        try json(attack),
      ])
    try database.execute(sql: "DELETE FROM ddos_sources WHERE attack = ?", arguments: [attack.id])
    let statement = try database.cachedStatement(
      sql: "INSERT INTO ddos_sources VALUES (?, ?, ?, ?)")
    for source in attack.sources {
      try statement.execute(arguments: [
        attack.id, blob(source.address), Int64(clamping: source.packets), source.nature.rawValue,
      ])
    }
  }

  /// Stores scans and reflectors.
  public func record(scans: [ObservedScan], reflectors: [ObservedReflector]) throws {
    guard !scans.isEmpty || !reflectors.isEmpty else { return }
    try store.writer.write { database in
      for scan in scans {
        try database.execute(
          sql: "INSERT OR REPLACE INTO ddos_scans VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
          arguments: [
            scan.id, Self.blob(scan.source), scan.source.description, scan.shape.rawValue,
            Int64(scan.transport.rawValue), scan.port.map { Int64($0) }, scan.targets,
            Int64(clamping: scan.packets), scan.first.nanoseconds, scan.last.nanoseconds,
            try Self.json(scan),
          ])
      }
      for reflector in reflectors {
        try database.execute(
          sql: "INSERT OR REPLACE INTO ddos_reflectors VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
          arguments: [
            reflector.id, Self.blob(reflector.address), reflector.address.description,
            reflector.service, Int64(clamping: reflector.octetsOut), reflector.first.nanoseconds,
            reflector.last.nanoseconds, try Self.json(reflector),
          ])
      }
    }
  }

  // MARK: Reading

  private static let attackColumns: [ListColumn] = [
    .text("id"), .text("target", expression: "targetText"), .text("name"),
    moment("start"), moment("end", "\"end\""),
    ListColumn("ongoing", expression: "1 - isOver", expected: "yes or no") { text in
      switch text {
      case "yes", "true": .integer(1)...ListColumn.Key.integer(1)
      case "no", "false": .integer(0)...ListColumn.Key.integer(0)
      default: nil
      }
    },
    .integer("packets"), .integer("octets"),
    .integer("peak_pps", expression: "CAST(peakPackets AS INTEGER)"),
    .integer("peak_bps", expression: "CAST(peakBits AS INTEGER)"),
    .integer("sources", expression: "CAST(sources AS INTEGER)"),
  ]
  private static let scanColumns: [ListColumn] = [
    .text("source", expression: "sourceText"), .text("shape"), .integer("port"),
    .integer("targets", expression: "CAST(targets AS INTEGER)"), .integer("packets"),
    moment("first"), moment("last"),
  ]
  private static let reflectorColumns: [ListColumn] = [
    .text("address", expression: "addressText"), .text("service"), .integer("octets"),
    moment("first"), moment("last"),
  ]

  private static func moment(_ name: String, _ expression: String? = nil) -> ListColumn {
    ListColumn(name, expression: expression, expected: "a time such as 2026-11-25T05:00:00Z") {
      Timestamp($0).map { .integer($0.nanoseconds)...ListColumn.Key.integer($0.nanoseconds) }
    }
  }

  /// Attacks, the latest first. ``ListQuery/filters`` go by id, target, name, start, end, ongoing,
  /// packets, octets, peak_pps, peak_bps and sources.
  public func attacks(_ query: ListQuery = ListQuery()) throws -> ListPage<Attack> {
    try page(
      query, "ddos_attacks", Self.attackColumns, searched: ["id", "target", "name"],
      order: "start")
  }

  /// Scans, the latest first.
  public func scans(_ query: ListQuery = ListQuery()) throws -> ListPage<ObservedScan> {
    try page(query, "ddos_scans", Self.scanColumns, searched: ["source"], order: "last")
  }

  /// Reflectors, the latest first.
  public func reflectors(_ query: ListQuery = ListQuery()) throws -> ListPage<ObservedReflector> {
    try page(
      query, "ddos_reflectors", Self.reflectorColumns, searched: ["address", "service"],
      order: "last")
  }

  private func page<Item: Decodable & Sendable>(
    _ query: ListQuery, _ table: String, _ columns: [ListColumn], searched: [String],
    order: String
  ) throws -> ListPage<Item> {
    let statement = try ListStatement(
      query, columns: columns, searched: searched,
      order: .init(column: order, isAscending: false), tieBreak: "id")
    let decoder = JSONDecoder()
    return try store.writer.read { database in
      try statement.page(of: "document", from: table, in: database) { row in
        try decoder.decode(Item.self, from: Data((row[0] as String).utf8))
      }
    }
  }

  /// An attack by its identifier, or the latest one for `latest`; nil where there is none.
  public func attack(_ id: String) throws -> Attack? {
    try store.writer.read { database in
      let document =
        id == "latest"
        ? try String.fetchOne(
          database, sql: "SELECT document FROM ddos_attacks ORDER BY start DESC, id DESC LIMIT 1")
        : try String.fetchOne(
          database, sql: "SELECT document FROM ddos_attacks WHERE id = ?", arguments: [id])
      return try document.map { try JSONDecoder().decode(Attack.self, from: Data($0.utf8)) }
    }
  }

  /// The attacks that an address was a written-down source of, or the target, the latest first.
  public func attacks(touching address: IPAddress, limit: Int = 100) throws -> [Attack] {
    try store.writer.read { database in
      try String.fetchAll(
        database,
        sql: """
          SELECT document FROM ddos_attacks WHERE (target <= ?1 AND targetEnd >= ?1)
            OR id IN (SELECT attack FROM ddos_sources WHERE address = ?1)
          ORDER BY start DESC LIMIT ?2
          """, arguments: [Self.blob(address), max(0, limit)]
      ).map { try JSONDecoder().decode(Attack.self, from: Data($0.utf8)) }
    }
  }

  /// Says that what was going on is over: what watched it has stopped.
  @discardableResult
  public func closeOngoing() throws -> Int {
    let query = ListQuery(filters: ["ongoing": "yes"], limit: 10_000)
    let open = try attacks(query).rows
    try record(
      open.map { attack in
        var attack = attack
        attack.isOver = true
        return .ended(attack)
      })
    return open.count
  }

  /// Deletes what ended before a moment, and gives back how many rows.
  @discardableResult
  public func forget(before moment: Timestamp) throws -> Int {
    try store.writer.write { database in
      var count = 0
      for (table, column) in [
        ("ddos_attacks", "\"end\""), ("ddos_scans", "last"), ("ddos_reflectors", "last"),
      ] {
        try database.execute(
          sql: "DELETE FROM \(table) WHERE \(column) < ?", arguments: [moment.nanoseconds])
        count += database.changesCount
      }
      return count
    }
  }

  // MARK: What was learned

  public func save(_ learned: [LearnedRates]) throws {
    try store.writer.write { database in
      for rates in learned {
        try database.execute(
          sql: "INSERT OR REPLACE INTO ddos_learned VALUES (?, ?, ?)",
          arguments: [
            rates.prefix.description, Int64(rates.kind.rawValue), try Self.json(rates),
          ])
      }
    }
  }

  public func learned() throws -> [LearnedRates] {
    try store.writer.read { database in
      try String.fetchAll(database, sql: "SELECT document FROM ddos_learned ORDER BY prefix, kind")
        .map { try JSONDecoder().decode(LearnedRates.self, from: Data($0.utf8)) }
    }
  }

  // MARK: Values

  private static func blob(_ address: IPAddress) -> Data {
    withUnsafeBytes(of: address.bits.bigEndian) { Data($0) }
  }

  private static func json(_ value: some Encodable) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return String(decoding: try encoder.encode(value), as: UTF8.self)
  }
}
