import NetworkTypes
import SwiftASN1

/// The validation of one signature: its time stamps from the latest to the earliest, each giving
/// proofs of existence to what it covers, then the signature at its best proven time
/// (EN 319 102-1 5.3, 5.5, 5.6).
struct SignatureJudgement {
  private let validator: SealValidator
  private let signature: SignatureUnderTest
  private let paths: CertificateValidator
  private var proofs: [ProvenObject: Timestamp] = [:]
  private var algorithms: [AlgorithmAssessment] = []

  init(_ validator: SealValidator, _ signature: SignatureUnderTest) {
    self.validator = validator
    self.signature = signature
    var pool = CertificatePool(validator.certificates)
    for certificate in signature.certificates { pool.insert(certificate) }
    var evidence = validator.evidence
    for crl in signature.crls { evidence.insert(crl) }
    for response in signature.ocspResponses { evidence.insert(response) }
    for stamp in signature.timeStamps.prefix(validator.parameters.maximumTimeStamps) {
      guard let message = stamp.token?.signedData else { continue }
      for certificate in message.certificates { pool.insert(certificate) }
      for crl in message.crls { evidence.insert(crl) }
      for response in message.ocspResponses { evidence.insert(response) }
    }
    paths = CertificateValidator(
      anchors: validator.anchors + validator.trustedLists.sealAnchors, pool: pool,
      evidence: evidence, limits: validator.limits)
  }

  private func proven(_ object: ProvenObject) -> Timestamp {
    proofs.isEmpty ? validator.moment : proofs[object] ?? validator.moment
  }

  mutating func report(number: Int) -> SignatureReport {
    let (stamps, order) = judgeTimeStamps()
    let best = proofs[.signature]
    let content = zip(signature.timeStamps, stamps)
      .filter { $0.0.kind == .content && $0.1.conclusion.isPassed }.compactMap { $0.1.time }.max()
    var certificate: Certificate?
    var judgement: CertificateJudgement?
    var accreditation: AccreditationAnswer?
    var conclusion: Conclusion
    switch signature.outcome {
    case .refused(let reason, let claimed):
      conclusion = reason
      certificate = claimed
    case .verified(let facts):
      certificate = facts.certificate
      let judged = CertificateJudgement(
        facts.certificate, validator: paths, purpose: nil, revocation: validator.revocation,
        now: validator.moment, provenAt: best ?? validator.moment)
      judgement = judged
      conclusion = judge(facts, judged, earliest: content)
      if conclusion.isPassed, let order { conclusion = order }
      let moment = best ?? validator.moment
      accreditation = validator.accreditation(
        of: facts.certificate, path: judged.path, forTimeStamps: false, at: moment,
        isProven: best != nil)
      if conclusion.isPassed, let path = judged.path,
        let refusal = validator.refusal(
          accreditation, certificate: facts.certificate, path: path, forTimeStamps: false,
          usedAt: moment, existedAt: moment)
      {
        conclusion = refusal
      }
    }
    var notes = signature.notes
    if let claimed = signature.claimedTime, let best,
      claimed > best.advanced(bySeconds: validator.limits.clockSkewSeconds)
    {
      notes.append("The claimed time is later than the time stamp that proves the signature.")
    }
    if signature.timeStamps.count > validator.parameters.maximumTimeStamps {
      notes.append("Not all of the \(signature.timeStamps.count) time stamps were looked at.")
    }
    let chain = judgement?.path.map { $0.certificates } ?? []
    let findings = judgement?.path?.revocation ?? []
    return SignatureReport(
      number: number, conclusion: conclusion, level: signature.level,
      holder: certificate.map { SealHolder($0, scheme: validator.scheme) },
      claimedTime: signature.claimedTime, provenTime: best, covers: signature.covers,
      changesAfter: signature.changesAfter, algorithms: algorithms,
      chain: (chain.isEmpty ? certificate.map { [$0] } ?? [] : chain).map {
        CertificateSummary($0)
      },
      anchor: judgement?.path.map { "\($0.anchor.name)" },
      revocation: zip(chain, findings).map { RevocationSummary($0, $1) }, timeStamps: stamps,
      counterSignatures: signature.counterSignatures.prefix(validator.parameters.maximumSignatures)
        .enumerated().map { validator.report(on: $0.element, number: $0.offset + 1) },
      notes: notes, accreditation: accreditation)
  }

