import FlowAnalysis
import Foundation
import GRDB
import NetworkTypes
import Store

/// Detection's tables of the house's database, read for the portal's lists.
struct DetectionLive: Sendable {
  let store: DataStore
  let register: ServerRegister
  let attackStore: AttackStore
  let ranking: @Sendable () -> RankingParameters
  let now: @Sendable () -> Timestamp

  private let withdraw: @Sendable (Service, String, String) throws -> Void

  /// Brings the tables up to date.
  ///
  /// - Parameter withdraw: is told of a server that was judged wrong, by whom and why, so that what
  ///   was made of it is taken back.
  init(
    store: DataStore, trail: AuditTrail, ranking: @escaping @Sendable () -> RankingParameters,
    now: @escaping @Sendable () -> Timestamp,
    withdraw: @escaping @Sendable (Service, _ actor: String, _ reason: String) throws -> Void = {
      _, _, _ in
    }
  ) throws {
    try store.migrate(ServerRegister.migrations)
    self.store = store
    self.ranking = ranking
    self.now = now
    self.withdraw = withdraw
    register = ServerRegister(store: store, trail: trail)
    attackStore = try AttackStore(store)
  }

  func reading(
    owners: @escaping @Sendable () -> @Sendable (IPAddress) -> SourceOwner
  ) -> DetectionReading {
    DetectionReading(
      servers: { try servers($0) },
      server: { try register.entry($0) },
      serversTouching: { try servers(touching: $0) },
      judge: { service, verdict, actor, reason in
        try register.judge(service, verdict, by: .user(actor), reason: reason, at: now())
        if verdict == .wrong { try withdraw(service, actor, reason) }
      },
      ranking: ranking,
      attacks: { try attacks($0) },
      attack: { try attackStore.attack($0) },
      attacksTouching: { try attackStore.attacks(touching: $0).map { AttackSummary($0) } },
      scans: { query in
        try page(query, Self.scanColumns, "ddos_scans", order: "last_seen", selection: "document") {
          try Self.decode($0[0])
        }
      },
      reflectors: { query in
        try page(
          query, Self.reflectorColumns, "ddos_reflectors", order: "last_seen",
          selection: "document"
        ) { try Self.decode($0[0]) }
      },
      owners: owners)
  }

  // MARK: Servers

  /// All rows without their documents are filtered and sorted in memory: addresses stand there as
  /// text. The documents of one page are read then.
  private func servers(_ query: TableQuery) throws -> Rows<ServerSummary> {
    var rows = query.answer(try summaries(), columns: ServerTable.columns)
    let parameters = ranking()
    for place in rows.rows.indices {
      if let entry = try register.entry(rows.rows[place].service) {
        rows.rows[place].evidence = ServerSummary.evidence(of: entry.server, parameters)
      }
    }
    return rows
  }

  private func summaries() throws -> [ServerSummary] {
    let moment = now()
    return try store.writer.read { database in
      try Row.fetchAll(
        database,
        sql: """
          SELECT servers.service, probability, highest, grade, clients, firstSeen, lastSeen,
            expires, verdict, actor, reason, at
          FROM detection_servers AS servers
          LEFT JOIN detection_verdicts AS verdicts ON verdicts.service = servers.service
          ORDER BY servers.service
          """
      ).compactMap { row -> ServerSummary? in
        guard let service = Service(text: row[0]) else { return nil }
        let verdict = (row[8] as String?).flatMap { ServerVerdict(rawValue: $0) }
        let expires = Timestamp(nanoseconds: row[7])
        return ServerSummary(
          service: service, probability: row[1], highest: row[2],
          grade: ServerSummary.grade(ServerGrade(rawValue: row[3]) ?? .none, verdict),
          state: ServerSummary.state(expires: expires, verdict, at: moment), evidence: [],
          clients: row[4], firstSeen: Timestamp(nanoseconds: row[5]),
          lastSeen: Timestamp(nanoseconds: row[6]), expires: expires,
          verdict: verdict.map {
            ServerRegister.Statement(
              verdict: $0, actor: row[9] ?? "", reason: row[10] ?? "",
              at: Timestamp(nanoseconds: row[11] ?? 0))
          })
      }
    }
  }

