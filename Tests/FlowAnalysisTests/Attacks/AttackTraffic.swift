import FlowAnalysis
import FlowRecords
import Foundation
import NetworkTypes

/// Traffic that is made for tests.
enum AttackTraffic {
  /// Thursday, 2026-11-26 00:00:00 UTC.
  static let epoch = Timestamp(seconds: 1_795_651_200)
  static let victim = IPAddress(v4: 0xcb00_7107)  // 203.0.113.7
  static let network = IPPrefix(IPAddress(v4: 0xcb00_7100), length: 24)!  // 24 bits fit IPv4

  static func at(_ seconds: Double) -> Timestamp { epoch.advanced(bySeconds: seconds) }

  static func flow(
    _ from: IPAddress, _ to: IPAddress = victim, at seconds: Double, lasting: Double = 0,
    packets: UInt64, octetsPerPacket: UInt64 = 80, sourcePort: UInt16 = 40_000,
    destinationPort: UInt16 = 80, transport: IPProtocol = .udp, flags: UInt8 = 0,
    icmpType: UInt8 = 0, rate: UInt16 = 1
  ) -> AttackFlow {
    AttackFlow(
      start: at(seconds - lasting), end: at(seconds), source: from, destination: to,
      sourcePort: sourcePort, destinationPort: destinationPort, transport: transport,
      tcpFlags: flags, icmpType: icmpType, packets: packets, octets: packets &* octetsPerPacket,
      samplingRate: rate)
  }

  /// An address of the Internet that is none of the special ones.
  static func host(_ numbers: inout SeededNumbers) -> IPAddress {
    while true {
      let bits = UInt32(truncatingIfNeeded: numbers.next())
      let octet = bits >> 24
      if octet > 0, octet < 224, octet != 127, octet != 10 { return IPAddress(v4: bits) }
    }
  }

  /// A second of ordinary connections to the network, some packets each.
  static func ordinary(_ numbers: inout SeededNumbers, at second: Double, flows: Int = 100)
    -> [AttackFlow]
  {
    (0..<flows).map { index in
      let offset = Double(index) / Double(flows)
      let to = IPAddress(v4: 0xcb00_7100 + 10 + UInt32(numbers.next() % 190))
      return flow(
        host(&numbers), to, at: second + offset, lasting: 0.5, packets: 1 + numbers.next() % 20,
        octetsPerPacket: 400, sourcePort: UInt16(1_024 + numbers.next() % 60_000),
        destinationPort: 443, transport: .tcp, flags: 0b1_1011)
    }
  }

  /// Feeds flows in the order of their ends, and gives back what came of it.
  static func run(
    _ flows: [AttackFlow], protecting: [ProtectedNetwork] = [ProtectedNetwork(network)],
    parameters: AttackParameters = AttackParameters()
  ) -> (attacks: [Attack], counters: AttackCounters) {
    let monitor = AttackMonitor(protecting: protecting, parameters: parameters)
    for flow in flows.sorted(by: { $0.end < $1.end }) { monitor.ingest(flow) }
    monitor.finish()
    return (ended(monitor.takeEvents()), monitor.counters)
  }

  static func ended(_ events: [AttackEvent]) -> [Attack] {
    events.compactMap { event in
      if case .ended(let attack) = event { return attack }
      return nil
    }
  }
}

/// The captures and logs beside the repository, where they are.
enum AttackData {
  static let folder: String = {
    let shared =
      ProcessInfo.processInfo.environment["NOROSHI_SHARED"]
      ?? URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().deletingLastPathComponent().appendingPathComponent("../shared")
      .standardizedFileURL.path
    return shared + "/data/flows"
  }()
  static var isThere: Bool { FileManager.default.fileExists(atPath: folder + "/ddos") }

  static let nfdump = "/usr/bin/nfdump"
  static var hasNfdump: Bool { FileManager.default.isExecutableFile(atPath: nfdump) }

  static func path(_ name: String) -> String { folder + "/" + name }