  /// Chain, constraints and algorithms of the signature itself.
  private mutating func judge(
    _ facts: SignatureFacts, _ judged: CertificateJudgement, earliest: Timestamp?
  ) -> Conclusion {
    let proven = proven(.signature)
    let weak = assess(
      facts.certificate, facts.algorithm, contentHash: facts.contentHash, path: judged.path,
      use: .signature, provenAt: proven)
    guard judged.conclusion.isPassed else {
      // A content time stamp shows that the signature is younger than what ended its certificate.
      if let earliest, let reason = judged.error?.reason {
        if case .revoked(let date, _) = reason, earliest > date {
          return .failed(.revoked, judged.conclusion.detail ?? "")
        }
        if case .expired(let end) = reason, earliest > end {
          return .failed(.expired, judged.conclusion.detail ?? "")
        }
      }
      return judged.conclusion
    }
    if signature.isAdvanced, validator.parameters.requiresSigningCertificateReference,
      !facts.fixesCertificate
    {
      return .indeterminate(
        .sigConstraintsFailure,
        "The signature does not fix its certificate. Ask the signer for an AdES signature.")
    }
    if let usage = facts.certificate.extensions.keyUsage,
      usage.isDisjoint(with: [.digitalSignature, .nonRepudiation])
    {
      return .indeterminate(
        .chainConstraintsFailure,
        "The certificate's key is not meant for signatures. Do not use it.")
    }
    // Only for the purposes that are named (RFC 5280 4.2.1.12). Signers have many of them; these say
    // that the key is for something else.
    if let purposes = facts.certificate.extensions.extendedKeyUsage, !purposes.isEmpty,
      purposes.allSatisfy([OID.serverAuth, OID.timeStamping, OID.ocspSigning].contains)
    {
      return .indeterminate(
        .chainConstraintsFailure,
        "The certificate is for servers, time stamps or OCSP answers alone. Do not take it for a seal."
      )
    }
    return weak ?? .passed
  }

  /// Lists the algorithms of a signature and its chain, and gives the conclusion where one was too
  /// weak at the time that is proven.
  private mutating func assess(
    _ certificate: Certificate, _ algorithm: SignatureAlgorithm, contentHash: HashAlgorithm,
    path: ValidatedPath?, use: AlgorithmAssessment.Use, provenAt: Timestamp
  ) -> Conclusion? {
    let table = validator.parameters
    let start = algorithms.count
    let subject = use == .signature ? nil : "\(certificate.subject)"
    func add(
      _ use: AlgorithmAssessment.Use, _ subject: String?, _ text: String, _ expiry: AlgorithmExpiry,
      _ proven: Timestamp
    ) {
      let new = AlgorithmAssessment(
        use: use, subject: subject, algorithm: text, weakSince: expiry.end, source: expiry.source,
        provenAt: proven)
      if !algorithms[start...].contains(new) { algorithms.append(new) }
    }
    if use == .signature {
      add(.content, nil, contentHash.rawValue, table.expiry(of: contentHash), provenAt)
    }
    add(use, subject, "\(algorithm)", table.expiry(of: algorithm.hash), provenAt)
    if let kind = certificate.publicKey?.kind {
      add(use, subject, kind.text, table.expiry(of: kind), provenAt)
    }
    for (index, link) in (path?.certificates ?? []).enumerated() {
      // The anchor's signature on its child is as strong as the anchor's key, who was chosen.
      let name = "\(link.subject)"
      let proven = min(
        self.proven(.certificate(proofs.isEmpty ? [] : link.fingerprint())),
        link == certificate ? provenAt : validator.moment)
      if let signed = link.signatureAlgorithm {
        add(.certificate, name, "\(signed)", table.expiry(of: signed.hash), proven)
      }
      if let kind = link.publicKey?.kind, link != certificate {
        add(.certificate, name, kind.text, table.expiry(of: kind), proven)
      }
      guard let path, index < path.revocation.count else { continue }
      for (encoded, signed) in path.revocation[index].signatures {
        let proven = self.proven(
          .revocation(proofs.isEmpty ? [] : HashAlgorithm.sha256.hash(encoded)))
        add(.revocation, name, "\(signed)", table.expiry(of: signed.hash), proven)
      }
    }
    guard let weak = algorithms[start...].first(where: { !$0.isReliable }) else { return nil }
    let detail =
      "\(weak.algorithm) (\(weak.use.rawValue)\(weak.subject.map { " of \($0)" } ?? "")) is not "
      + "reliable at \(weak.provenAt) by \(weak.source). Ask for a time stamp from before, or for a "
      + "stronger one."
    return weak.weakSince == .distantPast
      ? .indeterminate(.cryptoConstraintsFailure, detail)
      : .indeterminate(.cryptoConstraintsFailureNoPOE, detail)
  }

