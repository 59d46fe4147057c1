import FlowAnalysis
import FlowArchive
import FlowCluster
import FlowRecords
import FlowSamples
import Foundation
import NetworkTypes
import Testing

@testable import noroshi

/// Servers of a cluster on 127.0.0.1, killed with the test.
private final class LocalCluster {
  private let place: TemporaryFolder
  private let servers: [ClickHouse]
  var folder: String { place.path }

  /// `clickhouse://127.0.0.1:…,127.0.0.1:…/noroshi/flows`, a shard each.
  var address: String {
    let places = servers.map { "127.0.0.1:\($0.http)" }
    return "clickhouse://\(places.joined(separator: ","))/noroshi/flows"
  }

  /// Starts so many servers, and waits until they answer.
  init(shards: Int) throws {
    let place = try TemporaryFolder()
    let ports = ClickHouse.freePorts(3 * shards)
    let native = (0..<shards).map { [ports[3 * $0 + 1]] }
    servers = try (0..<shards).map { number in
      try ClickHouse(
        place.file("s\(number)"), ports: Array(ports[(3 * number)..<(3 * number + 3)]),
        shards: native)
    }
    self.place = place
    for server in servers { try server.start() }
  }

  func makeTables() async throws {
    var definition = try ClusterDefinition(
      database: "noroshi", table: "flows", cluster: servers.count > 1 ? "two" : nil)
    definition.isReplicated = false
    try await ClusterTables.make(definition, on: try ClusterAddress(address))
  }

  func load(_ batches: [FlowBatch]) async throws {
    var parameters = SinkParameters()
    parameters.rowsPerBatch = 5_000
    parameters.flushSeconds = 0.5
    let sink = try ClusterSink(
      try ClusterAddress(address), spool: folder + "/spool", parameters: parameters)
    let delivery = Task { await sink.run() }
    for batch in batches { sink.appendPatiently(batch) }
    sink.close()
    let deadline = ContinuousClock.now + .seconds(120)
    while !sink.isEmpty, ContinuousClock.now < deadline {
      try await Task.sleep(for: .milliseconds(50))
    }
    #expect(sink.isEmpty, "\(sink.counters)")
    delivery.cancel()
    await delivery.value
  }
}

@Suite(
  "C&C servers from a cluster", .serialized,
  .enabled(if: ClickHouse.isThere, "clickhouse-server is not installed"))
struct ClusterDetectionTests {
  private func query() throws -> FlowQuery {
    var query = try FlowQuery(.listing)
    query.windowRule = .overlapping
    query.isRaw = true
    return query
  }

  /// The first place at which two rankings differ.
  private static func difference(
    _ one: ServerRanking.Result, _ other: ServerRanking.Result
  ) -> String? {
    for (left, right) in zip(one.servers, other.servers) where left != right {
      return "\(left.service) \(left.evidence) and \(right.service) \(right.evidence)"
    }
    return one.servers.count == other.servers.count ? nil : "not as many"
  }

  @Test(
    "archive, live stream and cluster rank the same servers in the same order, sampled or not",
    arguments: [(1, 1), (2, 10)])
  func sameRanking(shards: Int, samplingRate: UInt32) async throws {
    let cluster = try LocalCluster(shards: shards)
    let day = DayOfFlows(samplingRate: samplingRate)
    let archive = cluster.folder + "/archive"
    try day.write(to: archive)
    try await cluster.makeTables()
    try await cluster.load(day.batches)
    let purpose = try SearchPurpose(actor: "test", purpose: "a test")

    let stored = ContactTracker()
    let embedded = FlowSearch(archive: archive, purpose: purpose) { _ in }
    let read: Int = try stored.add(embedded, query())
    #expect(read == day.flows.count)
    let expected = ServerRanking().rank(stored)
    let live = ContactTracker()
    for batch in day.batches { live.add(batch) }
    let streamed = ServerRanking().rank(live)
    #expect(Self.difference(streamed, expected) == nil)

    for flowsPerPart in [2_000_000, 5_000] {
      var search = ClusterSearch(try ClusterAddress(cluster.address), purpose: purpose) { _ in }
      search.parameters.flowsPerPart = flowsPerPart
      let asked = ContactTracker()
      let matched: Int = try await asked.add(search, query())
      #expect(matched == day.flows.count)
      #expect(asked.pairCount == stored.pairCount)
      #expect(asked.firstSecond == stored.firstSecond)
      #expect(asked.lastSecond == stored.lastSecond)
      let other = ServerRanking().rank(asked)
      #expect(Self.difference(other, expected) == nil)
      #expect(other.conduct == expected.conduct)
      #expect(other.population == expected.population)
      #expect(other.weighed == expected.weighed)
    }
    let first = try #require(expected.servers.first)
    #expect(first.grade >= (samplingRate == 1 ? .probable : .candidate))
    #expect(expected.servers.count > 50)
  }
}
