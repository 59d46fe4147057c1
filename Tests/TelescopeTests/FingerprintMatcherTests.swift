import NetworkTypes
import PacketCapture
import Testing

@testable import Telescope

@Suite("Fingerprint matching")
struct FingerprintMatcherTests {
  @Test("a packet matches a rule exactly when it satisfies each of its constraints")
  func againstNaiveModel() throws {
    // A generator of our own, so that the cases are the same in every run.
    var state: UInt64 = 42
    func random(_ bound: Int) -> Int {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Int(state >> 33) % bound
    }
    let rules = FingerprintRules.standard.rules
    let windows: [UInt16] = [0, 32, 512, 1024, 1025, 2048, 4096, 14_600, 65_535, 777]
    let layouts = Set(rules.flatMap { $0.optionLayouts ?? [] }).sorted() + ["mss,nop", "ts,other"]
    var matched = 0
    for _ in 0..<100_000 {
      var h = PacketHeaders()
      h.transport = IPProtocol(rawValue: [6, 6, 6, 6, 1, 17, 132, 47][random(8)])
      h.tcpFlags = [2, 2, 2, 2, 1, 0, 0x29, 0x10, 0x12, 4, 0xc2][random(11)]
      h.icmpType = [8, 8, 13, 17, 3][random(5)]
      h.destination =
        random(10) == 0
        ? IPAddress(high: 0x2001_0db8 << 32, low: 5) : IPAddress(v4: UInt32(random(1 << 31)))
      h.sequence =
        random(4) == 0 ? UInt32(truncatingIfNeeded: h.destination.bits) : UInt32(random(1 << 31))
      h.destinationPort = UInt16(random(65_536))
      h.sourcePort = UInt16(random(65_536))
      h.timeToLive = [1, 40, 55, 60, 64, 100, 128, 250, 255][random(9)]
      h.window = windows[random(windows.count)]
      h.optionLayout = TCPOptionLayout(fingerprint: layouts[random(layouts.count)]) ?? .none
      h.maximumSegmentSize = [0, 1460, 1400][random(3)]
      h.windowScale = [255, 6, 7, 8][random(4)]
      h.ipLength = [28, 40, 44, 48, 52, 60, 64, 76, 1500][random(9)]
      h.payloadLength = [0, 20, 48][random(3)]
      let formula =
        UInt32(truncatingIfNeeded: h.destination.bits) ^ UInt32(h.destinationPort) ^ h.sequence
      h.identification =
        [54_321, UInt16(truncatingIfNeeded: formula), UInt16(random(65_536))][random(3)]
      h.timestamp = Timestamp(seconds: 1_795_394_750)
      h.optionTimestamp = [0, 1_795_394_000, 1_795_300_000][random(3)]
      if random(3) == 0 { h.traits.insert(.dontFragment) }
      if random(20) == 0 { h.traits.insert(.laterFragment) }
      if random(20) == 0 { h.traits.insert(.brokenOptions) }
      if h.transport != .tcp {
        // As the decoder leaves them.
        (h.window, h.maximumSegmentSize, h.windowScale, h.tcpFlags) = (0, 0, 255, 0)
        h.optionLayout = .none
      }
      let expected = rules.filter { satisfies(h, $0) }.map(\.id).sorted()
      let found = FingerprintSamples.matcher
        .rules(in: FingerprintSamples.matcher.match(h)).map(\.id).sorted()
      matched += expected.isEmpty ? 0 : 1
      guard found == expected else {
        Issue.record("\(h): found \(found), expected \(expected)")
        return
      }
    }
    #expect(matched > 1_000)
  }

