import FlowArchive
import FlowRecords
import FlowSamples
import Foundation
import NetworkTypes
import Testing

@testable import noroshi

@Suite(
  "ddos detect, attacks, show, sources, fingerprint, mitigate, scanners, reflectors",
  .enabled(if: isProgramBuilt, "the program was not built beside the tests"))
struct DDoSCommandTests {
  /// Five minutes in the archive: an NTP reflection at 203.0.113.7 for 40 s in some ordinary traffic, a
  /// scanner of the network, and a resolver of one's own that answers the outside.
  private static func write(to root: String) throws {
    let start: Int64 = 1_795_593_600
    var flows: [FlowRecord] = []
    func add(
      _ source: UInt32, _ sourcePort: UInt16, _ destination: UInt32, _ destinationPort: UInt16,
      at second: Int, transport: IPProtocol = .udp, flags: UInt8 = 0, packets: UInt64,
      octets: UInt64
    ) {
      var flow = FlowRecord()
      flow.source = IPAddress(v4: source)
      flow.destination = IPAddress(v4: destination)
      flow.sourcePort = sourcePort
      flow.destinationPort = destinationPort
      flow.transport = transport
      flow.tcpFlags = flags
      flow.packets = packets
      flow.bytes = packets * octets
      flow.start = Timestamp(seconds: start + Int64(second))
      flow.end = flow.start.advanced(bySeconds: 0.9)
      flows.append(flow)
    }
    for second in 0..<300 {
      for host in 0..<5 {
        let client = 0xc633_6400 + UInt32((second + host) % 50)
        add(
          client, 50_000, 0xcb00_7100 + UInt32(host), 443, at: second, transport: .tcp,
          flags: 0x1b, packets: 20, octets: 600)
      }
      // A resolver of one's own, asked by one outside.
      add(0xc633_6463, 5_353, 0xcb00_7135, 53, at: second, packets: 2, octets: 60)
      add(0xcb00_7135, 53, 0xc633_6463, 5_353, at: second, packets: 2, octets: 2_800)
      if (60..<180).contains(second) {
        add(
          0xc633_64c8, 40_000, 0xcb00_7100 + UInt32(second), 23, at: second, transport: .tcp,
          flags: 2, packets: 1, octets: 40)
      }
      guard (100..<140).contains(second) else { continue }
      for reflector in 0..<100 {
        add(
          0x5db8_0000 + UInt32(reflector * 7), 123, 0xcb00_7107, 40_000 + UInt16(reflector % 3),
          at: second, packets: 600, octets: 468)
      }
    }
    let writer = try ArchiveWriter(root: root)
    for first in Swift.stride(from: 0, to: flows.count, by: 2_000) {
      let batch = FlowBatch(capacity: 2_000)
      for flow in flows[first..<min(first + 2_000, flows.count)] { batch.append(flow) }
      writer.appendPatiently(batch)
    }
    try writer.close()
  }

  private static let protect = ["--protect", "203.0.113.0/24"]

  private static func detected() throws -> ProgramRun {
    let house = try ProgramRun()
    try write(to: house.data + "/flows")
    let outcome = try house.run(
      ["ddos", "detect", "--purpose", "a report", "--record", "--format", "json"] + protect)
    try #require(outcome.code == 0, "\(outcome.error)")
    #expect(try outcome.rows().count == 1)
    return house
  }

