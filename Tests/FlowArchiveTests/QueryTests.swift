import FlowArchive
import FlowRecords
import FlowSamples
import Foundation
import NetworkTypes
import Parquet
import Synchronization
import Testing

@Suite struct QueryTests {
  static let flows = Flows.many(3_000)

  static func archive() throws -> TemporaryFolder {
    let folder = try TemporaryFolder()
    try Flows.write(flows, to: folder.path)
    return folder
  }

  static let filters = [
    "any", "not any", "inet", "inet6", "proto tcp", "proto udp", "proto icmp", "not proto tcp",
    "src ip 10.0.0.7", "dst ip 10.0.0.7", "ip 10.0.0.7", "host 203.0.113.9", "src host 2001:db8::7",
    "src or dst ip 10.0.0.7", "src and dst net 10.0.0.0/8", "net 203.0.113.0/27",
    "net 2001:db8::/32", "ip in [10.0.0.1 10.0.0.2, 203.0.113.0/28 2001:db8:0:a::3]",
    "not ip in [10.0.0.0/28]", "port 80", "src port 80", "dst port > 1024", "port in [22 23 53]",
    "not dst port in [22 23 53]", "src port < 1024 and dst port >= 1024", "flags S",
    "flags SA", "not flags AFRPU", "flags S and not flags AFRPU", "flags 2", "flags > 16",
    "tos 8", "tos > 100", "src as 64501", "as in [64500 64511]", "if 3", "in if 2", "out if 5",
    "src mask 24", "mask 64", "vlan 11", "src vlan 10", "next ip 198.18.0.1", "router ip 192.0.2.1",
    "router ip 2001:db8::9", "bgpnext ip 2001:db8::4d", "packets > 1k", "bytes < 20k", "bytes > 1m",
    "flows > 1", "pps > 100", "bps >= 1m", "bpp < 100", "duration > 30000", "duration 0",
    "icmp-type 8", "icmp-type 3 and icmp-code 3", "mac 02:00:5e:10:00:02",
    "in src mac 02:00:5e:10:00:01", "out dst mac 02:00:5e:10:00:03", "observation domain id 7",
    "proto tcp and (port 80 or port 443) and not src net 10.0.0.0/27 and packets > 10",
    "(inet and dst port 53) or (inet6 and dst port 443) or flags R",
    "not (proto tcp and flags S and dst port 23)", "dir ingress", "mpls label1 5",
    "src port in [1020 1021 1022 1023 1024 80] and bytes > 100k and inet",
  ]

  @Test("every kind of filter lets through what a plain evaluation does")
  func filterTable() throws {
    let folder = try Self.archive()
    let search = try Flows.search(folder.path)
    var seen = 0
    for text in Self.filters {
      let query = try FlowQuery(.listing, filter: text)
      let result = try search.run(query)
      let expected = Self.flows.filter { Model.matches(query.filter, $0) }
      #expect(result.matched == expected.count, "\(text)")
      #expect(result.records.count == expected.count, "\(text)")
      #expect(Set(result.records.map(\.record)) == Set(expected), "\(text)")
      var sums = Model.Sums()
      for flow in expected { sums.add(flow) }
      #expect(result.totals.packets == sums.packets, "\(text)")
      #expect(result.totals.bytes == sums.bytes, "\(text)")
      if !expected.isEmpty, expected.count < Self.flows.count { seen += 1 }
    }
    #expect(seen >= 45)
  }

