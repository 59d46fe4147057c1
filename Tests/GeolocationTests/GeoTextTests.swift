import NetworkTypes
import Testing

@testable import Geolocation

@Suite("The text forms of geographic data")
struct GeoTextTests {
  private func combined(_ layers: GeoLayer...) -> GeoDatabase {
    GeoDatabase(GeoSnapshot(GeoCombination(layers)), live: [])
  }

  private func record(_ geo: GeoDatabase, _ address: String) throws -> GeoRecord {
    geo.lookup(try #require(IPAddress(address)))
  }

  @Test("pfx2as: sets and several origins give the first system and are counted")
  func prefixToAS() throws {
    let text = """
      # a comment
      192.0.2.0\t24\t64496
      198.51.100.0\t24\t64497_64498
      203.0.113.0\t24\t64499,64500_64501
      2001:db8::\t32\t64502\r
      192.0.2.128\t25\t4200000000
      """
    let layer = PrefixToASText.layer(of: Array(text.utf8))
    #expect(layer.entries == 5)
    #expect(layer.multipleOrigins == 2)
    #expect(layer.skipped == 0)
    let geo = combined(layer)
    #expect(try record(geo, "192.0.2.1") == GeoRecord("ZZ", 64496))
    #expect(try record(geo, "192.0.2.200") == GeoRecord("ZZ", 4_200_000_000))
    #expect(try record(geo, "198.51.100.255") == GeoRecord("ZZ", 64497))
    #expect(try record(geo, "203.0.113.0") == GeoRecord("ZZ", 64499))
    #expect(try record(geo, "2001:db8:ffff::1") == GeoRecord("ZZ", 64502))
    #expect(try record(geo, "192.0.3.0") == .unknown)
  }

  @Test(
    "pfx2as: a line that cannot be read is left out and counted with its number",
    arguments: [
      "192.0.2.0\t24", "192.0.2.0\t33\t1", "192.0.2\t24\t1", "192.0.2.0\t24\t_1",
      "192.0.2.0\t24\t0",
      "192.0.2.0\t24\t4294967296", "192.0.2.0\t24\t1\t2", "2001:db8::\t129\t1", "a\tb\tc",
      "192.0.2.0\t-1\t1",
      "0192.0.2.0\t24\t1",
    ])
  func prefixToASBroken(line: String) {
    let layer = PrefixToASText.layer(of: Array("10.0.0.0\t8\t1\n\(line)\n11.0.0.0\t8\t2\n".utf8))
    #expect(layer.entries == 2)
    #expect(layer.skipped == 1)
    #expect(layer.firstSkippedLine == 2)
  }

  @Test("libloc: networks nest, and what one does not say the network around it says")
  func libloc() throws {
    let text = """
      #
      # Location Database Export
      #
      # Generated: Sat, 29 Oct 2022 05:59:54 GMT
      # Vendor:    IPFire Project
      # License:   CC BY-SA 4.0
      #

      aut-num:                 AS64496
      name:                    Example Näme

      aut-num:                 AS64497
      name:                    EXAMPLE-2

      net:                     192.0.2.0/24
      country:                 JP
      aut-num:                 64496
      is-anycast:              yes

      net:                     192.0.2.64/26
      country:                 DE

      net:                     192.0.2.128/25
      aut-num:                 64497

      net:                     2001:db8::/32
      country:                 A1
      aut-num:                 64497
      """
    let layer = IPFireLocationText.layer(of: Array(text.utf8))
    #expect(layer.date == Timestamp("2022-10-29T05:59:54Z"))
    #expect(layer.description == "IPFire Project, CC BY-SA 4.0")
    #expect(layer.entries == 4)
    #expect(layer.skipped == 0)
    let geo = combined(layer)
    #expect(try record(geo, "192.0.2.1") == GeoRecord("JP", 64496))
    #expect(try record(geo, "192.0.2.64") == GeoRecord("DE", 64496))
    #expect(try record(geo, "192.0.2.128") == GeoRecord("JP", 64497))
    #expect(try record(geo, "2001:db8::1") == GeoRecord("ZZ", 64497))
    #expect(geo.asnName(ASN(64496)) == "Example Näme")
    #expect(geo.asnName(ASN(64497)) == "EXAMPLE-2")
    #expect(geo.asnName(ASN(1)) == nil)
    #expect(geo.namedSystems == 2)
  }

  @Test("libloc: nonsense is counted, the rest is kept")
  func liblocBroken() {
    let text = """
      net: 192.0.2.0/33
      country: JP

      net: 192.0.2.0
      net: 10.0.0.0/8
      country: FR
      aut-num: ASX
      hello
      net: 11.0.0.0/8
      country: DE
      """
    let layer = IPFireLocationText.layer(of: Array(text.utf8))
    #expect(layer.entries == 2)
    #expect(layer.country4.count == 2)
    #expect(layer.skipped == 4)
    #expect(layer.firstSkippedLine == 1)
  }

  @Test("Tor's files: numbers and addresses, unknown countries, ranges that are no prefixes")
  func tor() throws {
    let text = """
      # Generated: Thu, 25 Jun 2026 04:33:59 GMT
      3221225985,3221226000,JP
      3221226001,3221226005,??
      2001:200::,2001:200:ffff:ffff:ffff:ffff:ffff:ffff,TH
      5,4,JP
      5,::1,JP
      1,2,JPN
      1,2
      """
    let layer = TorGeoIPText.layer(of: Array(text.utf8))
    #expect(layer.date == Timestamp("2026-06-25T04:33:59Z"))
    #expect(layer.entries == 3)
    #expect(layer.skipped == 4)
    let geo = combined(layer)
    #expect(try record(geo, "192.0.2.0") == .unknown)
    #expect(try record(geo, "192.0.2.1") == GeoRecord("JP", 0))
    #expect(try record(geo, "192.0.2.16") == GeoRecord("JP", 0))
    #expect(try record(geo, "192.0.2.17") == .unknown)
    #expect(try record(geo, "2001:200:1::1") == GeoRecord("TH", 0))
  }

  @Test("the most trusted source that knows a field wins, field by field")
  func trust() throws {
    let first = PrefixToASText.layer(of: Array("10.1.0.0\t16\t64496\n".utf8))
    let second = IPFireLocationText.layer(
      of: Array(
        "net: 10.0.0.0/8\ncountry: JP\naut-num: 64500\n\nnet: 10.1.2.0/24\ncountry: DE\naut-num: 64501\n"
          .utf8))
    let geo = combined(first, second)
    #expect(try record(geo, "10.1.2.3") == GeoRecord("DE", 64496))
    #expect(try record(geo, "10.1.3.3") == GeoRecord("JP", 64496))
    #expect(try record(geo, "10.2.0.0") == GeoRecord("JP", 64500))
    let reversed = combined(second, first)
    #expect(try record(reversed, "10.1.2.3") == GeoRecord("DE", 64501))
    #expect(try record(reversed, "10.1.3.3") == GeoRecord("JP", 64500))
  }

  @Test(
    "blocks that nest and overlap in any way give the runs that a naive painter gives",
    arguments: 0..<60)
  func runs(seed: Int) {
    var random = SeededGenerator(seed: UInt64(seed))
    let blocks = (0..<Int.random(in: 0...30, using: &random)).map {
      number -> AddressRuns<UInt8>.Block in
      let one = UInt8.random(in: 0...255, using: &random)
      let two = UInt8.random(in: 0...255, using: &random)
      return .init(first: min(one, two), last: max(one, two), number: UInt32(number % 7))
    }
    let runs = AddressRuns(blocks)
    // By hand: of the blocks that hold an address the one that begins last, then ends first, then
    // comes last.
    let order = blocks.enumerated().sorted {
      ($0.element.first, 255 - $0.element.last, $0.offset)
        < ($1.element.first, 255 - $1.element.last, $1.offset)
    }.map(\.element)
    for address in UInt8.min...UInt8.max {
      let expected = order.last { $0.first <= address && address <= $0.last }?.number ?? 0
      let place = runs.starts.lastIndex { $0 <= address }
      #expect(place.map { runs.numbers[$0] } ?? 0 == expected)
    }
    for (left, right) in zip(runs.numbers, runs.numbers.dropFirst()) { #expect(left != right) }
  }

  @Test("lines are the same whatever the size of the chunks")
  func chunks() {
    let text = Array("one\r\ntwo\n\n\nfive is longer\nlast".utf8)
    for size in 1...text.count {
      var cutter = LineCutter()
      var lines: [String] = []
      for start in stride(from: 0, to: text.count, by: size) {
        let chunk = Array(text[start..<min(text.count, start + size)])
        #expect(cutter.feed(chunk) { lines.append($1.text(0..<$1.count)) })
      }
      _ = cutter.feed(nil) { lines.append($1.text(0..<$1.count)) }
      #expect(lines == ["one", "two", "", "", "five is longer", "last"])
    }
    var cutter = LineCutter()
    #expect(!cutter.feed([UInt8](repeating: 65, count: 70_000)) { _, _ in })
  }

  @Test(
    "addresses in lines are read as IPAddress reads them",
    arguments: [
      "1.2.3.4", "01.2.3.4", "1.2.3", "1.2.3.4.5", "256.1.1.1", "1..2.3", "1.2.3.", "", "::1",
      "::ffff:1.2.3.4", "1.2.3.0004", "0.0.0.0", "255.255.255.255", "1.2.3.4x", "12:34",
      "999.1.1.1",
    ])
  func addresses(text: String) {
    let bytes = Array(text.utf8)
    #expect(bytes.span.address(0..<bytes.count) == IPAddress(text))
  }

  @Test("all 249 countries of ISO 3166-1 have names in both languages")
  func countryNames() throws {
    #expect(CountryCode.named.count == 252)
    for code in CountryCode.named {
      #expect(code.name(in: .english).count >= 4)
      #expect(code.name(in: .japanese).utf8.allSatisfy { $0 > 127 }, "\(code)")
    }
    #expect(CountryCode("JP")?.name(in: .japanese) == "日本")
    #expect(CountryCode("CI")?.name(in: .english) == "Côte d’Ivoire")
    #expect(CountryCode.unknown.name(in: .japanese) == "不明")
    #expect(CountryCode("QX")?.name(in: .english) == "QX")
  }
}
