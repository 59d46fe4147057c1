import Foundation
import NIOCore

/// The table that one server's inserts go into.
struct ClusterTarget: Sendable {
  let version: ClusterDefinition.Version
  let database: String
  let table: String
  let columns: Set<String>
  /// Whether the table itself recognises an insert that comes again.
  let isDeduplicating: Bool
  /// Shards that the server's `Distributed` table has; nil where the address names a plain table.
  let shardCount: Int?

  /// Looks at the table of the address, and through a `Distributed` one at the local table below it.
  static func find(_ connection: ClusterConnection) async throws(ClusterError) -> ClusterTarget {
    let server = "\(connection.server)"
    let address = connection.address
    let seconds = 15.0
    guard
      let text = try await connection.rows("SELECT version()", seconds: seconds).first?.first,
      let version = ClusterDefinition.Version(text)
    else { throw .badReply(server: server, reason: "it does not say its version") }
    guard version >= .oldest else {
      throw .table(server: server, reason: "its version \(text) is older than 18.16; update it")
    }
    var database = address.database
    var table = address.table
    var engine = try await engine(connection, database, table)
    var shardCount: Int?
    if engine.name == "Distributed" {
      // Distributed('cluster', 'database', 'table'…) or without quotes.
      let arguments = engine.full.drop { $0 != "(" }.dropFirst().prefix { $0 != ")" }
        .split(separator: ",")
        .map { $0.trimmingCharacters(in: CharacterSet(charactersIn: " '`\"")) }
      guard arguments.count >= 3 else {
        throw .table(
          server: server,
          reason: "its table \(table) has an engine that cannot be read: \(engine.full)")
      }
      let cluster = arguments[0]
      database = try ClusterAddress.name(arguments[1], "database")
      table = try ClusterAddress.name(arguments[2], "table")
      _ = try ClusterAddress.name(cluster.replacing("-", with: "_"), "cluster")
      let count = try await connection.rows(
        "SELECT uniqExact(shard_num) FROM system.clusters WHERE cluster = '\(cluster)'",
        seconds: seconds)
      shardCount = count.first?.first.flatMap { Int($0) }
      engine = try await self.engine(connection, database, table)
    }
    guard engine.name.hasSuffix("MergeTree") else {
      throw .table(
        server: server,
        reason: "its table \(database).\(table) is of engine \(engine.name); flows go into one of "
          + "MergeTree or ReplicatedMergeTree, made by noroshi flows cluster ddl")
    }
    let names = try await connection.rows(
      "SELECT name FROM system.columns WHERE database = '\(database)' AND table = '\(table)'",
      seconds: seconds)
    let columns = Set(names.compactMap(\.first))
    let missing = (ClusterTable.filing + [ClusterTable.domain]).map(\.name)
      .filter { !columns.contains($0) }
    guard missing.isEmpty else {
      throw .table(
        server: server,
        reason: "its table \(database).\(table) has no column \(missing.joined(separator: ", ")); "
          + "make it with noroshi flows cluster ddl")
    }
    return ClusterTarget(
      version: version, database: database, table: table, columns: columns,
      isDeduplicating: engine.name.hasPrefix("Replicated")
        || version >= .current && engine.full.contains("non_replicated_deduplication_window"),
      shardCount: shardCount)
  }

  private static func engine(
    _ connection: ClusterConnection, _ database: String, _ table: String
  ) async throws(ClusterError) -> (name: String, full: String) {
    let rows = try await connection.rows(
      "SELECT engine, replaceAll(engine_full, '\\'', '') FROM system.tables "
        + "WHERE database = '\(database)' AND name = '\(table)'", seconds: 15)
    guard let row = rows.first, row.count == 2 else {
      throw .table(
        server: "\(connection.server)",
        reason: "it has no table \(database).\(table); make it with noroshi flows cluster ddl, or "
          + "collect with --create-tables")
    }
    return (row[0], row[1])
  }
}