  // MARK: time stamps

  /// The summaries in the order of the signature, and the conclusion where valid stamps contradict
  /// each other's order.
  private mutating func judgeTimeStamps() -> ([TimeStampSummary], Conclusion?) {
    let stamps = Array(signature.timeStamps.prefix(validator.parameters.maximumTimeStamps))
    guard !stamps.isEmpty else { return ([], nil) }
    func time(_ index: Int) -> Timestamp { stamps[index].token?.info.genTime ?? .distantPast }
    // The latest first, because it proves the earlier ones; of equals the last added first.
    let order = stamps.indices.sorted { (time($0), $0) > (time($1), $1) }
    var summaries: [Int: TimeStampSummary] = [:]
    for index in order {
      let summary = judge(stamps[index])
      summaries[index] = summary
      guard summary.conclusion.isPassed, let moment = summary.time else { continue }
      for object in stamps[index].covers {
        proofs[object] = min(proofs[object] ?? moment, moment)
      }
    }
    var contradiction: Conclusion?
    let valid = stamps.indices.filter { summaries[$0]?.conclusion.isPassed == true }
    for later in valid where stamps[later].kind != .content {
      for earlier in valid where earlier != later {
        let isCovered =
          stamps[earlier].kind == .content
          || stamps[earlier].token.map {
            stamps[later].covers.contains(.timeStamp(HashAlgorithm.sha256.hash($0.encoded)))
          } ?? false
        guard isCovered, time(later) < time(earlier) else { continue }
        contradiction = .indeterminate(
          .timestampOrderFailure,
          "The time stamp of \(time(later)) covers one of \(time(earlier)), which is later. "
            + "Do not rely on either.")
      }
    }
    return (stamps.indices.compactMap { summaries[$0] }, contradiction)
  }

  private mutating func judge(_ stamp: TimeStampEvidence) -> TimeStampSummary {
    guard let token = stamp.token else {
      let reason = stamp.problem.map { "\($0)" } ?? "The time stamp cannot be read."
      return TimeStampSummary(
        kind: stamp.kind, conclusion: .failed(.formatFailure, reason), time: nil,
        accuracySeconds: nil, authority: nil, policy: nil, serialNumber: nil, chain: [])
    }
    var (conclusion, path, unit) = judge(token, stamp)
    let info = token.info
    var accreditation: AccreditationAnswer?
    if let path, let unit {
      // A valid stamp's own time is when its service has to have been accredited.
      accreditation = validator.accreditation(
        of: unit, path: path, stampPolicy: "\(info.policy)", forTimeStamps: true, at: info.genTime,
        isProven: true)
      let existedAt = proven(
        .timeStamp(proofs.isEmpty ? [] : HashAlgorithm.sha256.hash(token.encoded)))
      if conclusion.isPassed,
        let refusal = validator.refusal(
          accreditation, certificate: unit, path: path, forTimeStamps: true, usedAt: info.genTime,
          existedAt: existedAt)
      {
        conclusion = refusal
      }
    }
    return TimeStampSummary(
      kind: stamp.kind, conclusion: conclusion, time: info.genTime,
      accuracySeconds: info.accuracy.map { Double($0.microseconds) / 1e6 },
      authority: unit.map { "\($0.subject)" }, policy: "\(info.policy)",
      serialNumber: Hexadecimal.text(info.serialNumber),
      chain: (path?.certificates ?? unit.map { [$0] } ?? []).map { CertificateSummary($0) },
      accreditation: accreditation)
  }

