import Constituency
import Foundation
import NetworkTypes
import Testing

private let sample = """
  organisations:
    - id: isp-kaede
      name: Kaede Net
      nameJa: 楓ネット
      roles: [isp, member]
      prefixes: [192.0.2.0/24, "2001:db8::/32"]
      asns: [64496, AS64497]
      language: ja
      memberAlerts: true
      contacts:
        - {name: Abuse desk, email: abuse@example.net, role: abuse, language: en}
        - email: noc@example.net
          role: noc
          doNotNotify: true
      delivery: {formats: [mail, xarf], channels: [smtp], interval: 0, minimumConfidence: 80}
    - id: shop
      name: "Null: 12"
      parent: isp-kaede
  """

struct ConstituencyFileTests {
  @Test("a constituency is read with every field")
  func reading() throws {
    let constituency = try ConstituencyFile.read(sample)
    let kaede = try #require(constituency["isp-kaede"])
    #expect(kaede.name(in: .japanese) == "楓ネット")
    #expect(kaede.roles == [.isp, .member])
    #expect(kaede.prefixes.map(\.description) == ["192.0.2.0/24", "2001:db8::/32"])
    #expect(kaede.asns == [ASN(64496), ASN(64497)])
    #expect(kaede.contacts.map(\.email) == ["abuse@example.net", "noc@example.net"])
    #expect(kaede.contacts[1].name == "noc@example.net")
    #expect(kaede.contacts[1].doNotNotify)
    #expect(kaede.delivery.formats == [.mail, .xarf])
    #expect(kaede.delivery.channels == [.smtp])
    #expect(kaede.delivery.intervalSeconds == 0)
    #expect(kaede.delivery.maximumMarking == "TLP:AMBER")
    #expect(kaede.memberAlerts)
    #expect(constituency["shop"]?.name == "Null: 12")
    #expect(constituency.resellers(above: "shop").map(\.id) == ["isp-kaede"])
  }

  @Test("what is written is read back the same, also names that look like something else")
  func roundTrip() throws {
    var constituency = try ConstituencyFile.read(sample)
    for (place, name) in ["no", "1e3", "2026-11-25", "# x", "a: b", "\"q\"", "'", "日本", "~"]
      .enumerated()
    {
      try constituency.add(Organisation(id: "odd-\(place)", name: name, nameJa: name))
    }
    let text = try ConstituencyFile.text(of: constituency)
    #expect(try ConstituencyFile.read(text) == constituency)
  }

