import FlowArchive
import FlowRecords
import FlowSamples
import Foundation
import NetworkTypes

/// nfcapd as a receiver of NetFlow v9, and nfdump as an oracle.
enum Nfdump {
  static let isHere = isOnPath("nfcapd") && isOnPath("nfdump")

  struct Failure: Error { let text: String }

  struct Row {
    var key: [String]
    var flows: UInt64
    var packets: UInt64
    var bytes: UInt64
    var milliseconds: UInt64

    func measure(_ order: FlowQuery.Order) -> UInt64 {
      switch order {
      case .flows: flows
      case .packets: packets
      case .bytes: bytes
      case .pps: milliseconds == 0 ? 0 : packets * 1_000 / milliseconds
      case .bps: milliseconds == 0 ? 0 : bytes * 8_000 / milliseconds
      default: packets == 0 ? 0 : bytes / packets
      }
    }
  }

  // MARK: nfdump

  /// Rows of nfdump's CSV by column name, without its summary.
  static func csv(_ arguments: [String], _ filter: String) throws -> [[String: String]] {
    let result = try run(
      ["nfdump", "-C", "none"] + arguments + [filter], environment: ["TZ": "UTC"])
    guard result.status == 0 else { throw Failure(text: result.output) }
    let lines = result.output.split(separator: "\n").map(String.init)
    guard let head = lines.firstIndex(where: { $0.hasPrefix("ts,") }) else { return [] }
    let names = lines[head].split(separator: ",", omittingEmptySubsequences: false).map(String.init)
    var rows: [[String: String]] = []
    for line in lines[(head + 1)...] {
      // The summary begins.
      if line.hasPrefix("Summary") { break }
      let fields = line.split(separator: ",", omittingEmptySubsequences: false).map {
        $0.trimmingCharacters(in: .whitespaces)
      }
      guard fields.count >= names.count - 1, fields.count > 5 else { continue }
      rows.append(Dictionary(zip(names, fields), uniquingKeysWith: { first, _ in first }))
    }
    return rows
  }

  static func sums(
    _ file: String, _ filter: String, _ more: [String] = []
  ) throws -> (flows: UInt64, packets: UInt64, bytes: UInt64) {
    let rows = try csv(["-r", file, "-N", "-o", "csv"] + more, filter)
    return (
      UInt64(rows.count), rows.reduce(0) { $0 + (UInt64($1["ipkt"] ?? "") ?? 0) },
      rows.reduce(0) { $0 + (UInt64($1["ibyt"] ?? "") ?? 0) }
    )
  }

  static func table(
    _ file: String, _ arguments: [String], _ filter: String, values: [String], octets: String,
    packets: String
  ) throws -> [Row] {
    try csv(["-r", file, "-N", "-o", "csv"] + arguments, filter).map { row in
      let seconds = Double(row["td"] ?? "") ?? 0
      return Row(
        key: values.map { number(row[$0] ?? "") }, flows: UInt64(row["fl"] ?? "") ?? 0,
        packets: UInt64(row[packets] ?? row["pkt"] ?? "") ?? 0,
        bytes: UInt64(row[octets] ?? row["byt"] ?? "") ?? 0,
        milliseconds: UInt64((seconds * 1_000).rounded()))
    }
  }

  /// nfdump writes protocols by name.
  static func number(_ text: String) -> String {
    let names = ["TCP": "6", "UDP": "17", "ICMP": "1", "ICMP6": "58"]
    return names[text] ?? text
  }

  // MARK: nfcapd

  /// Sends flows to an nfcapd of our own and gives back its file.
  static func record(_ flows: [FlowRecord], in folder: TemporaryFolder) throws -> String {
    let store = folder.file("nfcapd")
    try FileManager.default.createDirectory(atPath: store, withIntermediateDirectories: true)
    let socket = socket(AF_INET, Int32(SOCK_DGRAM.rawValue), 0)
    defer { close(socket) }
    var port: UInt16 = 0
    // A free port: ask the system for one and give it back.
    let probe = Glibc.socket(AF_INET, Int32(SOCK_DGRAM.rawValue), 0)
    var address = loopback(0)
    withPointer(to: &address) { pointer, length in _ = bind(probe, pointer, length) }
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    withPointer(to: &address) { pointer, _ in _ = getsockname(probe, pointer, &length) }
    port = UInt16(bigEndian: address.sin_port)
    close(probe)
    let nfcapd = try spawn([
      "nfcapd", "-b", "127.0.0.1", "-p", "\(port)", "-w", store, "-t", "3600", "-B", "4000000",
    ])
    Thread.sleep(forTimeInterval: 1)
    var target = loopback(port)
    for datagram in datagrams(flows) {
      withPointer(to: &target) { pointer, length in
        _ = datagram.withUnsafeBytes {
          sendto(socket, $0.baseAddress, $0.count, 0, pointer, length)
        }
      }
      usleep(500)
    }
    Thread.sleep(forTimeInterval: 1)
    kill(nfcapd, SIGTERM)
    var status: Int32 = 0
    waitpid(nfcapd, &status, 0)
    guard let name = folder.names("").first(where: { $0.hasPrefix("nfcapd/nfcapd.2") }) else {
      throw Failure(text: "nfcapd left no file: \(folder.names(""))")
    }
    return folder.file(name)
  }

