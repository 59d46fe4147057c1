import Foundation
import NetworkTypes
import Testing

@testable import Geolocation

@Suite("Importing, keeping and asking")
struct GeoImportTests {
  @Test("an empty database knows nothing and needs no file")
  func empty() {
    #expect(GeoDatabase.empty.isEmpty)
    #expect(GeoDatabase.empty.lookup(IPAddress(v4: 0x0808_0808)) == .unknown)
    #expect(GeoDatabase.empty.lookup(IPAddress(bits: .max)) == .unknown)
    #expect(GeoDatabase.empty.asnName(ASN(1)) == nil)
  }

  @Test(
    "every publisher's MMDB layout is asked live",
    arguments: [
      ("country", true, false), ("city", true, false), ("registered", true, false),
      ("asn", false, true), ("ipinfo-lite", true, true), ("ipinfo-country-asn", true, true),
    ])
  func live(file: String, country: Bool, asn: Bool) throws {
    let geo = try GeoDatabase(live: [GeoFixtures.path("\(file).mmdb")])
    #expect(!geo.isEmpty)
    #expect(geo.provenance.first?.kind == .maxMindDB)
    check(geo, country: country, asn: asn)
  }

  @Test(
    "every publisher's MMDB layout is imported",
    arguments: [
      ("country", true, false), ("city", true, false), ("registered", true, false),
      ("asn", false, true), ("ipinfo-lite", true, true), ("ipinfo-country-asn", true, true),
    ])
  func imported(file: String, country: Bool, asn: Bool) throws {
    let folder = try GeoFixtures.temporaryFolder()
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let path = "\(folder)/geo.noroshi"
    let source = try GeoSource(detecting: GeoFixtures.path("\(file).mmdb"))
    try GeoImporter.import(sources: [source], to: path)
    let geo = try GeoDatabase(snapshot: path)
    check(geo, country: country, asn: asn)
    if asn {
      for network in GeoFixtures.networks.prefix(20) {
        #expect(geo.asnName(ASN(network.asn)) == network.name)
      }
    }
  }

