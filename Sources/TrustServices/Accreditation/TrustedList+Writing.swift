import NetworkTypes

/// The list as JSON: the element names are those of TS 119 612's schema; what that has no element for
/// (the schemes, the days of validity, the register's head) stands under names of our own.
extension TrustedList {
  /// The canonical text.
  public var encoded: [UInt8] { CanonicalJSON.encode(json) }

  private var json: JSONValue {
    var information = JSONObject([
      ("TSLVersionIdentifier", .number("\(TrustedListParameters.version)")),
      ("TSLSequenceNumber", .number("\(sequence)")),
      ("TSLType", .string(Self.type(schemeOperator.territory))),
      ("StatusDeterminationApproach", .string(Self.approach(schemeOperator.territory))),
      ("SchemeOperatorName", Self.json(schemeOperator.name)),
      ("SchemeName", Self.json(schemeOperator.schemeName)),
      ("SchemeInformationURI", .string(schemeOperator.uri)),
      ("SchemeTerritory", .string(schemeOperator.territory)),
      (
        "HistoricalInformationPeriod",
        .number("\(TrustedListParameters.historicalInformationPeriod)")
      ),
      ("ListIssueDateTime", .string("\(issued)")),
      ("NextUpdate", nextUpdate.map { .string("\($0)") } ?? .null),
      ("Schemes", .array(schemes.map(Self.json))),
    ])
    if let registerHead { information["RegisterHead"] = .string(registerHead) }
    return .object(
      JSONObject([
        ("SchemeInformation", .object(information)),
        ("TrustServiceProviderList", .array(providers.map(Self.json))),
      ]))
  }

  static func type(_ territory: String) -> String {
    "http://uri.etsi.org/TrstSvc/TrustedList/TSLType/\(territory)list"
  }

  static func approach(_ territory: String) -> String {
    "http://uri.etsi.org/TrstSvc/TrustedList/StatusDetn/\(territory)determination"
  }

  private static func json(_ text: BilingualText) -> JSONValue {
    .array(
      [("ja", text.ja), ("en", text.en)].map {
        .object(JSONObject([("lang", .string($0.0)), ("value", .string($0.1))]))
      })
  }

  private static func json(_ scheme: AccreditationScheme) -> JSONValue {
    var object = JSONObject([
      ("Identifier", .string(scheme.id)), ("Name", json(scheme.name)),
      ("Authority", json(scheme.authority)), ("LegalBasis", json(scheme.basis)),
      ("ValidFrom", .string("\(scheme.from)")),
    ])
    if let until = scheme.until { object["ValidUntil"] = .string("\(until)") }
    if let uri = scheme.uri { object["URI"] = .string(uri) }
    if let edition = scheme.edition { object["SealLevels"] = .string(edition.rawValue) }
    return .object(object)
  }

  private static func json(_ provider: Provider) -> JSONValue {
    var information = JSONObject([
      ("Identifier", .string(provider.information.id)),
      ("TSPName", json(provider.information.name)),
      ("TSPInformationURI", .string(provider.information.uri)),
    ])
    if let identifier = provider.information.organizationIdentifier {
      information["TSPTradeName"] = .string(identifier)
    }
    return .object(
      JSONObject([
        ("TSPInformation", .object(information)),
        ("TSPServices", .array(provider.services.map(json))),
      ]))
  }

  private static func json(_ service: Service) -> JSONValue {
    var information = JSONObject([
      ("Identifier", .string(service.id)), ("Scheme", .string(service.scheme)),
      ("ServiceTypeIdentifier", .string(service.kind.typeIdentifier)),
      ("ServiceName", json(service.name)),
      (
        "ServiceDigitalIdentity",
        .array(
          service.certificates.map {
            .object(
              JSONObject([("X509Certificate", .string(UnsignedProperties.base64($0.encoded)))]))
          })
      ),
    ])
    if let qualifier = service.kind.qualifier {
      information["AdditionalServiceInformation"] = .string(TrustServiceKind.forSeals)
      information["Qualifier"] = .string(qualifier)
    }
    if !service.policies.isEmpty {
      information["PolicySet"] = .array(service.policies.map { .string($0) })
    }
    for member in (service.periods.first.map(json)?.members ?? []) {
      information[member.name] = member.value
    }
    return .object(
      JSONObject([
        ("ServiceInformation", .object(information)),
        ("ServiceHistory", .array(service.periods.dropFirst().map { .object(json($0)) })),
      ]))
  }

  private static func json(_ period: AccreditationPeriod) -> JSONObject {
    JSONObject([
      ("ServiceStatus", .string(period.status.uri)),
      ("StatusStartingTime", .string("\(period.since)")),
      ("ValidFrom", .string("\(period.validFrom)")),
      ("ValidUntil", .string("\(period.validUntil)")),
    ])
  }
}
