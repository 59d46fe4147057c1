import NetworkTypes
import PacketCapture
import Testing

@testable import Telescope

@Suite("Fingerprints of a source")
struct FingerprintTallyTests {
  private func mirai(_ address: String) throws -> PacketHeaders {
    var headers = try FingerprintSamples.syn(to: address)
    headers.sequence = UInt32(truncatingIfNeeded: headers.destination.bits)
    return headers
  }

  @Test("a tally takes 56 octets")
  func size() {
    #expect(MemoryLayout<FingerprintTally>.stride == 56)
  }

  @Test("no tool is named on one or two packets, and three of four are not enough")
  func thresholds() throws {
    let hit = try mirai("198.18.7.7")
    let other = try FingerprintSamples.syn(sequence: 9)
    #expect(FingerprintSamples.decide([hit]).isEmpty)
    #expect(FingerprintSamples.decide([hit, hit]).isEmpty)
    #expect(FingerprintSamples.decide([hit, hit, hit]).map(\.tool) == ["mirai"])
    #expect(FingerprintSamples.decide([hit, hit, hit, other]).isEmpty)
    let most = FingerprintSamples.decide([hit, hit, other, hit, hit])
    #expect(most.map(\.rule) == ["mirai"])
    #expect(most.first?.share == 0.8)
    #expect(most.first?.packets == 4)
    #expect(most.first?.malware == "mirai")
  }

  @Test("the exact version comes before the general rule")
  func specificFirst() throws {
    let packets = try (0..<5).map { n in
      var headers = try FingerprintSamples.syn(
        to: "198.18.3.\(n)", sequence: UInt32(n) &* 0x9e37_79b1, window: 1025, ttl: 240,
        options: "mss")
      headers.maximumSegmentSize = 1460
      headers.ipLength = 44
      headers.identification = UInt16(
        truncatingIfNeeded: UInt32(truncatingIfNeeded: headers.destination.bits) ^ 80
          ^ headers.sequence)
      return headers
    }
    #expect(FingerprintSamples.decide(packets).map(\.rule) == ["masscan-1.3.9", "masscan"])
  }

  @Test("nmap's retries, whose sequence numbers differ by a repeated nonce, are nmap's")
  func nmapRetries() throws {
    // The three sequence numbers of a real run (nDPI's synscan.pcap, see telescope research).
    let numbers: [UInt32] = [0xdd52_8318, 0xdd53_8319, 0xdc52_8218, 0xdd52_8318]
    var packets = try numbers.enumerated().map { n, sequence in
      var headers = try FingerprintSamples.syn(
        sequence: sequence, window: 1024, ttl: 40 + UInt8(n), options: "mss")
      headers.maximumSegmentSize = 1460
      headers.ipLength = 44
      return headers
    }
    #expect(FingerprintSamples.decide(packets).map(\.rule) == ["nmap-syn"])
    for index in packets.indices { packets[index].sequence = UInt32(index) &* 0x9e37_79b1 }
    #expect(FingerprintSamples.decide(packets).isEmpty)
  }

  @Test("hping3 is certain by its source ports and probable without them")
  func hping() throws {
    let growing = try (0..<6).map {
      try FingerprintSamples.syn(
        from: UInt16(truncatingIfNeeded: 65_533 + $0), sequence: UInt32($0) &* 0x9e37_79b1,
        window: 512)
    }
    #expect(FingerprintSamples.decide(growing).map(\.rule) == ["hping3", "hping3-window"])
    let fixed = try (0..<6).map {
      try FingerprintSamples.syn(sequence: UInt32($0) &* 0x9e37_79b1, window: 512)
    }
    #expect(FingerprintSamples.decide(fixed).map(\.rule) == ["hping3-window"])
  }

  @Test("unicornscan's key is found in both byte orders", arguments: [false, true])
  func unicornscan(reversed: Bool) throws {
    let packets = try (1...6).map { n in
      var headers = try FingerprintSamples.syn(
        to: "198.18.\(n).\(200 - n)", port: UInt16(20 + n), from: UInt16(3000 + 977 * n), ttl: 120)
      let address = UInt32(truncatingIfNeeded: headers.destination.bits)
      headers.sequence =
        0xfeed_beef ^ (reversed ? address.byteSwapped : address)
        ^ (UInt32(headers.destinationPort) << 16 + UInt32(headers.sourcePort))
      return headers
    }
    #expect(FingerprintSamples.decide(packets).map(\.rule) == ["unicornscan"])
  }

  @Test("Mirai, and a SYN that is only sent again, do not pass for unicornscan")
  func notUnicornscan() throws {
    let bot = try (1...6).map { try mirai("198.18.9.\($0)") }
    #expect(FingerprintSamples.decide(bot).map(\.tool) == ["mirai"])
    let again = Array(repeating: try FingerprintSamples.syn(), count: 6)
    #expect(FingerprintSamples.decide(again).isEmpty)
  }

  @Test("two halves merged decide as the whole does")
  func merging() throws {
    let packets = try (0..<400).map { n -> PacketHeaders in
      n % 10 == 0
        ? try FingerprintSamples.syn(sequence: UInt32(n) &* 0x9e37_79b1, window: 512)
        : try mirai("198.18.\(n >> 8).\(n & 255)")
    }
    let whole = FingerprintSamples.tally(packets)
    for cut in [0, 1, 2, 57, 399, 400] {
      var merged = FingerprintSamples.tally(Array(packets[..<cut]))
      merged.merge(FingerprintSamples.tally(Array(packets[cut...])))
      #expect(merged.considered == 400)
      #expect(FingerprintSamples.matcher.decide(merged) == FingerprintSamples.matcher.decide(whole))
    }
  }

  @Test("long runs keep their shares when the pair counters are halved")
  func longRun() throws {
    var tally = FingerprintTally()
    for n in 0..<200_000 {
      let packet = try FingerprintSamples.syn(
        from: UInt16(truncatingIfNeeded: n), sequence: UInt32(n) &* 0x9e37_79b1, window: 512)
      tally.add(mask: FingerprintSamples.matcher.match(packet), headers: packet)
    }
    #expect(tally.pairCount > 30_000)
    #expect(tally.nextPortCount == tally.pairCount)
    #expect(FingerprintSamples.matcher.decide(tally).first?.packets == 200_000)
    var twice = tally
    twice.merge(tally)
    #expect(twice.nextPortCount == twice.pairCount)
    #expect(FingerprintSamples.matcher.decide(twice).first?.packets == 400_000)
  }

  @Test("a rule that holds throughout keeps its place among passing ones")
  func places() throws {
    // Masks as a matcher gives them: bit 5 always, another bit of 0...4 in turn.
    var tally = FingerprintTally()
    let packet = try FingerprintSamples.syn()
    for n in 0..<1000 { tally.add(mask: 1 << 5 | 1 << UInt64(n % 5), headers: packet) }
    #expect(tally.counters.contains { $0.rule == 5 && $0.count >= 990 })
    #expect(tally.counters.allSatisfy { $0.count <= 1000 })
  }
}
