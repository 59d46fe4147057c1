import Foundation
import NetworkTypes
import Testing

@testable import TrustServices

@Suite("ASiC-E containers")
struct SealsContainerTests {
  static let files = [
    ASiCContainer.File(
      name: "flows.csv", content: Array("a,b\n1,2\n".utf8), mediaType: "text/csv"),
    ASiCContainer.File(name: "notes/警報 1.txt", content: Array("警報".utf8)),
  ]

  @Test("every level is made, passes and gives its files back", arguments: SealLevel.allCases)
  func levels(level: SealLevel) async throws {
    let house = try SealHouse()
    let container = try await ASiCContainer.seal(
      Self.files, with: try house.sealer(), level: level, at: TestAuthority.now)
    let report = try house.validator(crls: [house.crl]).validate(container: container)
    #expect(report.verdict == "TOTAL-PASSED", "\(report)")
    #expect(report.signatures[0].covers.map(\.name) == Self.files.map(\.name))
    #expect(report.signatures[0].level == level)
    #expect(try ASiCContainer.files(container).map(\.content) == Self.files.map(\.content))
  }

  @Test("a changed, missing or added file is told by name")
  func changed() async throws {
    let house = try SealHouse()
    let container = try await ASiCContainer.seal(
      Self.files, with: try house.sealer(), at: TestAuthority.now)
    let validator = try house.validator(crls: [house.crl])
    let entries = try ZipArchive(reading: container).entries
    func report(_ entries: [ZipArchive.Entry]) throws -> ValidationReport {
      validator.validate(container: try ZipArchive(entries).encoded())
    }
    let other = try report(
      entries.map { $0.name == "flows.csv" ? .init(name: $0.name, content: [1]) : $0 })
    #expect(other.verdict == "TOTAL-FAILED HASH_FAILURE")
    #expect(other.conclusion.detail?.contains("flows.csv") == true)
    let less = try report(entries.filter { $0.name != "flows.csv" })
    #expect(less.verdict == "INDETERMINATE SIGNED_DATA_NOT_FOUND")
    let more = try report(entries + [.init(name: "extra.txt", content: [2])])
    #expect(more.verdict == "TOTAL-PASSED")
    #expect(more.signatures[0].notes.contains { $0.contains("extra.txt") })
    let manifest = try report(
      entries.map {
        $0.name.hasSuffix("ASiCManifest001.xml")
          ? .init(name: $0.name, content: $0.content + [0x20]) : $0
      })
    #expect(manifest.verdict == "TOTAL-FAILED HASH_FAILURE")
    #expect(try report([]).verdict == "TOTAL-FAILED FORMAT_FAILURE")
  }

