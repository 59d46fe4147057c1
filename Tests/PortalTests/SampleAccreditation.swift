import NetworkTypes
import TrustServices

/// A trusted list as an accrediting body publishes it: a time-stamp service that was suspended for a
/// month, and one whose validity ended.
enum SampleAccreditation {
  static let now = Timestamp("2026-11-22T00:00:00Z") ?? .distantPast

  private static func text(_ ja: String, _ en: String) -> BilingualText {
    BilingualText(ja: ja, en: en)
  }

  private static func day(_ text: String) -> JapaneseDay {
    JapaneseDay(text) ?? JapaneseDay(of: now)
  }

  static func contents(_ authority: Certificate) throws -> AccreditationContents {
    var contents = AccreditationContents()
    func take(_ step: AccreditationRecord.Step) throws {
      try contents.apply(
        AccreditationRecord(time: now, actor: "sato", reason: "決裁", step: step))
    }
    try take(
      .opened(
        SchemeOperator(
          name: text("例示省", "Example Ministry"),
          schemeName: text("日本:認定サービスの一覧", "JP:Accredited services"),
          uri: "https://body.example.jp/")))
    for scheme in AccreditationScheme.known.prefix(2) { try take(.scheme(scheme)) }
    try take(
      .provider(
        TrustServiceProvider(
          id: "jikoku", name: text("時刻<認証>株式会社", "Jikoku <& Co>"),
          organizationIdentifier: "NTRJP-7000012050002", uri: "https://tsa.example.jp/?a=1&b=2")))
    let services = [
      ("tsa-new", "mic-146-2021", "2022-04-01", "2028-03-31"),
      ("tsa-old", "jadac-time-business", "2021-10-01", "2023-07-29"),
    ]
    for (id, scheme, from, until) in services {
      try take(
        .application(
          ServiceApplication(
            service: id, provider: "jikoku", scheme: scheme, kind: .timeStamp,
            name: text("時刻認証 \(id)", "Stamps \(id)"), certificates: [authority])))
      try take(
        .assessment(
          ServiceAssessment(
            service: id, isPassed: true, assessor: "調査機関", day: day("2021-09-01"))))
      try take(
        .decision(
          AccreditationDecision(
            service: id, kind: .accredited, from: day(from), until: day(until))))
    }
    for (kind, from) in [
      (AccreditationDecision.Kind.suspended, "2024-02-01"), (.resumed, "2024-03-01"),
    ] {
      try take(
        .decision(AccreditationDecision(service: "tsa-new", kind: kind, from: day(from))))
    }
    return contents
  }

  static func list(days: Double = 30) async throws -> SealedTrustedList {
    let key = try FileKey.generate(.p256)
    var template = CertificateTemplate(
      subject: DistinguishedName([(.country, "JP"), (.commonName, "Example CA")]),
      publicKey: key.publicKey, notBefore: Timestamp(seconds: 0), notAfter: .distantFuture)
    template.basicConstraints = BasicConstraints(isCA: true)
    let certificate = try template.issue(issuer: nil, key: key)
    let list = try contents(certificate).list(
      sequence: 7, issued: now, nextUpdate: now.advanced(bySeconds: days * 86_400),
      registerHead: nil)
    return try await SealedTrustedList(
      sealing: list,
      by: JAdESSealer(identity: try SealingIdentity(certificate: certificate, key: key)), at: now)
  }
}
