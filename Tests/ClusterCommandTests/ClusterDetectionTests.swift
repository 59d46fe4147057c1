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
  static let program = ["/usr/sbin", "/usr/bin", "/usr/local/bin"].map { $0 + "/clickhouse-server" }
    .first { FileManager.default.isExecutableFile(atPath: $0) }

  let folder: String
  private var ports: [[Int]] = []
  private var processes: [Process] = []

  /// `clickhouse://127.0.0.1:…,127.0.0.1:…/noroshi/flows`, a shard each.
  var address: String {
    let servers = ports.map { (ports: [Int]) -> String in "127.0.0.1:\(ports[0])" }
    return "clickhouse://\(servers.joined(separator: ","))/noroshi/flows"
  }

  init(shards: Int) throws {
    folder = NSTemporaryDirectory() + "noroshi-cluster-\(UUID().uuidString)"
    ports = (0..<shards).map { _ in Self.freePorts(3) }
    let cluster = ports.map { (ports: [Int]) -> String in
      "<shard><replica><host>127.0.0.1</host><port>\(ports[1])</port></replica></shard>"
    }.joined()
    for (number, ports) in ports.enumerated() {
      let home = "\(folder)/\(number)"
      try FileManager.default.createDirectory(
        atPath: home + "/tmp", withIntermediateDirectories: true)
      try """
      <yandex><logger><level>warning</level><log>\(home)/log</log><errorlog>\(home)/errors</errorlog></logger>
      <listen_host>127.0.0.1</listen_host><http_port>\(ports[0])</http_port>
      <tcp_port>\(ports[1])</tcp_port><interserver_http_port>\(ports[2])</interserver_http_port>
      <path>\(home)/data/</path><tmp_path>\(home)/tmp/</tmp_path>
      <users_config>users.xml</users_config><default_profile>default</default_profile>
      <default_database>default</default_database><mark_cache_size>67108864</mark_cache_size>
      <remote_servers><two>\(cluster)</two></remote_servers></yandex>
      """.write(toFile: home + "/config.xml", atomically: true, encoding: .utf8)
      try """
      <yandex><profiles><default></default></profiles><users><default><password></password>
      <networks><ip>127.0.0.1</ip></networks><profile>default</profile><quota>default</quota></default>
      </users><quotas><default></default></quotas></yandex>
      """.write(toFile: home + "/users.xml", atomically: true, encoding: .utf8)
      let process = Process()
      process.executableURL = URL(fileURLWithPath: Self.program ?? "")
      process.arguments = ["--config-file=\(home)/config.xml"]
      process.standardOutput = FileHandle.nullDevice
      process.standardError = FileHandle.nullDevice
      process.currentDirectoryURL = URL(fileURLWithPath: home)
      try process.run()
      processes.append(process)
    }
  }

  deinit {
    for process in processes where process.isRunning {
      kill(process.processIdentifier, SIGKILL)
      for _ in 0..<1_000 where process.isRunning { usleep(10_000) }
    }
    try? FileManager.default.removeItem(atPath: folder)
  }

  private static func freePorts(_ count: Int) -> [Int] {
    var descriptors: [Int32] = []
    defer { for descriptor in descriptors { close(descriptor) } }
    return (0..<count).map { _ in
      let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
      descriptors.append(descriptor)
      var address = sockaddr_in()
      address.sin_family = sa_family_t(AF_INET)
      address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
      var length = socklen_t(MemoryLayout<sockaddr_in>.size)
      withUnsafeMutablePointer(to: &address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
          _ = bind(descriptor, generic, length)
          _ = getsockname(descriptor, generic, &length)
        }
      }
      return Int(UInt16(bigEndian: address.sin_port))
    }
  }

  /// Makes the tables, as soon as the servers answer.
  func makeTables() async throws {
    let address = try ClusterAddress(address)
    var definition = try ClusterDefinition(
      database: "noroshi", table: "flows", cluster: ports.count > 1 ? "two" : nil)
    definition.isReplicated = false
    for _ in 0..<600 where !isListening() { try await Task.sleep(for: .milliseconds(100)) }
    try await ClusterTables.make(definition, on: address)
  }

  /// Whether all servers take connections.
  private func isListening() -> Bool {
    ports.allSatisfy { ports in
      let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
      defer { close(descriptor) }
      var address = sockaddr_in()
      address.sin_family = sa_family_t(AF_INET)
      address.sin_port = UInt16(truncatingIfNeeded: ports[0]).bigEndian
      address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
      return withUnsafePointer(to: &address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
          connect(descriptor, generic, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
        }
      }
    }
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
  .enabled(if: LocalCluster.program != nil, "clickhouse-server is not installed"))
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
