import NetworkTypes
import SwiftASN1

extension TrustedList {
  /// Reads the canonical text of a list; any other text, and any that says something impossible, is
  /// refused.
  public init(encoded bytes: [UInt8], parameters: TrustedListParameters = .init())
    throws(MalformedStructure)
  {
    guard bytes.count <= parameters.maximumOctets else {
      throw MalformedStructure(
        "TrustedList", "length", "more than \(parameters.maximumOctets) octets")
    }
    var reader = TrustedListReader(parameters: parameters)
    self = try reader.read(try JSONValue(parsing: bytes, as: "TrustedList"))
    guard encoded == bytes else {
      throw MalformedStructure("TrustedList", "text", "not in the canonical form of RFC 8785")
    }
  }
}

/// Reads one list; what is counted over the whole of it is bounded here.
private struct TrustedListReader {
  let parameters: TrustedListParameters
  private var serviceCount = 0
  private var periodCount = 0
  private var certificateCount = 0
  private var schemes: [String: AccreditationScheme] = [:]
  private var issued = Timestamp.distantPast

  init(parameters: TrustedListParameters) { self.parameters = parameters }

  mutating func read(_ value: JSONValue) throws(MalformedStructure) -> TrustedList {
    var members = try JSONMembers(value, "TrustedList")
    var information = try JSONMembers(
      try members.value("SchemeInformation"), "SchemeInformation")
    guard try information.number("TSLVersionIdentifier") == UInt64(TrustedListParameters.version)
    else { throw information.wrong("TSLVersionIdentifier", "a version that is not read here") }
    let sequence = try information.number("TSLSequenceNumber")
    guard sequence > 0 else { throw information.wrong("TSLSequenceNumber", "zero") }
    let schemeOperator = try readOperator(&information)
    guard
      try information.number("HistoricalInformationPeriod")
        == UInt64(TrustedListParameters.historicalInformationPeriod)
    else { throw information.wrong("HistoricalInformationPeriod", "history is to be kept") }
    issued = try Self.moment(&information, "ListIssueDateTime")
    var nextUpdate: Timestamp?
    switch try information.value("NextUpdate") {
    case .null: break
    case .string(let text):
      guard let moment = Self.moment(text), moment > issued,
        moment.seconds(since: issued) <= Double(parameters.maximumDays) * 86_400
      else {
        throw information.wrong(
          "NextUpdate", "not a moment within \(parameters.maximumDays) days of the issue")
      }
      nextUpdate = moment
    default: throw information.wrong("NextUpdate", "neither a string nor null")
    }
    let list = try information.elements("Schemes", most: parameters.maximumSchemes)
    var ordered: [AccreditationScheme] = []
    for value in list {
      let scheme = try readScheme(value)
      guard schemes.updateValue(scheme, forKey: scheme.id) == nil else {
        throw information.wrong("Schemes", "\(scheme.id) twice")
      }
      ordered.append(scheme)
    }
    let head = try information.optionalText("RegisterHead")
    guard head.map({ (1...2000).contains($0.utf8.count) }) ?? true else {
      throw information.wrong("RegisterHead", "empty or too long")
    }
    try information.end()
    var providers: [TrustedList.Provider] = []
    var names: Set<String> = []
    var services: Set<String> = []
    for value in try members.elements(
      "TrustServiceProviderList", most: parameters.maximumProviders)
    {
      let provider = try readProvider(value)
      guard names.insert(provider.information.id).inserted,
        provider.services.allSatisfy({ services.insert($0.id).inserted })
      else { throw members.wrong("TrustServiceProviderList", "an identifier twice") }
      providers.append(provider)
    }
    try members.end()
    return TrustedList(
      schemeOperator: schemeOperator, schemes: ordered, sequence: sequence, issued: issued,
      nextUpdate: nextUpdate, registerHead: head, providers: providers)
  }

  private func readOperator(_ members: inout JSONMembers) throws(MalformedStructure)
    -> SchemeOperator
  {
    let found = SchemeOperator(
      name: try Self.text(&members, "SchemeOperatorName"),
      schemeName: try Self.text(&members, "SchemeName"),
      uri: try members.text("SchemeInformationURI"),
      territory: try members.text("SchemeTerritory"))
    if let fault = found.fault { throw members.wrong("SchemeOperator", fault) }
    guard try members.text("TSLType") == TrustedList.type(found.territory),
      try members.text("StatusDeterminationApproach") == TrustedList.approach(found.territory)
    else { throw members.wrong("TSLType", "not that of a list of \(found.territory)") }
    return found
  }