  @Test("a file is saved whole, edited under a lock, and leaves no part behind")
  func saving() throws {
    let directory = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
    try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: directory) }
    let file = ConstituencyFile(path: directory.appending(path: "constituency.yaml").path)
    #expect(try file.load().organisations.isEmpty)
    try file.save(try ConstituencyFile.read(sample))
    let prefix = try #require(IPPrefix("198.51.100.0/24"))
    try file.edit { constituency in
      try constituency.add(prefix, to: "shop")
      try constituency.remove(contact: "noc@example.net", from: "isp-kaede")
      try constituency.add(Contact(name: "X", email: "x@example.org"), to: "shop")
    }
    let read = try file.load()
    #expect(read["shop"]?.prefixes == [prefix])
    #expect(read["isp-kaede"]?.contacts.count == 1)
    let names = try FileManager.default.contentsOfDirectory(atPath: directory.path)
    #expect(!names.contains { $0.hasSuffix(".part") })
    // A change that fails leaves the file as it was.
    #expect(throws: ConstituencyError.self) {
      try file.edit { try $0.remove("isp-kaede") }
    }
    #expect(try file.load() == read)
  }

  @Test(
    "what is wrong is named with its line and path",
    arguments: [
      ("organisations:\n  - id: A B\n    name: x", "x.yaml:2", "organisations[0].id"),
      (
        "organisations:\n  - id: a\n    name: x\n    prefixes: [192.0.2.0/33]", "x.yaml:4",
        "prefixes[0]"
      ),
      ("organisations:\n  - id: a\n    nmae: x", "x.yaml", "name is missing"),
      ("organisations:\n  - id: a\n    name: x\n    colour: red", "x.yaml:4", "colour"),
      ("organisations:\n  - id: a\n    name: x\n    roles: [king]", "x.yaml:4", "one of institute"),
      (
        "organisations:\n  - id: a\n    name: x\n    contacts:\n      - email: \"a@b\\r\\nBcc: c@d\"",
        "x.yaml:5", "contacts[0].email"
      ),
      ("organisations:\n  - {id: a, name: x}\n  - {id: a, name: y}", "x.yaml", "twice"),
      ("organisations:\n  - {id: a, name: x, parent: b}", "x.yaml", "parent b"),
      (
        "organisations:\n  - {id: a, name: x, parent: b}\n  - {id: b, name: x, parent: a}",
        "x.yaml",
        "circle"
      ),
      ("organisations: 3", "x.yaml:1", "a list"),
      ("organisations: [", "x.yaml", "not YAML"),
      ("- 1", "x.yaml:1", "keys"),
      ("organisations:\n  - id: &a x\n    name: *b", "x.yaml", "not YAML"),
    ])
  func errors(text: String, place: String, part: String) throws {
    let error = try #require(throws: ConstituencyError.self) {
      try ConstituencyFile.read(text, file: "x.yaml")
    }
    #expect(error.description.hasPrefix(place), "\(error)")
    #expect(error.description.contains(part), "\(error)")
  }

  @Test("hostile documents are refused and do not trap")
  func hostile() throws {
    var bomb = "a: &a [x,x,x,x,x,x,x,x,x]\n"
    for (name, inner) in zip("bcdefghij", "abcdefghi") {
      bomb +=
        "\(name): &\(name) [\(Array(repeating: "*\(inner)", count: 9).joined(separator: ","))]\n"
    }
    for text in [
      bomb, String(repeating: "[", count: 100_000), String(repeating: "{a: ", count: 5_000),
      "organisations:\n  - {[a]: b}", "\u{0}", "organisations: {a: b}", "? [x]\n: y",
      "organisations:\n  - id: a\n    name: x\n    asns: [99999999999]",
      "organisations:\n  - id: a\n    name: x\n    delivery: {interval: 99999999999999999999}",
    ] {
      #expect(throws: ConstituencyError.self) { try ConstituencyFile.read(text) }
    }
    #expect(try ConstituencyFile.read("").organisations.isEmpty)
    #expect(try ConstituencyFile.read("organisations:\n").organisations.isEmpty)
  }
}

struct ConstituencyCSVTests {
  @Test("several lines make one organisation, and a second import changes nothing")
  func merging() throws {
    let table = #"""
      id,name,prefixes,asns,contact_email,roles
      isp-a,"A, Ltd. ""A""",192.0.2.0/24 198.51.100.0/24,64496,abuse@example.net,isp
      isp-a,,203.0.113.0/24,,noc@example.net,
      """#.replacing("\n", with: "\r\n")
    var constituency = Constituency()
    let first = try ConstituencyCSV.merge("\u{feff}" + table, into: &constituency)
    #expect(first == .init(added: 1, changed: 0))
    let organisation = try #require(constituency["isp-a"])
    #expect(organisation.name == "A, Ltd. \"A\"")
    #expect(organisation.prefixes.count == 3)
    #expect(organisation.contacts.count == 2)
    #expect(organisation.roles == [.isp])
    let second = try ConstituencyCSV.merge(table, into: &constituency)
    #expect(second == .init(added: 0, changed: 0))
  }

  @Test(
    "a wrong table is refused with its line and changes nothing",
    arguments: [
      ("", "empty"), ("name\nx", "id is missing"), ("id,colour\na,b", "1"), ("id,name\na", "2"),
      ("id,name\na,\"x", "quotation"), ("id,name,prefixes\na,x,192.0.2.0/24\nb,y,nowhere", "3"),
      ("id,name\na,", "name is missing"), ("id,id\na,a", "double column"),
    ])
  func errors(text: String, part: String) throws {
    var constituency = Constituency()
    let error = try #require(throws: ConstituencyError.self) {
      try ConstituencyCSV.merge(text, file: "x.csv", into: &constituency)
    }
    #expect(error.description.contains(part), "\(error)")
    #expect(constituency.organisations.isEmpty)
  }
}
