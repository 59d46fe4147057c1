/// A scheme (認定制度) under which services are accredited: whose it is, on what it rests, and on
/// which days its accreditations count.
public struct AccreditationScheme: Hashable, Sendable, Codable {
  /// Such as `mic-146-2021`.
  public let id: String
  public let name: BilingualText
  /// Who accredits (認定機関).
  public let authority: BilingualText
  /// The law, notice or rule.
  public let basis: BilingualText
  public let uri: String?
  /// Whether it is about time stamps; else about e-seals.
  public let isForTimeStamps: Bool
  /// The levels' edition, for e-seals.
  public let edition: SchemeLevel.Edition?
  /// The first day on which its accreditations count.
  public let from: JapaneseDay
  /// The last such day; nil while it runs.
  public let until: JapaneseDay?

  /// A scheme from its parts.
  public init(
    id: String, name: BilingualText, authority: BilingualText, basis: BilingualText, uri: String?,
    edition: SchemeLevel.Edition?, from: JapaneseDay, until: JapaneseDay?
  ) {
    self.id = id
    self.name = name
    self.authority = authority
    self.basis = basis
    self.uri = uri
    isForTimeStamps = edition == nil
    self.edition = edition
    self.from = from
    self.until = until
  }

  /// The same scheme, ended.
  public func ending(on day: JapaneseDay) -> AccreditationScheme {
    AccreditationScheme(
      id: id, name: name, authority: authority, basis: basis, uri: uri, edition: edition,
      from: from, until: day)
  }

  /// Whether services of a kind are accredited under it.
  public func covers(_ kind: TrustServiceKind) -> Bool { kind.level?.edition == edition }

  /// What is wrong with it; nil where nothing is.
  var fault: String? {
    if let fault = RegisterName.fault(id) { return fault }
    for (what, text) in [("name", name), ("authority", authority), ("basis", basis)] {
      if let fault = text.fault { return "the \(what): \(fault)" }
    }
    if let uri, let fault = BilingualText.faultOfURI(uri) { return "the address: \(fault)" }
    guard isForTimeStamps == (edition == nil) else { return "an e-seal scheme needs an edition" }
    if let until, until < from { return "it ends on \(until), before it begins on \(from)" }
    return nil
  }
}

extension AccreditationScheme {
  /// The Japanese schemes, with what each rests on; days are the register's to decide, these are the
  /// ones of the notices where they are known.
  public static let known: [AccreditationScheme] = [
    // In force since April 2021; its accreditations take the place of the association's from
    // 2022-04-01 on (MIC white paper 2022, chapter 4 section 5).
    make(
      "mic-146-2021", "時刻認証業務の認定（国の認定制度）",
      "Accreditation of time-stamping services (national scheme)", "総務大臣",
      "Minister for Internal Affairs and Communications",
      "時刻認証業務の認定に関する規程（令和3年総務省告示第146号）", "MIC Notice No. 146 of 2021", nil,
      "2021-04-01", nil),
    // The private scheme, from February 2005 on; counts until 2023-07-29 (the same, note 10).
    make(
      "jadac-time-business", "タイムビジネス信頼・安心認定制度（時刻認証業務認定）",
      "Time Business Accreditation Program (time-stamping services)", "一般財団法人日本データ通信協会",
      "Japan Data Communications Association", "タイムビジネス信頼・安心認定制度運用規約",
      "Operating rules of the programme", nil, "2005-02-01", "2023-07-29"),
    make(
      "mic-e-seal-2025", "eシールに係る認証業務の認定", "Accreditation of e-seal certification services", "総務大臣",
      "Minister for Internal Affairs and Communications", "eシールに係る認証業務の認定に関する規程",
      "MIC rule on the accreditation of certification services for e-seals", .accreditation2025,
      "2025-03-31", nil),
    make(
      "e-seal-guideline-2021", "eシールに係る指針（2021年、旧区分）",
      "Guideline on e-seals (2021, superseded levels)", "総務省",
      "Ministry of Internal Affairs and Communications", "eシールに係る指針（令和3年6月）",
      "Guideline on e-seals, June 2021", .guideline2021, "2021-06-25", nil),
  ].compactMap { $0 }

  private static func make(
    _ id: String, _ ja: String, _ en: String, _ authorityJa: String, _ authorityEn: String,
    _ basisJa: String, _ basisEn: String, _ edition: SchemeLevel.Edition?, _ from: String,
    _ until: String?
  ) -> AccreditationScheme? {
    guard let first = JapaneseDay(from) else { return nil }
    return AccreditationScheme(
      id: id, name: BilingualText(ja: ja, en: en),
      authority: BilingualText(ja: authorityJa, en: authorityEn),
      basis: BilingualText(ja: basisJa, en: basisEn), uri: nil, edition: edition, from: first,
      until: until.flatMap { JapaneseDay($0) })
  }
}