  @Test("an attack in the archive is found, stored, and shown with its sources")
  func attack() throws {
    let house = try Self.detected()
    let attacks = try house.run("ddos", "attacks", "--format", "json", "--columns", "all").rows()
    let attack = try #require(attacks.first)
    let id = try #require(attack["id"] as? String)
    #expect(attacks.count == 1)
    #expect(attack["name"] as? String == "ntp-amplification")
    #expect((attack["target"] as? String)?.hasPrefix("203.0.113.7") == true)
    #expect(
      try house.run("ddos", "attacks", "--filter", "ongoing=yes", "--format", "json").rows().isEmpty
    )
    #expect(
      try house.run("ddos", "attacks", "--address", "93.184.0.7", "--format", "json").rows().count
        == 1)
    for choice in [id, "latest"] {
      let sheet = try house.run("ddos", "show", choice)
      #expect(sheet.code == 0)
      #expect(sheet.output.contains("ntp-amplification") && sheet.output.contains("reflector"))
    }
    let sources = try house.run(
      "ddos", "sources", "latest", "--limit", "0", "--format", "json"
    ).rows()
    #expect(sources.count >= 100)
    #expect(sources.first?["nature"] as? String == "reflector")
    let networks = try house.run(
      "ddos", "sources", "latest", "--by", "network", "--format", "json"
    ).rows()
    #expect(networks.contains { ($0["network"] as? String)?.hasPrefix("93.184.") == true })
    let audit = try house.run("audit", "list", "--format", "csv").output
    #expect(audit.contains("purpose=a report"))
  }

  @Test("a fingerprint, telemetry and a call home are JSON; a file can be named")
  func fingerprints() throws {
    let house = try Self.detected()
    let fingerprint = try house.run("ddos", "fingerprint", "latest").object()
    #expect(fingerprint["target"] as? String == "Anonymous")
    #expect((fingerprint["attack_vectors"] as? [[String: Any]])?.isEmpty == false)
    let named = try house.run("ddos", "fingerprint", "latest", "--name-target").object()
    #expect(named["target"] as? String == "203.0.113.7")
    _ = try house.run("ddos", "fingerprint", "latest", "--as", "telemetry").object()
    let home = try house.run("ddos", "fingerprint", "latest", "--as", "call-home")
    #expect(home.code == 0, "\(home.error)")
    _ = try home.object()
    try house.refuses(
      "ddos", "fingerprint", "latest", "--as", "call-home", "--organisation", "nobody",
      code: .negative, saying: "no source to tell of")
    let path = house.folder + "/fingerprint.json"
    #expect(try house.run("ddos", "fingerprint", "latest", "-o", path).output.isEmpty)
    let written = try Data(contentsOf: URL(fileURLWithPath: path))
    #expect(try JSONSerialization.jsonObject(with: written) is [String: Any])
  }

  @Test("fingerprints of others are compared with the attacks here")
  func compare() throws {
    let house = try Self.detected()
    let path = house.folder + "/theirs.json"
    #expect(try house.run("ddos", "fingerprint", "latest", "-o", path).code == 0)
    let rows = try house.run("ddos", "compare", path, "--format", "json").rows()
    let row = try #require(rows.first)
    #expect(rows.count == 1)
    #expect(row["file"] as? String == "theirs.json")
    #expect((row["shared_sources"] as? Int ?? 0) >= 100)
    let vectorsText = "\(row["vectors"] ?? "")"
    #expect(vectorsText.contains("ntp-amplification"))
    let one = try house.run("ddos", "compare", "--attack", "latest", path, "--format", "json")
    #expect(try one.rows().count == 1)
    let older = try house.file(
      "older.json",
      "{\"protocol\": \"ICMP\", \"src_ips\": [\"192.0.2.1\"], \"start_timestamp\": 1524560924.2}")
    let nothing = try house.run("ddos", "compare", older, "--format", "json")
    #expect(nothing.code == ExitStatus.negative.rawValue)
    #expect(try nothing.rows().isEmpty)
    let broken = try house.file("broken.json", "{\"attack_vectors\": [")
    try house.refuses("ddos", "compare", broken, code: .badData, saying: "is no fingerprint")
    try house.refuses(
      "ddos", "compare", house.folder + "/none.json", code: .noInput, saying: "no readable")
    try house.refuses(
      "ddos", "compare", path, "--attack", "x", code: .noInput, saying: "There is no attack")
    try house.refuses("ddos", "compare", code: .usage, saying: "Missing")
  }

  @Test(
    "filters are written for every kind of router",
    arguments: ["nftables", "rtbh", "flowspec", "cisco", "juniper"])
  func mitigation(format: String) throws {
    let house = try Self.detected()
    let outcome = try house.run("ddos", "mitigate", "latest", "--as", format)
    #expect(outcome.code == 0, "\(outcome.error)")
    #expect(outcome.output.contains("203.0.113.7"))
  }

  @Test("scanners and reflectors that were stored are listed, filtered and sorted")
  func before() throws {
    let house = try Self.detected()
    let scanners = try house.run("ddos", "scanners", "--format", "json").rows()
    #expect(scanners.contains { $0["source"] as? String == "198.51.100.200" })
    #expect(
      try house.run("ddos", "scanners", "--filter", "port=80", "--format", "json").rows().isEmpty)
    let reflectors = try house.run("ddos", "reflectors", "--format", "json")
    #expect(reflectors.code == 0, "\(reflectors.error)")
    #expect(reflectors.output.contains("203.0.113.53"))
    try house.refuses(
      "ddos", "scanners", "--filter", "colour=red", code: .badData, saying: "colour")
  }

  @Test("what cannot be answered is refused with a sentence and its exit code")
  func refusals() throws {
    let house = try ProgramRun()
    let notes = try house.file("notes.pcap", "dear diary, today\n")
    let none = house.folder + "/none.pcap"
    #expect(try house.run("ddos", "attacks", "--format", "json").rows().isEmpty)
    try house.refuses("ddos", "show", "latest", code: .noInput, saying: "No attack is stored")
    try house.refuses("ddos", "show", "20200101", code: .noInput, saying: "There is no attack")
    try house.refuses("ddos", "sources", "x", code: .noInput, saying: "There is no attack")
    try house.refuses("ddos", "fingerprint", "x", code: .noInput, saying: "There is no attack")
    try house.refuses("ddos", "mitigate", "x", code: .noInput, saying: "There is no attack")
    try house.refuses("ddos", "detect", code: .usage, saying: "--purpose")
    try house.refuses("ddos", "detect", none, code: .noInput, saying: "none.pcap")
    try house.refuses("ddos", "detect", notes, code: .badData, saying: "notes.pcap")
    try house.refuses("ddos", "show", "--file", none, code: .noInput, saying: "none.pcap")
    try house.refuses("ddos", "scanners", none, code: .noInput, saying: "none.pcap")
    try house.refuses(
      "ddos", "reflectors", notes, code: .usage, saying: "which addresses are one's own")
    try house.refuses(
      "ddos", "reflectors", "--own", "203.0.113.0/24", notes, code: .badData, saying: "notes.pcap")
    try house.refuses(
      "ddos", "detect", notes, "--protect", "203.0.113", code: .usage, saying: "203.0.113")
    try house.refuses(
      "ddos", "detect", notes, "--limit-packets", "0", code: .usage,
      saying: "Limits must be above 0")
    try house.refuses(
      "ddos", "attacks", "--address", "everyone", code: .usage, saying: "is no address")
    try house.refuses(
      "ddos", "mitigate", "x", "--next-hop", "there", code: .usage, saying: "is no address")
    try house.refuses(
      "ddos", "mitigate", "x", "--community", "1:2:3", code: .usage, saying: "--community is such")
    try house.refuses("ddos", "mitigate", "x", "--as", "prayer", code: .usage, saying: "prayer")
    try house.refuses(
      "ddos", "sources", "x", "--limit=-1", code: .usage, saying: "--limit must be 0 or more")
    try house.refuses("ddos", "show", "--frobnicate", code: .usage, saying: "frobnicate")
    // Peace: exit code 2, and an empty list.
    try DayOfFlows(people: 200).write(to: house.data + "/flows")
    let peace = try house.run(
      ["ddos", "detect", "--purpose", "x", "--format", "json", "--limit-packets", "100000000"]
        + Self.protect)
    #expect(peace.code == ExitStatus.negative.rawValue)
    #expect(try peace.rows().isEmpty)
  }
}
