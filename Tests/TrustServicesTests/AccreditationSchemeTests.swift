import Foundation
import NetworkTypes
import SwiftASN1
import Testing
import TrustServices

/// The transition of the source document: the association's accreditations count until 2023-07-29,
/// the minister's from 2022-04-01 on.
@Suite("Overlapping accreditation schemes")
struct AccreditationSchemeTests {
  static let old = "jadac-time-business"
  static let new = "mic-146-2021"

  /// The lists of both bodies about one time-stamp service.
  private func lists(_ unit: OldUnit, _ folder: URL) async throws -> TrustedLists {
    var association = try await AccreditingBody(
      folder, "一般財団法人日本データ通信協会", "Japan Data Communications Association")
    try await association.scheme(Self.old)
    try await association.apply("tsa-a", Self.old, .timeStamp, [unit.root.certificate])
    try await association.assess("tsa-a")
    try await association.decide("tsa-a", .accredited, "2019-10-01", "2021-09-30")
    try await association.assess("tsa-a", "2019-12-01")
    try await association.decide("tsa-a", .renewed, "2021-10-01", "2023-09-30")
    // The law then ended the scheme within that validity.
    try await association.scheme(Self.old, until: "2023-07-29")
    let closed = try await association.lists(association.list(7, isClosed: true))

    let place = folder.appendingPathComponent("mic")
    try FileManager.default.createDirectory(at: place, withIntermediateDirectories: true)
    var minister = try await AccreditingBody(
      place, "総務省", "Ministry of Internal Affairs and Communications")
    try await minister.scheme(Self.new)
    try await minister.apply("tsa-a-mic", Self.new, .timeStamp, [unit.unit.certificate])
    try await minister.assess("tsa-a-mic")
    try await minister.decide("tsa-a-mic", .accredited, "2022-04-01", "2024-03-31")
    return try TrustedLists([closed, try await minister.lists(minister.list())])
  }

  @Test("both, old only, new only and none, exact to the day in JST")
  func transition() async throws {
    try await withFolder { folder in
      let unit = try OldUnit()
      let lists = try await lists(unit, folder)
      let cases: [(String, [String], AccreditationFinding.Status?)] = [
        ("2016-06-01T00:00:00Z", [], .notYet),
        ("2019-09-30T23:59:59+09:00", [], .notYet),
        ("2019-10-01T00:00:00+09:00", [Self.old], nil),
        ("2021-09-30T23:59:59+09:00", [Self.old], nil),
        ("2021-10-01T00:00:00+09:00", [Self.old], nil),
        // 2022-03-31 in JST, though 2022-03-31T14:59:59Z.
        ("2022-03-31T23:59:59+09:00", [Self.old], nil),
        ("2022-03-31T14:59:59Z", [Self.old], nil),
        ("2022-03-31T15:00:00Z", [Self.new, Self.old], nil),
        ("2022-04-01T00:00:00+09:00", [Self.new, Self.old], nil),
        ("2022-12-31T12:00:00+09:00", [Self.new, Self.old], nil),
        ("2023-07-29T23:59:59+09:00", [Self.new, Self.old], nil),
        ("2023-07-30T00:00:00+09:00", [Self.new], nil),
        ("2024-03-31T23:59:59+09:00", [Self.new], nil),
        ("2024-04-01T00:00:00+09:00", [], .expired),
        ("2026-11-01T00:00:00+09:00", [], .expired),
      ]
      for (text, schemes, why) in cases {
        let stamp = try await unit.stamp(at: text)
        for hasAnchor in [true, false] {
          var validator = SealValidator(
            anchors: hasAnchor ? [try unit.root.anchor()] : [], moment: TestAuthority.now)
          validator.trustedLists = lists
          validator.requiresAccreditation = true
          let report = validator.validate(
            timeStamp: stamp, content: ContentDigests(OldUnit.content))
          let answer = try #require(report.signatures[0].timeStamps[0].accreditation, "\(text)")
          #expect(answer.schemes.sorted() == schemes.sorted(), "\(text)")
          #expect(answer.isAccredited == !schemes.isEmpty, "\(text)")
          #expect(answer.findings.count == 2)
          #expect(
            report.verdict
              == (schemes.isEmpty ? "INDETERMINATE CHAIN_CONSTRAINTS_FAILURE" : "TOTAL-PASSED"),
            "\(text) \(report.conclusion.detail ?? "")")
          if let why { #expect(answer.findings.allSatisfy { $0.status == why }, "\(text)") }
        }
      }
    }
  }