  private func readScheme(_ value: JSONValue) throws(MalformedStructure) -> AccreditationScheme {
    var members = try JSONMembers(value, "Scheme")
    var edition: SchemeLevel.Edition?
    if let text = try members.optionalText("SealLevels") {
      guard let known = SchemeLevel.Edition(rawValue: text) else {
        throw members.wrong("SealLevels", "an edition that is not known")
      }
      edition = known
    }
    let scheme = AccreditationScheme(
      id: try members.text("Identifier"), name: try Self.text(&members, "Name"),
      authority: try Self.text(&members, "Authority"),
      basis: try Self.text(&members, "LegalBasis"),
      uri: try members.optionalText("URI"), edition: edition,
      from: try Self.day(&members, "ValidFrom"),
      until: try Self.optionalDay(&members, "ValidUntil"))
    if let fault = scheme.fault { throw members.wrong("Identifier", fault) }
    try members.end()
    return scheme
  }

  private mutating func readProvider(_ value: JSONValue) throws(MalformedStructure)
    -> TrustedList.Provider
  {
    var members = try JSONMembers(value, "TrustServiceProvider")
    var information = try JSONMembers(try members.value("TSPInformation"), "TSPInformation")
    let provider = TrustServiceProvider(
      id: try information.text("Identifier"), name: try Self.text(&information, "TSPName"),
      organizationIdentifier: try information.optionalText("TSPTradeName"),
      uri: try information.text("TSPInformationURI"))
    if let fault = provider.fault { throw information.wrong("Identifier", fault) }
    try information.end()
    var services: [TrustedList.Service] = []
    let left = parameters.maximumServices - serviceCount
    for value in try members.elements("TSPServices", most: left) {
      services.append(try readService(value))
    }
    guard !services.isEmpty else { throw members.wrong("TSPServices", "empty") }
    serviceCount += services.count
    try members.end()
    return TrustedList.Provider(information: provider, services: services)
  }

  private mutating func readService(_ value: JSONValue) throws(MalformedStructure)
    -> TrustedList.Service
  {
    var members = try JSONMembers(value, "TSPService")
    var information = try JSONMembers(
      try members.value("ServiceInformation"), "ServiceInformation")
    let id = try information.text("Identifier")
    if let fault = RegisterName.fault(id) { throw information.wrong("Identifier", fault) }
    let kind = try readKind(&information)
    let scheme = try information.text("Scheme")
    guard let known = schemes[scheme], known.covers(kind) else {
      throw information.wrong("Scheme", "not one of the list that is about such services")
    }
    let name = try Self.text(&information, "ServiceName")
    let certificates = try readIdentity(&information, kind)
    let policies = try readPolicies(&information)
    var periods = [try readPeriod(&information)]
    try information.end()
    let left = parameters.maximumPeriods - periodCount
    for value in try members.elements("ServiceHistory", most: left) {
      var history = try JSONMembers(value, "ServiceHistoryInstance")
      periods.append(try readPeriod(&history))
      try history.end()
    }
    try members.end()
    periodCount += periods.count
    guard periodCount <= parameters.maximumPeriods else {
      throw members.wrong("ServiceHistory", "more than \(parameters.maximumPeriods) in the list")
    }
    for (later, earlier) in zip(periods, periods.dropFirst()) where earlier.since > later.since {
      throw members.wrong("ServiceHistory", "not from the latest to the earliest")
    }
    return TrustedList.Service(
      id: id, scheme: scheme, kind: kind, name: name, certificates: certificates,
      policies: policies, periods: periods)
  }

  private func readKind(_ members: inout JSONMembers) throws(MalformedStructure)
    -> TrustServiceKind
  {
    let type = try members.text("ServiceTypeIdentifier")
    var kind = TrustServiceKind.timeStamp
    if let qualifier = try members.optionalText("Qualifier") {
      guard let known = TrustServiceKind(qualifier: qualifier),
        try members.text("AdditionalServiceInformation") == TrustServiceKind.forSeals
      else { throw members.wrong("Qualifier", "not a level of e-seals") }
      kind = known
    }
    guard type == kind.typeIdentifier else {
      throw members.wrong("ServiceTypeIdentifier", "not a type that is read here")
    }
    return kind
  }

