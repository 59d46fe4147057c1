import FlowRecords
import Foundation
import FoundationNetworking
import NetworkTypes
import Testing

@Suite(
  "Detection in the house",
  .enabled(if: isProgramBuilt, "the program was not built beside the tests")
)
struct DetectionServeTests {
  private func send(_ flows: [FlowRecord], to house: ServedHouse, rate: Double? = nil) throws {
    let sender = try FlowSender(
      to: .init(address: IPAddress(v4: 0x7f00_0001), port: house.port),
      EncoderParameters(version: .ipfix), flowsPerSecond: rate)
    let batch = FlowBatch(capacity: max(1, flows.count))
    for flow in flows { batch.append(flow) }
    try sender.send(batch, exportTime: Timestamp(seconds: Int64(Date().timeIntervalSince1970)))
  }

  private func flow(
    _ start: Double, _ source: String, _ destination: String, port: UInt16, clientPort: UInt16,
    transport: UInt8 = 6, flags: UInt8 = 0x1b, packets: UInt64 = 5, bytes: UInt64 = 400,
    seconds: Double = 0.3
  ) throws -> FlowRecord {
    var flow = FlowRecord()
    flow.start = Timestamp(nanoseconds: Int64(start * 1e9))
    flow.end = flow.start.advanced(bySeconds: seconds)
    flow.source = try #require(IPAddress(source))
    flow.destination = try #require(IPAddress(destination))
    flow.sourcePort = clientPort
    flow.destinationPort = port
    flow.transport = IPProtocol(rawValue: transport)
    flow.tcpFlags = flags
    flow.packets = packets
    flow.bytes = bytes
    return flow
  }

  /// A network of 40 clients that browse for ten hours; one of them scans, and calls its controller
  /// every three minutes.
  private func infectedNetwork(endingAt end: Double) throws -> [FlowRecord] {
    let start = end - 36_000
    var flows: [FlowRecord] = []
    for client in 1...40 {
      for visit in 0..<30 {
        let second = start + Double((client * 7_919 + visit * visit * 104_729) % 35_000)
        let server = "198.51.100.\((client + visit) % 20 + 1)"
        let bytes = UInt64(300 + (client * visit * 37) % 5_000)
        let port = UInt16(40_000 + visit)
        flows.append(
          try flow(
            second, "203.0.113.\(client)", server, port: 443, clientPort: port, bytes: bytes))
        flows.append(
          try flow(
            second, server, "203.0.113.\(client)", port: port, clientPort: 443, flags: 0x1b,
            bytes: bytes * 4))
      }
    }
    for index in 0..<300 {
      flows.append(
        try flow(
          start + Double(index) * 100, "203.0.113.7", "198.18.\(index % 256).\(index % 251 + 1)",
          port: 23, clientPort: UInt16(20_000 + index), flags: 2, packets: 1, bytes: 40))
    }
    for beat in 0..<195 {
      let second = start + 100 + Double(beat) * 180
      let port = UInt16(30_000 + beat)
      flows.append(
        try flow(second, "203.0.113.7", "192.0.2.66", port: 6_667, clientPort: port))
      flows.append(
        try flow(second, "192.0.2.66", "203.0.113.7", port: port, clientPort: 6_667, bytes: 300))
    }
    flows.sort { $0.end < $1.end }
    return flows
  }

  private func metrics(_ portal: String) async throws -> String {
    let address = try #require(URL(string: portal + "/metrics"))
    let (octets, _) = try await URLSession.shared.data(from: address)
    return String(decoding: octets, as: UTF8.self)
  }

  private func value(_ name: String, in metrics: String) -> Double? {
    metrics.split(separator: "\n").first { $0.hasPrefix(name + " ") }
      .flatMap { Double($0.dropFirst(name.count + 1)) }
  }

