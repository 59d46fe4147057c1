public import NetworkTypes
import SwiftASN1

/// Everything a register says, made by taking its records one after another: the same rules hold for
/// a new step and for reading an old one again.
public struct AccreditationContents: Hashable, Sendable {
  /// How often, and when, a list was published.
  public struct Publication: Hashable, Sendable {
    public let sequence: UInt64
    public let time: Timestamp
    /// SHA-256 of the list's canonical text, hexadecimal.
    public let sha256: String
    public let nextUpdate: Timestamp
  }

  public private(set) var schemeOperator: SchemeOperator?
  /// In the order in which they were first named.
  public private(set) var schemes: [AccreditationScheme] = []
  public private(set) var providers: [TrustServiceProvider] = []
  public private(set) var services: [AccreditedService] = []
  public private(set) var publications: [Publication] = []
  /// How many records were taken.
  public private(set) var size: UInt64 = 0
  private var lastTime = Timestamp.distantPast

  /// Nothing yet.
  public init() {}

  /// The service of an identifier.
  public func service(_ id: String) -> AccreditedService? { services.first { $0.id == id } }
  /// The scheme of an identifier.
  public func scheme(_ id: String) -> AccreditationScheme? { schemes.first { $0.id == id } }
  /// The provider of an identifier.
  public func provider(_ id: String) -> TrustServiceProvider? { providers.first { $0.id == id } }

  /// The stage of a service at a moment, its validity and its scheme's end considered.
  public func stage(of service: AccreditedService, at moment: Timestamp)
    -> AccreditedService.Stage
  {
    scheme(service.scheme).map { service.stage(at: moment, scheme: $0) } ?? service.stage
  }

  /// What the public is told of a service at a moment.
  public func periods(of service: AccreditedService, at moment: Timestamp)
    -> [AccreditationPeriod]
  {
    scheme(service.scheme).map { service.periods(at: moment, scheme: $0) } ?? []
  }

  /// Takes a record, or says why not and stays as it is.
  public mutating func apply(_ record: AccreditationRecord) throws(AccreditationError) {
    var next = self
    try next.take(record)
    self = next
  }

  private mutating func take(_ record: AccreditationRecord) throws(AccreditationError) {
    guard record.time >= lastTime else {
      throw .wrong("the clock", "\(record.time) is before the last record of \(lastTime)")
    }
    try Self.check(BilingualText.fault(record.actor), "who")
    try Self.check(BilingualText.fault(record.reason), "the reason")
    guard record.documents.count <= Self.maximumDocuments else {
      throw .wrong("documents", "more than \(Self.maximumDocuments)")
    }
    for document in record.documents { try Self.check(document.fault, "a document") }
    if case .opened(let schemeOperator) = record.step {
      guard self.schemeOperator == nil, size == 0 else { throw .alreadyOpened }
      try Self.check(schemeOperator.fault, "the operator")
      self.schemeOperator = schemeOperator
    } else {
      guard schemeOperator != nil else { throw .notOpened }
      try take(record.step, at: record.time)
    }
    lastTime = record.time
    size += 1
  }

  /// Our own bounds on one record, so that none outgrows the journal's.
  private static let maximumDocuments = 50
  private static let maximumCertificates = 20
  private static let maximumPolicies = 50

  private static func check(_ fault: String?, _ what: String) throws(AccreditationError) {
    if let fault { throw .wrong(what, fault) }
  }

  private mutating func take(_ step: AccreditationRecord.Step, at moment: Timestamp)
    throws(AccreditationError)
  {
    switch step {
    case .opened: throw .alreadyOpened
    case .scheme(let scheme): try take(scheme)
    case .provider(let provider):
      try Self.check(provider.fault, "the provider")
      if let index = providers.firstIndex(where: { $0.id == provider.id }) {
        providers[index] = provider
      } else {
        providers.append(provider)
      }
    case .application(let application): try take(application, at: moment)
    case .assessment(let assessment):
      try Self.check(BilingualText.fault(assessment.assessor), "the assessor")
      let index = try index(of: assessment.service)
      try services[index].assess(assessment, at: moment)
    case .decision(let decision):
      let index = try index(of: decision.service)
      guard let scheme = scheme(services[index].scheme) else {
        throw .unknownScheme(services[index].scheme)
      }
      let told = told(services[index])
      try services[index].decide(decision, scheme: scheme)
      try checkKept(told, services[index])
    case .identity(let id, let certificates):
      let index = try index(of: id)
      guard !services[index].stage.isClosed else {
        throw .notAllowed(
          service: id, step: "given certificates", stage: services[index].stage.rawValue,
          advice: "Take its application first.")
      }
      let read = try Self.read(certificates, for: services[index].kind)
      services[index].certificates += read
      try checkIdentities(of: index)
    case .published(let sequence, let sha256, let nextUpdate):
      guard sequence == (publications.last?.sequence ?? 0) + 1 else {
        throw .wrong(
          "the list's number",
          "\(sequence) does not follow \(publications.last?.sequence ?? 0)")
      }
      guard Hexadecimal.octets(sha256)?.count == 32 else {
        throw .wrong("the list's hash", "it is no SHA-256")
      }
      publications.append(
        Publication(sequence: sequence, time: moment, sha256: sha256, nextUpdate: nextUpdate))
    }
  }

  private func index(of service: String) throws(AccreditationError) -> Int {
    guard let index = services.firstIndex(where: { $0.id == service }) else {
      throw .unknownService(service)
    }
    return index
  }

