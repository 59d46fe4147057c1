import AsyncHTTPClient
public import FlowArchive
import FlowRecords
import Foundation
import NIOCore
public import NetworkTypes

/// Searches the flows of a cluster: the queries of ``FlowArchive``, with the same answers.
///
/// Rows with an equal measure may come in another order than the archive's. Every search is told to
/// `audit` before it begins and when it ended, as the archive's.
public struct ClusterSearch: Sendable {
  /// Its first server that answers is asked; the table is that of the address.
  public let address: ClusterAddress
  public let purpose: SearchPurpose
  public var parameters: ClusterSearchParameters
  /// Told of every search; what it throws stops the search before anything is read.
  public let audit: @Sendable (SearchRecord) throws -> Void
  /// Told now and then how many of about how many rows the server has read.
  public var progress: (@Sendable (_ done: Int, _ total: Int) -> Void)?

  public init(
    _ address: ClusterAddress, purpose: SearchPurpose,
    parameters: ClusterSearchParameters = ClusterSearchParameters(),
    audit: @escaping @Sendable (SearchRecord) throws -> Void
  ) {
    self.address = address
    self.purpose = purpose
    self.parameters = parameters
    self.audit = audit
  }

  /// Answers a query. Cancelling the task ends the query on the server too.
  ///
  /// - Throws: ``ClusterError``, `ArchiveError`, or what `audit` throws.
  public func run(_ query: FlowQuery) async throws -> FlowQueryResult {
    let record = SearchRecord(begun: query, for: purpose, archive: address.description)
    try audit(record)
    do {
      let result = try await answer(query)
      try audit(record.ended(with: result))
      return result
    } catch {
      try audit(record.failed(error))
      throw error
    }
  }

  /// From when to when the cluster has flows, to the hour in which they were filed; nil when it has
  /// none. No contents are told, so no audit.
  ///
  /// - Throws: ``ClusterError``.
  public func span() async throws -> ClosedRange<Timestamp>? {
    let table = "`\(address.database)`.`\(address.table)`"
    return try await connected { connection in
      let rows = try await connection.rows(
        "SELECT count(), toUInt32(min(hour)), toUInt32(max(hour)) FROM \(table)",
        seconds: Double(parameters.seconds))
      guard let row = rows.first, row.count == 3, let count = UInt64(row[0]),
        let first = Int64(row[1]), let last = Int64(row[2])
      else { throw ClusterError.badReply(server: "\(connection.server)", reason: "no hours") }
      guard count > 0, first <= last else { return nil }
      return Timestamp(seconds: first)...Timestamp(seconds: last + 3_600)
    }
  }

  private func answer(_ query: FlowQuery) async throws -> FlowQueryResult {
    let sql = try QuerySQL(query, table: "`\(address.database)`.`\(address.table)`")
    return try await connected { connection in
      try await ClusterQueryRun(sql: sql, connection: connection, search: self).answer()
    }
  }

  func connected<Answer>(
    _ body: (ClusterConnection) async throws -> Answer
  ) async throws -> Answer {
    let client = ClusterConnection.client(connectSeconds: parameters.connectSeconds)
    do {
      let result = try await body(try await connection(client))
      try? await client.shutdown()
      return result
    } catch {
      // The failure of the search is what counts.
      try? await client.shutdown()
      throw error
    }
  }

  private func connection(_ client: HTTPClient) async throws(ClusterError) -> ClusterConnection {
    var failure = ClusterError.address("the address names no server")
    for server in address.shards.joined() {
      let connection = ClusterConnection(server: server, address: address, client: client)
      do throws(ClusterError) {
        _ = try await connection.rows("SELECT 1", seconds: 2 * parameters.connectSeconds)
        return connection
      } catch {
        guard case .unreachable = error else { throw error }
        failure = error
      }
    }
    throw failure
  }
}

/// One query at work on one server.
struct ClusterQueryRun: Sendable {
  let sql: QuerySQL
  let connection: ClusterConnection
  let search: ClusterSearch

  /// Octets that a listed flow takes in the result, about.
  private static let octetsPerRecord = MemoryLayout<FlowListed>.stride + 16

  func answer() async throws -> FlowQueryResult {
    let query = sql.query
    var result = FlowQueryResult()
    let totals = try await reply(sql.totals)
    guard let row = totals.rows.first, row.count == 6 else { throw badReply("no sums") }
    let sums = try row.map(number)
    result.matched = Int(clamping: sums[0])
    result.scanned = totals.rowsRead
    if sums[0] > 0 {
      result.totals.flows = sums[1]
      result.totals.packets = sums[2]
      result.totals.bytes = sums[3]
      result.totals.first = Int64(bitPattern: sums[4])
      result.totals.last = Int64(bitPattern: sums[5])
    }
    if case .listing = query.kind {
      result.groupCount = result.matched
      result.records = try await listing(matched: result.matched)
    } else {
      let reply = try await reply(sql.groups())
      result.rows = try rows(reply)
      result.groupCount = max(reply.beforeLimit ?? 0, result.rows.count)
      result.scanned = max(result.scanned, reply.rowsRead)
    }
    return result
  }

  func badReply(_ reason: String) -> ClusterError {
    .badReply(server: "\(connection.server)", reason: reason)
  }

  func number(_ cell: ReplyCell) throws -> UInt64 {
    guard let number = cell.number else { throw badReply("a number is none") }
    return number
  }

