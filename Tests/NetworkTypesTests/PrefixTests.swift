import NetworkTypes
import Testing

@Suite("Prefixes")
struct PrefixTests {
  @Test(
    "a prefix with host bits, a wrong length or a second slash is refused",
    arguments: [
      "192.0.2.7/24", "192.0.2.0/33", "192.0.2.0/-1", "192.0.2.0/+24", "192.0.2.0/", "/24", "",
      "192.0.2.0/24/24", "2001:db8::/129", "2001:db8::1/64", "192.0.2.0/99999999999999999999",
      "192.0.2.0/255.255.255.0", "::ffff:0.0.0.0/96",
    ])
  func refused(text: String) {
    #expect(IPPrefix(text) == nil)
  }

  @Test("a bare address is a block of one")
  func bareAddress() {
    #expect(IPPrefix("192.0.2.1")?.description == "192.0.2.1/32")
    #expect(IPPrefix("2001:db8::1")?.count == 1)
  }

  @Test("the edges of a block belong to it, their neighbours do not")
  func edges() throws {
    let block = try #require(IPPrefix("192.0.2.64/26"))
    #expect(block.first == IPAddress("192.0.2.64"))
    #expect(block.last == IPAddress("192.0.2.127"))
    #expect(block.count == 64)
    #expect(block.contains(block.first) && block.contains(block.last))
    #expect(!block.contains(IPAddress(v4: 0xc000_023f)))
    #expect(!block.contains(IPAddress(v4: 0xc000_0280)))
  }

  @Test("the IPv6 space holds no IPv4 address, the whole of each space is one prefix")
  func families() throws {
    let six = try #require(IPPrefix("::/0"))
    let four = try #require(IPPrefix("0.0.0.0/0"))
    let host = try #require(IPAddress("192.0.2.1"))
    #expect(!six.contains(host))
    #expect(!six.contains(four))
    #expect(four.contains(host))
    #expect(four.last == IPAddress("255.255.255.255"))
    #expect(four.count == 1 << 32)
    #expect(six.count == .max)
    #expect(six.last.bits == .max)
  }

  @Test(
    "10,000 prefixes are read as Python's ip_network reads them",
    .enabled(if: PythonOracle.isPresent))
  func agreesWithPython() throws {
    var random = SeededGenerator(seed: 4632)
    let lines = (0..<10_000).map { _ -> String in
      let isIPv4 = random.next() % 2 == 0
      let width = isIPv4 ? 32 : 128
      let bits = UInt128(random.next()) << 64 | UInt128(random.next())
      var address =
        isIPv4 ? IPAddress(v4: UInt32(truncatingIfNeeded: bits)) : IPAddress(bits: bits)
      let length = Int.random(in: 0...width + 3, using: &random)
      // Two of three on the boundary of their block, the others mostly not.
      if random.next() % 3 > 0, let block = IPPrefix(address, length: length) {
        address = block.address
      }
      return "\(address)/\(length)"
    }
    let expected = try PythonOracle.answers(
      to: lines, imports: "import ipaddress",
      body: """
        try:
          n = ipaddress.ip_network(line)
          print(n.with_prefixlen, n.broadcast_address, n.num_addresses)
        except ValueError:
          print("refused")
        """)
    try #require(expected.count == lines.count)
    for (line, answer) in zip(lines, expected) {
      let own = IPPrefix(line).map {
        "\($0) \($0.last) \($0.length == 0 && !$0.address.isIPv4 ? "340282366920938463463374607431768211456" : "\($0.count)")"
      }
      #expect(own ?? "refused" == answer, "\(line)")
    }
  }

  @Test("a range is covered exactly and with the fewest prefixes")
  func covering() {
    var random = SeededGenerator(seed: 7)
    for round in 0..<3000 {
      let shift = UInt64.random(in: 0...31, using: &random)
      let one = UInt32(truncatingIfNeeded: random.next())
      let two = one ^ (UInt32(truncatingIfNeeded: random.next()) >> UInt32(shift))
      let low = IPAddress(v4: min(one, two))
      let high = IPAddress(v4: max(one, two))
      let prefixes = IPPrefix.covering(range: low...high)
      #expect(prefixes.first?.first == low && prefixes.last?.last == high, "round \(round)")
      for (left, right) in zip(prefixes, prefixes.dropFirst()) {
        #expect(left.last.bits + 1 == right.first.bits)
        // Two that could be one would be siblings.
        let parent = IPPrefix(left.address, length: left.length - 1)
        #expect(left.length != right.length || parent?.contains(right) != true)
      }
    }
  }

  @Test("the edges of the address spaces are covered")
  func coveringEdges() throws {
    let zero = IPAddress(bits: 0)
    let all = IPAddress(bits: .max)
    #expect(
      IPPrefix.covering(range: IPAddress(v4: 0)...IPAddress(v4: .max)).map(\.description)
        == ["0.0.0.0/0"])
    #expect(IPPrefix.covering(range: zero...all).map(\.description) == ["::/0"])
    #expect(IPPrefix.covering(range: all...all).map(\.length) == [128])
    #expect(IPPrefix.covering(range: IPAddress(v4: 1)...all).isEmpty)
    let around = IPPrefix.covering(
      range: IPAddress(bits: 0xfffe_ffff_ffff)...IPAddress(bits: 0x1_0000_0000_0000))
    #expect(around.map(\.description) == ["::fffe:ffff:ffff/128", "::1:0:0:0/128"])
  }
}