  private static func loopback(_ port: UInt16) -> sockaddr_in {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    return address
  }

  private static func withPointer(
    to address: inout sockaddr_in, _ body: (UnsafeMutablePointer<sockaddr>, socklen_t) -> Void
  ) {
    withUnsafeMutablePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        body($0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
  }

  // MARK: NetFlow v9 (RFC 3954)

  /// Field types and lengths of the template for a family.
  private static func fields(isIPv6: Bool) -> [(UInt16, UInt16)] {
    (isIPv6 ? [(27, 16), (28, 16), (62, 16)] : [(8, 4), (12, 4), (15, 4)])
      + [
        (7, 2), (11, 2), (4, 1), (6, 1), (5, 1), (2, 8), (1, 8), (22, 4), (21, 4), (10, 4), (14, 4),
        (16, 4), (17, 4), isIPv6 ? (29, 1) : (9, 1), isIPv6 ? (30, 1) : (13, 1), (58, 2), (59, 2),
        (56, 6), (57, 6), (32, 2),
      ]
  }

  private static func datagrams(_ flows: [FlowRecord]) -> [[UInt8]] {
    // The router started an hour before the first flow; its clock says one hour after.
    let boot = Flows.base - 3_600_000
    let now = Flows.base + 3_600_000
    var sequence: UInt32 = 0
    func header(_ count: Int) -> [UInt8] {
      defer { sequence += 1 }
      return big(UInt16(9)) + big(UInt16(count)) + big(UInt32(now - boot))
        + big(UInt32(now / 1_000)) + big(sequence) + big(UInt32(1))
    }
    var result: [[UInt8]] = []
    var templates: [UInt8] = []
    for isIPv6 in [false, true] {
      let fields = fields(isIPv6: isIPv6)
      let body =
        big(UInt16(isIPv6 ? 261 : 260)) + big(UInt16(fields.count))
        + fields.flatMap { big($0.0) + big($0.1) }
      templates += big(UInt16(0)) + big(UInt16(body.count + 4)) + body
    }
    result.append(header(2) + templates)
    for isIPv6 in [false, true] {
      let chosen = flows.filter { !$0.source.isIPv4 == isIPv6 }
      for start in stride(from: 0, to: chosen.count, by: 10) {
        let part = chosen[start..<min(start + 10, chosen.count)]
        var body = part.flatMap { record($0, isIPv6, boot) }
        while body.count % 4 != 0 { body.append(0) }
        result.append(
          header(part.count) + big(UInt16(isIPv6 ? 261 : 260)) + big(UInt16(body.count + 4)) + body)
      }
    }
    return result
  }

  private static func record(_ flow: FlowRecord, _ isIPv6: Bool, _ boot: Int64) -> [UInt8] {
    func address(_ address: IPAddress) -> [UInt8] {
      isIPv6 ? big(address.bits) : big(address.v4 ?? 0)
    }
    func uptime(_ time: Timestamp) -> [UInt8] {
      big(UInt32(time.nanoseconds / 1_000_000 - boot))
    }
    var octets = address(flow.source) + address(flow.destination) + address(flow.nextHop)
    octets += big(flow.sourcePort) + big(flow.destinationPort)
    octets += [flow.transport.rawValue, flow.tcpFlags, flow.typeOfService]
    octets += big(flow.packets) + big(flow.bytes) + uptime(flow.start) + uptime(flow.end)
    octets += big(flow.inputInterface) + big(flow.outputInterface)
    octets += big(flow.sourceAS) + big(flow.destinationAS)
    octets += [flow.sourceMask, flow.destinationMask]
    octets += big(flow.sourceVLAN) + big(flow.destinationVLAN)
    octets += big(flow.sourceMAC).suffix(6) + big(flow.postDestinationMAC).suffix(6)
    let isICMP = flow.transport == .icmp || flow.transport == .icmpv6
    octets += big(isICMP ? flow.destinationPort : 0)
    return octets
  }

  private static func big<Word: FixedWidthInteger>(_ word: Word) -> [UInt8] {
    withUnsafeBytes(of: word.bigEndian) { Array($0) }
  }
}