  /// Documents that hold the address as a text are looked into.
  private func servers(touching address: IPAddress) throws -> [ServerSummary] {
    let names = try store.writer.read { database in
      try String.fetchAll(
        database,
        sql: """
          SELECT service FROM detection_servers WHERE instr(document, ?) > 0
          ORDER BY probability DESC, service LIMIT ?
          """, arguments: ["\"\(address)\"", Self.touchingLimit])
    }
    let parameters = ranking()
    let moment = now()
    return try names.compactMap { name -> ServerSummary? in
      guard let service = Service(text: name), let entry = try register.entry(service),
        service.address == address
          || entry.server.clients.contains(where: { $0.address == address })
      else { return nil }
      return ServerSummary(entry, parameters, at: moment)
    }
  }

  /// Servers of one host's page: our own choice.
  private static let touchingLimit = 100

  // MARK: Attacks

  private static let vectorNames = """
    (SELECT group_concat(json_extract(vector.value, '$.name'), ' ')
      FROM json_each(ddos_attacks.document, '$.vectors') AS vector)
    """
  private static let nature = "json_extract(document, '$.vectors[0].nature')"

  private static let attackColumns: [ListColumn] = [
    .text("id"), .address("target", "target"), .text("name"),
    .text("vectors", expression: vectorNames), .moment("start", "start"),
    .moment("end", "\"end\""), .flag("ongoing", "(1 - isOver)"), .integer("packets"),
    .integer("bytes", expression: "octets"), .integer("peak_pps", expression: "peakPackets"),
    .integer("peak_bps", expression: "peakBits"), .integer("sources"),
    .text("nature", expression: nature),
  ]

  private func attacks(_ query: TableQuery) throws -> Rows<AttackSummary> {
    try page(
      query, Self.attackColumns, "ddos_attacks", order: "ongoing", key: "start DESC, id",
      selection: """
        id, targetText, name, \(Self.vectorNames), start, "end", isOver, packets, octets,
        peakPackets, peakBits, sources, \(Self.nature)
        """
    ) { row in
      AttackSummary(
        id: row[0], target: IPPrefix(row[1] as String) ?? IPPrefix(IPAddress(bits: 0)),
        name: row[2], vectors: ((row[3] as String?) ?? "").split(separator: " ").map(String.init),
        start: Timestamp(nanoseconds: row[4]), end: Timestamp(nanoseconds: row[5]),
        isOngoing: !(row[6] as Bool), packets: UInt64(clamping: row[7] as Int64),
        octets: UInt64(clamping: row[8] as Int64), peakPackets: row[9], peakBits: row[10],
        sources: row[11],
        nature: (row[12] as String?).flatMap { SourceNature(rawValue: $0) } ?? .unknown)
    }
  }

  /// The names that ``IPProtocol`` gives; others by their numbers.
  private static let transport = """
    CASE transport WHEN 1 THEN 'icmp' WHEN 6 THEN 'tcp' WHEN 17 THEN 'udp' WHEN 58 THEN 'icmpv6'
      ELSE transport END
    """

  private static let scanColumns: [ListColumn] = [
    .address("source", "source"), .text("shape"), .text("protocol", expression: transport),
    .integer("port"), .integer("targets"), .integer("packets"), .moment("first_seen", "first"),
    .moment("last_seen", "last"),
  ]
  private static let reflectorColumns: [ListColumn] = [
    .address("address", "address"), .text("amplifier", expression: "service"),
    .integer("bytes_out", expression: "octets"), .moment("first_seen", "first"),
    .moment("last_seen", "last"),
  ]

  private func page<Item: Sendable>(
    _ query: TableQuery, _ columns: [ListColumn], _ table: String, order: String,
    key: String = "id", selection: String, _ read: @escaping @Sendable (Row) throws -> Item
  ) throws -> Rows<Item> {
    try query.gather { listQuery in
      let statement = try ListStatement(
        listQuery, columns: columns, searched: [],
        order: .init(column: order, isAscending: false), tieBreak: key)
      return try store.writer.read { [statement] database in
        try statement.page(of: selection, from: table, in: database, row: read)
      }
    }
  }

  private static func decode<Item: Decodable>(_ document: String) throws -> Item {
    try JSONDecoder().decode(Item.self, from: Data(document.utf8))
  }
}
