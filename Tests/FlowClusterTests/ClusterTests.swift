import FlowArchive
import FlowCluster
import FlowRecords
import FlowSamples
import Foundation
import NetworkTypes
import Synchronization
import Testing

@Suite(.serialized, .enabled(if: ClickHouse.isThere, "clickhouse-server is not installed"))
struct ClusterTests {
  static let filters = [
    "any", "not any", "inet", "inet6", "proto tcp", "proto icmp", "not proto tcp",
    "src ip 10.0.0.7", "ip 10.0.0.7", "src host 2001:db8:0:a::7", "src and dst net 10.0.0.0/8",
    "net 203.0.113.0/27", "net 2001:db8::/32", "net 2001:db8::/33",
    "ip in [10.0.0.1 10.0.0.2, 203.0.113.0/28 2001:db8:0:a::3]", "not ip in [10.0.0.0/28]",
    "port 80", "dst port > 1024", "not dst port in [22 23 53]",
    "src port < 1024 and dst port >= 1024", "src port < 0", "flags S", "not flags AFRPU",
    "flags S and not flags AFRPU", "flags > 16", "tos > 100", "src as 64501",
    "as in [64500 64511]", "if 3", "in if 2", "src mask 24", "vlan 11", "next ip 198.18.0.1",
    "router ip 192.0.2.1", "router ip 2001:db8::9", "not bgpnext ip 2001:db8::4d",
    "packets > 1k", "bytes < 20k", "bytes > 1m", "flows > 1", "pps > 100", "bps >= 1m",
    "bpp < 100", "duration > 30000", "duration 0", "icmp-type 8", "icmp-type 3 and icmp-code 3",
    "mac 02:00:5e:10:00:02", "out dst mac 02:00:5e:10:00:03", "observation domain id 7",
    "proto tcp and (port 80 or port 443) and not src net 10.0.0.0/27 and packets > 10",
    "(inet and dst port 53) or (inet6 and dst port 443) or flags R",
    "not (proto tcp and flags S and dst port 23)", "mpls label1 5", "dir ingress",
    "out packets > 5", "out bytes < 900", "nat event 1", "fwdstat dropped", "src nip 198.51.100.7",
    "dst nport > 7", "ingress vrf 3",
  ]

  static let statistics = [
    "srcip", "dstip", "ip", "srcport", "port", "proto", "srcas", "as", "if", "tos", "vlan",
    "mask", "router", "odid", "next", "bgpnext", "insrcmac", "outdstmac", "inmac", "srcnet",
    "dstnet", "flags", "xsrcip",
  ]

  static let aggregations = [
    "proto,srcip,dstip,srcport,dstport", "srcip4/24,dstport", "srcip4/0,proto",
    "srcip4/28,srcip6/63,proto", "dstip6/48,inif,outif,srcas", "srcip6/64,dstip6/65",
    "srcip6/127", "router,odid,tos", "srcnet,dstnet,srcmask,dstmask",
    "proto,srcvlan,dstvlan,insrcmac,outdstmac,next", "time/60", "time/300,proto,srcip",
  ]

  /// Flows with what the archive's generator leaves out as well: biflows' other direction, NAT, huge
  /// counters, a clock that is off.
  static func flows(_ count: Int, seed: UInt64 = 1) -> [FlowRecord] {
    var flows = Flows.many(count, seed: seed)
    var dice = Dice(seed + 77)
    for index in flows.indices {
      switch Int.random(in: 0..<12, using: &dice) {
      case 0:
        flows[index].reversePackets = UInt64.random(in: 1...20, using: &dice)
        flows[index].reverseBytes = flows[index].reversePackets * 99
      case 1:
        flows[index].postSource = IPAddress(v4: 0xc633_6407)
        flows[index].postDestinationPort = UInt16.random(in: 1...20, using: &dice)
        flows[index].event = 1
      case 2:
        flows[index].forwardingStatus = 128
        flows[index].direction = 1
        flows[index].ingressVRF = 3
      case 3 where index % 50 == 0:
        flows[index].bytes = .max / 90
        flows[index].sampling = SamplingRate(rate: 100, source: .options)
      default: break
      }
    }
    return flows
  }

