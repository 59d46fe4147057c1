public import FlowArchive
import Foundation
import NIOCore

/// The flows that a statement of one's own is about.
public struct ClusterSelection: Sendable {
  /// As it stands after FROM.
  public let table: String
  /// As it stands after WHERE: the query's filter and window, and the part that is asked for.
  public let condition: String
}

extension ClusterSearch {
  /// Runs a read-only statement over the flows that a query chooses, and hands over the rows of its answer.
  ///
  /// Where there are many flows it is asked for in parts, so that neither side needs memory for all: each
  /// part has all flows between some pairs of addresses, both ways, and all pairs are in one of them. The
  /// search is told to ``audit`` like any other. Cancelling the task ends it on the server too.
  ///
  /// - Parameters:
  ///   - kind: what the audit trail calls it.
  ///   - statement: gives the statement's text without FORMAT; nothing that was typed may come into it but
  ///     by the selection.
  /// - Returns: how many flows matched.
  /// - Throws: ``ClusterError``, `ArchiveError`, or what `audit` or `body` throws.
  @discardableResult
  public func select(
    _ query: FlowQuery, kind: String, statement: (ClusterSelection) -> String,
    _ body: (ClusterRows) throws -> Void
  ) async throws -> Int {
    let record = SearchRecord(begun: query, for: purpose, kind: kind, archive: address.description)
    try audit(record)
    do {
      let sql = try QuerySQL(query, table: "`\(address.database)`.`\(address.table)`")
      let result = try await connected { connection in
        try await ClusterQueryRun(sql: sql, connection: connection, search: self)
          .select(statement, body)
      }
      try audit(record.ended(with: result))
      return result.matched
    } catch {
      try audit(record.failed(error))
      throw error
    }
  }
}

extension ClusterQueryRun {
  func select(
    _ statement: (ClusterSelection) -> String, _ body: (ClusterRows) throws -> Void
  ) async throws -> FlowQueryResult {
    var result = FlowQueryResult()
    let counted = try await reply("SELECT count() FROM \(sql.table) WHERE \(sql.condition)")
    guard let cell = counted.rows.first?.first else { throw badReply("no count") }
    result.matched = Int(clamping: try number(cell))
    result.scanned = counted.rowsRead
    if result.matched == 0 { return result }
    let parts = (result.matched - 1) / max(1, search.parameters.flowsPerPart) + 1
    for part in 0..<parts {
      // The same for both directions of a conversation.
      let choice =
        parts == 1
        ? ""
        : " AND bitXor(cityHash64(source_address), cityHash64(destination_address)) % \(parts) = \(part)"
      let octets = try await send(
        statement(ClusterSelection(table: sql.table, condition: "(\(sql.condition))" + choice))
          + " FORMAT Native")
      try ClusterRows.forEach(
        in: Array(octets.readableBytesView), server: "\(connection.server)", body)
      search.progress?(part + 1, parts)
    }
    return result
  }
}