  static func nfcapd(_ name: String) throws -> [AttackFlow] {
    let converted = FileManager.default.temporaryDirectory
      .appendingPathComponent("noroshi-\(UUID().uuidString).nfcapd").path
    defer { try? FileManager.default.removeItem(atPath: converted) }
    var reader: NfcapdReader
    do {
      reader = try NfcapdReader(path: path(name))
    } catch NfcapdError.oldLayout {
      // nfdump writes its own old files anew.
      let process = Process()
      process.executableURL = URL(fileURLWithPath: nfdump)
      process.arguments = ["-q", "-r", path(name), "-w", converted]
      try process.run()
      process.waitUntilExit()
      reader = try NfcapdReader(path: converted)
    }
    let batch = FlowBatch()
    var flows: [AttackFlow] = []
    while reader.read(into: batch) {
      for row in 0..<batch.count {
        if let flow = AttackFlow(batch, row: row) { flows.append(flow) }
      }
      batch.removeAll()
    }
    return flows
  }

  /// Each packet of an Ethernet capture of IPv4 as a flow of its own. (The test target knows no
  /// captures; the commands' tests read the same files through `PacketCapture`.)
  static func packets(_ name: String) throws -> [AttackFlow] {
    let bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: path(name))))
    func little(_ at: Int) -> Int {
      (0..<4).reduce(0) { $0 | Int(bytes[at + $1]) << (8 * $1) }
    }
    func big(_ at: Int, _ count: Int) -> UInt32 {
      (0..<count).reduce(0) { $0 << 8 | UInt32(bytes[at + $1]) }
    }
    var flows: [AttackFlow] = []
    var at = 24
    while at + 16 <= bytes.count {
      let moment = Timestamp(
        nanoseconds: Int64(little(at)) * 1_000_000_000 + Int64(little(at + 4)) * 1_000)
      let length = little(at + 8)
      let ip = at + 16 + 14
      at += 16 + length
      guard at <= bytes.count, length >= 42, big(ip - 2, 2) == 0x0800 else { continue }
      let transport = bytes[ip + 9]
      let payload = ip + Int(bytes[ip] & 15) * 4
      let isICMP = transport == 1
      flows.append(
        AttackFlow(
          start: moment, end: moment, source: IPAddress(v4: big(ip + 12, 4)),
          destination: IPAddress(v4: big(ip + 16, 4)),
          sourcePort: isICMP ? 0 : UInt16(big(payload, 2)),
          destinationPort: isICMP ? 0 : UInt16(big(payload + 2, 2)),
          transport: IPProtocol(rawValue: transport), icmpType: isICMP ? bytes[payload] : 0,
          packets: 1, octets: UInt64(big(ip + 2, 2))))
    }
    return flows
  }

  /// Argus' CSV: both directions, told apart by the ratio of octets where packets are not.
  static func argus(_ name: String) throws -> [AttackFlow] {
    let text = try String(contentsOfFile: path(name), encoding: .utf8)
    var lines = text.split(separator: "\n")
    guard !lines.isEmpty else { return [] }
    let header = lines.removeFirst().split(separator: ",", omittingEmptySubsequences: false)
    let places = Dictionary(
      header.enumerated().map { (String($1), $0) }, uniquingKeysWith: { first, _ in first })
    return lines.flatMap { line -> [AttackFlow] in
      let fields = line.split(separator: ",", omittingEmptySubsequences: false)
      func field(_ name: String) -> String {
        guard let place = places[name], place < fields.count else { return "" }
        return fields[place].trimmingCharacters(in: .whitespaces)
      }
      func port(_ name: String) -> UInt16 {
        let text = field(name)
        return text.hasPrefix("0x") ? UInt16(text.dropFirst(2), radix: 16) ?? 0 : UInt16(text) ?? 0
      }
      let moment = field("StartTime").replacing("/", with: "-").replacing(" ", with: "T")
      guard let start = Timestamp(moment), let source = IPAddress(field("SrcAddr")),
        let destination = IPAddress(field("DstAddr")),
        let transport = IPProtocol(name: field("Proto")),
        let packets = UInt64(field("TotPkts")), let octets = UInt64(field("TotBytes"))
      else { return [] }
      let end = start.advanced(bySeconds: Double(field("Dur")) ?? 0)
      let own = UInt64(field("SrcBytes")) ?? octets / 2
      let forward = UInt64(field("SrcPkts")) ?? max(1, packets * own / max(1, octets))
      let states = field("State").split(separator: "_", omittingEmptySubsequences: false)
      func flags(_ text: Substring) -> UInt8 {
        var flags: UInt8 = 0
        for (letter, bit) in [("F", 1), ("S", 2), ("R", 4), ("P", 8), ("A", 16)]
          as [(Character, UInt8)]
        where text.contains(letter) { flags |= bit }
        return flags
      }
      let isICMP = transport == .icmp
      var flows = [
        AttackFlow(
          start: start, end: end, source: source, destination: destination,
          sourcePort: isICMP ? 0 : port("Sport"), destinationPort: isICMP ? 0 : port("Dport"),
          transport: transport, tcpFlags: flags(states.first ?? ""),
          icmpType: field("State") == "ECO" ? 8 : 0, packets: max(1, forward), octets: own)
      ]
      if packets > forward {
        flows.append(
          AttackFlow(
            start: start, end: end, source: destination, destination: source,
            sourcePort: isICMP ? 0 : port("Dport"), destinationPort: isICMP ? 0 : port("Sport"),
            transport: transport, tcpFlags: states.count > 1 ? flags(states[1]) : 0,
            icmpType: field("State") == "ECO" ? 0 : 3, packets: packets - forward,
            octets: octets - min(own, octets)))
      }
      return flows
    }
  }

  /// Zeek's conn.log, as text with tabs or as JSON lines.
  static func zeek(_ name: String) throws -> [AttackFlow] {
    let text = try String(contentsOfFile: path(name), encoding: .utf8)
    var names: [String] = []
    return text.split(separator: "\n").flatMap { line -> [AttackFlow] in
      var fields: [String: String] = [:]
      if line.hasPrefix("{") {
        let object = (try? JSONSerialization.jsonObject(with: Data(line.utf8))) as? [String: Any]
        fields = (object ?? [:]).mapValues { "\($0)" }
      } else if line.hasPrefix("#fields") {
        names = line.split(separator: "\t").dropFirst().map(String.init)
        return []
      } else if line.hasPrefix("#") {
        return []
      } else {
        for (index, value) in line.split(separator: "\t", omittingEmptySubsequences: false)
          .enumerated()
        where index < names.count { fields[names[index]] = String(value) }
      }
      guard let seconds = Double(fields["ts"] ?? ""),
        let source = IPAddress(fields["id.orig_h"] ?? ""),
        let destination = IPAddress(fields["id.resp_h"] ?? ""),
        let transport = IPProtocol(name: fields["proto"] ?? "")
      else { return [] }
      let start = Timestamp(nanoseconds: Int64(seconds * 1e9))
      let end = start.advanced(bySeconds: Double(fields["duration"] ?? "") ?? 0)
      func number(_ name: String) -> UInt64 { UInt64(fields[name] ?? "") ?? 0 }
      let history = fields["history"] ?? ""
      func flags(_ isOriginator: Bool) -> UInt8 {
        var flags: UInt8 = 0
        for letter in history where letter.isUppercase == isOriginator {
          switch letter.lowercased() {
          case "s": flags |= 2
          case "h": flags |= 18
          case "a", "d": flags |= 16
          case "f": flags |= 17
          case "r": flags |= 4
          default: break
          }
        }
        return flags
      }
      let ports = (
        UInt16(fields["id.orig_p"] ?? "") ?? 0, UInt16(fields["id.resp_p"] ?? "") ?? 0
      )
      let isICMP = transport == .icmp
      var flows = [
        AttackFlow(
          start: start, end: end, source: source, destination: destination,
          sourcePort: isICMP ? 0 : ports.0, destinationPort: isICMP ? 0 : ports.1,
          transport: transport, tcpFlags: flags(true),
          icmpType: isICMP ? UInt8(clamping: ports.0) : 0, packets: max(1, number("orig_pkts")),
          octets: number("orig_ip_bytes"))
      ]
      if number("resp_pkts") > 0 {
        flows.append(
          AttackFlow(
            start: start, end: end, source: destination, destination: source,
            sourcePort: isICMP ? 0 : ports.1, destinationPort: isICMP ? 0 : ports.0,
            transport: transport, tcpFlags: flags(false),
            icmpType: isICMP ? UInt8(clamping: ports.1) : 0, packets: number("resp_pkts"),
            octets: number("resp_ip_bytes")))
      }
      return flows
    }
  }
}