  private mutating func readIdentity(_ members: inout JSONMembers, _ kind: TrustServiceKind)
    throws(MalformedStructure) -> [Certificate]
  {
    let field = "ServiceDigitalIdentity"
    let left = parameters.maximumCertificates - certificateCount
    var certificates: [Certificate] = []
    for value in try members.elements(field, most: left) {
      var identity = try JSONMembers(value, field)
      guard let octets = UnsignedProperties.base64(try identity.text("X509Certificate")),
        let certificate = try? Certificate(derEncoded: octets)
      else { throw identity.wrong("X509Certificate", "not a certificate") }
      if let fault = AccreditationContents.fault(of: certificate, as: kind) {
        throw identity.wrong("X509Certificate", fault)
      }
      try identity.end()
      certificates.append(certificate)
    }
    guard !certificates.isEmpty else { throw members.wrong(field, "empty") }
    certificateCount += certificates.count
    return certificates
  }

  private func readPolicies(_ members: inout JSONMembers) throws(MalformedStructure) -> [String] {
    guard let value = members.optional("PolicySet") else { return [] }
    guard let elements = value.elements, (1...parameters.maximumPolicies).contains(elements.count)
    else { throw members.wrong("PolicySet", "not a list, empty, or too long") }
    let policies = elements.compactMap(\.text)
    guard policies.count == elements.count,
      policies.allSatisfy({ ASN1ObjectIdentifier(dotted: $0) != nil })
    else { throw members.wrong("PolicySet", "not object identifiers") }
    return policies
  }

  private func readPeriod(_ members: inout JSONMembers) throws(MalformedStructure)
    -> AccreditationPeriod
  {
    guard let status = AccreditationStatus(uri: try members.text("ServiceStatus")) else {
      throw members.wrong("ServiceStatus", "not a status that is used here")
    }
    let period = AccreditationPeriod(
      status, since: try Self.moment(&members, "StatusStartingTime"),
      validFrom: try Self.day(&members, "ValidFrom"),
      validUntil: try Self.day(&members, "ValidUntil"))
    guard period.validFrom <= period.validUntil, period.since >= period.validFrom.start else {
      throw members.wrong("StatusStartingTime", "before the validity, or a validity without days")
    }
    guard period.since <= issued else {
      throw members.wrong("StatusStartingTime", "after the list's issue")
    }
    return period
  }

  // MARK: parts

  private static func text(_ members: inout JSONMembers, _ name: String)
    throws(MalformedStructure) -> BilingualText
  {
    var found: [String] = []
    for (value, language) in zip(try members.elements(name, most: 2), ["ja", "en"]) {
      var text = try JSONMembers(value, name)
      guard try text.text("lang") == language else {
        throw members.wrong(name, "not in Japanese and then in English")
      }
      found.append(try text.text("value"))
      try text.end()
    }
    guard found.count == 2 else {
      throw members.wrong(name, "not in Japanese and then in English")
    }
    let text = BilingualText(ja: found[0], en: found[1])
    if let fault = text.fault { throw members.wrong(name, fault) }
    return text
  }

  private static func moment(_ text: String) -> Timestamp? {
    guard text.utf8.count <= 30, let moment = Timestamp(text), "\(moment)" == text else {
      return nil
    }
    return moment
  }

  private static func moment(_ members: inout JSONMembers, _ name: String)
    throws(MalformedStructure) -> Timestamp
  {
    guard let moment = moment(try members.text(name)) else {
      throw members.wrong(name, "not a moment such as 2026-11-25T00:00:00Z")
    }
    return moment
  }

  private static func day(_ members: inout JSONMembers, _ name: String)
    throws(MalformedStructure) -> JapaneseDay
  {
    guard let day = try optionalDay(&members, name) else { throw members.wrong(name, "missing") }
    return day
  }

  private static func optionalDay(_ members: inout JSONMembers, _ name: String)
    throws(MalformedStructure) -> JapaneseDay?
  {
    guard let text = try members.optionalText(name) else { return nil }
    guard let day = JapaneseDay(text) else {
      throw members.wrong(name, "not a day such as 2023-07-29")
    }
    return day
  }
}
