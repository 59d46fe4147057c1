import FlowArchive
import FlowRecords
import FlowSamples
import Foundation
import NetworkTypes
import Testing

/// The same flows in a file of nfcapd and in our archive: every number must be the same.
@Suite(.serialized, .enabled(if: Nfdump.isHere, "needs nfcapd and nfdump"))
struct NfdumpTests {
  /// Filters, in nfdump's words and ours. Two things are left out on purpose: AS numbers, which nfdump
  /// 1.7.1 does not filter by without a geo database, and the ports of ICMP, whose type and code it
  /// reads as one number in the machine's order of octets (an echo request has port 8 there and 2048,
  /// as the exporter sent it, here).
  static let filters = [
    "any", "ipv4", "ipv6", "proto tcp", "proto udp", "proto 1", "proto 58", "not proto tcp",
    "src ip 10.0.0.7", "dst ip 203.0.113.9", "ip 10.0.0.7", "host 2001:db8:0:a::7",
    "src and dst net 10.0.0.0/8", "net 203.0.113.0/27", "src net 10.0.0.0 255.255.255.224",
    "net 2001:db8:0:a::/64", "ip in [10.0.0.1 10.0.0.2 203.0.113.0/28]",
    "port 80", "src port 80", "proto tcp and dst port > 1024", "port in [22 23 53]",
    "not dst port in [22 23 53]", "proto udp and src port < 1024 and dst port > 1023", "flags S",
    "flags SA",
    "not flags AFRPU", "flags S and not flags AFRPU", "tos 8", "tos > 100",
    "if 3", "in if 2", "out if 5",
    "src mask 24", "mask 64", "vlan 11", "src vlan 10", "next ip 198.18.0.1",
    "packets > 1k", "bytes < 20k", "bytes > 1m", "pps > 100", "bps > 1m", "bpp < 100",
    "duration > 30000", "duration 0", "icmp-type 8", "icmp-type 3 and icmp-code 3",
    "in src mac 02:00:5e:10:00:01", "out dst mac 02:00:5e:10:00:03",
    "proto tcp and (port 80 or port 443) and not src net 10.0.0.0/27",
    "(ipv4 and dst port 53) or (ipv6 and dst port 443) or flags R",
    "not (proto tcp and flags S and dst port 23)", "not (port 80 or not packets > 500)",
  ]

  static let statistics = [
    "srcip/bytes", "dstip/flows", "ip/packets", "srcport/bytes", "dstport/packets", "port/flows",
    "proto/bytes", "srcas/bytes", "dstas/packets", "as/flows", "inif/bytes", "outif/packets",
    "if/bytes", "tos/flows", "srcmask/flows", "vlan/bytes", "nhip/bytes", "outdstmac/bytes",
    "srcip/pps", "dstip/bps", "dstport/bpp",
  ]

  static let aggregations = [
    "srcip4/24,dstport", "proto,srcip,dstip,srcport,dstport", "srcas,dstas,proto",
    "srcip6/64,inif", "dstip,dstport", "tos,inif,outif",
  ]

  private static let bulk = "bytes > 10k and (proto tcp or proto udp)"

