import FlowArchive
import FlowCluster
import FlowRecords
import FlowSamples
import Foundation
import NetworkTypes
import Synchronization
import Testing

@Suite struct ClusterTextTests {
  @Test("addresses are read, and shown without their password")
  func addresses() throws {
    let address = try ClusterAddress(
      "clickhouses://no%40ne:p%3Aw@db1:1+[2001:db8::1]:8124,db2/x/y", environment: [:])
    #expect(address.shards.map(\.count) == [2, 1])
    #expect(address.shards[0][1].host == "2001:db8::1" && address.shards[1][0].port == 8_443)
    #expect(address.isEncrypted && address.user == "no@ne")
    #expect("\(address)" == "clickhouses://no%40ne@db1:1+[2001:db8::1]:8124,db2:8443/x/y")
    #expect(try ClusterAddress("clickhouse://db").table == "flows")
    for bad in [
      "http://db", "clickhouse://", "clickhouse://db:0", "clickhouse://db:x", "clickhouse://a,,b",
      "clickhouse://db/a/b/c", "clickhouse://db/fl`ows", "clickhouse://db/a/b'c",
      "clickhouse://d b", "clickhouse://db/9a", "clickhouse://db,db", "clickhouse://[::1",
      "clickhouse://:p@db", "clickhouse://u%0a:p@db", "clickhouse://db?x=1",
    ] {
      #expect(throws: ClusterError.self, "\(bad)") { _ = try ClusterAddress(bad) }
    }
  }

  @Test("the statements are of the servers' version, and of no deprecated form")
  func definitions() throws {
    var definition = try ClusterDefinition(database: "noroshi", table: "flows", cluster: "two")
    definition.retentionDays = 30
    let old = definition.statements.joined(separator: ";\n")
    #expect(old.contains("ReplicatedMergeTree('/clickhouse/tables/{shard}/noroshi/flows_local'"))
    #expect(old.contains("Distributed('two', 'noroshi', 'flows_local', rand())"))
    #expect(!old.contains("CODEC") && !old.contains("TTL"))
    definition.version = try #require(ClusterDefinition.Version("25.8.2.29-lts"))
    let new = definition.statements.joined(separator: ";\n")
    #expect(new.contains("CODEC(Delta, ZSTD(1))") && new.contains("TTL day + INTERVAL 30 DAY"))
    #expect(definition.forget(day: "2026-11-25")?.hasSuffix("DROP PARTITION '2026-11-25'") == true)
    #expect(definition.forget(day: "2026-11-25' OR") == nil)
    #expect(throws: ClusterError.self) {
      _ = try ClusterDefinition(database: "n", table: "f", cluster: "a'b")
    }
  }

  @Test("a full spool drops live flows and counts them")
  func fullSpool() throws {
    let folder = try TemporaryFolder()
    var parameters = ClusterTests.parameters
    parameters.spoolOctets = 200_000
    let sink = try ClusterSink(
      try ClusterAddress("clickhouse://127.0.0.1:1"), spool: folder.file("spool"),
      parameters: parameters)
    let flows = Flows.many(10_000)
    for batch in Flows.batches(flows) { sink.append(batch) }
    sink.close()
    let counters = sink.counters
    #expect(counters.dropped > 0 && counters.spooled > 0)
    #expect(counters.spooled + counters.dropped == flows.count)
    #expect(counters.spoolOctets < 400_000)
  }
}