  private func listing(matched: Int) async throws -> [FlowListed] {
    let query = sql.query
    let wanted = min(query.limit ?? matched, matched)
    guard wanted <= search.parameters.memoryOctets / Self.octetsPerRecord else {
      throw ArchiveError.tooMuchMemory(
        what: "a listing of \(wanted) flows", limitOctets: search.parameters.memoryOctets)
    }
    if wanted == 0 { return [] }
    let names = try await connection.rows(
      "SELECT name FROM system.columns WHERE database = '\(search.address.database)' "
        + "AND table = '\(search.address.table)'", seconds: 15)
    let known = Set(names.compactMap(\.first))
    let filing = Set(ClusterTable.filing.map(\.name))
    let columns = ClusterTable.all.map(\.name)
      .filter { known.contains($0) && !filing.contains($0) }
    let octets = try await send(try sql.listing(columns: columns) + " FORMAT Native")
    var reader = NativeReader(
      Array(octets.readableBytesView), server: "\(connection.server)")
    return try reader.records().map { record in
      FlowListed(
        record: record, packets: query.isRaw ? record.packets : record.scaledPackets,
        bytes: query.isRaw ? record.bytes : record.scaledBytes)
    }
  }

  private func rows(_ reply: Reply) throws -> [FlowSum] {
    let elements = try sql.elements()
    let isBiflow = sql.query.kind == .biflows
    let width = elements.reduce(0) { $0 + $1.keys.count }
    return try reply.rows.map { cells in
      guard cells.count == width + (isBiflow ? 9 : 5) else { throw badReply("a row is too short") }
      var key: [FlowValue] = []
      var place = 0
      for element in elements {
        let next = place + element.keys.count
        guard let value = element.value(cells[place..<next]) else {
          throw badReply("a value of a group cannot be read")
        }
        key.append(value)
        place = next
      }
      let sums = try cells[width...].map(number)
      var row = FlowSum(
        key: key, flows: sums[0], packets: sums[1], bytes: sums[2],
        first: Int64(bitPattern: sums[3]), last: Int64(bitPattern: sums[4]))
      if isBiflow {
        row.reversePackets = sums[5]
        row.reverseBytes = sums[6]
        Self.orient(
          &row, forward: Int64(bitPattern: sums[7]), reverse: Int64(bitPattern: sums[8]))
      }
      return row
    }
  }

  /// The direction that was seen first is the forward one; of two at the same moment, the one to the lower
  /// port.
  private static func orient(_ row: inout FlowSum, forward: Int64, reverse: Int64) {
    var isReverse = reverse < forward
    if reverse == forward, case .number(let from) = row.key[3], case .number(let to) = row.key[4] {
      isReverse = from < to
    }
    guard isReverse else { return }
    row.key.swapAt(1, 2)
    row.key.swapAt(3, 4)
    swap(&row.packets, &row.reversePackets)
    swap(&row.bytes, &row.reverseBytes)
  }

  // MARK: Asking

  func reply(_ statement: String) async throws -> Reply {
    let octets = try await send(statement + " FORMAT JSONCompact")
    do {
      return try JSONDecoder().decode(Reply.self, from: Data(octets.readableBytesView))
    } catch {
      throw badReply("\(error)")
    }
  }

  func send(_ statement: String) async throws -> ByteBuffer {
    let parameters = search.parameters
    let identifier = "noroshi-" + UUID().uuidString.lowercased()
    // Long lists of addresses are as long as they are: the server's limits are for texts of people.
    let length = statement.utf8.count
    var settings = [
      ("query_id", identifier), ("readonly", "2"), ("wait_end_of_query", "1"),
      ("output_format_json_quote_64bit_integers", "1"),
      ("max_query_size", "\(length + 65_536)"), ("max_ast_elements", "\(length + 50_000)"),
      ("max_expanded_ast_elements", "\(length + 500_000)"),
      ("max_execution_time", "\(max(1, parameters.seconds))"),
    ]
    if let octets = parameters.serverMemoryOctets {
      settings.append(("max_memory_usage", "\(max(1, octets))"))
    }
    if let octets = parameters.serverSpillOctets {
      settings.append(("max_bytes_before_external_group_by", "\(max(1, octets))"))
    }
    let isOver = Task.isCancelled
    if isOver { throw ArchiveError.cancelled }
    return try await withThrowingTaskGroup(of: ByteBuffer?.self) { [settings] group in
      group.addTask {
        try await connection.send(
          body: ByteBuffer(string: statement), parameters: settings,
          seconds: Double(parameters.seconds) + 30, limit: parameters.memoryOctets)
      }
      if search.progress != nil {
        group.addTask {
          await watch(identifier)
          return nil
        }
      }
      defer { group.cancelAll() }
      do {
        while let answer = try await group.next() {
          if let answer { return answer }
        }
      } catch {
        guard Task.isCancelled else { throw error }
        await kill(identifier)
        throw ArchiveError.cancelled
      }
      throw badReply("none")
    }
  }

  /// Tells how far the server is until the task is cancelled.
  private func watch(_ identifier: String) async {
    while !Task.isCancelled {
      guard (try? await Task.sleep(for: .seconds(search.parameters.progressSeconds))) != nil
      else { return }
      // What cannot be asked is not shown; the query itself tells of failures.
      let rows = try? await connection.rows(
        "SELECT read_rows, total_rows_approx FROM system.processes WHERE query_id = '\(identifier)'",
        seconds: 5)
      if let row = rows?.first, row.count == 2, let done = Int(row[0]), let total = Int(row[1]),
        total > 0
      {
        search.progress?(min(done, total), total)
      }
    }
  }

  private func kill(_ identifier: String) async {
    let connection = connection
    // Of its own, because this one is cancelled already.
    await Task.detached {
      _ = try? await connection.rows(
        "KILL QUERY WHERE query_id = '\(identifier)' ASYNC", seconds: 5)
    }.value
  }
}
