public import SwiftASN1

/// PolicyInformation (RFC 5280 4.2.1.4): a policy and what its issuer says about it.
public struct PolicyInformation: Hashable, Sendable {
  public let policy: ASN1ObjectIdentifier
  /// Addresses of certification practice statements.
  public let practiceStatements: [String]
  /// Texts that are to be shown to whoever relies on the certificate.
  public let userNotices: [String]

  /// A policy, with where its statement is published.
  public init(_ policy: ASN1ObjectIdentifier, practiceStatements: [String] = []) {
    self.policy = policy
    self.practiceStatements = practiceStatements
    userNotices = []
  }

  init(_ node: ASN1Node) throws(MalformedStructure) {
    var reader = try ElementReader(node, as: "PolicyInformation")
    policy = try reader.objectIdentifier("policyIdentifier")
    var statements: [String] = []
    var notices: [String] = []
    if let qualifiers = reader.optional(.sequence) {
      for element in try qualifiers.children("PolicyInformation", "policyQualifiers") {
        var qualifier = try ElementReader(element, as: "PolicyQualifierInfo")
        let kind = try qualifier.objectIdentifier("policyQualifierId")
        let value = try qualifier.any("qualifier")
        if kind == OID.cps, let uri = value.text { statements.append(uri) }
        if kind == OID.userNotice {
          let parts = try value.children("UserNotice", "fields")
          if let text = parts.last?.text { notices.append(text) }
        }
      }
    }
    try reader.end()
    practiceStatements = statements
    userNotices = notices
  }

  static func list(_ node: ASN1Node) throws(MalformedStructure) -> [PolicyInformation] {
    var list: [PolicyInformation] = []
    for element in try node.children("CertificatePolicies", "policies") {
      list.append(try PolicyInformation(element))
    }
    guard !list.isEmpty, Set(list.map(\.policy)).count == list.count else {
      throw MalformedStructure("CertificatePolicies", "policies", "none, or one twice")
    }
    return list
  }

  static func write(_ list: [PolicyInformation], _ coder: inout DER.Serializer) {
    coder.sequence { coder in
      for one in list {
        coder.sequence { coder in
          coder.objectIdentifier(one.policy)
          guard !one.practiceStatements.isEmpty else { return }
          coder.sequence { coder in
            for statement in one.practiceStatements {
              coder.sequence {
                $0.objectIdentifier(OID.cps)
                $0.string(statement, .ia5String)
              }
            }
          }
        }
      }
    }
  }
}

/// One pair of PolicyMappings (RFC 5280 4.2.1.5).
public struct PolicyMapping: Hashable, Sendable {
  public let issuerDomainPolicy: ASN1ObjectIdentifier
  public let subjectDomainPolicy: ASN1ObjectIdentifier

  static func list(_ node: ASN1Node) throws(MalformedStructure) -> [PolicyMapping] {
    var list: [PolicyMapping] = []
    for element in try node.children("PolicyMappings", "mappings") {
      var reader = try ElementReader(element, as: "PolicyMapping")
      list.append(
        PolicyMapping(
          issuerDomainPolicy: try reader.objectIdentifier("issuerDomainPolicy"),
          subjectDomainPolicy: try reader.objectIdentifier("subjectDomainPolicy")))
      try reader.end()
    }
    return list
  }
}