  @Test("names that lead elsewhere, twice or into META-INF are refused when sealing and reading")
  func names() async throws {
    let house = try SealHouse()
    for name in ["../x", "/x", "a/../b", "a\\b", "a//b", "META-INF/x", "", "./x"] {
      let sealer = try house.sealer()
      await #expect(throws: (any Error).self, "\(name)") {
        _ = try await ASiCContainer.seal(
          [.init(name: name, content: [1])], with: sealer, at: TestAuthority.now)
      }
    }
    let twice = try ZipArchive([.init(name: "a", content: []), .init(name: "a", content: [1])])
      .encoded()
    #expect(throws: MalformedStructure.self) { try ZipArchive(reading: twice) }
  }

  @Test("a file that is named twice is told by name; a local header that differs is refused")
  func differing() async throws {
    let house = try SealHouse()
    await #expect(throws: SealError.nameTwice("flows.csv")) {
      try await ASiCContainer.seal(
        [Self.files[0], Self.files[0]], with: try house.sealer(), at: TestAuthority.now)
    }
    let good = try ZipArchive([.init(name: "a", content: [1, 2, 3])]).encoded()
    #expect(try ZipArchive(reading: good).entries.count == 1)
    // Method, checksum, both sizes.
    for offset in [8, 14, 18, 22] {
      var bytes = good
      bytes[offset] ^= 8
      #expect(throws: MalformedStructure.self, "\(offset)") { try ZipArchive(reading: bytes) }
    }
  }

  @Test("bombs, broken sizes and truncated containers are refused")
  func hostile() throws {
    let good = try ZipArchive([.init(name: "a", content: Array(repeating: 7, count: 100))])
      .encoded()
    for end in 0..<good.count {
      #expect(throws: MalformedStructure.self) { try ZipArchive(reading: Array(good[..<end])) }
    }
    var limits = ZipLimits()
    limits.maximumEntrySize = 99
    #expect(throws: MalformedStructure.self) { try ZipArchive(reading: good, limits: limits) }
    limits = ZipLimits()
    limits.maximumEntries = 0
    #expect(throws: MalformedStructure.self) { try ZipArchive(reading: good, limits: limits) }
    for index in good.indices {
      var bad = good
      bad[index] ^= 0xFF
      _ = try? ZipArchive(reading: bad)
    }
  }

  @Test("DEFLATE in all its forms is unpacked, and bounded", .enabled(if: Python.has("zlib")))
  func inflate() throws {
    try withFolder { folder in
      let outcome = try Python.run(
        """
        import zlib, random
        random.seed(5)
        for i, data in enumerate([b'', b'a', b'abc' * 5000, bytes(100000),
            bytes(random.randrange(256) for _ in range(70000)),
            bytes(random.choice(b'abcdefgh ') for _ in range(50000))]):
          open(f'{i}.raw', 'wb').write(data)
          for j, (level, strategy) in enumerate([(0, 0), (1, 0), (9, 0), (9, zlib.Z_FIXED),
              (9, zlib.Z_HUFFMAN_ONLY)]):
            c = zlib.compressobj(level, zlib.DEFLATED, -15, 9, strategy)
            open(f'{i}-{j}.packed', 'wb').write(c.compress(data) + c.flush())
        """, in: folder)
      #expect(outcome.status == 0, "\(outcome.output)")
      for i in 0..<6 {
        let raw = try folder.get("\(i).raw")
        for j in 0..<5 {
          let packed = try folder.get("\(i)-\(j).packed")
          #expect(try Inflate.unpack(packed[...], limit: raw.count) == raw)
          if !raw.isEmpty {
            #expect(throws: Inflate.Failure.tooLong) {
              try Inflate.unpack(packed[...], limit: raw.count - 1)
            }
          }
          #expect(throws: Inflate.Failure.self) {
            try Inflate.unpack(packed.dropLast(packed.count / 2 + 1), limit: 1 << 20)
          }
        }
      }
    }
  }

  @Test("a container packed by another tool passes", .enabled(if: Python.has("zipfile")))
  func repacked() async throws {
    let house = try SealHouse()
    let container = try await ASiCContainer.seal(
      Self.files, with: try house.sealer(), level: .timeStamped, at: TestAuthority.now)
    try withFolder { folder in
      try folder.put("a.asice", container)
      let outcome = try Python.run(
        """
        import zipfile
        a = zipfile.ZipFile('a.asice'); assert a.testzip() is None
        b = zipfile.ZipFile('b.asice', 'w', zipfile.ZIP_DEFLATED)
        for n in a.namelist(): b.writestr(n, a.read(n))
        b.close()
        """, in: folder)
      #expect(outcome.status == 0, "\(outcome.output)")
      let report = try house.validator(crls: [house.crl]).validate(
        container: try folder.get("b.asice"))
      #expect(report.verdict == "TOTAL-PASSED", "\(report)")
    }
  }

  @Test("XML beyond what manifests need is refused")
  func xml() {
    for text in [
      "", "<a>", "<a></b>", "<!DOCTYPE a [<!ENTITY x 'y'>]><a/>", "<a>&x;</a>", "<a b='1' b='2'/>",
      "<p:a/>", "<a/><a/>", "<a b=1/>", "<?xml version='1.0'?><?pi?><a/>",
      String(repeating: "<a>", count: 10_000),
    ] {
      #expect(throws: MalformedStructure.self, "\(text.prefix(30))") {
        try XMLElement.read(Array(text.utf8))
      }
    }
    let element = try? XMLElement.read(
      Array("<!-- x --><p:a xmlns:p='u' b='&lt;&#x3042;'>t<c/>u</p:a>\n".utf8))
    #expect(element?.namespace == "u")
    #expect(element?.attributes["b"] == "<あ")
    #expect(element?.text == "tu")
    #expect(element?.children.map(\.name) == ["c"])
  }
}
