import NetworkTypes
import SwiftASN1

/// RFC 5280 6.1, with the policy graph of RFC 9618.
extension CertificateValidator {
  func check(
    _ path: [Certificate], _ anchor: TrustAnchor, _ parameters: PathParameters,
    _ nesting: Nesting
  ) throws(PathError) -> ValidatedPath {
    guard let last = path.last else {
      // Callers hand over at least the certificate itself; an anchor alone is handled in `build`.
      return ValidatedPath(
        anchor: anchor, certificates: [], publicKey: anchor.publicKey, policies: [OID.anyPolicy],
        userNotices: [], weaknesses: [], revocation: [])
    }
    guard path.count <= limits.maximumLength else { throw PathError(.tooLong, last, at: 0) }
    let count = path.count
    // 6.1.2: the state before the first certificate.
    var graph = PolicyGraph()
    var explicitPolicy = parameters.requiresExplicitPolicy ? 0 : count + 1
    var policyMapping = parameters.inhibitsPolicyMapping ? 0 : count + 1
    var inhibitAnyPolicy = parameters.inhibitsAnyPolicy ? 0 : count + 1
    var constraints: [NameConstraints] = []
    var maximumPathLength = count
    var workingKey = anchor.publicKey
    var workingName = anchor.name
    var issuers: [RevocationIssuer] = []
    var weaknesses: [AlgorithmWeakness] = []

    for (index, certificate) in path.enumerated() {
      let position = index + 1
      let isLast = position == count
      func fail(_ reason: PathError.Reason) -> PathError {
        PathError(reason, certificate, at: position)
      }
      // 6.1.3 (a)
      guard nesting.work.spend() else { throw fail(.tooComplex) }
      guard certificate.isSigned(by: workingKey) else { throw fail(.badSignature) }
      guard parameters.moment >= certificate.notBefore else {
        throw fail(.notYetValid(from: certificate.notBefore))
      }
      guard parameters.moment <= certificate.notAfter.advanced(bySeconds: 0.999_999_999) else {
        throw fail(.expired(at: certificate.notAfter))
      }
      guard certificate.issuer == workingName else { throw fail(.issuerNameMismatch) }
      let extensions = certificate.extensions
      if let broken = extensions.malformed.first { throw fail(.malformedExtension(broken)) }
      if let unknown = extensions.unknownCritical.first {
        throw fail(.unknownCriticalExtension(unknown))
      }
      issuers.append(
        RevocationIssuer(
          name: workingName, key: workingKey, certificate: index > 0 ? path[index - 1] : nil))
      // 6.1.3 (b), (c)
      if isLast || !certificate.isSelfIssued {
        try Self.checkNames(of: certificate, constraints, at: position)
      }
      // 6.1.3 (d), (e), (f)
      if let policies = extensions.certificatePolicies {
        graph.add(
          policies,
          allowsAnyPolicy: inhibitAnyPolicy > 0 || (!isLast && certificate.isSelfIssued))
      } else {
        graph.setNull()
      }
      guard explicitPolicy > 0 || !graph.isNull else { throw fail(.noValidPolicy) }

      let key = try Self.key(of: certificate, below: workingKey, at: position)
      let weak = limits.weaknesses(of: certificate, key: key)
      if parameters.refusesWeakAlgorithms, let first = weak.first {
        throw fail(.weakAlgorithm(first.weakness))
      }
      weaknesses += weak
      if isLast {
        workingKey = key
        break
      }
      // 6.1.4: preparing for the next certificate.
      if !extensions.policyMappings.isEmpty {
        if extensions.policyMappings.contains(where: {
          $0.issuerDomainPolicy == OID.anyPolicy || $0.subjectDomainPolicy == OID.anyPolicy
        }) {
          throw fail(.mappedAnyPolicy)
        }
        graph.map(extensions.policyMappings, isInhibited: policyMapping == 0)
      }
      workingName = certificate.subject
      workingKey = key
      if let new = extensions.nameConstraints { constraints.append(new) }
      if !certificate.isSelfIssued {
        explicitPolicy = max(0, explicitPolicy - 1)
        policyMapping = max(0, policyMapping - 1)
        inhibitAnyPolicy = max(0, inhibitAnyPolicy - 1)
      }
      if let stated = extensions.policyConstraints {
        explicitPolicy = min(explicitPolicy, stated.requireExplicitPolicy ?? explicitPolicy)
        policyMapping = min(policyMapping, stated.inhibitPolicyMapping ?? policyMapping)
      }
      inhibitAnyPolicy = min(inhibitAnyPolicy, extensions.inhibitAnyPolicy ?? inhibitAnyPolicy)
      guard certificate.version == 3, extensions.basicConstraints?.isCA == true else {
        throw fail(.notACA)
      }
      if !certificate.isSelfIssued {
        guard maximumPathLength > 0 else { throw fail(.pathLengthExceeded) }
        maximumPathLength -= 1
      }
      if let length = extensions.basicConstraints?.pathLength {
        maximumPathLength = min(maximumPathLength, length)
      }
      if let usage = extensions.keyUsage, !usage.contains(.keyCertSign) {
        throw fail(.mayNotSignCertificates)
      }
    }

    // 6.1.5
    if !last.isSelfIssued { explicitPolicy = max(0, explicitPolicy - 1) }
    if last.extensions.policyConstraints?.requireExplicitPolicy == 0 { explicitPolicy = 0 }
    let outcome = graph.outcome(initial: parameters.initialPolicies)
    guard explicitPolicy > 0 || outcome != nil else {
      throw PathError(.noValidPolicy, last, at: count)
    }
    if let wanted = parameters.extendedKeyUsage, let allowed = last.extensions.extendedKeyUsage,
      !allowed.contains(wanted), !allowed.contains(OID.anyExtendedKeyUsage)
    {
      throw PathError(.wrongExtendedKeyUsage, last, at: count)
    }
    let findings = try checkRevocation(path, issuers, anchor, parameters, nesting)
    return ValidatedPath(
      anchor: anchor, certificates: path, publicKey: workingKey,
      policies: outcome?.policies ?? [], userNotices: outcome?.notices ?? [],
      weaknesses: weaknesses, revocation: findings)
  }

