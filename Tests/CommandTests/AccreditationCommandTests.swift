import Foundation
import FoundationNetworking
import Testing
import TrustServices

@testable import noroshi

extension StampHouse {
  /// A register with one time-stamp service, that of this house, and its first list.
  func openRegister() throws {
    settings["NOROSHI_TSA_CLOCK_GUARDED"] = "no"
    try run(
      "ca", "issue", "seal", "--organisation", "国税庁", "--corporate-number", "7000012050002",
      "--output", path + "/body")
    try run("ca", "crl")
    try run(
      "accreditation", "init", "--name-ja", "例示機構", "--name-en", "Example Body", "--uri",
      "https://body.example.jp/", "--reason", "規程第1条")
    try run("accreditation", "scheme", "mic-146-2021", "--reason", "告示第146号")
    try run(
      "accreditation", "provider", "example", "--name-ja", "例示株式会社", "--name-en", "Example Inc.",
      "--corporate-number", "7000012050002", "--uri", "https://tsa.example.jp/", "--reason", "申請")
    try run(
      "accreditation", "apply", "tsa-1", "--provider", "example", "--scheme", "mic-146-2021",
      "--name-ja", "時刻認証1", "--name-en", "TSA 1", "--certificate", path + "/tsa/unit.pem",
      "--document", path + "/tsa/unit.pem", "--reason", "申請第1号", "--by", "hanako")
    try run(
      "accreditation", "assess", "tsa-1", "--passed", "--assessor", "調査機関", "--day", "2022-03-01",
      "--reason", "報告書7")
    try run(
      "accreditation", "decide", "tsa-1", "accredited", "--from", "2022-04-01", "--until",
      "2090-03-31", "--reason", "認定第1号")
    try publish()
  }

  func publish() throws {
    try run(
      "accreditation", "list", "publish", "--key", path + "/body.key", "--certificate",
      path + "/body.pem")
  }
}

@Suite("noroshi accreditation", .enabled(if: StampHouse.isBuilt), .serialized)
struct AccreditationCommandTests {
  @Test("a service is accredited and suspended, and verify answers for each time")
  func register() async throws {
    let house = try StampHouse()
    try house.openRegister()
    let file = try house.file("a.txt", "content".utf8)
    try house.run("tsa", "stamp", file)
    let list = house.path + "/accreditation/list.json"
    let root = house.path + "/ca/root.pem"
    let crl = house.path + "/ca/crl.der"
    func verify(_ list: String, _ more: String..., expecting code: Int32) throws -> String {
      let process = [
        "verify", file + ".tsr", "--content", file, "--trusted-list", list, "--list-operator",
        root, "--crl", crl, "--language", "en",
      ]
      return try house.run(process + more, expecting: code)
    }
    let good = try verify(list, "--require-accreditation", expecting: 0)
    #expect(good.contains("Accreditation: accredited at"), "\(good)")
    #expect(good.contains("by Minister for Internal Affairs and Communications"))
    #expect(try verify(list, "--format", "json", expecting: 0).contains("\"isAccredited\" : true"))
    try house.run("verify", file + ".tsr", "--trusted-list", list, expecting: 64)

    // The first list is kept; the second says that the service is suspended from today on.
    let first = house.path + "/accreditation/lists/1.json"
    let seen = house.path + "/seen.json"
    try house.run("accreditation", "list", "verify", first, "--operator", root, "--crl", crl)
    try house.run(
      "accreditation", "decide", "tsa-1", "suspended", "--reason", "時刻の逸脱")
    try house.publish()
    #expect(
      try house.run(
        "accreditation", "list", "verify", list, "--operator", root, "--crl", crl, "--state", seen,
        "--after", first
      ).contains("The list is its operator's"))
    let older = try house.run(
      "accreditation", "list", "verify", first, "--operator", root, "--crl", crl, "--state", seen,
      expecting: 2)
    #expect(older.contains("number 2 was seen before"))
    // The operator's file holds the certificate above it too, which is trusted for no list.
    try house.run(
      "accreditation", "list", "verify", list, "--operator", house.path + "/body.pem")
    try house.run(
      "accreditation", "list", "verify", list, "--operator", house.path + "/tsa/unit.pem",
      expecting: 2)
    let bad = try verify(list, "--require-accreditation", expecting: 3)
    #expect(bad.contains("suspended at") && bad.contains("CHAIN_CONSTRAINTS_FAILURE"), "\(bad)")
    // Without the flag too: nothing but the list made the service trusted.
    _ = try verify(list, expecting: 3)
    _ = try verify(list, "--trust-anchors", root, expecting: 0)

    try house.run(
      "accreditation", "decide", "tsa-1", "suspended", "--reason", "twice", expecting: 65)
    #expect(try house.run("accreditation", "services").contains("suspended"))
    let history = try house.run("accreditation", "history", "tsa-1", "--format", "csv")
    #expect(history.contains("hanako") && history.contains("unit.pem") && history.contains("申請第1号"))
    let shown = try house.run("accreditation", "list", "show", "--format", "csv")
    #expect(shown.contains("suspended") && shown.contains("2090-03-31"))
    #expect(try house.run("audit", "list", "--format", "csv").contains("accreditation.suspended"))
  }

  @Test("a register that was cut, or replaced by another history, is found by audit")
  func audit() async throws {
    let house = try StampHouse()
    try house.openRegister()
    let state = house.path + "/seen.txt"
    #expect(
      try house.run("accreditation", "audit", "--state", state).contains(
        "The register stands as it was written"))
    let journal = URL(filePath: house.path + "/accreditation/journal")
    let kept = URL(filePath: house.path + "/kept")
    try FileManager.default.copyItem(at: journal, to: kept)
    // The same operator begins anew, with the same key.
    try FileManager.default.removeItem(at: journal)
    try house.run(
      "accreditation", "init", "--name-ja", "例示機構", "--name-en", "Example Body", "--uri",
      "https://body.example.jp/", "--reason", "again")
    #expect(
      try house.run("accreditation", "audit", expecting: 2).contains("its end was cut off"))
    try FileManager.default.removeItem(at: journal)
    try FileManager.default.copyItem(at: kept, to: journal)
    let records = journal.appending(path: "records")
    var octets = try Data(contentsOf: records)
    octets[octets.count / 2] ^= 1
    try octets.write(to: records)
    try house.run("accreditation", "audit", expecting: 2)
  }

  @Test("noroshi serve publishes the list to everybody, and the next one without a restart")
  func served() async throws {
    let house = try StampHouse()
    house.settings["NOROSHI_PORTAL_PORT"] = "\(Int.random(in: 20_000...32_000))"
    try house.openRegister()
    try await house.serve(["serve"])
    func get(_ path: String) async throws -> Data {
      let url = try #require(URL(string: house.url + path))
      let (data, response) = try await URLSession.shared.data(from: url)
      #expect((response as? HTTPURLResponse)?.statusCode == 200)
      return data
    }
    let page = String(decoding: try await get("/trust?lang=en"), as: UTF8.self)
    #expect(page.contains("TSA 1") && page.contains(">Accredited</span>"))
    let first = try SealedTrustedList(unverified: Array(try await get("/trust/list.json")))
    #expect(first.list.sequence == 1)
    try house.run("accreditation", "decide", "tsa-1", "withdrawn", "--reason", "廃止届")
    try house.publish()
    let second = try SealedTrustedList(unverified: Array(try await get("/trust/list.json")))
    #expect(second.list.sequence == 2)
    try second.list.checkSuccession(of: first.list)
    #expect(
      String(decoding: try await get("/trust?lang=ja"), as: UTF8.self).contains(">取消し</span>"))
  }
}
