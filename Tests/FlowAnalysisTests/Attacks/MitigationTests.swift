import FlowAnalysis
import Foundation
import NetworkTypes
import Testing

@Suite("Mitigation as text")
struct MitigationTests {
  @Test(
    "filters match the vector: port for reflections, sources for steady ones, a limit otherwise")
  func rules() throws {
    for attack in try AttackExchangeTests.attacks() {
      let nft = attack.mitigation(.nftables)
      let flowspec = attack.mitigation(.flowspec)
      #expect(nft.contains("ip daddr \(attack.target)"))
      switch attack.name {
      case "dns-amplification":
        #expect(nft.contains("udp sport 53"))
        #expect(flowspec.contains("source-port =53"))
        #expect(attack.mitigation(.cisco).contains("eq 53"))
      case "tcp-syn-flood":
        #expect(nft.contains("ip saddr @sources0"))
        #expect(nft.contains("tcp flags & (fin | syn | rst | ack) == syn"))
        #expect(flowspec.contains("tcp-flags [ syn&!ack ]"))
        #expect(attack.mitigation(.juniper).contains("tcp-flags \"!fin & syn & !rst & !ack\""))
      default:
        #expect(nft.contains("limit rate over 1000/second"))
        #expect(!nft.contains("@sources"))
        #expect(flowspec.contains("rate-limit"))
      }
      #expect(attack.mitigation(.rtbh).contains("route \(attack.target) next-hop"))
    }
  }

  private static func tool(_ name: String) -> String? {
    let path = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin"
    return (path.split(separator: ":").map(String.init) + ["/usr/sbin", "/sbin"])
      .map { "\($0)/\(name)" }.first { FileManager.default.isExecutableFile(atPath: $0) }
  }

  private static func run(_ tool: String, _ arguments: [String]) throws -> (Int32, String) {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: tool)
    process.arguments = arguments
    let pipe = Pipe()
    process.standardOutput = pipe
    process.standardError = pipe
    try process.run()
    let output = try pipe.fileHandleForReading.readToEnd() ?? Data()
    process.waitUntilExit()
    return (process.terminationStatus, String(decoding: output, as: UTF8.self))
  }

  /// Whether this process may make a network namespace to check rules in.
  private static let canCheck: Bool = {
    guard tool("nft") != nil, let unshare = tool("unshare") else { return false }
    return (try? run(unshare, ["-rn", "true"]).0) == 0
  }()

  @Test("nft accepts the tables", .enabled(if: canCheck))
  func nft() throws {
    let unshare = try #require(Self.tool("unshare"))
    let nft = try #require(Self.tool("nft"))
    for attack in try AttackExchangeTests.attacks() + (try Self.more()) {
      let file = FileManager.default.temporaryDirectory
        .appendingPathComponent("noroshi-\(UUID().uuidString).nft")
      defer { try? FileManager.default.removeItem(at: file) }
      try Data(attack.mitigation(.nftables).utf8).write(to: file)
      let (status, output) = try Self.run(unshare, ["-rn", nft, "-c", "-f", file.path])
      #expect(status == 0, "\(attack.name): \(output)")
    }
  }

  @Test("ExaBGP accepts the routes", .enabled(if: tool("exabgp") != nil))
  func exabgp() throws {
    let exabgp = try #require(Self.tool("exabgp"))
    for attack in try AttackExchangeTests.attacks() + (try Self.more()) {
      for format in [MitigationFormat.rtbh, .flowspec] {
        let text = """
          neighbor 127.0.0.1 {
            router-id 127.0.0.1;
            local-address 127.0.0.1;
            local-as 64512;
            peer-as 64513;
            family { ipv4 unicast; ipv6 unicast; ipv4 flow; ipv6 flow; }
          \(attack.mitigation(format))
          }

          """
        let file = FileManager.default.temporaryDirectory
          .appendingPathComponent("noroshi-\(UUID().uuidString).conf")
        defer { try? FileManager.default.removeItem(at: file) }
        try Data(text.utf8).write(to: file)
        let (status, output) = try Self.run(exabgp, ["validate", "-nrv", file.path])
        #expect(status == 0, "\(attack.name) \(format): \(output)\n\(text)")
      }
    }
  }

  /// IPv6, ICMP, fragments, RST and a whole prefix.
  static func more() throws -> [Attack] {
    let victim6 = try #require(IPAddress("2001:db8:1::7"))
    var all: [Attack] = []
    for kind in 0..<5 {
      var flows: [AttackFlow] = []
      for step in 0..<100 {
        for source in 0..<10 as Range<UInt32> {
          let from =
            kind < 3
            ? IPAddress(high: 0x2a00_0000_0000_0000 | UInt64(source), low: 1)
            : IPAddress(v4: 0x5010_0000 + source)
          let to = kind < 3 ? victim6 : AttackTraffic.victim
          flows.append(
            AttackTraffic.flow(
              from, to, at: Double(step) * 0.1, lasting: 0.1, packets: 500, octetsPerPacket: 200,
              sourcePort: kind == 0 || kind == 3 ? 0 : 7_000,
              destinationPort: kind == 0 || kind == 3 ? 0 : 443,
              transport: kind == 1 ? .icmpv6 : kind == 2 || kind == 4 ? .tcp : .udp,
              flags: kind == 4 ? 20 : kind == 2 ? 2 : 0, icmpType: kind == 1 ? 128 : 0))
        }
      }
      let attack = AttackTraffic.run(flows, protecting: []).attacks.first
      all.append(try #require(attack, "kind \(kind)"))
    }
    return all
  }
}
