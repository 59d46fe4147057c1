import FlowAnalysis
import FlowArchive
import FlowCluster

// The two rooms do not know each other: what a tracker remembers is reckoned by the servers here.
extension ContactTracker {
  /// Takes in the flows of a cluster that a query chooses: its servers work out what there is to remember of
  /// each pair. Gives back how many flows there were.
  ///
  /// - Throws: `ClusterError`, or what the search's audit throws.
  @discardableResult
  func add(_ search: ClusterSearch, _ query: FlowQuery) async throws -> Int {
    let statement = PairStatement(parameters: parameters)
    return try await search.select(query, kind: "detection") { flows in
      statement.text(table: flows.table, condition: flows.condition)
    } _: { rows in
      try add(rows)
    }
  }

  private func add(_ rows: ClusterRows) throws {
    func numbers(_ column: PairStatement.Column) throws -> [UInt64] {
      try rows.numbers(column.rawValue)
    }
    let clients = try rows.addresses(PairStatement.Column.client.rawValue)
    let servers = try rows.addresses(PairStatement.Column.server.rawValue)
    let ports = try numbers(.serverPort)
    let transports = try numbers(.transport)
    let records = try numbers(.records)
    let contacts = try numbers(.contacts)
    let replies = try numbers(.replies)
    let answered = try numbers(.answered)
    let bytesOut = try numbers(.bytesOut)
    let bytesIn = try numbers(.bytesIn)
    let packetsOut = try numbers(.packetsOut)
    let first = try numbers(.first)
    let last = try numbers(.last)
    let longest = try numbers(.longest)
    let longestBytes = try numbers(.longestBytes)
    let seconds = try rows.lists(PairStatement.Column.seconds.rawValue)
    let sizes = try rows.lists(PairStatement.Column.sizes.rawValue)
    let rates = try numbers(.samplingRate)
    for row in 0..<rows.count {
      var pair = PairSummary(
        client: clients[row], server: servers[row],
        serverPort: UInt16(truncatingIfNeeded: ports[row]),
        transport: UInt8(truncatingIfNeeded: transports[row]))
      pair.records = records[row]
      pair.contacts = contacts[row]
      pair.replies = replies[row]
      pair.isAnswered = answered[row] != 0
      pair.bytesOut = bytesOut[row]
      pair.bytesIn = bytesIn[row]
      pair.packetsOut = packetsOut[row]
      pair.first = UInt32(clamping: first[row])
      pair.last = UInt32(clamping: last[row])
      pair.longest = UInt32(clamping: longest[row])
      pair.longestBytes = longestBytes[row]
      pair.seconds = seconds[row].map { UInt32(clamping: $0) }
      pair.sizes = sizes[row]
      pair.samplingRate = UInt32(clamping: rates[row])
      add(pair)
    }
  }
}