  /// The rule read out slowly.
  private func satisfies(_ h: PacketHeaders, _ rule: FingerprintRule) -> Bool {
    guard let kind = ProbeKind(h), rule.appliesTo.contains(kind), h.destination.isIPv4,
      !h.traits.contains(.laterFragment)
    else { return false }
    if let wanted = rule.dontFragment, wanted != h.traits.contains(.dontFragment) { return false }
    if let layouts = rule.optionLayouts {
      guard !h.traits.contains(.brokenOptions), layouts.contains(h.optionLayout.fingerprint) else {
        return false
      }
    }
    func holds(_ formula: FingerprintFormula) -> Bool {
      let destination = UInt32(truncatingIfNeeded: h.destination.bits)
      guard h.transport == .tcp else { return false }
      switch formula {
      case .miraiSequence: return h.sequence == destination
      case .masscanIdentification:
        return UInt32(h.identification)
          == (destination ^ UInt32(h.destinationPort) ^ h.sequence) & 0xffff
      case .zmapTimestamp:
        return h.optionTimestamp != 0
          && abs(Int64(h.optionTimestamp) - h.timestamp.seconds) <= 3600
      case .hajime:
        return h.window == 14_600 && (h.sequence >> 16 == 0 || h.sequence & 0xffff == 0)
      }
    }
    guard rule.formulas.allSatisfy(holds), !rule.unless.contains(where: holds) else { return false }
    return rule.fields.allSatisfy { field, ranges in
      let value =
        switch field {
        case .timeToLive: Int(h.timeToLive)
        case .ipLength: Int(h.ipLength)
        case .identification: Int(h.identification)
        case .sourcePort: Int(h.sourcePort)
        case .destinationPort: Int(h.destinationPort)
        case .tcpFlags: Int(h.tcpFlags)
        case .window: Int(h.window)
        case .maximumSegmentSize: Int(h.maximumSegmentSize)
        case .windowScale: Int(h.windowScale)
        case .payloadLength: Int(h.payloadLength)
        }
      return ranges.contains { $0.contains(value) }
    }
  }

  @Test("the layouts of ZMap 4.1 that no capture shows are found: BSD, and TTL 255 of 4.1.0")
  func zmapFromSource() throws {
    var bsd = try FingerprintSamples.syn(
      window: 65_535, ttl: 52, options: "mss,nop,ws,nop,nop,ts,sackok,eol")
    bsd.ipLength = 64
    bsd.maximumSegmentSize = 1460
    bsd.windowScale = 6
    bsd.optionTimestamp = 1_795_394_748
    #expect(FingerprintSamples.ids(bsd) == ["zmap-4.1.1-bsd", "zmap-4.1-relaxed"])
    bsd.optionTimestamp = 5
    #expect(FingerprintSamples.ids(bsd) == ["zmap-4.1-relaxed"])
    bsd.timeToLive = 240
    #expect(FingerprintSamples.ids(bsd) == ["zmap-4.1.0", "zmap-4.1-relaxed"])
    bsd.traits.insert(.dontFragment)
    #expect(FingerprintSamples.ids(bsd).isEmpty, "an operating system sets Don't Fragment")
  }

  @Test("Hajime is a rule that an operator may enable")
  func hajime() throws {
    let rules = try FingerprintRules(
      yaml: """
        rules:
          - {id: hajime, tool: hajime, grade: probable, malware: hajime, applies-to: [tcp-syn],
             formulas: [hajime], source: own observation}
        """, extending: .standard)
    let packet = try FingerprintSamples.syn(sequence: 0xabcd_0000, window: 14_600)
    #expect(FingerprintSamples.ids(packet, FingerprintMatcher(rules)) == ["hajime"])
    #expect(FingerprintSamples.ids(packet).isEmpty)
  }

  @Test("sixty-four option layouts keep apart, and an unknown one matches none of them")
  func manyLayouts() throws {
    let names = ["nop", "mss", "ws", "ts"]
    let layouts = (0..<56).map { n in
      (0..<4).map { names[n >> (2 * $0) & 3] }.joined(separator: ",")
    }
    let yaml =
      "rules:\n"
      + layouts.enumerated().map {
        "  - {id: '\($1)', tool: t\($0), grade: probable, applies-to: [tcp-syn], source: s,"
          + " fields: {options: '\($1)'}}\n"
      }.joined()
    let matcher = FingerprintMatcher(try FingerprintRules(yaml: yaml, extending: nil))
    for layout in layouts {
      let packet = try FingerprintSamples.syn(options: layout)
      #expect(FingerprintSamples.ids(packet, matcher) == [layout])
    }
    #expect(try FingerprintSamples.ids(FingerprintSamples.syn(options: "sackok"), matcher).isEmpty)
    #expect(try FingerprintSamples.ids(FingerprintSamples.syn(), matcher).isEmpty)
  }
}