  @Test("random combinations of filters agree with a plain evaluation")
  func randomFilters() throws {
    let folder = try Self.archive()
    let search = try Flows.search(folder.path)
    var dice = Dice(5)
    func make(_ depth: Int) -> String {
      if depth == 0 || Int.random(in: 0..<4, using: &dice) == 0 {
        return Self.filters.randomElement(using: &dice) ?? "any"
      }
      switch Int.random(in: 0..<3, using: &dice) {
      case 0: return "not (\(make(depth - 1)))"
      case 1: return "(\(make(depth - 1))) and (\(make(depth - 1)))"
      default: return "(\(make(depth - 1))) or (\(make(depth - 1)))"
      }
    }
    for _ in 0..<60 {
      let text = make(3)
      var query = try FlowQuery(.listing, filter: text, limit: 5)
      query.order = FlowQuery.Order.allCases.randomElement(using: &dice) ?? .tstart
      let result = try search.run(query)
      let expected = Self.flows.filter { Model.matches(query.filter, $0) }
      #expect(result.matched == expected.count, "\(text)")
      #expect(result.records.count == min(5, expected.count))
    }
  }

  @Test(
    "statistics and aggregations agree with a plain sum",
    arguments: [
      "srcip", "dstip", "ip", "srcport", "dstport", "port", "proto", "srcas", "dstas", "as",
      "inif", "outif", "if", "tos", "srcvlan", "vlan", "mask", "router", "odid", "next", "bgpnext",
      "insrcmac", "outdstmac", "srcnet", "dstnet", "flags",
    ])
  func statistics(name: String) throws {
    let folder = try Self.archive()
    let elements = try #require(FlowElement.statistic(name))
    let query = try FlowQuery(
      .statistic(elements, splitsByProtocol: false), filter: "not dst port 22", order: .bytes)
    let result = try Flows.search(folder.path).run(query)
    let chosen = Self.flows.filter { Model.matches(query.filter, $0) }
    Self.compare(result, Model.group(chosen, elements.map { [$0] }))
    #expect(result.rows.map(\.bytes) == result.rows.map(\.bytes).sorted(by: >))
    var split = query
    split.kind = .statistic(elements, splitsByProtocol: true)
    let transport = try #require(FlowElement(name: "proto"))
    if name != "proto" {
      Self.compare(
        try Flows.search(folder.path).run(split),
        Model.group(chosen, elements.map { [transport, $0] }))
    }
  }

  @Test(
    "aggregations with masks agree with a plain sum, in memory, in partitions and on the disk",
    arguments: [
      "proto,srcip,dstip,srcport,dstport", "srcip4/24,dstport", "srcip4/28,srcip6/64,proto",
      "dstip6/48,inif,outif,srcas", "router,odid,tos", "srcnet,dstnet,srcmask,dstmask",
      "proto,srcvlan,dstvlan,insrcmac,outdstmac,next", "time/60", "time/300,proto,srcip",
    ])
  func aggregations(text: String) throws {
    let folder = try Self.archive()
    let elements = try FlowElement.aggregation(text)
    for filter in ["any", "inet", "inet6 and proto tcp"] {
      let query = try FlowQuery(.aggregation(elements), filter: filter, order: .packets)
      let chosen = Self.flows.filter { Model.matches(query.filter, $0) }
      let expected = Model.group(chosen, [elements])
      for (groups, memory) in [(1 << 19, 64 << 20), (1_024, 64 << 20), (1_024, 1 << 20)] {
        var search = try Flows.search(folder.path)
        search.parameters.groupsPerThread = groups
        search.parameters.memoryOctets = memory
        search.parameters.threads = groups == 1_024 ? 3 : 1
        Self.compare(try search.run(query), expected)
        var top = query
        top.limit = 7
        top.order = .flows
        let best = try search.run(top).rows
        let flows = expected.values.map(\.flows).sorted(by: >)
        #expect(best.map(\.flows) == Array(flows.prefix(7)))
      }
    }
  }

  private static func compare(
    _ result: FlowQueryResult, _ expected: [[FlowValue]: Model.Sums],
    location: SourceLocation = #_sourceLocation
  ) {
    var found: [[FlowValue]: Model.Sums] = [:]
    for row in result.rows {
      found[row.key] = Model.Sums(
        flows: row.flows, packets: row.packets, bytes: row.bytes, first: row.first,
        last: row.last)
    }
    #expect(found.count == result.rows.count, sourceLocation: location)
    #expect(found == expected, sourceLocation: location)
  }

