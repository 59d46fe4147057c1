import Foundation
import NetworkTypes
import PacketCapture
import Testing

/// What one file's packets decode to.
private func decodeAll(_ path: String) throws -> [(outcome: DecodeOutcome, headers: PacketHeaders)]
{
  var reader = try CaptureReader(path: path)
  var result: [(DecodeOutcome, PacketHeaders)] = []
  while try reader.read(
    limit: 1000,
    { record, bytes in
      var headers = PacketHeaders()
      let outcome = PacketDecoder.decode(record, bytes, into: &headers)
      result.append((outcome, headers))
    }) > 0
  {}
  #expect(reader.ending == .complete)
  return result
}

@Suite("Captures of other programs", .enabled(if: Samples.arePresent))
struct RealCaptureTests {
  @Test("the same packets are the same in pcap, nanosecond pcap and pcapng")
  func sameInEveryFormat() throws {
    let folder = "formats/libtrace/100_packets"
    let micro = try drain(CaptureReader(path: Samples.path(folder + ".pcap")))
    let nano = try drain(CaptureReader(path: Samples.path(folder + "ns.pcap")))
    let next = try drain(CaptureReader(path: Samples.path(folder + ".pcapng")))
    #expect(micro.packets.count == 100 && micro.ending == .complete)
    #expect(nano.packets.map(\.bytes) == micro.packets.map(\.bytes))
    #expect(
      nano.packets.map { $0.nanoseconds / 1000 } == micro.packets.map { $0.nanoseconds / 1000 })
    #expect(next.packets == micro.packets)
    #expect(next.ending == .complete)
  }

  @Test("interfaces of several link types lie in one file")
  func complexFile() throws {
    let (packets, ending) = try drain(
      CaptureReader(path: Samples.path("formats/libtrace/complex.pcapng")))
    #expect(packets.count == 5 && ending == .complete)
    #expect(Set(packets.map(\.linkType)).count > 1)
  }

  @Test("stacks of VLAN tags and labels, cooked captures and PPPoE are decoded")
  func linkLayers() throws {
    // What is not IP: ARP behind two tags, EAPOL, PPP control, unknown EtherTypes. The two cut
    // frames of 8021x.pcap are "[|ether]" to tcpdump as well.
    let files: [(name: String, count: Int, outcomes: Set<DecodeOutcome>)] = [
      ("formats/libtrace/vlan.pcap", 395, [.decoded, .notIP]),
      ("formats/libtrace/8021x.pcap", 77, [.decoded, .notIP, .truncatedLink]),
      ("formats/libtrace/qinq.pcap", 2, [.notIP]), ("formats/libtrace/mpls.pcap", 10, [.decoded]),
      ("formats/libtrace/100_sll.pcap", 100, [.notIP]),
      ("formats/libtrace/sll.pcap.gz", 100, [.decoded]),
      ("scan-detect/maltrail/vlan.pcap", 3, [.decoded]),
      ("scan-detect/maltrail/pppoe.pcap", 3, [.decoded, .notIP]),
      ("scan-detect/maltrail/dlt_raw.pcap", 1, [.decoded]),
      ("scan-detect/maltrail/dlt_sll.pcap", 1, [.decoded]),
      ("scan-detect/maltrail/ipv4_options.pcap", 1, [.decoded]),
      ("scan-detect/maltrail/ipv6.pcap", 3, [.decoded]),
    ]
    for file in files {
      let packets = try decodeAll(Samples.path(file.name))
      #expect(packets.count == file.count, "\(file.name)")
      #expect(Set(packets.map(\.outcome)) == file.outcomes, "\(file.name)")
    }
    let truncated = try decodeAll(Samples.path("scan-detect/maltrail/truncated.pcap"))
    #expect(truncated.count == 10)
    let fragments = try decodeAll(Samples.path("scan-detect/maltrail/fragments.pcap"))
    #expect(fragments.contains { $0.headers.traits.contains(.fragment) })
  }

  @Test("all 64 combinations of TCP flags are read as they are")
  func tcpFlags() throws {
    let packets = try decodeAll(Samples.path("generated/tcp-flags-64.pcap"))
    #expect(packets.map { Int($0.headers.tcpFlags) } == Array(0..<64))
    #expect(
      packets.allSatisfy {
        UInt8(truncatingIfNeeded: $0.headers.destination.bits) == $0.headers.tcpFlags
      })
  }

  @Test("Mirai's packets carry their destination as sequence number")
  func mirai() throws {
    let packets = try decodeAll(Samples.path("generated/mirai-synthetic-50bots.pcap"))
    #expect(packets.count == 2000)
    #expect(packets.allSatisfy { $0.headers.sequence == $0.headers.destination.v4 })
    #expect(packets.count { $0.headers.destinationPort == 2323 } == 200)
    #expect(Set(packets.map { $0.headers.source }).count == 50)
  }

  @Test("the truth of the synthetic telescope is found, through gzip")
  func syntheticTelescope() throws {
    let packets = try decodeAll(Samples.path("generated/telescope-synthetic-200k.pcap.gz"))
    func count(_ test: (PacketHeaders) -> Bool) -> Int { packets.count { test($0.headers) } }
    #expect(packets.count == 200_000 && packets.allSatisfy { $0.outcome == .decoded })
    #expect(count { $0.identification == 54_321 } == 60_395)
    #expect(count { $0.tcpFlags == 2 } == 139_983)
    #expect(count { $0.tcpFlags == 0x12 } == 15_997)
    #expect(count { $0.tcpFlags & 4 != 0 } == 5_994)
    #expect(count { $0.transport == .udp } == 24_151)
    #expect(count { $0.transport == .icmp && $0.icmpType == 8 } == 9_903)
    #expect(count { $0.transport == .icmp && [3, 11].contains($0.icmpType) } == 3_972)
    #expect(count { $0.traits.contains(.quotesPacket) } == 3_972)
    #expect(count { $0.tcpFlags == 2 && $0.sequence == $0.destination.v4 } == 15_873)
  }

  static let filters: [(String, @Sendable (PacketHeaders) -> Bool)] = [
    ("ip", { $0.source.isIPv4 }), ("tcp", { $0.transport == .tcp }),
    ("udp", { $0.transport == .udp }), ("icmp", { $0.transport == .icmp }),
    (
      "tcp[tcpflags] & (tcp-syn|tcp-ack) == tcp-syn",
      { $0.transport == .tcp && $0.tcpFlags & 0x12 == 2 }
    ),
    ("tcp[tcpflags] & (tcp-syn|tcp-ack) == tcp-syn|tcp-ack", { $0.tcpFlags & 0x12 == 0x12 }),
    ("tcp[tcpflags] & tcp-rst != 0", { $0.tcpFlags & 4 != 0 }),
    ("dst port 23", { $0.icmpType == 0 && $0.destinationPort == 23 }),
    ("tcp dst port 80", { $0.transport == .tcp && $0.destinationPort == 80 }),
    (
      "tcp src portrange 1024-32767",
      { $0.transport == .tcp && (1024...32767).contains($0.sourcePort) }
    ),
    ("ip[4:2] == 54321", { $0.identification == 54_321 }),
    ("tcp[4:4] == ip[16:4]", { $0.transport == .tcp && $0.sequence == $0.destination.v4 }),
    ("tcp[14:2] == 1024", { $0.transport == .tcp && $0.window == 1024 }),
    ("tcp[12] & 0xf0 > 0x50", { $0.transport == .tcp && $0.dataOffset > 5 }),
    ("ip[8] > 128", { $0.timeToLive > 128 }),
    ("ip[6] & 0x40 != 0", { $0.traits.contains(.dontFragment) }),
    ("ip[2:2] > 44", { $0.ipLength > 44 }),
    ("icmp[0] == 3", { $0.transport == .icmp && $0.icmpType == 3 }),
    ("icmp[0] == 3 and icmp[17] == 6", { $0.icmpType == 3 && $0.quotedTransport == .tcp }),
    (
      "icmp[0] == 3 and icmp[20:4] == ip[16:4]",
      { $0.traits.isSuperset(of: .quotesPacket) && !$0.traits.contains(.quoteMismatch) }
    ),
    ("icmp[0] == 3 and icmp[30:2] == 80", { $0.icmpType == 3 && $0.destinationPort == 80 }),
  ]

  @Test("tcpdump counts the same packets", .enabled(if: Tool("tcpdump") != nil))
  func sameAsTcpdump() throws {
    let tcpdump = try #require(Tool("tcpdump"))
    let files =
      try Samples.captures("generated").filter { $0.hasSuffix(".pcap") }
      + ["scan-detect/ncsa-simple-scan/backscatter.trace"]
    #expect(files.count > 20)
    var compared = 0
    var matched = 0
    for file in files {
      let packets = try decodeAll(Samples.path(file))
      for (filter, test) in Self.filters {
        let output = try tcpdump.run(["-r", Samples.path(file), "--count", filter])
        let text = String(decoding: output, as: UTF8.self)
        let theirs = try #require(Int(text.prefix { $0.isNumber }))
        let ours = packets.count { $0.outcome == .decoded && test($0.headers) }
        #expect(ours == theirs, "\(file): \(filter)")
        compared += 1
        if theirs > 0 { matched += 1 }
      }
    }
    #expect(compared >= 480)
    #expect(matched >= 100)
  }

  @Test("real backscatter quotes the packets that provoked it")
  func backscatter() throws {
    let packets = try decodeAll(
      Samples.path("scan-detect/ncsa-simple-scan/backscatter.trace"))
    #expect(packets.count == 4771)
    #expect(packets.count { $0.headers.tcpFlags & 0x12 == 0x12 } == 3431)
    let errors = packets.map(\.headers).filter { $0.transport == .icmp }
    #expect(errors.count == 28 && errors.allSatisfy { $0.icmpType == 3 })
    #expect(errors.allSatisfy { $0.traits.contains(.quotesPacket) })
    #expect(errors.allSatisfy { !$0.traits.contains(.quoteMismatch) })
    #expect(errors.allSatisfy { $0.quotedDestination.isIPv4 })
  }

  @Test("every sample is read to its end and its packets never trap")
  func everySample() throws {
    for folder in [
      "formats/libtrace", "formats/goprobe", "scan-detect/maltrail", "scan-detect/ndpi",
      "scan-detect/slips", "scan-detect/ncsa-simple-scan",
    ] {
      for file in try Samples.captures(folder) {
        let packets = try decodeAll(Samples.path(file))
        #expect(!packets.isEmpty, "\(file)")
      }
    }
    let mixed = try decodeAll(Samples.path("formats/goprobe/default.pcap.gz"))
    #expect(mixed.count == 38_642)
  }
}