  private func check(_ geo: GeoDatabase, country: Bool, asn: Bool) {
    #expect(GeoFixtures.networks.count == 240)
    for probe in GeoFixtures.probes {
      let truth = GeoFixtures.truth[probe] ?? .unknown
      let expected = GeoRecord(
        country: country ? truth.country : .unknown, asn: asn ? truth.asn : .unknown)
      #expect(geo.lookup(probe) == expected, "\(probe)")
      if let v4 = probe.v4 { #expect(geo.lookup(v4: v4) == expected) }
    }
  }

  @Test("country and ASN from two live files, the rest from the snapshot")
  func mixed() throws {
    let folder = try GeoFixtures.temporaryFolder()
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let text = try GeoFixtures.write(
      "172.16.0.0\t12\t64496\n10.0.0.0\t8\t1\n", "table.txt", in: folder)
    try GeoImporter.import(
      sources: [GeoSource(detecting: text)], to: "\(folder)/geo.noroshi")
    let geo = try GeoDatabase(
      snapshot: "\(folder)/geo.noroshi",
      live: [GeoFixtures.path("country.mmdb"), GeoFixtures.path("asn-ipv4.mmdb")])
    for probe in GeoFixtures.probes where probe.isIPv4 && GeoFixtures.truth[probe] != nil {
      #expect(geo.lookup(probe) == GeoFixtures.truth[probe])
    }
    #expect(geo.lookup(IPAddress(v4: 0xac10_0001)) == GeoRecord("ZZ", 64496))
    #expect(geo.lookup(try #require(IPAddress("2001:db8::1"))).asn == .unknown)
  }

  @Test("a damaged MMDB file is refused or says nothing, and never traps")
  func damagedMMDB() throws {
    let folder = try GeoFixtures.temporaryFolder()
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let whole = try Data(contentsOf: URL(fileURLWithPath: GeoFixtures.path("ipinfo-lite.mmdb")))
    var random = SeededGenerator(seed: 3)
    for round in 0..<120 {
      var data = whole
      if round % 3 == 0 {
        data = data.prefix(Int.random(in: 0..<data.count, using: &random))
      } else {
        for _ in 0..<(1 + round / 4) {
          data[Int.random(in: 0..<data.count, using: &random)] = UInt8(
            truncatingIfNeeded: random.next())
        }
      }
      let path = "\(folder)/\(round).mmdb"
      try data.write(to: URL(fileURLWithPath: path))
      guard let database = try? MaxMindDatabase(path: path) else { continue }
      for probe in GeoFixtures.probes.prefix(50) { _ = database.lookup(probe) }
      _ = try? database.layer { _ in }
    }
  }

  @Test(
    "gzipped tables are read, and a gzip that is cut short is an error",
    .enabled(if: GeoFixtures.executable("gzip") != nil))
  func gzip() throws {
    let folder = try GeoFixtures.temporaryFolder()
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let text = (0..<20_000).map { "10.\($0 / 256).\($0 % 256).0\t24\t\(64496 + $0 % 16)\n" }
      .joined()
    let plain = try GeoFixtures.write(text, "routeviews.pfx2as", in: folder)
    _ = try GeoFixtures.output(try #require(GeoFixtures.executable("gzip")), [plain])
    let source = try GeoSource(detecting: plain + ".gz")
    #expect(source.kind == .prefixToAS)
    let report = try GeoImporter.import(sources: [source], to: "\(folder)/geo.noroshi")
    #expect(report.sources.first?.entries == 20_000)
    let data = try Data(contentsOf: URL(fileURLWithPath: plain + ".gz"))
    let cut = "\(folder)/cut.gz"
    try data.prefix(data.count / 2).write(to: URL(fileURLWithPath: cut))
    #expect(throws: GeoError.self) {
      try GeoImporter.import(
        sources: [GeoSource(path: cut, kind: .prefixToAS)], to: "\(folder)/other")
    }
    #expect(!FileManager.default.fileExists(atPath: "\(folder)/other"))
  }

  @Test("the kind of a file is found by looking into it")
  func detection() throws {
    let folder = try GeoFixtures.temporaryFolder()
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let texts: [(String, GeoSourceKind)] = [
      ("# x\n1,2,JP\n", .torGeoIP), ("2001::,2001::1,??\n", .torGeoIP),
      ("1.0.0.0\t24\t13335\n", .prefixToAS), ("2001:db8::\t32\t1_2\n", .prefixToAS),
      ("#\n\naut-num: AS1\n", .ipfireLocation), ("net: 10.0.0.0/8\n", .ipfireLocation),
    ]
    for (text, kind) in texts {
      let path = try GeoFixtures.write(text, "file", in: folder)
      #expect(try GeoSource(detecting: path).kind == kind)
    }
    let copy = "\(folder)/no-ending"
    try FileManager.default.copyItem(atPath: GeoFixtures.path("asn.mmdb"), toPath: copy)
    #expect(try GeoSource(detecting: copy).kind == .maxMindDB)
    let other = try GeoFixtures.write("hello world\n", "other", in: folder)
    #expect(throws: GeoError.self) { try GeoSource(detecting: other) }
    #expect(throws: GeoError.self) { try GeoSource(detecting: "\(folder)/absent") }
  }

  @Test("nothing usable in a source is an error and leaves the old snapshot")
  func uselessSource() throws {
    let folder = try GeoFixtures.temporaryFolder()
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let path = "\(folder)/geo.noroshi"
    let good = try GeoFixtures.write("10.0.0.0\t8\t1\n", "good", in: folder)
    try GeoImporter.import(sources: [GeoSource(detecting: good)], to: path)
    let bad = try GeoFixtures.write("hello\n", "bad", in: folder)
    #expect(throws: GeoError.self) {
      try GeoImporter.import(sources: [GeoSource(path: bad, kind: .torGeoIP)], to: path)
    }
    #expect(throws: GeoError.self) { try GeoImporter.import(sources: [], to: path) }
    #expect(try GeoDatabase(snapshot: path).lookup(v4: 0x0a00_0001).asn == ASN(1))
    #expect(throws: GeoError.self) {
      try GeoImporter.import(sources: [GeoSource(detecting: good)], to: "\(folder)/no/where")
    }
    #expect(
      try FileManager.default.contentsOfDirectory(atPath: folder).allSatisfy {
        !$0.hasSuffix(".part")
      })
  }

  @Test("progress rises to 1, sources are told by trust and date")
  func report() throws {
    let folder = try GeoFixtures.temporaryFolder()
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let old = try GeoFixtures.write(
      "# Generated: Sat, 29 Oct 2022 05:59:54 GMT\nnet: 10.0.0.0/8\ncountry: DE\n", "old",
      in: folder)
    let new = try GeoFixtures.write(
      "# Generated: Thu, 25 Jun 2026 04:33:59 GMT\n167772160,184549375,JP\n", "new", in: folder)
    let routes = try GeoFixtures.write("10.0.0.0\t8\t7\nnonsense\n", "routes", in: folder)
    var seen: [Double] = []
    let report = try GeoImporter.import(
      sources: [old, new, routes].map { try GeoSource(detecting: $0) },
      to: "\(folder)/geo.noroshi", progress: { seen.append($0) })
    #expect(report.sources.map(\.file) == ["routes", "new", "old"])
    #expect(report.sources.first?.skipped == 1)
    #expect(report.sources.first?.firstSkippedLine == 2)
    #expect(seen == seen.sorted() && seen.last == 1)
    #expect(report.v4CountryCoverage == 1.0 / 256)
    let geo = try GeoDatabase(snapshot: "\(folder)/geo.noroshi")
    #expect(geo.lookup(v4: 0x0a00_0000) == GeoRecord("JP", 7))
    #expect(geo.provenance == report.sources)
  }

  @Test(
    "Debian's databases answer as IPFire's own program does",
    .enabled(
      if: GeoFixtures.executable("location") != nil
        && FileManager.default.fileExists(atPath: "/usr/share/libloc-location/location.db")))
  func againstLocation() throws {
    let database = "/usr/share/libloc-location/location.db"
    // The first quarter of the networks is enough, and spares a debug build half a minute.
    let stream = try GeoByteStream(path: database)
    defer { stream.close() }
    var format = IPFireLocationText()
    var cutter = LineCutter()
    while format.layer.entries < 150_000, let chunk = try stream.next() {
      #expect(cutter.feed(chunk) { format.read($1, number: $0) })
    }
    let combination = GeoCombination([format.layer])
    let bytes = try GeoSnapshot.encoded(
      records: combination.records, v4: combination.v4, v6: combination.v6,
      names: combination.names, provenance: [])
    let geo = GeoDatabase(try GeoSnapshot(bytes: bytes), live: [])
    let end = try #require(format.layer.asn4.last?.first)
    var random = SeededGenerator(seed: 11)
    let addresses = (0..<400).map { _ in
      IPAddress(v4: UInt32.random(in: 0x0100_0000..<end, using: &random))
    }
    let text = try GeoFixtures.output(
      try #require(GeoFixtures.executable("location")),
      ["--database", database, "lookup"] + addresses.map(\.description))
    // 192.0.2.1:
    //   Network                 : 192.0.2.0/24
    //   Country                 : Japan
    //   Autonomous System       : AS64496 - EXAMPLE
    var systems: [String: UInt32] = [:]
    var current = ""
    for line in text.split(separator: "\n") {
      if !line.hasPrefix(" "), line.hasSuffix(":") { current = String(line.dropLast()) }
      if line.contains("Autonomous System"),
        let word = line.split(separator: " ").first(where: { $0.hasPrefix("AS") }),
        let asn = ASN(text: word)
      {
        systems[current] = asn.number
      }
    }
    #expect(systems.count > 100)
    for address in addresses {
      #expect(geo.lookup(address).asn.number == systems["\(address)"] ?? 0, "\(address)")
    }
  }
}
