import Foundation
import NetworkTypes
import SwiftASN1
import TrustServices

/// An accrediting body of one test: register in a folder, key of its heads, certificate of its lists.
struct AccreditingBody {
  let name: BilingualText
  let folder: URL
  let signer: LogSigner
  let root: TestAuthority
  let seal: (certificate: Certificate, key: FileKey)
  var register: AccreditationRegister
  /// Grows with each step.
  var clock = moment("2020-01-01T00:00:00Z")

  static func moment(_ text: String) -> Timestamp { Timestamp(text) ?? .distantPast }
  static func day(_ text: String) -> JapaneseDay {
    JapaneseDay(text) ?? JapaneseDay(of: .distantPast)
  }

  init(_ folder: URL, _ ja: String, _ en: String) async throws {
    name = BilingualText(ja: ja, en: en)
    self.folder = folder.appendingPathComponent("register")
    signer = try LogSigner(name: "test/accreditation", key: FileKey.generate(.ed25519))
    root = try TestAuthority("Root of \(en)")
    seal = try root.issue(en) { $0.notBefore = Self.moment("2015-01-01T00:00:00Z") }
    register = try AccreditationRegister(folder: self.folder.path, signer: signer)
    try await add(
      .opened(
        SchemeOperator(
          name: name, schemeName: BilingualText(ja: "日本:\(ja)の一覧", en: "JP:List of \(en)"),
          uri: "https://body.example.jp/")))
    try await add(
      .provider(
        TrustServiceProvider(
          id: "provider", name: BilingualText(ja: "時刻株式会社", en: "Jikoku Inc."),
          organizationIdentifier: "NTRJP-\(SealHouse.number)", uri: "https://tsa.example.jp/")))
  }

  mutating func add(_ step: AccreditationRecord.Step, documents: [RegisteredDocument] = [])
    async throws
  {
    clock = clock.advanced(bySeconds: 60)
    try await register.append(
      AccreditationRecord(
        time: clock, actor: "sato", reason: "決裁第1号", documents: documents, step: step))
  }

  mutating func scheme(_ id: String, until: String? = nil) async throws {
    guard let known = AccreditationScheme.known.first(where: { $0.id == id }) else { return }
    let open = AccreditationScheme(
      id: id, name: known.name, authority: known.authority, basis: known.basis, uri: nil,
      edition: known.edition, from: known.from, until: until.map(Self.day))
    try await add(.scheme(open))
  }

  mutating func apply(
    _ service: String, _ scheme: String, _ kind: TrustServiceKind, _ certificates: [Certificate],
    policies: [String] = []
  ) async throws {
    try await add(
      .application(
        ServiceApplication(
          service: service, provider: "provider", scheme: scheme, kind: kind,
          name: BilingualText(ja: "サービス\(service)", en: "Service \(service)"),
          certificates: certificates, policies: policies)))
  }

  mutating func assess(_ service: String, isPassed: Bool = true, _ day: String = "2018-01-01")
    async throws
  {
    try await add(
      .assessment(
        ServiceAssessment(
          service: service, isPassed: isPassed, assessor: "指定調査機関", day: Self.day(day))))
  }

  mutating func decide(
    _ service: String, _ kind: AccreditationDecision.Kind, _ from: String, _ until: String? = nil
  ) async throws {
    try await add(
      .decision(
        AccreditationDecision(
          service: service, kind: kind, from: Self.day(from), until: until.map(Self.day))))
  }

  func list(
    _ sequence: UInt64 = 1, issued: Timestamp = TestAuthority.now.advanced(bySeconds: -86_400),
    isClosed: Bool = false
  ) throws -> TrustedList {
    try register.contents.list(
      sequence: sequence, issued: issued,
      nextUpdate: isClosed ? nil : issued.advanced(bySeconds: 30 * 86_400),
      registerHead: try register.note())
  }

  func sealed(_ list: TrustedList) async throws -> SealedTrustedList {
    let sealer = JAdESSealer(
      identity: try SealingIdentity(certificate: seal.certificate, key: seal.key))
    return try await SealedTrustedList(sealing: list, by: sealer, at: TestAuthority.now)
  }

  func validator(at moment: Timestamp = TestAuthority.now) throws -> SealValidator {
    SealValidator(anchors: [try root.anchor()], moment: moment)
  }

  /// Sealed, read again and verified, as a relying party has it.
  func lists(_ list: TrustedList) async throws -> SealedTrustedList {
    try SealedTrustedList(verifying: try await sealed(list).encoded, by: try validator())
  }
}

/// A time-stamp unit that was there all the years, below an authority of its own.
struct OldUnit {
  let root: TestAuthority
  let unit: (certificate: Certificate, key: FileKey)
  static let content = Array("請求書\n".utf8)

  init() throws {
    root = try TestAuthority("TSA Root")
    unit = try root.issue("TSU", purpose: OID.timeStamping, isCritical: true) {
      $0.notBefore = AccreditingBody.moment("2015-01-01T00:00:00Z")
    }
  }

  func stamps(at moment: Timestamp, policy: ASN1ObjectIdentifier = [1, 2, 392, 200_000, 1]) throws
    -> UnitTimeStampSource
  {
    UnitTimeStampSource(
      try TimeStampUnit(
        certificate: unit.certificate, key: unit.key,
        parameters: TimeStampUnitParameters(policy: policy)), clock: { moment })
  }

  func stamp(at text: String) async throws -> [UInt8] {
    try await stamps(at: AccreditingBody.moment(text)).timeStamp(Self.content).encoded
  }
}

/// A folder that is gone when the asynchronous test is over.
func withFolder<Result>(_ body: (URL) async throws -> Result) async throws -> Result {
  let folder = FileManager.default.temporaryDirectory.appendingPathComponent(
    "noroshi-accreditation-\(UUID().uuidString)")
  try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  defer { try? FileManager.default.removeItem(at: folder) }
  return try await body(folder)
}
