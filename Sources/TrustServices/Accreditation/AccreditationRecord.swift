import FoundationEssentials
public import NetworkTypes

/// A document that a step rests on: kept elsewhere, fixed here by its hash.
public struct RegisteredDocument: Hashable, Sendable, Codable {
  /// The file's name.
  public let name: String
  /// SHA-256, hexadecimal.
  public let sha256: String

  /// A document with its content's hash.
  public init(name: String, content: some Sequence<UInt8>) {
    self.name = name
    sha256 = Hexadecimal.text(HashAlgorithm.sha256.hash(Array(content)))
  }

  /// What is wrong with it; nil where nothing is.
  var fault: String? {
    if let fault = BilingualText.fault(name) { return "the document's name: \(fault)" }
    guard Hexadecimal.octets(sha256)?.count == 32, sha256 == sha256.lowercased() else {
      return "the document's hash is no SHA-256"
    }
    return nil
  }
}

/// The body that accredits, as its lists name it (TS 119 612 5.3.4 to 5.3.8).
public struct SchemeOperator: Hashable, Sendable, Codable {
  public let name: BilingualText
  /// The name of the whole that the list is about, such as `日本:トラストサービスの認定`.
  public let schemeName: BilingualText
  /// Pages about the operator and its schemes.
  public let uri: String
  /// Two letters.
  public let territory: String

  /// An operator; the territory is Japan unless another is given.
  public init(
    name: BilingualText, schemeName: BilingualText, uri: String, territory: String = "JP"
  ) {
    self.name = name
    self.schemeName = schemeName
    self.uri = uri
    self.territory = territory
  }

  var fault: String? {
    if let fault = name.fault ?? schemeName.fault { return "the operator's name: \(fault)" }
    if let fault = BilingualText.faultOfURI(uri) { return "the operator's address: \(fault)" }
    guard territory.utf8.count == 2, territory.utf8.allSatisfy({ (0x41...0x5A).contains($0) })
    else { return "the territory is not two capital letters" }
    return nil
  }
}

/// Who offers a service (TS 119 612 5.4).
public struct TrustServiceProvider: Hashable, Sendable, Codable {
  public let id: String
  public let name: BilingualText
  /// An identifier of the organisation (EN 319 412-1 5.1.4), such as `NTRJP-` and 13 digits.
  public let organizationIdentifier: String?
  public let uri: String

  /// A provider.
  public init(id: String, name: BilingualText, organizationIdentifier: String?, uri: String) {
    self.id = id
    self.name = name
    self.organizationIdentifier = organizationIdentifier
    self.uri = uri
  }

  var fault: String? {
    if let fault = RegisterName.fault(id) { return fault }
    if let fault = name.fault { return "the name: \(fault)" }
    if let fault = BilingualText.faultOfURI(uri) { return "the address: \(fault)" }
    if let organizationIdentifier {
      if let fault = BilingualText.fault(organizationIdentifier) {
        return "the identifier: \(fault)"
      }
      if organizationIdentifier.hasPrefix("NTRJP-"),
        CorporateNumber(String(organizationIdentifier.dropFirst(6))) == nil
      {
        return "the corporate number's check digit is wrong"
      }
    }
    return nil
  }
}

/// A service that its provider wants accredited.
public struct ServiceApplication: Hashable, Sendable, Codable {
  /// The service's identifier; the same again for another attempt after a refusal or an end.
  public let service: String
  public let provider: String
  public let scheme: String
  public let kind: TrustServiceKind
  public let name: BilingualText
  /// Certificates that prove its identity, DER in Base64: of the authority that issues, or of
  /// time-stamp units.
  public let certificates: [String]
  /// Certificate policies (of stamps for a time-stamp service) that are applied for; all where none.
  public let policies: [String]

  /// An application.
  public init(
    service: String, provider: String, scheme: String, kind: TrustServiceKind, name: BilingualText,
    certificates: [Certificate], policies: [String] = []
  ) {
    self.service = service
    self.provider = provider
    self.scheme = scheme
    self.kind = kind
    self.name = name
    self.certificates = certificates.map { UnsignedProperties.base64($0.encoded) }
    self.policies = policies
  }
}

/// The result of an assessment (調査) of a service.
public struct ServiceAssessment: Hashable, Sendable, Codable {
  public let service: String
  public let isPassed: Bool
  /// Who assessed (指定調査機関).
  public let assessor: String
  /// The day on which the assessment ended.
  public let day: JapaneseDay

  /// A result.
  public init(service: String, isPassed: Bool, assessor: String, day: JapaneseDay) {
    self.service = service
    self.isPassed = isPassed
    self.assessor = assessor
    self.day = day
  }
}

/// What the accrediting body decides about a service.
public struct AccreditationDecision: Hashable, Sendable, Codable {
  /// Which decision.
  public enum Kind: String, Hashable, Sendable, Codable, CaseIterable {
    case accredited, refused, suspended, resumed, renewed, withdrawn, expired
  }

  public let service: String
  public let kind: Kind
  /// The first day of its effect, from midnight in JST.
  public let from: JapaneseDay
  /// The last day of the validity, of `accredited` and `renewed` alone.
  public let until: JapaneseDay?

  /// A decision.
  public init(service: String, kind: Kind, from: JapaneseDay, until: JapaneseDay? = nil) {
    self.service = service
    self.kind = kind
    self.from = from
    self.until = until
  }
}

/// One record of the register: a step with who took it, when and why.
public struct AccreditationRecord: Hashable, Sendable, Codable {
  /// What was done.
  public enum Step: Hashable, Sendable, Codable {
    case opened(SchemeOperator)
    /// A scheme, or its new form.
    case scheme(AccreditationScheme)
    /// A provider, or its new particulars.
    case provider(TrustServiceProvider)
    case application(ServiceApplication)
    case assessment(ServiceAssessment)
    case decision(AccreditationDecision)
    /// Further certificates of a service, DER in Base64.
    case identity(service: String, certificates: [String])
    /// A list was sealed: its number, the SHA-256 of its canonical text, and when it ends.
    case published(sequence: UInt64, sha256: String, nextUpdate: Timestamp)
  }

  public let time: Timestamp
  public let actor: String
  public let reason: String
  public let documents: [RegisteredDocument]
  public let step: Step

  /// A record.
  public init(
    time: Timestamp, actor: String, reason: String, documents: [RegisteredDocument] = [],
    step: Step
  ) {
    self.time = time
    self.actor = actor
    self.reason = reason
    self.documents = documents
    self.step = step
  }

  /// The line that the journal keeps.
  var encoded: [UInt8] {
    get throws {
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
      return Array(try encoder.encode(self))
    }
  }

  /// Reads such a line; nil where it is none.
  init?(_ line: [UInt8]) {
    guard let record = try? JSONDecoder().decode(Self.self, from: Data(line)) else { return nil }
    self = record
  }

  /// The service it is about.
  public var service: String? {
    switch step {
    case .application(let application): application.service
    case .assessment(let assessment): assessment.service
    case .decision(let decision): decision.service
    case .identity(let service, _): service
    case .opened, .scheme, .provider, .published: nil
    }
  }
}