  /// Compares what a cluster answers with what an archive of the same flows does.
  static func compare(_ query: FlowQuery, _ cluster: ClusterSearch, _ archive: FlowSearch)
    async throws
  {
    let found = try await cluster.run(query)
    let expected = try archive.run(query)
    let what = "\(query.kind) \(query.filterText) \(query.order)"
    #expect(found.matched == expected.matched, "\(what)")
    #expect(found.totals == expected.totals, "\(what)")
    #expect(found.groupCount == expected.groupCount, "\(what)")
    #expect(found.records.count == expected.records.count, "\(what)")
    #expect(found.rows.count == expected.rows.count, "\(what)")
    if query.limit == nil {
      #expect(Set(found.records.map(\.record)) == Set(expected.records.map(\.record)), "\(what)")
      #expect(
        Set(found.records.map(\.packets)) == Set(expected.records.map(\.packets)), "\(what)")
      #expect(Set(found.rows.map(text)) == Set(expected.rows.map(text)), "\(what)")
    }
    // Of rows with equal measures any may come first: the measures are the same in any case.
    #expect(
      found.rows.map { measure($0, query.order) } == expected.rows.map { measure($0, query.order) },
      "\(what)")
    #expect(
      found.records.map { measure($0, query.order) }
        == expected.records.map { measure($0, query.order) }, "\(what)")
  }

  /// A row as text: no address is written as 0.0.0.0 in both.
  private static func text(_ row: FlowSum) -> String {
    "\(row.key.map { "\($0)" == "::ffff:0.0.0.0" ? "0.0.0.0" : "\($0)" }) \(row.flows) \(row.packets) "
      + "\(row.bytes) \(row.first) \(row.last) \(row.reversePackets) \(row.reverseBytes)"
  }

  private static func measure(_ row: FlowSum, _ order: FlowQuery.Order) -> UInt64 {
    switch order {
    case .flows: row.flows
    case .packets: row.packets &+ row.reversePackets
    case .bytes: row.bytes &+ row.reverseBytes
    case .pps: row.packetsPerSecond
    case .bps: row.bitsPerSecond
    case .bpp: row.bytesPerPacket
    case .tstart: UInt64(bitPattern: row.first)
    case .tend: UInt64(bitPattern: row.last)
    case .duration: UInt64(bitPattern: row.last &- row.first)
    }
  }

  private static func measure(_ flow: FlowListed, _ order: FlowQuery.Order) -> UInt64 {
    switch order {
    case .flows: UInt64(max(1, flow.record.aggregatedFlows))
    case .packets: flow.packets
    case .bytes: flow.bytes
    case .tstart: UInt64(bitPattern: flow.record.start.nanoseconds)
    case .tend: UInt64(bitPattern: flow.record.end.nanoseconds)
    case .duration:
      UInt64(bitPattern: flow.record.end.nanoseconds &- flow.record.start.nanoseconds)
    case .pps, .bps, .bpp: 0
    }
  }

  static func compareAll(_ address: ClusterAddress, _ archive: String) async throws {
    let cluster = ClusterSearch(address, purpose: try Flows.purpose()) { _ in }
    let embedded = FlowSearch(archive: archive, purpose: try Flows.purpose()) { _ in }
    var compared = 0
    var dice = Dice(9)
    for filter in filters {
      var query = try FlowQuery(.listing, filter: filter)
      query.order = FlowQuery.Order.allCases.randomElement(using: &dice) ?? .tstart
      try await compare(query, cluster, embedded)
      query.limit = 7
      query.isReversed = true
      query.isRaw = true
      try await compare(query, cluster, embedded)
      compared += 2
    }
    for (index, name) in statistics.enumerated() {
      let elements = try #require(FlowElement.statistic(name))
      for splits in [false, true] {
        var query = try FlowQuery(
          .statistic(elements, splitsByProtocol: splits), filter: "not dst port 22")
        query.order = FlowQuery.Order.allCases[index % FlowQuery.Order.allCases.count]
        query.limit = splits ? 5 : nil
        try await compare(query, cluster, embedded)
        compared += 1
      }
    }
    for (index, name) in aggregations.enumerated() {
      let elements = try FlowElement.aggregation(name)
      for filter in ["any", "inet", "inet6 and proto tcp"] {
        var query = try FlowQuery(.aggregation(elements), filter: filter, order: .packets)
        query.isRaw = index % 3 == 0
        try await compare(query, cluster, embedded)
        compared += 1
      }
    }
    for filter in ["any", "proto tcp", "inet6 and port 53"] {
      for order in FlowQuery.Order.allCases {
        try await compare(try FlowQuery(.biflows, filter: filter, order: order), cluster, embedded)
        compared += 1
      }
    }
    for (from, to) in [(0, 100_000), (59_500, 120_000), (-9_000_000, -1), (0, 90_000_000)] {
      for rule in [FlowQuery.WindowRule.inside, .overlapping] {
        var query = try FlowQuery(.listing, filter: "proto udp")
        query.window =
          Timestamp(
            nanoseconds: (Flows.base + Int64(from)) * 1_000_000)...Timestamp(
            nanoseconds: (Flows.base + Int64(to)) * 1_000_000)
        query.windowRule = rule
        try await compare(query, cluster, embedded)
        query.kind = .aggregation(try FlowElement.aggregation("srcip,dstport"))
        query.order = .bytes
        try await compare(query, cluster, embedded)
        compared += 2
      }
    }
    #expect(compared > 200)
  }

  static func wait(for sink: ClusterSink, seconds: Double = 120) async throws {
    let deadline = ContinuousClock.now + .seconds(seconds)
    while !sink.isEmpty, ContinuousClock.now < deadline {
      try await Task.sleep(for: .milliseconds(50))
    }
    #expect(sink.isEmpty, "\(sink.counters)")
  }

  static var parameters: SinkParameters {
    var parameters = SinkParameters()
    parameters.rowsPerBatch = 800
    parameters.flushSeconds = 0.5
    parameters.connectSeconds = 0.5
    parameters.firstDelaySeconds = 0.1
    parameters.longestDelaySeconds = 0.5
    return parameters
  }

  @Test(
    "two shards, one killed in the load, hold every flow once and answer as the archive does",
    .timeLimit(.minutes(10)))
  func twoShards() async throws {
    let folder = try TemporaryFolder()
    let ports = ClickHouse.freePorts(6)
    let shards = [[ports[1]], [ports[4]]]
    let first = try ClickHouse(
      folder.file("s1"), ports: Array(ports[0..<3]), shards: shards, password: "p%s w")
    let second = try ClickHouse(
      folder.file("s2"), ports: Array(ports[3..<6]), shards: shards, password: "p%s w")
    try first.start()
    try second.start()
    let text =
      "clickhouse://default:p%25s%20w@127.0.0.1:\(first.http),127.0.0.1:\(second.http)/flows_db/flows"
    let address = try ClusterAddress(text)
    #expect(!address.description.contains("p%25s"))
    var definition = try ClusterDefinition(database: "flows_db", table: "flows", cluster: "two")
    definition.isReplicated = false
    try await ClusterTables.make(definition, on: address)
    try await ClusterTables.make(definition, on: address)  // Once more changes nothing.
    let flows = Self.flows(9_000)
    let sink = try ClusterSink(
      address, spool: folder.file("spool"), parameters: Self.parameters)
    let delivery = Task { await sink.run() }
    for (index, batch) in Flows.batches(flows).enumerated() {
      sink.appendPatiently(batch)
      if index == 4 { second.kill() }
      if index == 9 {
        try await Task.sleep(for: .milliseconds(700))
        #expect(sink.counters.failures > 0)
        #expect(sink.counters.lastError?.contains("does not answer") == true)
        try second.start()
      }
      if index == 10 { first.kill() }
      if index == 11 { try first.start() }
      try await Task.sleep(for: .milliseconds(20))
    }
    sink.close()
    try await Self.wait(for: sink)
    #expect(sink.counters.delivered == flows.count)
    #expect(sink.counters.dropped == 0 && sink.counters.lost == 0)
    delivery.cancel()
    await delivery.value

    let archive = folder.file("archive")
    try Flows.write(flows, to: archive)
    try await Self.compareAll(address, archive)
    // Both shards have some.
    for server in [first, second] {
      let local = try ClusterAddress(
        "clickhouse://default:p%25s%20w@127.0.0.1:\(server.http)/flows_db/flows_local")
      let part = try await ClusterSearch(local, purpose: try Flows.purpose()) { _ in }
        .run(try FlowQuery(.listing, limit: 1))
      #expect(part.matched > 0 && part.matched < flows.count)
    }
    let span = try await ClusterSearch(address, purpose: try Flows.purpose()) { _ in }.span()
    #expect(flows.contains { span?.contains($0.end) == true })
    // A shard that is down is no smaller answer but an error.
    second.kill()
    await #expect(throws: ClusterError.self) {
      _ = try await ClusterSearch(address, purpose: try Flows.purpose()) { _ in }
        .run(try FlowQuery(.listing, limit: 1))
    }
  }

  @Test(
    "replicated shards: an insert that comes again to another replica is not doubled",
    .enabled(if: ZooKeeper.isThere, "ZooKeeper is not installed"), .timeLimit(.minutes(10)))
  func replicated() async throws {
    let folder = try TemporaryFolder()
    let ports = ClickHouse.freePorts(7)
    let keeper = try ZooKeeper(folder.file("zookeeper"), port: ports[6])
    let shards = [[ports[1], ports[4]]]
    let servers = try (0..<2).map { index in
      try ClickHouse(
        folder.file("r\(index)"), ports: Array(ports[index * 3..<index * 3 + 3]), shards: shards,
        zooKeeper: keeper.port, place: ("01", index == 0 ? "a" : "b"))
    }
    for server in servers { try server.start() }
    let address = try ClusterAddress(
      "clickhouse://127.0.0.1:\(servers[0].http)+127.0.0.1:\(servers[1].http)/noroshi/flows")
    try await ClusterTables.make(
      try ClusterDefinition(database: "noroshi", table: "flows", cluster: "two"), on: address)
    let flows = Self.flows(6_000)
    let sink = try ClusterSink(
      address, spool: folder.file("spool"), parameters: Self.parameters)
    for batch in Flows.batches(flows) { sink.appendPatiently(batch) }
    sink.close()
    // The same batches as they were before anything was sent, for a second and third delivery.
    for copy in ["again", "thrice"] {
      try FileManager.default.copyItem(atPath: sink.folder, toPath: folder.file(copy))
    }
    let delivery = Task { await sink.run() }
    try await Self.wait(for: sink)
    delivery.cancel()
    await delivery.value
    for copy in ["again", "thrice"] {
      if copy == "thrice" { servers[0].kill() }
      let repeated = try ClusterSink(
        address, spool: folder.file(copy), parameters: Self.parameters)
      let delivery = Task { await repeated.run() }
      try await Self.wait(for: repeated)
      delivery.cancel()
      await delivery.value
    }
    let search = ClusterSearch(address, purpose: try Flows.purpose()) { _ in }
    #expect(try await search.run(try FlowQuery(.listing, limit: 1)).matched == flows.count)
  }

  /// `NOROSHI_CLICKHOUSE=clickhouse://127.0.0.1:8123 swift test --filter givenServer`: any server, such as one
  /// of a version that Debian does not have.
  @Test(
    "a server that is named in the environment answers as the archive does",
    .enabled(if: ProcessInfo.processInfo.environment["NOROSHI_CLICKHOUSE"] != nil))
  func givenServer() async throws {
    let folder = try TemporaryFolder()
    let named = ProcessInfo.processInfo.environment["NOROSHI_CLICKHOUSE"] ?? ""
    let table = "test_\(UInt32.random(in: 0 ... .max))"
    let address = try ClusterAddress(named + "/noroshi_test/" + table)
    var definition = try ClusterDefinition(database: "noroshi_test", table: table)
    definition.retentionDays = 36_500
    try await ClusterTables.make(definition, on: address)
    let flows = Self.flows(3_000)
    let sink = try ClusterSink(address, spool: folder.file("spool"), parameters: Self.parameters)
    for batch in Flows.batches(flows) { sink.appendPatiently(batch) }
    sink.close()
    try FileManager.default.copyItem(atPath: sink.folder, toPath: folder.file("again"))
    let delivery = Task { await sink.run() }
    try await Self.wait(for: sink)
    delivery.cancel()
    await delivery.value
    // Once more, of which the server must take nothing.
    let again = try ClusterSink(address, spool: folder.file("again"), parameters: Self.parameters)
    let second = Task { await again.run() }
    try await Self.wait(for: again)
    second.cancel()
    await second.value
    try Flows.write(flows, to: folder.file("archive"))
    try await Self.compareAll(address, folder.file("archive"))
  }

  @Test("a plain table: what the spool holds after a kill is looked for before it is sent again")
  func restart() async throws {
    let folder = try TemporaryFolder()
    let server = try ClickHouse(folder.file("s"), ports: ClickHouse.freePorts(3))
    try server.start()
    let address = try ClusterAddress("clickhouse://127.0.0.1:\(server.http)/noroshi/flows")
    let search = ClusterSearch(address, purpose: try Flows.purpose()) { _ in }
    await #expect(throws: ClusterError.self) { _ = try await search.run(try FlowQuery(.listing)) }
    try await ClusterTables.make(
      try ClusterDefinition(database: "noroshi", table: "flows"), on: address)
    let flows = Self.flows(5_000)
    do {
      let sink = try ClusterSink(
        address, spool: folder.file("spool"), parameters: Self.parameters)
      for batch in Flows.batches(flows) { sink.appendPatiently(batch) }
      sink.close()
      #expect(sink.counters.spooled == flows.count && sink.counters.spoolBatches >= 5)
      #expect(throws: ClusterError.self) {
        _ = try ClusterSink(address, spool: folder.file("spool"))
      }
      try FileManager.default.copyItem(atPath: folder.file("spool"), toPath: folder.file("copy"))
    }
    // What a kill in the middle of a write leaves.
    try Data("half".utf8).write(to: URL(fileURLWithPath: folder.file("spool/9.batch.part")))
    for (name, confirmed) in [("spool", 0), ("copy", flows.count)] {
      let sink = try ClusterSink(address, spool: folder.file(name), parameters: Self.parameters)
      let delivery = Task { await sink.run() }
      try await Self.wait(for: sink)
      #expect(sink.counters.delivered == flows.count)
      #expect(sink.counters.confirmed == confirmed)
      delivery.cancel()
      await delivery.value
      #expect(try await search.run(try FlowQuery(.listing, limit: 1)).matched == flows.count)
    }
    var small = search
    small.parameters.serverMemoryOctets = 1_000
    let query = try FlowQuery(.aggregation(try FlowElement.aggregation("srcip,dstip,srcport")))
    let error = await #expect(throws: ClusterError.self) { _ = try await small.run(query) }
    #expect(error?.description.contains("narrow the time window") == true)
    // Every search is in the audit trail, also one that failed.
    let stages = Mutex<[SearchRecord.Stage]>([])
    var audited = ClusterSearch(address, purpose: try Flows.purpose()) { record in
      stages.withLock { $0.append(record.stage) }
    }
    _ = try await audited.run(query)
    audited.parameters.serverMemoryOctets = 1_000
    _ = try? await audited.run(query)
    #expect(stages.withLock { $0 } == [.begun, .ended, .begun, .failed])
  }
}