  @Test("the answer says by whom, under which scheme, and what became of it, in both languages")
  func told() async throws {
    try await withFolder { folder in
      let unit = try OldUnit()
      var validator = SealValidator(anchors: [], moment: TestAuthority.now)
      validator.trustedLists = try await lists(unit, folder)
      let report = validator.validate(
        timeStamp: try await unit.stamp(at: "2023-01-15T10:00:00+09:00"),
        content: ContentDigests(OldUnit.content))
      #expect(report.verdict == "TOTAL-PASSED")
      let japanese = ReportText(.japanese).render(report)
      for part in [
        "認定：2023-01-15T01:00:00Zの時点で認定あり、タイムビジネス信頼・安心認定制度（時刻認証業務認定）",
        "認定機関：一般財団法人日本データ通信協会", "認定期間：2021-10-01〜2023-09-30",
        "その後2023-07-29T15:00:00Zに認定期間終了", "時刻認証業務の認定（国の認定制度）", "認定機関：総務大臣",
        "認定期間：2022-04-01〜2024-03-31",
      ] { #expect(japanese.contains(part), "\(part) in \(japanese)") }
      let english = ReportText(.english).render(report)
      for part in [
        "Accreditation: accredited at 2023-01-15T01:00:00Z",
        "by Minister for Internal Affairs and Communications", "valid 2022-04-01 to 2024-03-31",
        "expired later, from 2023-07-29T15:00:00Z",
        "by list 7 of Japan Data Communications Association",
      ] { #expect(english.contains(part), "\(part) in \(english)") }
      let json = String(decoding: try JSONEncoder().encode(report), as: UTF8.self)
      #expect(json.contains("\"scheme\":\"mic-146-2021\""))
      #expect(try JSONDecoder().decode(ValidationReport.self, from: Data(json.utf8)) == report)
    }
  }

  @Test("a list that is past its end does not know, and the report says so")
  func outdated() async throws {
    try await withFolder { folder in
      let unit = try OldUnit()
      var body = try await AccreditingBody(folder, "総務省", "Ministry")
      try await body.scheme(Self.new)
      try await body.apply("tsa", Self.new, .timeStamp, [unit.root.certificate])
      try await body.assess("tsa")
      try await body.decide("tsa", .accredited, "2022-04-01", "2030-03-31")
      let list = try await body.lists(
        body.list(issued: AccreditingBody.moment("2023-01-01T00:00:00Z")))
      var validator = SealValidator(anchors: [], moment: TestAuthority.now)
      validator.trustedLists = try TrustedLists([list])
      func report(_ text: String) async throws -> ValidationReport {
        validator.validate(
          timeStamp: try await unit.stamp(at: text), content: ContentDigests(OldUnit.content))
      }
      let before = try await report("2023-01-20T00:00:00Z")
      #expect(before.verdict == "TOTAL-PASSED")
      #expect(before.notes.contains { $0.contains("should have been followed") })
      #expect(before.signatures[0].timeStamps[0].accreditation?.findings[0].isListOutdated == true)
      let after = try await report("2023-02-20T00:00:00Z")
      #expect(after.verdict == "INDETERMINATE TRY_LATER")
    }
  }

  @Test("a unit that a list names is trusted within the days of its certificate alone")
  func unitDays() async throws {
    try await withFolder { folder in
      let unit = try OldUnit()
      let short = try unit.root.issue("TSU 2", purpose: OID.timeStamping, isCritical: true) {
        $0.notBefore = AccreditingBody.moment("2022-06-01T00:00:00Z")
        $0.notAfter = AccreditingBody.moment("2025-12-31T00:00:00Z")
      }
      var body = try await AccreditingBody(folder, "総務省", "Ministry")
      try await body.scheme(Self.new)
      try await body.apply("tsa", Self.new, .timeStamp, [short.certificate])
      try await body.assess("tsa")
      try await body.decide("tsa", .accredited, "2022-04-01", "2030-03-31")
      let lists = try TrustedLists([try await body.lists(body.list())])
      for (time, now, verdict) in [
        ("2022-07-01T00:00:00Z", "2025-11-25T00:00:00Z", "TOTAL-PASSED"),
        // After its end nothing shows that the stamp is not younger than it says.
        ("2022-07-01T00:00:00Z", "2026-11-25T00:00:00Z", "INDETERMINATE OUT_OF_BOUNDS_NO_POE"),
      ] {
        let moment = AccreditingBody.moment(time)
        let source = UnitTimeStampSource(
          try TimeStampUnit(
            certificate: short.certificate, key: short.key,
            parameters: TimeStampUnitParameters(policy: [1, 2, 3])), clock: { moment })
        var validator = SealValidator(anchors: [], moment: AccreditingBody.moment(now))
        validator.trustedLists = lists
        let report = validator.validate(
          timeStamp: try await source.timeStamp(OldUnit.content).encoded,
          content: ContentDigests(OldUnit.content))
        #expect(report.verdict == verdict, "\(time) \(now)")
      }
    }
  }

  @Test("days are JST's, with leap years and without days that there are not")
  func days() throws {
    let day = try #require(JapaneseDay("2023-07-29"))
    #expect("\(day.start)" == "2023-07-28T15:00:00Z" && "\(day.end)" == "2023-07-29T15:00:00Z")
    #expect("\(day.next)" == "2023-07-30" && "\(day)" == "2023-07-29")
    #expect(JapaneseDay(of: AccreditingBody.moment("2023-07-29T14:59:59.999Z")) == day)
    #expect(JapaneseDay(of: AccreditingBody.moment("2023-07-28T14:59:59.999Z")) < day)
    #expect("\(JapaneseDay(of: AccreditingBody.moment("1969-12-31T14:59:59Z")))" == "1969-12-31")
    #expect(JapaneseDay("2024-02-29") != nil)
    for text in ["2023-02-29", "2023-13-01", "2023-7-29", "", "2023-07-29 ", "９９９９-01-01"] {
      #expect(JapaneseDay(text) == nil, "\(text)")
    }
  }
}
