import NetworkTypes
import Testing

@Suite("Addresses as text")
struct AddressTextTests {
  @Test(
    "canonical text is that of RFC 5952",
    arguments: [
      ("2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"),  // §4.2.3: the first of two equal gaps
      ("2001:0db8::0001", "2001:db8::1"),  // §4.1
      ("2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"),  // §4.2.2: one zero group stays
      ("2001:DB8::AAAA", "2001:db8::aaaa"),  // §4.3
      ("2001:0:0:1:0:0:0:1", "2001:0:0:1::1"),  // §4.2.3: the longest gap
      ("0:0:0:0:0:0:0:0", "::"), ("1:0:0:0:0:0:0:0", "1::"), ("::ffff:192.0.2.1", "192.0.2.1"),
      ("64:ff9b::192.0.2.33", "64:ff9b::c000:221"), ("255.255.255.255", "255.255.255.255"),
    ])
  func canonicalText(text: String, canonical: String) {
    #expect(IPAddress(text)?.description == canonical)
  }

  @Test(
    "what programs read differently is refused",
    arguments: [
      "", " ", "1.2.3", "1.2.3.4.", "1.2.3.4 ", "01.2.3.4", "1.2.3.256", "0x7f.0.0.1", "127.1",
      "fe80::1%eth0", ":", ":::", "1::2::3", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "12345::", "::g",
      "1:2:3:4:5:6:7:8:", ":1:2:3:4:5:6:7:8", "::1.2.3.4:5", "[::1]", "１.2.3.4",
      "1:2:3:4:5:6:7:1.2.3.4",
    ])
  func refused(text: String) {
    #expect(IPAddress(text) == nil)
  }

  @Test("a mapped address is the IPv4 address")
  func mapped() throws {
    let address = try #require(IPAddress("::ffff:10.0.0.1"))
    #expect(address == IPAddress(v4: 0x0a00_0001))
    #expect(address.isIPv4)
    #expect(address.bitWidth == 32)
    #expect(IPAddress("::10.0.0.1")?.isIPv4 == false)
  }

  @Test(
    "20,000 strings, right and wrong, are read as Python's ipaddress reads them",
    .enabled(if: PythonOracle.isPresent))
  func agreesWithPython() throws {
    var random = SeededGenerator(seed: 5952)
    let lines = (0..<20_000).map { _ in Self.text(&random) }
    let expected = try PythonOracle.answers(
      to: lines, imports: "import ipaddress",
      body: """
        try:
          a = ipaddress.ip_address(line)
          if a.version == 6 and a.ipv4_mapped: a = a.ipv4_mapped
          print(int(a) + (0xffff00000000 if a.version == 4 else 0), a.compressed)
        except ValueError:
          print("refused")
        """)
    try #require(expected.count == lines.count)
    var valid = 0
    for (line, answer) in zip(lines, expected) {
      let own = IPAddress(line).map { "\($0.bits) \($0)" } ?? "refused"
      if own != "refused" { valid += 1 }
      #expect(own == answer, "\(line)")
    }
    #expect(valid > 4000 && valid < 18_000, "both kinds must be among the strings")
  }

  @Test("every address comes back from its text")
  func roundTrip() {
    var random = SeededGenerator(seed: 1)
    for _ in 0..<5000 {
      let mask = UInt128(random.next()) << 64 | UInt128(random.next())
      let bits = (UInt128(random.next()) << 64 | UInt128(random.next())) & mask >> 7
      #expect(IPAddress(IPAddress(bits: bits).description)?.bits == bits)
    }
  }

  /// An address written in one of many ways, about half of the time with one thing wrong.
  private static func text(_ random: inout SeededGenerator) -> String {
    let quad = (0..<4).map { _ in String(UInt8.random(in: 0...255, using: &random)) }
      .joined(separator: ".")
    var text = quad
    if random.next() % 4 > 0 {
      let mixed = random.next() % 4 == 0
      var groups = (0..<(mixed ? 6 : 8)).map { _ -> String in
        let group = String(
          UInt16(truncatingIfNeeded: random.next() >> random.next() % 64), radix: 16)
        let padded = String(repeating: "0", count: 4 - group.count) + group
        switch random.next() % 4 {
        case 0: return "0"
        case 1: return padded.uppercased()
        default: return group
        }
      }
      if mixed { groups.append(quad) }
      text = groups.joined(separator: ":")
      if random.next() % 2 == 0 {
        let start = Int.random(in: 0...groups.count, using: &random)
        let end = Int.random(in: start...groups.count, using: &random)
        text =
          groups[..<start].joined(separator: ":") + "::" + groups[end...].joined(separator: ":")
      }
    }
    guard random.next() % 2 == 0 else { return text }
    var bytes = Array(text.utf8)
    let alphabet = Array("0123456789abcdefABCDEF::..g/x -+".utf8)
    let place = Int.random(in: 0..<bytes.count, using: &random)
    let byte = alphabet[Int.random(in: 0..<alphabet.count, using: &random)]
    switch random.next() % 4 {
    case 0: bytes[place] = byte
    case 1: bytes.insert(byte, at: place)
    case 2: bytes.remove(at: place)
    default: bytes = Array(bytes[..<place])
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}