  @Test("filters, statistics, aggregations, biflows and windows count as nfdump does")
  func sameNumbers() throws {
    let folder = try TemporaryFolder()
    let asked = Flows.many(2_400, seed: 11, isPlain: true)
    let answers = asked.prefix(600).map { flow in
      var answer = flow
      (answer.source, answer.destination) = (flow.destination, flow.source)
      (answer.sourcePort, answer.destinationPort) = (flow.destinationPort, flow.sourcePort)
      answer.bytes = flow.bytes / 3
      return answer
    }
    let flows = asked + answers.filter { $0.transport == .tcp || $0.transport == .udp }
    let file = try Nfdump.record(flows, in: folder)
    try Flows.write(flows, to: folder.file("archive"))
    let search = try Flows.search(folder.file("archive"))
    let all = try Nfdump.sums(file, "any")
    try #require(all.flows == flows.count, "nfcapd stored \(all.flows) flows")

    for text in Self.filters {
      let theirs = try Nfdump.sums(file, text)
      let ours = try search.run(try FlowQuery(.listing, filter: text, limit: 1))
      #expect(UInt64(ours.matched) == theirs.flows, "\(text)")
      #expect(ours.totals.packets == theirs.packets, "\(text)")
      #expect(ours.totals.bytes == theirs.bytes, "\(text)")
    }
    for text in Self.statistics {
      for filter in ["proto tcp or proto udp", "proto udp and dst port < 1024"] {
        let parts = text.split(separator: "/")
        let elements = try #require(FlowElement.statistic(String(parts[0])))
        let order = try #require(FlowQuery.Order(rawValue: String(parts[1])))
        let ours = try search.run(
          try FlowQuery(
            .statistic(elements, splitsByProtocol: false), filter: filter, order: order))
        let theirs = try Nfdump.table(
          file, ["-s", text, "-n", "0"], filter, values: ["val"], octets: "ibyt", packets: "ipkt")
        Self.compare(ours, theirs, "\(text) \(filter)")
        #expect(
          ours.rows.prefix(10).map { Self.measure($0, order) }
            == theirs.prefix(10).map { $0.measure(order) }, "\(text) \(filter)")
      }
    }
    for text in Self.aggregations {
      // nfdump gives the addresses that a mask is not for another value than they have.
      let filter =
        Self.bulk + (text.contains("ip4/") ? " and ipv4" : text.contains("ip6/") ? " and ipv6" : "")
      let ours = try search.run(
        try FlowQuery(.aggregation(FlowElement.aggregation(text)), filter: filter))
      let names = [
        "proto": "pr", "srcip": "sa", "dstip": "da", "srcport": "sp", "dstport": "dp",
        "srcas": "sas", "dstas": "das", "inif": "in", "outif": "out", "tos": "stos",
      ]
      var columns: [String] = []
      for part in text.split(separator: ",") {
        let name = String(part.prefix { $0 != "4" && $0 != "6" })
        if let column = names[name], !columns.contains(column) { columns.append(column) }
      }
      let theirs = try Nfdump.table(
        file, ["-A", text], filter, values: columns, octets: "ibyt", packets: "ipkt")
      // Their table has no number of flows per row; the rest must be the same.
      Self.compare(ours, theirs, text, isWithFlows: false)
    }
    try Self.compareBiflows(search, file)
    try Self.compareWindow(search, file)
  }

  private static func measure(_ row: FlowSum, _ order: FlowQuery.Order) -> UInt64 {
    switch order {
    case .flows: row.flows
    case .packets: row.packets
    case .bytes: row.bytes
    case .pps: row.packetsPerSecond
    case .bps: row.bitsPerSecond
    default: row.bytesPerPacket
    }
  }

  private static func compare(
    _ ours: FlowQueryResult, _ theirs: [Nfdump.Row], _ name: String, isWithFlows: Bool = true
  ) {
    func text(_ key: [String]) -> String { key.joined(separator: " ") }
    var expected: [String: [UInt64]] = [:]
    for row in theirs {
      expected[text(row.key)] = [isWithFlows ? row.flows : 0, row.packets, row.bytes]
    }
    var found: [String: [UInt64]] = [:]
    for row in ours.rows {
      found[text(row.key.map(\.description))] = [
        isWithFlows ? row.flows : 0, row.packets, row.bytes,
      ]
    }
    #expect(found.count == expected.count, "\(name)")
    let different = expected.filter { found[$0.key] != $0.value }
    #expect(
      different.isEmpty,
      "\(name): \(different.prefix(3)) ours \(different.prefix(3).map { found[$0.key] ?? [] })")
  }

  private static func compareBiflows(_ search: FlowSearch, _ file: String) throws {
    let ours = try search.run(try FlowQuery(.biflows, order: .bytes))
    let theirs = try Nfdump.csv(["-r", file, "-b", "-N", "-o", "csv"], "any")
    #expect(ours.rows.count == theirs.count)
    // Which direction comes first depends on the order in which nfdump reads; both together do not.
    func key(_ ends: [String], _ transport: String) -> String {
      (ends.sorted() + [transport]).joined(separator: " ")
    }
    var expected: [String: [UInt64]] = [:]
    for row in theirs {
      let ends = ["\(row["sa"] ?? "") \(row["sp"] ?? "")", "\(row["da"] ?? "") \(row["dp"] ?? "")"]
      let sums = ["ipkt", "opkt", "ibyt", "obyt"].map { UInt64(row[$0] ?? "") ?? 0 }
      let old = expected[key(ends, Nfdump.number(row["pr"] ?? ""))] ?? [0, 0]
      expected[key(ends, Nfdump.number(row["pr"] ?? ""))] = [
        old[0] + sums[0] + sums[1], old[1] + sums[2] + sums[3],
      ]
    }
    var found: [String: [UInt64]] = [:]
    for row in ours.rows {
      let text = row.key.map(\.description)
      let ends = ["\(text[1]) \(text[3])", "\(text[2]) \(text[4])"]
      let old = found[key(ends, text[0])] ?? [0, 0]
      found[key(ends, text[0])] = [
        old[0] + row.packets + row.reversePackets, old[1] + row.bytes + row.reverseBytes,
      ]
    }
    #expect(found == expected)
    #expect(ours.rows.contains { $0.reversePackets > 0 })
  }

  private static func compareWindow(_ search: FlowSearch, _ file: String) throws {
    var query = try FlowQuery(.listing, filter: "proto tcp", limit: 1)
    let from = Timestamp(nanoseconds: (Flows.base + 120_000) * 1_000_000)
    let to = Timestamp(nanoseconds: (Flows.base + 300_000) * 1_000_000)
    query.window = from...to
    let ours = try search.run(query)
    let theirs = try Nfdump.sums(
      file, "proto tcp", ["-t", "2026/11/25.08:02:00-2026/11/25.08:05:00"])
    #expect(UInt64(ours.matched) == theirs.flows && theirs.flows > 0)
    #expect(ours.totals.bytes == theirs.bytes)
  }
}