  /// The certificate's key, with DSA parameters of the key above where it has none (6.1.4 (e)).
  private static func key(of certificate: Certificate, below issuer: PublicKey, at position: Int)
    throws(PathError) -> PublicKey
  {
    if let key = certificate.publicKey { return key }
    if case .dsa(let above) = issuer.storage,
      let key = try? certificate.subjectPublicKeyInfo.key(inherited: above.parameters)
    {
      return key
    }
    throw PathError(.unsupportedKey, certificate, at: position)
  }

  /// Every name against every constraint above it: permitted by each that speaks of its form,
  /// excluded by none (RFC 5280 4.2.1.10).
  private static func checkNames(
    of certificate: Certificate, _ constraints: [NameConstraints], at position: Int
  ) throws(PathError) {
    guard !constraints.isEmpty else { return }
    var names = certificate.extensions.subjectAlternativeNames
    if !certificate.subject.isEmpty { names.append(.directoryName(certificate.subject)) }
    let hasMail = names.contains { if case .rfc822Name = $0 { true } else { false } }
    if !hasMail {
      names += certificate.subject.texts(.emailAddress).map { .rfc822Name($0) }
    }
    for name in names {
      for constraint in constraints {
        for base in constraint.excluded {
          switch NameMatch.of(name, in: base) {
          case .within, .unsupported: throw PathError(.nameExcluded, certificate, at: position)
          case .outside, .otherForm: break
          }
        }
        let matches = constraint.permitted.map { NameMatch.of(name, in: $0) }
          .filter { $0 != .otherForm }
        guard matches.isEmpty || matches.contains(.within) else {
          throw PathError(.nameNotPermitted, certificate, at: position)
        }
      }
    }
  }
}
