import Foundation
import NetworkTypes
import Testing

@testable import FlowRecords

/// Results that pmacct and telegraf publish beside their test captures.
@Suite("Published results of other collectors", .enabled(if: SharedData.isPresent))
struct PublishedResultsTests {
  /// What pmacct's records are told apart by, as far as flows have it.
  struct Key: Hashable, CustomStringConvertible {
    var text: [String]
    var description: String { text.joined(separator: " ") }
  }

  /// What pmacct calls protocols, where it is not what we call them.
  static let transports = [
    "ipv6-icmp": "icmpv6", "vrrp": "ip-112", "ipip": "ipv4", "ipencap": "ipv4", "4": "ipv4",
    "41": "ipv6",
  ]

  struct Sums: Equatable {
    var packets: UInt64 = 0
    var bytes: UInt64 = 0
  }

  static let cases: [(name: String, expected: String, captures: [String])] = [
    ("100-IPFIXv10-CISCO", "output-flow-00", ["00"]),
    ("101-NFv9-CISCO-cust_primitives", "output-flow-00", ["00"]),
    ("102-NFv9-CISCO-f2rd-pretag-sampling-reload", "output-flow-00", ["00"]),
    ("103-IPFIXv10-CISCO-pretag-JSON_encoding", "output-flow-00", ["00"]),
    // Its captures lack some of what the expected results need; they are those of 100 to 102.
    ("111-IPFIXv10-NFv9-IPv6-IPv4-mix_sources", "output-flow-00", ["00", "01"]),
    ("112-IPFIXv10-CISCO-options-map-reassignment", "output-flow-00", ["00"]),
    ("400-IPFIXv10-BMP-CISCO-SRv6-multiple-sources", "output-flow-00", ["00", "01"]),
    ("401-IPFIXv10-BMP-IPv6-CISCO-MPLS-multiple-sources", "output-flow-00", ["00", "01"]),
    ("402-IPFIXv10-BMP-IPv6-high-availability", "output-flow-00", ["00"]),
    ("500-IPFIXv10-BGP-CISCO-SRv6", "output-flow-00", ["00"]),
  ]

  private func flows(_ name: String, _ captures: [String]) throws -> [FlowRecord] {
    let collected = CollectedFlows()
    for capture in captures {
      let file = SharedData.folder("pmacct").appendingPathComponent(
        "\(name)__traffic-\(capture).pcap")
      for datagram in try datagrams(of: file) {
        collected.feed(datagram.payload, from: datagram.source, at: datagram.time)
      }
    }
    #expect(collected.faults.total == 0)
    return collected.finish()
  }

  @Test("flows of pmacct's captures are those that pmacct expects", arguments: cases)
  func pmacct(name: String, expected: String, captures: [String]) throws {
    let file = SharedData.folder("pmacct").appendingPathComponent("\(name)__\(expected).json")
    let rows = try String(contentsOf: file, encoding: .utf8).split(separator: "\n").map {
      try #require(try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any])
    }
    // From 400 on masks are those of BGP routes.
    let hasMasks = rows.first?["mask_src"] != nil && name < "400"
    func text(_ row: [String: Any], _ name: String) -> String { "\(row[name] ?? "")" }
    var wanted: [Key: Sums] = [:]
    for row in rows {
      // Of a packet in a tunnel pmacct gives the inner header, and flows the outer one.
      let isTunnel = !text(row, "tunnel_ip_src").isEmpty
      var key = ["ip_src", "ip_dst"].map { text(row, (isTunnel ? "tunnel_" : "") + $0) }
      let transport = text(row, isTunnel ? "tunnel_ip_proto" : "ip_proto")
      let hasPorts = ["tcp", "udp"].contains(transport)
      key += [hasPorts ? text(row, "port_src") : "0", hasPorts ? text(row, "port_dst") : "0"]
      key += [Self.transports[transport] ?? transport, isTunnel ? "-" : text(row, "tos")]
      key += [text(row, "iface_in"), text(row, "iface_out")]
      if hasMasks { key += [text(row, "mask_src"), text(row, "mask_dst")] }
      let packets = (row["packets"] as? NSNumber)?.uint64Value ?? 0
      let bytes = (row["bytes"] as? NSNumber)?.uint64Value ?? 0
      wanted[Key(text: key), default: Sums()].packets += packets
      wanted[Key(text: key), default: Sums()].bytes += bytes
    }
    var got: [Key: Sums] = [:]
    for flow in try flows(name, captures) {
      let hasPorts = flow.transport == .tcp || flow.transport == .udp
      let isTunnel = flow.transport == .ipv4 || flow.transport == .ipv6
      var key = [
        flow.source.description, flow.destination.description,
        hasPorts ? "\(flow.sourcePort)" : "0", hasPorts ? "\(flow.destinationPort)" : "0",
        flow.transport.description, isTunnel ? "-" : "\(flow.typeOfService)",
        "\(flow.inputInterface)", "\(flow.outputInterface)",
      ]
      if hasMasks { key += ["\(flow.sourceMask)", "\(flow.destinationMask)"] }
      got[Key(text: key), default: Sums()].packets += flow.scaledPackets
      got[Key(text: key), default: Sums()].bytes += flow.scaledBytes
    }
    let missing = wanted.filter { got[$0.key] != $0.value }
    let extra = got.filter { wanted[$0.key] == nil }
    #expect(missing.isEmpty, "\(missing.prefix(3)) not among \(extra.prefix(3))")
    #expect(extra.isEmpty)
  }

