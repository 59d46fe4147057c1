import NetworkTypes
import Testing

@Suite("The longest-prefix map")
struct PrefixMapTests {
  /// The map as anyone would write it first: look at every prefix.
  private struct NaiveMap {
    var entries: [IPPrefix: Int] = [:]

    init(_ list: [(IPPrefix, Int)]) {
      for (prefix, value) in list { entries[prefix] = value }
    }

    func matches(_ address: IPAddress) -> [IPPrefix] {
      entries.keys.filter { $0.contains(address) }.sorted { $0.length > $1.length }
    }
  }

  @Test("random IPv4 tables answer as the naive map does, at every edge", arguments: 0..<40)
  func randomIPv4(seed: Int) {
    var random = SeededGenerator(seed: UInt64(seed))
    // A narrow space makes prefixes nest, touch and repeat.
    let spread = UInt32.max >> UInt32.random(in: 0...24, using: &random)
    let list = (0..<Int.random(in: 0...120, using: &random)).map { number in
      let address = IPAddress(v4: UInt32(truncatingIfNeeded: random.next()) & spread)
      let length = Int.random(in: 0...32, using: &random)
      return (IPPrefix(address, length: length) ?? IPPrefix(address), number)
    }
    check(
      list, extra: (0..<200).map { _ in IPAddress(v4: UInt32(truncatingIfNeeded: random.next())) })
  }

  @Test("random IPv6 tables answer as the naive map does, at every edge", arguments: 0..<40)
  func randomIPv6(seed: Int) {
    var random = SeededGenerator(seed: UInt64(seed) + 1000)
    let spread = UInt128.max >> UInt128.random(in: 0...120, using: &random)
    let list = (0..<Int.random(in: 0...120, using: &random)).map { number in
      let bits = (UInt128(random.next()) << 64 | UInt128(random.next())) & spread
      let address = IPAddress(bits: bits)
      let length = Int.random(in: 0...address.bitWidth, using: &random)
      return (IPPrefix(address, length: length) ?? IPPrefix(address), number)
    }
    check(list, extra: (0..<200).map { _ in IPAddress(high: random.next(), low: random.next()) })
  }

  private func check(_ list: [(IPPrefix, Int)], extra: [IPAddress]) {
    let map = PrefixMap(list)
    let naive = NaiveMap(list)
    #expect(map.count == naive.entries.count)
    #expect(map.duplicates == list.count - naive.entries.count)
    var probes = extra
    for (prefix, _) in list {
      probes += [prefix.first, prefix.last]
      probes.append(IPAddress(bits: prefix.first.bits &- 1))
      probes.append(IPAddress(bits: prefix.last.bits &+ 1))
    }
    for probe in probes {
      let expected = naive.matches(probe)
      #expect(map[probe] == expected.first.flatMap { naive.entries[$0] }, "\(probe)")
      #expect(map.match(probe)?.prefix == expected.first, "\(probe)")
      #expect(map.allMatches(probe).map(\.prefix) == expected, "\(probe)")
      if let v4 = probe.v4 {
        let index = map.index(v4: v4)
        #expect(index == map.index(probe))
        #expect((index == 0 ? nil : map.values[Int(index) - 1]) == map[probe])
      }
    }
    for (prefix, value) in naive.entries { #expect(map[exactly: prefix] == value) }
    #expect(map.entries.map(\.prefix) == naive.entries.keys.sorted(by: familyOrder))
  }

  private func familyOrder(_ left: IPPrefix, _ right: IPPrefix) -> Bool {
    left.address.isIPv4 == right.address.isIPv4 ? left < right : left.address.isIPv4
  }

  @Test("an empty map knows nothing")
  func empty() {
    let map = PrefixMap<Int>([])
    #expect(map.isEmpty)
    #expect(map[IPAddress(v4: 0)] == nil)
    #expect(map[IPAddress(bits: .max)] == nil)
    #expect(map.allMatches(IPAddress(v4: .max)).isEmpty)
  }

  @Test("of two values for one prefix the later wins and is counted")
  func duplicates() throws {
    let block = try #require(IPPrefix("192.0.2.0/24"))
    let map = PrefixMap([(block, "first"), (block, "second")])
    #expect(map[block.last] == "second")
    #expect(map.duplicates == 1)
  }

  @Test("a prefix that is not in the map is not found inside one that is")
  func exact() throws {
    let map = PrefixMap([(try #require(IPPrefix("10.0.0.0/8")), 8)])
    #expect(map[exactly: try #require(IPPrefix("10.0.0.0/9"))] == nil)
    #expect(map[exactly: try #require(IPPrefix("0.0.0.0/0"))] == nil)
  }

  @Test("every 256th of all IPv4 addresses agrees on a table of 100,000 nested prefixes")
  func largeTable() {
    var random = SeededGenerator(seed: 99)
    let list = (0..<100_000).map { number -> (IPPrefix, Int) in
      let address = IPAddress(v4: UInt32(truncatingIfNeeded: random.next()))
      return (IPPrefix(address, length: Int(8 + random.next() % 25)) ?? IPPrefix(address), number)
    }
    let map = PrefixMap(list)
    // Paint the answers of /24 and shorter on a canvas, short prefixes first.
    var canvas = [UInt32](repeating: 0, count: 1 << 24)
    for (place, entry) in map.entries.enumerated().sorted(by: {
      $0.element.prefix.length < $1.element.prefix.length
    }) {
      guard let first = entry.prefix.first.v4, let last = entry.prefix.last.v4 else { continue }
      guard first & 255 == 0 else { continue }
      for slot in Int(first >> 8)...Int(last >> 8) { canvas[slot] = UInt32(place) + 1 }
    }
    var differences = 0
    for slot in 0..<(1 << 24) where map.index(v4: UInt32(slot) << 8) != canvas[slot] {
      differences += 1
    }
    #expect(differences == 0)
  }

  @Test("a table of runs refuses starts that do not rise and numbers that do not fit")
  func runTable() throws {
    #expect(IPRunTable(v4: [1, 1], numbers: [1, 2], v6: [], numbers: []) == nil)
    #expect(IPRunTable(v4: [], numbers: [], v6: [2, 1], numbers: [1, 2]) == nil)
    #expect(IPRunTable(v4: [1], numbers: [], v6: [], numbers: []) == nil)
    #expect(IPRunTable(v4: [1], numbers: [0x8000_0000], v6: [], numbers: []) == nil)
    let table = try #require(
      IPRunTable(v4: [5, 0xffff_ffff], numbers: [7, 9], v6: [0, .max], numbers: [3, 4]))
    #expect([0, 4, 5, 0x1234_5678, .max].map(table.number(v4:)) == [0, 0, 7, 7, 9])
    #expect([0, 1, .max - 1, .max].map(table.number(v6:)) == [3, 3, 3, 4])
  }
}
