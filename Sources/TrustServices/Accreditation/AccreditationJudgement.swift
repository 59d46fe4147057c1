import NetworkTypes

extension SealValidator {
  /// What the lists say of a certificate whose path is valid; nil without lists.
  func accreditation(
    of certificate: Certificate, path: ValidatedPath?, stampPolicy: String? = nil,
    forTimeStamps: Bool, at moment: Timestamp, isProven: Bool
  ) -> AccreditationAnswer? {
    guard !trustedLists.isEmpty, let path else { return nil }
    let policies: Set<String> =
      forTimeStamps
      ? Set([stampPolicy].compactMap { $0 })
      : Set((certificate.extensions.certificatePolicies ?? []).map { "\($0.policy)" })
    return trustedLists.answer(
      about: certificate, path: path, forTimeStamps: forTimeStamps, policies: policies, at: moment,
      isProven: isProven, now: self.moment)
  }

  /// Why a path that is valid does not suffice: accreditation is asked for, or the anchor is trusted
  /// through a list alone and so only while that says so. nil where it suffices.
  ///
  /// - Parameters:
  ///   - moment: at which the certificate was used: of a stamp its own time.
  ///   - existedAt: when the signature or stamp is proven to have existed.
  func refusal(
    _ answer: AccreditationAnswer?, certificate: Certificate, path: ValidatedPath,
    forTimeStamps: Bool, usedAt moment: Timestamp, existedAt: Timestamp
  ) -> Conclusion? {
    let own = forTimeStamps ? timeStampAnchors ?? anchors : anchors
    let isTrustedAnyway = own.contains {
      $0.name == path.anchor.name && $0.publicKey == path.anchor.publicKey
    }
    if !isTrustedAnyway, path.certificates.isEmpty, let anchor = path.anchor.certificate,
      moment < anchor.notBefore || existedAt > anchor.notAfter
    {
      // A unit that a list names is trusted as it stands, but not beyond its certificate's days.
      return .indeterminate(
        .outOfBoundsNoPOE,
        "The certificate of \(certificate.subject) is valid from \(anchor.notBefore) to "
          + "\(anchor.notAfter), and nothing proves that it was used then. Ask for an archive time "
          + "stamp.")
    }
    guard requiresAccreditation || !isTrustedAnyway else { return nil }
    guard let answer, !answer.findings.isEmpty else {
      let why = trustedLists.isEmpty ? "no trusted list is at hand" : "no trusted list names it"
      return .indeterminate(
        .chainConstraintsFailure,
        "The service of \(path.anchor.name) is not known to be accredited: \(why).")
    }
    guard !answer.isAccredited else { return nil }
    if answer.findings.contains(where: { $0.status == .unknown }) {
      return .indeterminate(
        .tryLater, "The trusted list ends before \(answer.moment). Get a newer one.")
    }
    let said = answer.findings.map { finding in
      let when = finding.since.map { " since \($0)" } ?? ""
      return "\(finding.service) is \(finding.status.rawValue)\(when) under \(finding.scheme)"
    }
    let detail = "At \(answer.moment) \(said.joined(separator: ", "))."
    // Accredited before, and nothing but the time of validation says that it was not then.
    let wasAccredited = answer.findings.contains {
      [.suspended, .withdrawn, .expired].contains($0.status)
    }
    if !answer.isProven, wasAccredited {
      return .indeterminate(
        .noPOE, detail + " Nothing proves that it existed before. Ask for a time stamp of then.")
    }
    return .indeterminate(
      .chainConstraintsFailure, detail + " Do not rely on it where accreditation is asked for.")
  }
}