  @Test("a controller is found in what serve collects, live and from the archive after a restart")
  func controller() async throws {
    let house = ServedHouse()
    let data = house.path
    house.settings = [
      "NOROSHI_DETECTION_ENABLED": "yes", "NOROSHI_DETECTION_HOME": "203.0.113.0/24",
      "NOROSHI_DETECTION_INTERVAL_MINUTES": "1",
    ]
    try house.run("init", data)
    var portal = try await house.serve()
    let flows = try infectedNetwork(endingAt: Date().timeIntervalSince1970 - 5)
    try send(flows, to: house, rate: 20_000)
    try await house.wait("a ranking") {
      let now = try await metrics(portal)
      return value("noroshi_detection_reported_servers", in: now) == 1
    }
    var now = try await metrics(portal)
    #expect(value("noroshi_detection_contacts_total", in: now) == Double(flows.count))
    #expect(value("noroshi_detection_dropped_total", in: now) == 0)
    let live = try house.run("flows", "servers", "--format", "json", "--data", data)
    #expect(live.contains("192.0.2.66:6667/tcp"))
    let cases = try house.run("case", "list", "--format", "csv", "--data", data)
    #expect(cases.contains("command-and-control"))
    #expect(house.stop() == 0)

    // Judged wrong, it is below the line the next time, which reads the archive.
    try house.run(
      "flows", "verdict", "192.0.2.66:6667", "wrong", "--reason", "our own honeypot", "--data", data
    )
    // What rested on it alone is closed, and is not told any more.
    let left = try house.run(
      "case", "list", "--filter", "state=open", "--format", "csv", "--data", data)
    #expect(!left.contains("192.0.2.66") && !left.contains("203.0.113.7"))
    portal = try await house.serve()
    try await house.wait("a ranking") {
      now = try await metrics(portal)
      return value("noroshi_detection_rankings_total", in: now) == 1
    }
    #expect(value("noroshi_detection_contacts_total", in: now) == Double(flows.count))
    #expect(value("noroshi_detection_reported_servers", in: now) == 0)
    #expect(house.stop() == 0)
    let audit = try house.run("audit", "list", "--format", "csv", "--data", data)
    #expect(audit.contains(",system:detection,flows.search.ended,"))
  }

  @Test("a flood is told of while it runs, with its sources, and its end is stored")
  func flood() async throws {
    let house = ServedHouse()
    let data = house.path
    house.settings = [
      "NOROSHI_DDOS_ENABLED": "yes", "NOROSHI_DDOS_PROTECT": "203.0.113.0/24",
      "NOROSHI_DDOS_QUIET_SECONDS": "5",
    ]
    try house.run("init", data)
    let portal = try await house.serve()
    var ongoing = 0.0
    for round in 0..<40 where ongoing == 0 {
      let now = Date().timeIntervalSince1970
      try send(
        try (0..<200).map { index in
          try flow(
            now - 1, "198.51.100.\(index)", "203.0.113.9", port: 80,
            clientPort: UInt16(1_024 + (index * 7 + round) % 60_000), transport: 17, flags: 0,
            packets: 100, bytes: 100_000, seconds: 0.9)
        }, to: house)
      try await Task.sleep(for: .milliseconds(100))
      ongoing = value("noroshi_ddos_ongoing_attacks", in: try await metrics(portal)) ?? 0
    }
    #expect(ongoing == 1)
    let attacks = try house.run("ddos", "attacks", "--format", "json", "--data", data)
    #expect(attacks.contains("203.0.113.9"))
    try await house.wait("the end") {
      value("noroshi_ddos_ongoing_attacks", in: try await metrics(portal)) == 0
    }
    let after = try await metrics(portal)
    // More than one where this machine was too busy to send for seconds.
    #expect((value("noroshi_ddos_attacks_total", in: after) ?? 0) >= 1)
    #expect(value("noroshi_ddos_dropped_total", in: after) == 0)
    #expect(house.stop() == 0)
    let cases = try house.run("case", "list", "--format", "csv", "--data", data)
    #expect(cases.contains("dos-victim"))
  }

  @Test("detection without flows is refused, and says which key is missing")
  func withoutFlows() throws {
    let house = ServedHouse()
    try house.run("init", house.path)
    house.settings = ["NOROSHI_DDOS_ENABLED": "yes", "NOROSHI_FLOWS_ENABLED": "no"]
    let text = try house.refused("config", "check", "--data", house.path)
    #expect(text.contains("flows.enabled"))
  }
}
