import AsyncHTTPClient
import Foundation
import Logging
import NIOCore

extension ClusterSink {
  /// Sends what is in the spool, and what comes into it, until the task is cancelled. What is then not sent
  /// waits in the spool for the next run.
  public func run() async {
    let client = ClusterConnection.client(connectSeconds: parameters.connectSeconds)
    await withTaskGroup(of: Void.self) { group in
      for (index, shard) in shards.enumerated() {
        let delivery = ShardDelivery(self, shard, address.shards[index], client)
        for _ in 0..<max(1, parameters.insertsPerShard) {
          group.addTask { await delivery.run() }
        }
      }
    }
    // Nothing is in flight any more; a failure to close connections changes nothing.
    try? await client.shutdown()
  }
}

/// What goes to one shard.
private actor ShardDelivery {
  private let sink: ClusterSink
  private let shard: String
  private let connections: [ClusterConnection]
  /// The replica that is asked next.
  private var current = 0
  private var target: ClusterTarget?
  private var hasWarned = false

  /// Seconds between two looks into an empty spool.
  private static let idleSeconds = 0.05

  init(
    _ sink: ClusterSink, _ shard: String, _ servers: [ClusterAddress.Server], _ client: HTTPClient
  ) {
    self.sink = sink
    self.shard = shard
    connections = servers.map {
      ClusterConnection(server: $0, address: sink.address, client: client)
    }
  }

  func run() async {
    var delay = sink.parameters.firstDelaySeconds
    while !Task.isCancelled {
      guard let entry = sink.spool.take(for: shard) else {
        // Cancellation ends the sleep and the loop.
        try? await Task.sleep(for: .seconds(Self.idleSeconds))
        continue
      }
      let asked = current
      do throws(ClusterError) {
        try await deliver(entry, by: asked)
        delay = sink.parameters.firstDelaySeconds
      } catch {
        // Several inserts fail together when a server goes: the first of them moves on to the next replica.
        if current == asked {
          current += 1
          target = nil
        }
        // On a stop the connection is closed with the insert under way; that is no failure to tell of.
        guard !Task.isCancelled else { return }
        sink.count { $0.failures += 1 }
        sink.note("\(error)", shard: shard)
        sink.logger.warning("flows wait in the spool: \(error)")
        try? await Task.sleep(for: .seconds(delay))
        delay = min(delay * 2, sink.parameters.longestDelaySeconds)
      }
    }
  }

  private func deliver(_ entry: Spool.Entry, by replica: Int) async throws(ClusterError) {
    var hasSent = false
    do throws(ClusterError) {
      let connection = connections[replica % connections.count]
      let target = try await target(connection)
      if entry.mayBeThere, try await isThere(entry, connection, target) {
        sink.spool.remove(entry)
        sink.count { counters in
          counters.delivered += entry.note.rows
          counters.confirmed += entry.note.rows
        }
        sink.note(nil, shard: shard)
        return
      }
      guard let block = Spool.block(entry) else {
        sink.spool.putAside(entry)
        sink.count { $0.lost += entry.note.rows }
        sink.logger.error("\(entry.path) is damaged and was put aside: \(entry.note.rows) flows")
        return
      }
      hasSent = true
      try await insert(entry, block, connection, target)
      sink.spool.remove(entry)
      sink.count { counters in
        counters.delivered += entry.note.rows
        counters.inserts += 1
      }
      sink.note(nil, shard: shard)
    } catch {
      sink.spool.release(entry, mayBeThere: hasSent)
      throw error
    }
  }

  private func target(
    _ connection: ClusterConnection
  ) async throws(ClusterError) -> ClusterTarget {
    if let target { return target }
    let found = try await ClusterTarget.find(connection)
    target = found
    if !hasWarned, let count = found.shardCount, count > sink.shards.count {
      hasWarned = true
      sink.logger.warning(
        "the cluster has \(count) shards and the address names \(sink.shards.count): all flows go to these"
      )
    }
    return found
  }

  private func insert(
    _ entry: Spool.Entry, _ block: Data, _ connection: ClusterConnection, _ target: ClusterTarget
  ) async throws(ClusterError) {
    let unknown = entry.note.columns.filter { !target.columns.contains($0) }
    guard unknown.isEmpty else {
      throw .table(
        server: "\(connection.server)",
        reason: "its table \(target.database).\(target.table) has no column "
          + "\(unknown.joined(separator: ", ")); add it, or make the table with noroshi flows cluster ddl"
      )
    }
    let columns = entry.note.columns.map { "`\($0)`" }.joined(separator: ", ")
    var parameters = [("query_id", entry.note.queryIdentifier)]
    if target.version >= .asynchronousInserts { parameters.append(("async_insert", "0")) }
    if target.version >= .tokens {
      parameters.append(("insert_deduplication_token", entry.note.queryIdentifier))
    }
    _ = try await connection.send(
      query: "INSERT INTO `\(target.database)`.`\(target.table)` (\(columns)) FORMAT Native",
      body: ByteBuffer(bytes: block), parameters: parameters,
      seconds: sink.parameters.insertSeconds)
  }

  /// Whether a batch that was sent before arrived. Of tables that recognise it themselves no one needs to
  /// know.
  private func isThere(
    _ entry: Spool.Entry, _ connection: ClusterConnection, _ target: ClusterTarget
  ) async throws(ClusterError) -> Bool {
    if target.isDeduplicating { return false }
    let note = entry.note
    let seconds = sink.parameters.insertSeconds
    // The insert that was given up may still be at work; a server takes one query of an identifier at a
    // time, so it cannot begin after this either.
    let running = try await connection.rows(
      "SELECT count() FROM system.processes WHERE query_id = '\(note.queryIdentifier)'",
      seconds: seconds)
    guard running.first?.first == "0" else {
      throw .table(
        server: "\(connection.server)", reason: "an insert that took too long is still at work")
    }
    let found = try await connection.rows(
      "SELECT count() FROM `\(target.database)`.`\(target.table)` WHERE day = toDate(\(note.day)) "
        + "AND irregular IN (0, 1) AND hour >= toDateTime(\(note.firstHour)) "
        + "AND hour <= toDateTime(\(note.lastHour)) AND batch = \(note.batch)", seconds: seconds)
    guard let text = found.first?.first, let count = Int(text) else {
      throw .badReply(server: "\(connection.server)", reason: "it does not count a batch's rows")
    }
    if count != 0, count != note.rows {
      sink.logger.error(
        "\(connection.server) has \(count) of the \(note.rows) flows of batch \(note.batch)")
    }
    return count != 0
  }
}
