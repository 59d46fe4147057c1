import NetworkTypes
import PacketCapture
import Testing

@Suite("Decoding packets")
struct PacketDecoderTests {
  static let syn = Octets.ipv4(6, Octets.tcp())

  @Test("a plain SYN over Ethernet is decoded into every field, padding excluded")
  func plainSyn() {
    let (outcome, headers) = decode(Octets.ethernet(0x0800, Self.syn) + [0, 0, 0, 0, 0, 0])
    #expect(outcome == .decoded)
    #expect(
      headers.source == IPAddress("192.0.2.1") && headers.destination == IPAddress("198.51.100.2"))
    #expect(headers.sourcePort == 1000 && headers.destinationPort == 23)
    #expect(headers.sequence == 7 && headers.acknowledgement == 9 && headers.window == 1024)
    #expect(headers.tcpFlags == 2 && headers.dataOffset == 5 && headers.transport == .tcp)
    #expect(headers.identification == 54_321 && headers.timeToLive == 64 && headers.ipLength == 40)
    #expect(headers.transportOffset == 34 && headers.payloadOffset == 54)
    #expect(headers.payloadLength == 0 && headers.wireLength == 60)
    #expect(headers.timestamp == Timestamp(nanoseconds: 5) && headers.traits == [])
    #expect(headers.optionLayout == .none && headers.windowScale == 255)
  }

  @Test("every link type leads to the same headers")
  func linkTypes() {
    let ipv6 = Octets.ipv6(6, Octets.tcp())
    let vlan: [UInt8] = [0, 5, 0x08, 0x00]
    var frames: [(LinkType, [UInt8])] = [
      (.ethernet, Octets.ethernet(0x0800, Self.syn)),
      (.ethernet, Octets.ethernet(0x8100, vlan + Self.syn)),
      (.ethernet, Octets.ethernet(0x88a8, [0, 9, 0x81, 0x00] + vlan + Self.syn)),
      (.ethernet, Octets.ethernet(0x9100, [0, 9, 0x81, 0x00] + vlan + Self.syn)),
      (.ethernet, Octets.ethernet(0x8847, [0, 1, 0, 64, 0, 2, 1, 64] + Self.syn)),
      (.ethernet, Octets.ethernet(0x8847, [0, 2, 1, 64] + ipv6)),
      (.ethernet, Octets.ethernet(0x8864, [0x11, 0, 0, 1, 0, 42, 0, 0x21] + Self.syn)),
      (.ethernet, Octets.ethernet(0x8864, [0x11, 0, 0, 1, 0, 41, 0x21] + Self.syn)),
      (.ethernet, Octets.ethernet(0x8864, [0x11, 0, 0, 1, 0, 62, 0, 0x57] + ipv6)),
      (
        .ethernet,
        Octets.ethernet(0x8100, [0, 1, 0x88, 0x64, 0x11, 0, 0, 1, 0, 42, 0, 0x21] + Self.syn)
      ),
      (.ethernet, Octets.ethernet(48, [0xaa, 0xaa, 3, 0, 0, 0, 8, 0] + Self.syn)),
      (.ethernet, Octets.ethernet(0x86dd, ipv6)),
      (.linuxCooked, [UInt8](repeating: 0, count: 14) + [8, 0] + Self.syn),
      (.linuxCooked, [UInt8](repeating: 0, count: 14) + [0x81, 0] + vlan + Self.syn),
      (.linuxCooked2, [0x86, 0xdd] + [UInt8](repeating: 0, count: 18) + ipv6),
      (.null, [2, 0, 0, 0] + Self.syn), (.null, [0, 0, 0, 2] + Self.syn),
      (.loop, [0, 0, 0, 2] + Self.syn), (.ipv4, Self.syn), (.ipv6, ipv6),
    ]
    for family in [10, 24, 28, 30] as [UInt8] { frames.append((.null, [family, 0, 0, 0] + ipv6)) }
    for raw in [.raw, .rawBSD, .rawOpenBSD] as [LinkType] {
      frames.append((raw, Self.syn))
      frames.append((raw, ipv6))
    }
    for (linkType, frame) in frames {
      let (outcome, headers) = decode(frame, linkType)
      #expect(outcome == .decoded && headers.destinationPort == 23 && headers.sequence == 7)
      #expect(Int(headers.payloadOffset) == frame.count && headers.payloadLength == 0)
    }
  }

  @Test("what cannot be decoded says why")
  func outcomes() {
    let deep = (0..<20).flatMap { _ in [0, 1, 0x81, 0] as [UInt8] }
    let extensions = (0..<13).flatMap { _ in [60, 0, 0, 0, 0, 0, 0, 0] as [UInt8] }
    var shortHeader = Self.syn
    shortHeader[0] = 0x44
    var version5 = Self.syn
    version5[0] = 0x55
    let cases: [(DecodeOutcome, LinkType, [UInt8])] = [
      (.truncatedLink, .ethernet, [1, 2, 3]),
      (.truncatedLink, .ethernet, Octets.ethernet(0x8100, [0, 1])),
      (.truncatedLink, .ethernet, Octets.ethernet(0x8847, [0, 1, 0, 1])),
      (.truncatedLink, .ethernet, Octets.ethernet(0x8864, [0, 1])),
      (.truncatedLink, .linuxCooked, []), (.truncatedLink, .linuxCooked2, [8, 0]),
      (.truncatedLink, .null, [2, 0, 0]), (.truncatedIP, .raw, []),
      (.truncatedIP, .ipv4, Array(Self.syn[..<19])),
      (.truncatedIP, .ipv4, Array(Octets.ipv4(6, Octets.tcp(), options: [1, 1, 1, 1])[..<22])),
      (.truncatedIP, .ipv6, Array(Octets.ipv6(6, Octets.tcp())[..<39])),
      (.truncatedIP, .ipv6, Octets.ipv6(0, [6, 4, 0, 0, 0, 0, 0, 0])),
      (.truncatedTransport, .ipv4, Array(Self.syn[..<39])),
      (.truncatedTransport, .ipv4, Octets.ipv4(17, [1, 2, 3])),
      (.truncatedTransport, .ipv4, Octets.ipv4(1, [8, 0])),
      (.truncatedTransport, .ipv4, Octets.ipv4(132, [8, 0])),
      (.truncatedTransport, .ipv4, Octets.ipv4(6, Octets.tcp(), total: 39)),
      (.malformedIPHeader, .ipv4, shortHeader), (.malformedIPHeader, .ipv4, version5),
      (.malformedIPHeader, .raw, version5), (.malformedIPHeader, .ipv6, Self.syn),
      (.malformedIPHeader, .ipv4, Octets.ipv4(6, Octets.tcp(), total: 19)),
      (.malformedTCPHeader, .ipv4, Octets.ipv4(6, Octets.tcp(dataOffset: 4))),
      (.malformedTCPHeader, .ipv4, Octets.ipv4(6, Octets.tcp(dataOffset: 6))),
      (.unsupportedLinkType, LinkType(rawValue: 105), Self.syn),
      (.notIP, .ethernet, Octets.ethernet(0x0806, Self.syn)),
      (.notIP, .ethernet, Octets.ethernet(0x8863, Self.syn)),
      (.notIP, .ethernet, Octets.ethernet(38, [0x42, 0x42, 3])),
      (.notIP, .ethernet, Octets.ethernet(0x8864, [0x11, 0, 0, 1, 0, 4, 0xc0, 0x21])),
      (.notIP, .ethernet, Octets.ethernet(0x8847, [0, 1, 1, 1, 0, 0, 0, 0])),
      (.notIP, .null, [7, 0, 0, 0]), (.tooManyLayers, .ethernet, Octets.ethernet(0x8100, deep)),
      (.tooManyLayers, .ipv6, Octets.ipv6(60, extensions)),
    ]
    for (expected, linkType, bytes) in cases {
      #expect(decode(bytes, linkType).outcome == expected, "\(linkType) \(bytes)")
    }
    #expect(Set(cases.map(\.0)).count == DecodeOutcome.allCases.count - 1)
    #expect(Set(DecodeOutcome.allCases.map(\.name)).count == DecodeOutcome.allCases.count)
  }

  @Test("the options of a SYN are read, those of other segments are not")
  func tcpOptions() {
    let options = Octets.hex("020405b4 0402 080a 01020304 00000000 01 030307")
    var headers = decode(Octets.ipv4(6, Octets.tcp(options: options)), .ipv4).headers
    #expect(headers.optionLayout.bits == 0x42653)
    #expect(headers.maximumSegmentSize == 1460 && headers.windowScale == 7)
    #expect(headers.optionTimestamp == 0x0102_0304 && headers.traits == [])
    headers = decode(Octets.ipv4(6, Octets.tcp(flags: 16, options: options)), .ipv4).headers
    #expect(headers.optionLayout == .none && headers.maximumSegmentSize == 0)
    #expect(headers.dataOffset == 10)

    let cases: [(String, UInt64, Bool)] = [
      ("00 ff ff ff", 0x1, false), ("01 01 01 01", 0x2222, false), ("22 04 00 00", 0xf, false),
      ("02 05 05 b4 01 01 01 01", 0, true), ("01 02 04", 0x2, true), ("01 01 01 02", 0x222, true),
      ("01 22 00 00", 0x2, true), ("01 22 01 00", 0x2, true),
      ("01 03 04 01 00 00 00 00", 0x2, true),
      ("04 03 00 00", 0, true), ("08 09 00 00 00 00 00 00 00 00 00 00", 0, true),
    ]
    for (text, layout, isBroken) in cases {
      var octets = Octets.hex(text)
      while octets.count % 4 != 0 { octets.append(0xff) }
      headers = decode(Octets.ipv4(6, Octets.tcp(options: octets)), .ipv4).headers
      #expect(headers.optionLayout.bits == layout, "\(text)")
      #expect(headers.traits.contains(.brokenOptions) == isBroken, "\(text)")
    }
    let many = decode(
      Octets.ipv4(6, Octets.tcp(options: [UInt8](repeating: 1, count: 40))), .ipv4)
    #expect(many.headers.optionLayout.bits == 0x2222_2222_2222_2222)

    // Cut off by the capture: the packet was longer.
    let cut = decode(Array(Octets.ipv4(6, Octets.tcp(options: options))[..<46]), .ipv4)
    #expect(cut.outcome == .decoded && cut.headers.traits == [.brokenOptions])
    #expect(cut.headers.optionLayout.bits == 0x53 && cut.headers.payloadLength == 0)
  }

  @Test("IPv4 fragments and options are told apart")
  func ipv4Shapes() {
    var headers = decode(Octets.ipv4(6, Octets.tcp(), fragment: 0x4000), .ipv4).headers
    #expect(headers.traits == [.dontFragment])
    headers = decode(Octets.ipv4(17, Octets.udp(), fragment: 0x2000), .ipv4).headers
    #expect(headers.traits == [.fragment] && headers.destinationPort == 53)
    let later = decode(Octets.ipv4(17, Octets.udp(), fragment: 0x0005), .ipv4)
    #expect(later.outcome == .decoded && later.headers.traits == [.fragment, .laterFragment])
    #expect(later.headers.destinationPort == 0 && later.headers.payloadLength == 11)
    headers = decode(Octets.ipv4(17, Octets.udp(), options: [1, 1, 1, 0]), .ipv4).headers
    #expect(headers.traits == [.ipOptions] && headers.sourcePort == 5353)
    #expect(headers.payloadOffset == 32 && headers.payloadLength == 3)
    let offloaded = decode(Octets.ipv4(17, Octets.udp(), total: 0), .ipv4)
    #expect(offloaded.outcome == .decoded && offloaded.headers.ipLength == 31)
    let tunnel = decode(Octets.ipv4(4, Octets.ipv4(6, Octets.tcp())), .ipv4)
    #expect(tunnel.outcome == .decoded && tunnel.headers.transport == .ipv4)
    #expect(tunnel.headers.payloadOffset == 20 && tunnel.headers.payloadLength == 40)
    #expect(tunnel.headers.destinationPort == 0)
    // More on the wire than was captured.
    let cut = decode(Octets.ipv4(17, Octets.udp(), total: 1000), .ipv4)
    #expect(cut.outcome == .decoded && cut.headers.payloadLength == 3)
    #expect(cut.headers.ipLength == 1000)
  }

  @Test("IPv6 extension headers are walked to the transport")
  func ipv6Extensions() {
    let chain: [UInt8] =
      [43, 0, 0, 0, 0, 0, 0, 0] + [51, 1] + [UInt8](repeating: 0, count: 14)
      + [60, 4] + [UInt8](repeating: 0, count: 22) + [44, 0, 0, 0, 0, 0, 0, 0]
      + [17, 0, 0, 1, 0, 0, 0, 9]
    let (outcome, headers) = decode(Octets.ipv6(0, chain + Octets.udp()), .ipv6)
    #expect(outcome == .decoded && headers.transport == .udp && headers.destinationPort == 53)
    #expect(headers.traits == [.ipOptions, .fragment])
    #expect(headers.source == IPAddress("2001:db8::1") && headers.timeToLive == 33)
    #expect(Int(headers.transportOffset) == 40 + chain.count && headers.payloadLength == 3)
    #expect(Int(headers.ipLength) == 40 + chain.count + 11)

    let later = decode(Octets.ipv6(44, [17, 0, 0, 8, 0, 0, 0, 9] + Octets.udp()), .ipv6)
    #expect(later.outcome == .decoded && later.headers.destinationPort == 0)
    #expect(later.headers.traits == [.ipOptions, .fragment, .laterFragment])
    let none = decode(Octets.ipv6(59, []) + [0, 0, 0], .ipv6)
    #expect(none.outcome == .decoded && none.headers.ipLength == 40)
    #expect(none.headers.payloadLength == 0)
    let jumbo = decode(Octets.ipv6(17, Octets.udp(), length: 0), .ipv6)
    #expect(jumbo.outcome == .decoded && jumbo.headers.payloadLength == 3)
  }

  @Test("ICMP errors give the packet that they quote")
  func quotes() {
    let inner = Octets.ipv4(6, Octets.tcp())
    // The error is sent to 198.51.100.2, the quoted packet came from 192.0.2.1.
    for type in [3, 4, 5, 11, 12] as [UInt8] {
      let (outcome, headers) = decode(
        Octets.ipv4(1, [type, 1, 0, 0, 0, 0, 0, 0] + inner[..<28]), .ipv4)
      #expect(outcome == .decoded && headers.icmpType == type && headers.icmpCode == 1)
      #expect(headers.traits == [.quotesPacket, .quoteMismatch] && headers.quotedTransport == .tcp)
      #expect(headers.quotedDestination == IPAddress("198.51.100.2"))
      #expect(headers.sourcePort == 1000 && headers.destinationPort == 23)
      #expect(headers.sequence == 0)
    }
    let echo = decode(Octets.ipv4(1, [8, 0, 0, 0, 0, 0, 0, 0] + inner), .ipv4).headers
    #expect(echo.traits == [] && echo.quotedDestination.bits == 0 && echo.sourcePort == 0)
    #expect(echo.payloadLength == 40)

    var right = inner
    right.replaceSubrange(12..<16, with: [198, 51, 100, 2])
    right.replaceSubrange(16..<20, with: [203, 0, 113, 9])
    let matched = decode(Octets.ipv4(1, [3, 3, 0, 0, 0, 0, 0, 0] + right), .ipv4).headers
    #expect(matched.traits == [.quotesPacket])
    #expect(matched.quotedDestination == IPAddress("203.0.113.9"))

    let short = decode(Octets.ipv4(1, [3, 3, 0, 0, 0, 0, 0, 0] + inner[..<19]), .ipv4)
    #expect(short.outcome == .decoded && short.headers.traits == [])
    let noPorts = decode(Octets.ipv4(1, [3, 3, 0, 0, 0, 0, 0, 0] + inner[..<23]), .ipv4).headers
    #expect(noPorts.traits.contains(.quotesPacket) && noPorts.destinationPort == 0)

    let inner6 = Octets.ipv6(60, [17, 0, 0, 0, 0, 0, 0, 0] + Octets.udp())
    for type in [1, 2, 3, 4] as [UInt8] {
      let headers = decode(
        Octets.ipv6(58, [type, 4, 0, 0, 0, 0, 0, 0] + inner6), .ipv6
      ).headers
      #expect(headers.traits == [.quotesPacket, .quoteMismatch])
      #expect(headers.quotedTransport == .udp && headers.destinationPort == 53)
      #expect(headers.quotedDestination == IPAddress("2001:db8::2"))
    }
    let echo6 = decode(Octets.ipv6(58, [128, 0, 0, 0, 0, 0, 0, 0]), .ipv6).headers
    #expect(echo6.icmpType == 128 && echo6.traits == [])
  }

  @Test("the fast path and the general path agree on random octets")
  func pathsAgree() {
    var random = SystemRandomNumberGenerator()
    for _ in 0..<20_000 {
      var packet = Self.syn + (0..<Int.random(in: 0...40)).map { _ in UInt8.random(in: 0...255) }
      for _ in 0..<Int.random(in: 0...4) {
        packet[Int.random(in: 0..<packet.count)] = UInt8.random(in: 0...255, using: &random)
      }
      packet.replaceSubrange(2..<4, with: Octets.big(UInt64(Int.random(in: 0...90)), 2))
      // Ethernet takes the fast path where it can, a VLAN tag never does.
      let fast = decode(Octets.ethernet(0x0800, packet))
      let slow = decode(Octets.ethernet(0x8100, [0, 1, 8, 0] + packet))
      #expect(fast.outcome == slow.outcome, "\(packet)")
      #expect(fast.headers.destinationPort == slow.headers.destinationPort)
      #expect(fast.headers.payloadLength == slow.headers.payloadLength)
      #expect(fast.headers.traits == slow.headers.traits)
      #expect(fast.headers.ipLength == slow.headers.ipLength)
      #expect(fast.headers.optionLayout == slow.headers.optionLayout)
      #expect(fast.headers.tcpFlags == slow.headers.tcpFlags)
    }
  }
}