  private mutating func judge(_ token: TimeStampToken, _ stamp: TimeStampEvidence)
    -> (Conclusion, ValidatedPath?, Certificate?)
  {
    let info = token.info
    let claimed = token.signedData.certificates.first { token.signer.identifier.matches($0) }
    guard let hash = info.imprint.hashAlgorithm else {
      return (
        .indeterminate(
          .cryptoConstraintsFailure,
          "\(TimeStampError.unknownHash(info.imprint.algorithm.algorithm))"),
        nil, claimed
      )
    }
    guard let wanted = stamp.imprint(hash) else {
      return (
        .indeterminate(
          .signedDataNotFound, "What the time stamp is over is not at hand. Give the file."),
        nil, claimed
      )
    }
    guard wanted == info.imprint.digest else {
      return (.failed(.hashFailure, "\(TimeStampError.imprintMismatch)"), nil, claimed)
    }
    if let unknown = info.extensions.first(where: \.isCritical) {
      return (
        .indeterminate(
          .sigConstraintsFailure, "\(TimeStampError.criticalExtension(unknown.identifier))"),
        nil, claimed
      )
    }
    let verified: VerifiedSigner
    do throws(CMSError) {
      verified = try token.signedData.verify(
        token.signer, certificates: signature.certificates + validator.certificates)
    } catch { return (Conclusion(error), nil, claimed) }
    let unit = verified.certificate
    guard verified.isCertificateSigned else {
      return (
        .indeterminate(.sigConstraintsFailure, "\(TimeStampError.certificateNotFixed)"), nil, unit
      )
    }
    guard TimeStampToken.isTimeStampUnit(unit) else {
      return (
        .indeterminate(.chainConstraintsFailure, "\(TimeStampError.notATimeStampUnit)"), nil, unit
      )
    }
    var units = paths
    units.anchors =
      (validator.timeStampAnchors ?? validator.anchors) + validator.trustedLists.timeStampAnchors
    let proven = proven(.timeStamp(proofs.isEmpty ? [] : HashAlgorithm.sha256.hash(token.encoded)))
    let judged = CertificateJudgement(
      unit, validator: units, purpose: OID.timeStamping, revocation: validator.revocation,
      now: validator.moment, provenAt: proven)
    guard judged.conclusion.isPassed else { return (judged.conclusion, judged.path, unit) }
    guard info.genTime <= validator.moment.advanced(bySeconds: validator.limits.clockSkewSeconds)
    else {
      return (
        .indeterminate(
          .sigConstraintsFailure, "The time stamp is of the future. Check the clock."), judged.path,
        unit
      )
    }
    let weak = assess(
      unit, verified.algorithm, contentHash: verified.digestAlgorithm, path: judged.path,
      use: .timeStamp, provenAt: proven)
    let imprint = validator.parameters.expiry(of: hash)
    if let end = imprint.end, proven >= end {
      return (
        .indeterminate(
          .cryptoConstraintsFailureNoPOE,
          "The time stamp's hash \(hash.rawValue) is not reliable since \(end). Do not rely on it."),
        judged.path, unit
      )
    }
    return (weak ?? .passed, judged.path, unit)
  }
}

extension RevocationFinding {
  /// The encodings of the evidence and how each was signed.
  var signatures: [([UInt8], SignatureAlgorithm)] {
    func list(_ source: RevocationSource) -> [([UInt8], SignatureAlgorithm)] {
      switch source {
      case .crls(let crls):
        crls.compactMap { crl in crl.signatureAlgorithm.map { (crl.encoded, $0) } }
      case .ocsp(let response):
        response.signatureAlgorithm.map { [(response.encoded, $0)] } ?? []
      }
    }
    return switch self {
    case .good(let source), .revoked(_, _, let source), .revokedLater(_, _, let source):
      list(source)
    case .unknown, .notChecked: []
    }
  }
}