  @Test("times of pmacct's captures are those that pmacct expects")
  func pmacctTimes() throws {
    let name = "101-NFv9-CISCO-cust_primitives"
    let file = SharedData.folder("pmacct").appendingPathComponent("\(name)__output-flow-00.json")
    let rows = try String(contentsOf: file, encoding: .utf8).split(separator: "\n").map {
      try #require(try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any])
    }
    func seconds(_ name: String) -> [Int64] {
      rows.compactMap { ($0[name] as? String).flatMap(Double.init).map { Int64($0) } }.sorted()
    }
    let flows = try flows(name, ["00"])
    // pmacct takes whole seconds of uptime from the header's time, and so is up to one late.
    for (own, theirs) in [
      (flows.map(\.start.seconds), seconds("timestamp_start")),
      (flows.map(\.end.seconds), seconds("timestamp_end")),
    ] {
      #expect(own.count == theirs.count)
      #expect(zip(own.sorted(), theirs).allSatisfy { (0...1).contains($1 - $0) })
    }
  }

  /// A line of telegraf's expected results: fields by name, without quotes and the suffix of numbers.
  private func telegraf(_ name: String) throws -> [[String: String]] {
    let file = SharedData.folder("telegraf").appendingPathComponent(
      "plugins_inputs_netflow_testcases_\(name)_expected.out")
    return try String(contentsOf: file, encoding: .utf8).split(separator: "\n").map { line in
      // Tags, fields, and a time that some lines lack; a text may hold spaces.
      var words = line.split(separator: " ").dropFirst()
      if let last = words.last, Int(last) != nil { words.removeLast() }
      let fields = words.joined(separator: " ")
      var row: [String: String] = [:]
      for field in fields.split(separator: ",") {
        let parts = field.split(separator: "=", maxSplits: 1)
        guard parts.count == 2 else { continue }
        var value = String(parts[1])
        if value.hasPrefix("\"") { value = String(value.dropFirst().dropLast()) }
        if value.hasSuffix("u"), Int(value.dropLast()) != nil { value.removeLast() }
        row[String(parts[0])] = value
      }
      return row
    }
  }

  private func telegrafFlows(_ name: String, _ pattern: String) throws -> CollectedFlows {
    let collected = CollectedFlows()
    for file in SharedData.files(in: "telegraf", suffixes: [".bin"])
    where file.lastPathComponent.contains("testcases_\(name)_\(pattern)") {
      collected.feed(try SharedData.octets(file))
    }
    collected.finish()
    return collected
  }