  @Test("groups that memory does not hold go to a temporary file and come back")
  func spill() throws {
    let folder = try Self.archive()
    var search = try Flows.search(folder.path)
    search.parameters.groupsPerThread = 1_024
    search.parameters.memoryOctets = 100_000
    search.parameters.temporaryFolder = folder.path
    let query = try FlowQuery(.aggregation(FlowElement.connection), order: .bytes, limit: 20)
    let result = try search.run(query)
    #expect(result.spillOctets > 0)
    let expected = Model.group(Self.flows, [FlowElement.connection])
    #expect(result.groupCount == expected.count)
    #expect(
      result.rows.map(\.bytes) == Array(expected.values.map(\.bytes).sorted(by: >).prefix(20)))
    #expect(folder.names("").allSatisfy { !$0.contains("grouping") })
    search.parameters.spillOctets = 1_000
    #expect(throws: ArchiveError.self) { try search.run(query) }
    search.parameters.memoryOctets = 50_000
    search.parameters.spillOctets = 1 << 30
    #expect(throws: ArchiveError.self) {
      try search.run(FlowQuery(.aggregation(FlowElement.connection)))
    }
  }

  @Test("both directions of a connection become one row, the first seen direction first")
  func biflows() throws {
    let folder = try TemporaryFolder()
    // Some are answered, a little later.
    let answers = Self.flows.prefix(900).map { flow in
      var answer = flow
      (answer.source, answer.destination) = (flow.destination, flow.source)
      (answer.sourcePort, answer.destinationPort) = (flow.destinationPort, flow.sourcePort)
      answer.start = flow.start.advanced(bySeconds: 0.002)
      answer.bytes = flow.bytes / 2
      return answer
    }
    let flows = Self.flows + answers
    try Flows.write(flows, to: folder.path)
    let result = try Flows.search(folder.path).run(try FlowQuery(.biflows, order: .bytes))
    struct End: Hashable {
      let address: IPAddress
      let port: UInt16
    }
    struct Connection: Hashable {
      let ends: Set<End>
      let first: End?
      let transport: UInt8
    }
    var expected: [Connection: Model.Sums] = [:]
    func key(_ flow: FlowRecord) -> Connection {
      let from = End(address: flow.source, port: flow.sourcePort)
      let to = End(address: flow.destination, port: flow.destinationPort)
      let isPaired = flow.transport == .tcp || flow.transport == .udp
      return Connection(
        ends: [from, to], first: isPaired ? nil : from, transport: flow.transport.rawValue)
    }
    for flow in flows { expected[key(flow), default: Model.Sums()].add(flow) }
    #expect(result.rows.count == expected.count)
    var hasReverse = 0
    for row in result.rows {
      guard case .number(let transport) = row.key[0], case .address(let source) = row.key[1],
        case .address(let destination) = row.key[2], case .number(let sourcePort) = row.key[3],
        case .number(let destinationPort) = row.key[4]
      else {
        Issue.record("\(row.key)")
        continue
      }
      var flow = FlowRecord()
      flow.transport = IPProtocol(rawValue: UInt8(transport))
      flow.source = source
      flow.destination = destination
      flow.sourcePort = UInt16(sourcePort)
      flow.destinationPort = UInt16(destinationPort)
      let sums = expected[key(flow)]
      #expect(sums?.flows == row.flows)
      #expect(sums?.bytes == row.bytes + row.reverseBytes)
      #expect(sums?.packets == row.packets + row.reversePackets)
      if row.reverseBytes > 0 { hasReverse += 1 }
    }
    #expect(hasReverse > 500)
  }

  @Test("a listing is in order, from either end, and stops at its limit")
  func order() throws {
    let folder = try Self.archive()
    let search = try Flows.search(folder.path)
    for order in FlowQuery.Order.allCases {
      for isReversed in [false, true] {
        var query = try FlowQuery(.listing, filter: "proto tcp", order: order, limit: 40)
        query.isReversed = isReversed
        let listed = try search.run(query).records.map(\.record)
        let quantities: [FlowQuery.Order: (FlowRecord) -> UInt64] = [
          .flows: { Model.number(.flows, $0) }, .packets: { $0.scaledPackets },
          .bytes: { $0.scaledBytes }, .pps: { Model.number(.packetsPerSecond, $0) },
          .bps: { Model.number(.bitsPerSecond, $0) }, .bpp: { Model.number(.bytesPerPacket, $0) },
          .tstart: { UInt64($0.start.nanoseconds) }, .tend: { UInt64($0.end.nanoseconds) },
          .duration: Model.milliseconds,
        ]
        let measure = try #require(quantities[order])
        let isAscending = (order == .tstart || order == .tend) != isReversed
        let expected = Self.flows.filter { $0.transport == .tcp }.map(measure)
          .sorted(by: isAscending ? (<) : (>)).prefix(40)
        #expect(listed.map(measure) == Array(expected), "\(order) \(isReversed)")
      }
    }
  }

  @Test("a window takes flows inside it, or those that touch it")
  func windows() throws {
    let folder = try Self.archive()
    let from = Timestamp(nanoseconds: (Flows.base + 120_000) * 1_000_000)
    let to = Timestamp(nanoseconds: (Flows.base + 200_000) * 1_000_000)
    var query = try FlowQuery(.statistic(FlowElement.connection, splitsByProtocol: false))
    query.window = from...to
    let inside = try Flows.search(folder.path).run(query)
    #expect(inside.matched == Self.flows.filter { $0.start >= from && $0.end <= to }.count)
    query.windowRule = .overlapping
    let overlapping = try Flows.search(folder.path).run(query)
    #expect(overlapping.matched == Self.flows.filter { $0.start <= to && $0.end >= from }.count)
    #expect(inside.matched > 0 && inside.matched < overlapping.matched)
    query.window = Timestamp(seconds: 0)...Timestamp(seconds: 1_000)
    let none = try Flows.search(folder.path).run(query)
    #expect(none.matched == 0 && none.scanned == 0 && none.files == 0)
  }

  @Test("raw counters are those of the records")
  func raw() throws {
    let folder = try Self.archive()
    var query = try FlowQuery(
      .aggregation(FlowElement.aggregation("proto")), filter: "packets > 1k")
    query.isRaw = true
    let result = try Flows.search(folder.path).run(query)
    let chosen = Self.flows.filter { $0.packets > 1_000 }
    #expect(result.matched == chosen.count)
    #expect(result.totals.bytes == chosen.reduce(0) { $0 + $1.bytes })
  }

  @Test("a search is told to the audit trail before it begins and after it ended, or is not done")
  func audit() throws {
    let folder = try Self.archive()
    let seen = Mutex<[SearchRecord]>([])
    let search = try Flows.search(folder.path) { record in seen.withLock { $0.append(record) } }
    _ = try search.run(try FlowQuery(.listing, filter: "dst port 23", limit: 3))
    var refused = try FlowQuery(.listing)
    refused.limit = .max
    #expect(throws: ArchiveError.self) { try search.run(refused) }
    let records = seen.withLock { $0 }
    #expect(records.map(\.stage) == [.begun, .ended, .begun, .failed])
    #expect(records[1].filter == "dst port 23" && records[1].rows == 3)
    #expect(records[1].actor == "test" && records[1].purpose == "a test")
    #expect(records[3].failure != nil)
    struct Full: Error {}
    let closed = try Flows.search(folder.path) { _ in throw Full() }
    #expect(throws: Full.self) { try closed.run(try FlowQuery(.listing)) }
    #expect(throws: ArchiveError.self) { try SearchPurpose(actor: "a", purpose: " \t") }
    #expect(throws: ArchiveError.self) { try SearchPurpose(actor: "", purpose: "b") }
  }

  @Test("a search can be cancelled, and tells how far it is")
  func cancel() throws {
    let folder = try Self.archive()
    var search = try Flows.search(folder.path)
    let steps = Mutex<[Int]>([])
    search.progress = { done, _ in steps.withLock { $0.append(done) } }
    _ = try search.run(try FlowQuery(.biflows))
    #expect(steps.withLock { $0.contains(4) })
    search.isCancelled = { true }
    #expect(throws: ArchiveError.cancelled) { try search.run(try FlowQuery(.biflows)) }
    #expect(throws: ArchiveError.cancelled) {
      try search.forEachBatch(try FlowQuery(.listing)) { _ in }
    }
  }

  @Test("an export hands over every matching flow once")
  func export() throws {
    let folder = try Self.archive()
    var found: [FlowRecord] = []
    let count = try Flows.search(folder.path).forEachBatch(
      try FlowQuery(.listing, filter: "inet6 or port 53")
    ) { found += $0.records }
    let filter = try FlowFilter("inet6 or port 53")
    let expected = Self.flows.filter { Model.matches(filter, $0) }
    #expect(count == expected.count)
    #expect(Set(found) == Set(expected))
  }

  @Test("an archive of more files than may be open is searched all the same")
  func manyFiles() throws {
    let folder = try TemporaryFolder()
    for part in 0..<6 {
      try Flows.write(Array(Self.flows[part * 100..<(part + 1) * 100]), to: folder.path)
    }
    var search = try Flows.search(folder.path)
    search.parameters.openFiles = 2
    let result = try search.run(try FlowQuery(.listing, filter: "proto tcp"))
    #expect(
      Set(result.records.map(\.record)) == Set(Self.flows[..<600].filter { $0.transport == .tcp }))
  }

  @Test("results are written as Parquet files, which can be read again")
  func parquetResults() throws {
    let folder = try Self.archive()
    let search = try Flows.search(folder.path)
    let listing = try FlowQuery(.listing, filter: "inet6 or dst port 443")
    let path = folder.path + "-export.parquet"
    defer { try? FileManager.default.removeItem(atPath: path) }
    let count = try search.export(listing, toParquet: path)
    var found: [FlowRecord] = []
    try Flows.search(path).forEachBatch(try FlowQuery(.listing)) { found += $0.records }
    #expect(count == found.count)
    #expect(Set(found) == Set(Self.flows.filter { Model.matches(listing.filter, $0) }))
    // The flows of a result, which may have come from elsewhere, make the same file.
    try search.run(listing).writeRecords(toParquet: path)
    var written: [FlowRecord] = []
    try Flows.search(path).forEachBatch(try FlowQuery(.listing)) { written += $0.records }
    #expect(written.count == count)
    #expect(Set(written) == Set(found))
    let sums = try FlowQuery(.aggregation(FlowElement.aggregation("srcip4/24,dstport")), limit: 9)
    let result = try search.run(sums)
    try result.writeRows(of: sums, toParquet: path)
    let reader = try ParquetReader(path: path)
    #expect(reader.rowCount == 9)
    #expect(
      reader.schema.map(\.name) == [
        "srcip4_24", "dstport", "first", "last", "flows", "packets", "bytes",
      ])
    #expect(try reader.read("bytes", rowGroup: 0).integers == result.rows.map { Int64($0.bytes) })
    let sources = try reader.read("srcip4_24", rowGroup: 0).texts
    #expect(sources == result.rows.map { $0.key[0].description })
  }

  @Test("unknown elements and empty aggregations are refused with a sentence")
  func badQueries() {
    #expect(throws: ArchiveError.self) { try FlowElement.aggregation("srcip,nonsense") }
    #expect(throws: ArchiveError.self) { try FlowElement.aggregation("srcip,srcip") }
    #expect(throws: ArchiveError.self) { try FlowElement.aggregation("") }
    #expect(FlowElement(name: "srcip4/33") == nil)
    #expect(FlowElement.statistic("nothing") == nil)
  }
}