  private mutating func take(_ scheme: AccreditationScheme) throws(AccreditationError) {
    try Self.check(scheme.fault, "the scheme")
    guard let index = schemes.firstIndex(where: { $0.id == scheme.id }) else {
      schemes.append(scheme)
      return
    }
    guard schemes[index].edition == scheme.edition else {
      throw .wrong("the scheme \(scheme.id)", "what it is about stays; take another identifier")
    }
    // Days that were said to count must not be taken back.
    guard scheme.from <= schemes[index].from else {
      throw .wrong("the scheme \(scheme.id)", "its first day was \(schemes[index].from)")
    }
    let affected = services.indices.filter { services[$0].scheme == scheme.id }
    let before = affected.map { told(services[$0]) }
    schemes[index] = scheme
    for (index, told) in zip(affected, before) {
      if let until = scheme.until, let last = services[index].decided.last, until.end <= last.since
      {
        throw .wrong(
          "the scheme \(scheme.id)",
          "\(services[index].id) was \(last.status.rawValue) from \(JapaneseDay(of: last.since))")
      }
      try checkKept(told, services[index])
    }
  }

  /// What the last published list told of a service, the earliest first.
  private func told(_ service: AccreditedService) -> [AccreditationPeriod] {
    publications.last.map { periods(of: service, at: $0.time) } ?? []
  }

  /// What a published list told stays, and nothing new stands before the last of it.
  private func checkKept(_ told: [AccreditationPeriod], _ service: AccreditedService)
    throws(AccreditationError)
  {
    guard let last = told.last, let list = publications.last else { return }
    let now = periods(of: service, at: list.time)
    let isKept = Set(now).isSuperset(of: told)
    let isAfter = now.allSatisfy { $0.since >= last.since || told.contains($0) }
    guard isKept, isAfter else {
      throw .wrong(
        service.id,
        "list \(list.sequence) told that it was \(last.status.rawValue) from "
          + "\(JapaneseDay(of: last.since)), and what was published stays")
    }
  }

  private mutating func take(_ application: ServiceApplication, at moment: Timestamp)
    throws(AccreditationError)
  {
    try Self.check(RegisterName.fault(application.service), "the service")
    try Self.check(application.name.fault, "the service's name")
    guard provider(application.provider) != nil else {
      throw .unknownProvider(application.provider)
    }
    guard let scheme = scheme(application.scheme) else {
      throw .unknownScheme(application.scheme)
    }
    guard scheme.covers(application.kind) else {
      throw .wrong(application.service, "\(scheme.id) is not about \(application.kind)")
    }
    guard application.policies.count <= Self.maximumPolicies,
      Set(application.policies).count == application.policies.count,
      application.policies.allSatisfy({ ASN1ObjectIdentifier(dotted: $0) != nil })
    else { throw .wrong("the policies", "not a list of different object identifiers") }
    let certificates = try Self.read(application.certificates, for: application.kind)
    guard !certificates.isEmpty else {
      throw .wrong(application.service, "nothing identifies it without a certificate")
    }
    if let index = services.firstIndex(where: { $0.id == application.service }) {
      try services[index].apply(
        again: application, certificates: certificates, at: moment, scheme: scheme)
      try checkIdentities(of: index)
    } else {
      services.append(AccreditedService(application, certificates: certificates))
      try checkIdentities(of: services.count - 1)
    }
  }

  /// Certificates that identify a service: of an authority, or of a time-stamp unit.
  private static func read(_ texts: [String], for kind: TrustServiceKind)
    throws(AccreditationError) -> [Certificate]
  {
    var certificates: [Certificate] = []
    for text in texts {
      guard let octets = UnsignedProperties.base64(text),
        let certificate = try? Certificate(derEncoded: octets)
      else { throw .wrong("a certificate", "it cannot be read") }
      if let fault = fault(of: certificate, as: kind) {
        throw .wrong("the certificate of \(certificate.subject)", fault)
      }
      certificates.append(certificate)
    }
    return certificates
  }

  /// Why a certificate cannot identify a service; nil where it can.
  static func fault(of certificate: Certificate, as kind: TrustServiceKind) -> String? {
    guard certificate.publicKey != nil else { return "its key is of a kind that is not read here" }
    if certificate.extensions.basicConstraints?.isCA == true { return nil }
    switch kind {
    case .timeStamp:
      return TimeStampToken.isTimeStampUnit(certificate)
        ? nil : "it is neither a time-stamp unit's nor an authority's"
    case .seal: return "it is not an authority's, and the accredited service is who certifies"
    }
  }

  /// No certificate twice, and none that another service of the scheme has for the same policies.
  private func checkIdentities(of index: Int) throws(AccreditationError) {
    let service = services[index]
    guard service.certificates.count <= Self.maximumCertificates,
      Set(service.certificates).count == service.certificates.count
    else {
      throw .wrong(
        service.id, "a certificate twice, or more than \(Self.maximumCertificates) of them")
    }
    for other in services where other.id != service.id && other.scheme == service.scheme {
      guard !Set(other.certificates).isDisjoint(with: service.certificates) else { continue }
      let isShared =
        other.policies.isEmpty || service.policies.isEmpty
        || !Set(other.policies).isDisjoint(with: service.policies)
      if isShared {
        throw .wrong(
          service.id, "\(other.id) has the same certificate in this scheme, for the same policies")
      }
    }
  }
}