  @Test(
    "flows of telegraf's datagrams have the fields that telegraf expects",
    arguments: [
      ("netflow_v5_example", "netflow"), ("netflow_v9_example", "netflow"),
      ("ipfix_example", "ipfix"),
    ])
  func telegrafFields(name: String, pattern: String) throws {
    let rows = try telegraf(name).filter { $0["src"] != nil }
    let flows = try telegrafFlows(name, pattern).flows
    #expect(flows.count == rows.count)
    func line(_ row: [String: String]) -> String {
      [
        row["src"], row["dst"], row["src_port"], row["dst_port"], row["protocol"],
        row["in_bytes"] ?? row["in_total_bytes"], row["in_packets"] ?? row["in_total_packets"],
        row["flow_start_ms"], row["flow_end_ms"],
      ].map { $0 ?? "-" }.joined(separator: " ")
    }
    let hasTimes = rows.first?["flow_start_ms"] != nil
    let got = flows.map { flow -> String in
      let times =
        hasTimes
        ? [flow.start.nanoseconds / 1_000_000, flow.end.nanoseconds / 1_000_000].map { "\($0)" }
        : ["-", "-"]
      return
        ([
          flow.source.description, flow.destination.description, "\(flow.sourcePort)",
          "\(flow.destinationPort)", flow.transport.description, "\(flow.bytes)",
          "\(flow.packets)",
        ] + times).joined(separator: " ")
    }
    #expect(got.sorted() == rows.map(line).sorted())
  }

  @Test("options and counters of telegraf's datagrams are counted and give no flows")
  func telegrafOptions() throws {
    let ipfix = try telegrafFlows("ipfix_options", "message")
    #expect(ipfix.flows.isEmpty)
    #expect(
      ipfix.decoder.statistics.reduce(0) { $0 + $1.optionsRecords }
        == UInt64(try telegraf("ipfix_options").count))
    let netflow9 = try telegrafFlows("netflow_v9_options", "message")
    #expect(netflow9.flows.isEmpty)
    #expect(
      netflow9.decoder.statistics.first?.optionsRecords
        == UInt64(try telegraf("netflow_v9_options").count))
    let counters = try telegrafFlows("sflow_v5_example", "sflow")
    #expect(counters.flows.isEmpty && counters.decoder.statistics.first?.counterSamples == 1)
    #expect(counters.faults.total == 0)
  }

  @Test("sFlow over IPv6 gives the samples that tcpdump prints")
  func tcpdump() throws {
    let folder = SharedData.folder("tcpdump")
    let printed = try String(
      contentsOf: folder.appendingPathComponent("tests_sflow-print-v6.out"), encoding: .utf8)
    let collected = CollectedFlows()
    for datagram in try datagrams(of: folder.appendingPathComponent("tests_sflow-print-v6.pcap")) {
      collected.feed(datagram.payload, from: datagram.source, at: datagram.time)
    }
    let samples = printed.components(separatedBy: "flow sample (").count - 1
    let expanded = printed.components(separatedBy: "expanded flow sample (").count - 1
    let counters = printed.components(separatedBy: "counter sample (").count - 1
    let statistics = try #require(collected.decoder.statistics.first)
    #expect(statistics.counterSamples == UInt64(counters))
    #expect(collected.finish().count + Int(statistics.otherRecords) == samples)
    #expect(expanded <= samples)
    #expect(collected.flows.allSatisfy { $0.sampling.source == .record && $0.packets == 1 })
  }

  @Test("malformed datagrams are counted and give no flows")
  func malformed() throws {
    for name in ["malformed-OT", "malformed_1", "malformed_3"] {
      let file = SharedData.folder("exatel").appendingPathComponent("testcases_\(name).pcap")
      let collected = CollectedFlows()
      for datagram in try datagrams(of: file) { collected.feed(datagram.payload) }
      #expect(collected.finish().isEmpty && collected.faults.total > 0, "\(name)")
    }
    let segfault = SharedData.folder("tcpdump").appendingPathComponent(
      "tests_sflow_print-segv.pcap")
    let collected = CollectedFlows()
    for datagram in try datagrams(of: segfault) { collected.feed(datagram.payload) }
    #expect(collected.finish().isEmpty && collected.faults.total == 1)
  }

  @Test("an IPFIX file (RFC 5655) is read message by message")
  func ipfixFile() throws {
    let file = SharedData.files(in: "ipfixcol2", suffixes: [".ipfix"])[0]
    let octets = try SharedData.octets(file)
    let collected = CollectedFlows()
    collected.feed(octets)
    #expect(collected.finish().count >= 3_861)
    #expect(collected.faults.total == 0)
  }
}
