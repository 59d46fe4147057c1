import NetworkTypes

extension SealValidator {
  /// Validates the signatures and document time stamps of a PDF document, of organisations and
  /// persons: PAdES and the older PKCS #7 forms.
  public func validate(pdf bytes: [UInt8], limits: PDFLimits = PDFLimits()) -> ValidationReport {
    do {
      return try PAdESReader(self, bytes, limits).report()
    } catch let error as PDFError where error.isOutOfReach {
      return ValidationReport(format: .pades, checkedAt: moment, outOfReach: "\(error)")
    } catch {
      return ValidationReport(format: .pades, checkedAt: moment, unreadable: "\(error)")
    }
  }
}

/// Reads the signatures of one document and brings together what belongs to each.
struct PAdESReader {
  /// A signature with the revision that it covers, or with what is wrong.
  private struct Read {
    var signature: PDFSignature
    var range: PDFSignature.Range?
    var revision: PDFDocument?
    /// The revision's own store.
    var store: DocumentSecurityStore?
    var problem: String?
    /// Of a document time stamp: its token, the digest that it should be over, and what it proves
    /// besides the signatures before it.
    var token: TimeStampToken?
    var digest: (hash: HashAlgorithm, octets: [UInt8])?
    var kept: Set<ProvenObject> = []
    var end: Int { signature.claimedEnd }
  }

  private let validator: SealValidator
  private let bytes: [UInt8]
  private let limits: PDFLimits
  private let document: PDFDocument
  private let store: DocumentSecurityStore
  private let stored:
    (
      certificates: [Certificate], crls: [CertificateRevocationList], responses: [OCSPResponse]
    )
  private var all: [Read] = []
  private var notes: [String] = []

  init(_ validator: SealValidator, _ bytes: [UInt8], _ limits: PDFLimits) throws {
    self.validator = validator
    self.bytes = bytes
    self.limits = limits
    document = try PDFDocument(bytes, limits: limits)
    store = try DocumentSecurityStore(document)
    stored = store.readable
    let signatures = try PDFSignature.all(document, PDFForm(document))
    let most = validator.parameters.maximumSignatures + validator.parameters.maximumTimeStamps
    if signatures.count > most {
      notes.append("Only the first \(most) of \(signatures.count) signatures were looked at.")
    }
    var taken: Set<PDFReference> = []
    // Every revision's table is held.
    var room = limits.maximumObjects * 2
    for signature in signatures.prefix(most) {
      var read = Read(signature: signature)
      do {
        guard room > 0 else { throw PDFError.tooLarge("revisions of many objects") }
        try fill(&read)
        room -= read.revision?.objectCount ?? 0
      } catch { read.problem = "\(error)" }
      if let reference = signature.reference, !taken.insert(reference).inserted {
        read.problem = "Two fields hold the same signature. Do not rely on it."
      }
      all.append(read)
    }
  }

  private func fill(_ read: inout Read) throws {
    let signature = read.signature
    let range = try signature.range(in: document)
    read.range = range
    let revision = try PDFDocument(bytes, end: range.end, limits: limits)
    guard Self.endsCleanly(revision) else {
      throw MalformedStructure(
        "Signature", "ByteRange", "it does not end where a revision of the document ends")
    }
    // Reached from the form of the signed revision itself, at the same place.
    let own = try PDFForm(revision).fields.first {
      $0.value?.reference == signature.reference && $0.type == "Sig"
    }
    guard let own, own.name == signature.fieldName, let reference = signature.reference,
      revision.entry(reference.number) == document.entry(reference.number)
    else {
      throw MalformedStructure(
        "Signature", "V", "it is no signature of the revision that it covers")
    }
    read.revision = revision
    read.store = try? DocumentSecurityStore(revision)
    guard signature.isDocumentTimeStamp else { return }
    let token = try TimeStampToken(SignedData(padded: signature.contents))
    read.token = token
    if let hash = token.info.imprint.hashAlgorithm,
      let digest = PDFSignature.digests(bytes, range, [hash]).digest(hash)
    {
      read.digest = (hash, digest)
    }
    read.kept = read.store?.objects ?? []
    for earlier in all where earlier.end < read.end {
      if let token = earlier.token { Self.add(token, to: &read.kept) }
    }
  }

  /// Whether only `%%EOF` and white space follow the `startxref` of a revision.
  private static func endsCleanly(_ document: PDFDocument) -> Bool {
    var parser = PDFParser(
      document.bytes, at: document.startPlace + 9, end: document.end, limits: document.limits)
    parser.skipSpace()
    guard parser.unsigned() != nil else { return false }
    let rest = document.bytes[parser.position..<document.end].drop(while: PDFParser.isSpace)
    return rest.starts(with: "%%EOF".utf8) && rest.dropFirst(5).allSatisfy(PDFParser.isSpace)
  }

  func report() throws -> ValidationReport {
    var reports: [SignatureReport] = []
    let signatures = all.filter { !$0.signature.isDocumentTimeStamp }
    for read in signatures.prefix(validator.parameters.maximumSignatures) {
      reports.append(
        validator.report(on: try underTest(read), number: reports.count + 1))
    }
    // A document time stamp after a signature is part of that one's report.
    let first = signatures.map(\.end).min() ?? .max
    for read in all where read.signature.isDocumentTimeStamp && read.end <= first {
      reports.append(try stampReport(read, number: reports.count + 1))
    }
    return ValidationReport(
      format: .pades, checkedAt: validator.moment, signatures: reports, notes: notes)
  }

  // MARK: one signature

  private func underTest(_ read: Read) throws -> SignatureUnderTest {
    let signature = read.signature
    var under = message(read)
    let isAdvanced = signature.subFilter == "ETSI.CAdES.detached"
    under.isAdvanced = isAdvanced
    if under.claimedTime == nil, let date = signature.dictionary["M"] {
      under.claimedTime = try document.resolve(date).string.flatMap(PDFSignature.date)
    }
    let isStamped = under.timeStamps.contains { $0.kind == .signature }
    // What is inside the Contents; the DSS is counted by the revisions that hold it.
    let own = objects(of: under)
    under.certificates += stored.certificates
    under.crls += stored.crls
    under.ocspResponses += stored.responses
    let stamps = all.filter { $0.signature.isDocumentTimeStamp && $0.end > read.end }
    for stamp in stamps { under.timeStamps.append(evidence(stamp, own: own)) }
    let certificate: Certificate? =
      switch under.outcome {
      case .verified(let facts): facts.certificate
      case .refused(_, let claimed): claimed
      }
    let isArchived = stamps.contains { stamp in
      stamp.store.map { Self.isComplete($0, for: certificate) } ?? false
    }
    let isTimed = isStamped || !stamps.isEmpty
    under.level =
      isArchived
      ? .archive
      : isTimed ? (Self.isComplete(store, for: certificate) ? .longTerm : .timeStamped) : .basic
    guard let range = read.range, let revision = read.revision else { return under }
    let changes = try changes(after: read, revision, range)
    under.changesAfter = changes.list
    if let conclusion = changes.conclusion, case .verified(let facts) = under.outcome {
      under.outcome = .refused(conclusion, facts.certificate)
    }
    for index in under.covers.indices {
      under.covers[index].name = signature.fieldName
      under.covers[index].isEnclosed = true
      under.covers[index].isWhole = bytes[range.end...].allSatisfy(PDFParser.isSpace)
    }
    return under
  }

  /// Whether a store holds revocation data, where the certificate says that there are any.
  private static func isComplete(
    _ store: DocumentSecurityStore, for certificate: Certificate?
  ) -> Bool {
    guard store.isPresent, !store.hasRevocation else { return store.isPresent }
    guard let extensions = certificate?.extensions else { return false }
    return extensions.ocspLocations.isEmpty && extensions.crlDistributionPoints?.isEmpty != false
  }

  /// The signature's own message, verified over what it covers.
  private func message(_ read: Read) -> SignatureUnderTest {
    func refused(_ conclusion: Conclusion, _ claimed: Certificate? = nil) -> SignatureUnderTest {
      SignatureUnderTest(outcome: .refused(conclusion, claimed), level: .basic)
    }
    let signature = read.signature
    let parsed = try? SignedData(padded: signature.contents)
    let claimed = parsed.flatMap { message in
      message.certificates.first { candidate in
        message.signers.first.map { $0.identifier.matches(candidate) } ?? false
      }
    }
    guard let range = read.range, read.problem == nil else {
      return refused(
        .failed(.formatFailure, read.problem ?? "The signature cannot be read."), claimed)
    }
    let message: SignedData
    do { message = try SignedData(padded: signature.contents) } catch {
      return refused(.failed(.formatFailure, "\(error)"))
    }
    guard message.signers.count == 1, let signer = message.signers.first else {
      return refused(
        .failed(
          .formatFailure,
          "\(message.signers.count) signers in one PDF signature instead of one. Do not rely on it."
        ), claimed)
    }
    switch signature.subFilter {
    case "ETSI.CAdES.detached", "adbe.pkcs7.detached":
      // Content inside would be verified instead of the document.
      guard message.content == nil else {
        return refused(
          .failed(
            .formatFailure, "The signature holds content of its own. Do not rely on it."), claimed)
      }
      let hashes = Set([HashAlgorithm(signer.digestAlgorithm) ?? .sha256])
      // Without signed attributes the signature is over the content itself.
      let content =
        signer.signedAttributes == nil
        ? ContentDigests(Array(bytes[..<range.gapStart] + bytes[range.gapEnd..<range.end]))
        : PDFSignature.digests(bytes, range, hashes)
      return validator.signatures(in: message, content: content).first
        ?? refused(.failed(.formatFailure, "There is no signer in it. Do not rely on it."))
    case "adbe.pkcs7.sha1":
      let digest = PDFSignature.digests(bytes, range, [.sha1]).digest(.sha1)
      guard message.content == digest else {
        return refused(
          .failed(.hashFailure, "The document is not what was signed. Do not rely on it."), claimed)
      }
      guard var under = validator.signatures(in: message).first else {
        return refused(.failed(.formatFailure, "There is no signer in it. Do not rely on it."))
      }
      // Whatever hash the signer used then, the document is bound by SHA-1.
      if case .verified(var facts) = under.outcome {
        facts.contentHash = .sha1
        under.outcome = .verified(facts)
      }
      return under
    default:
      let form = signature.subFilter.isEmpty ? "without a SubFilter" : signature.subFilter
      return refused(
        .indeterminate(
          .sigConstraintsFailure,
          "Signatures of the form “\(form)” are not read here. Ask for ETSI.CAdES.detached."),
        claimed)
    }
  }

  private func changes(
    after read: Read, _ revision: PDFDocument, _ range: PDFSignature.Range
  ) throws -> PAdESChanges {
    var changes: [PDFChange] = []
    let rest = bytes[range.end...]
    if !rest.allSatisfy(PDFParser.isSpace) {
      let isUpdated = document.sections.contains { $0.offset >= range.end }
      if !isUpdated || !Self.endsCleanly(document) { changes.append(.trailing) }
      do throws(PDFError) {
        changes += try PDFComparison.changes(from: revision, to: document)
      } catch { changes.append(.unreadable) }
    }
    let certified = try PDFCertification.permission(revision)
    return PAdESChanges(
      changes, permission: certified,
      locks: try PDFCertification.locks(of: read.signature.dictionary, revision), end: range.end)
  }

  // MARK: document time stamps

  private func evidence(_ read: Read, own: Set<ProvenObject>) -> TimeStampEvidence {
    guard let token = read.token, let digest = read.digest, read.problem == nil else {
      return TimeStampEvidence(
        .document,
        problem: MalformedStructure(
          "DocTimeStamp", read.signature.fieldName, read.problem ?? "its hash is not known here"))
    }
    return TimeStampEvidence(.document, token: token, covers: own.union(read.kept)) {
      $0 == digest.hash ? digest.octets : nil
    }
  }

  /// The signature with everything inside its Contents.
  private func objects(of under: SignatureUnderTest) -> Set<ProvenObject> {
    var objects: Set<ProvenObject> = [.signature]
    for certificate in under.certificates {
      objects.insert(.certificate(certificate.fingerprint()))
    }
    for case let token? in under.timeStamps.map(\.token) { Self.add(token, to: &objects) }
    return objects
  }

  private static func add(_ token: TimeStampToken, to objects: inout Set<ProvenObject>) {
    objects.insert(.timeStamp(HashAlgorithm.sha256.hash(token.encoded)))
    let message = token.signedData
    for certificate in message.certificates {
      objects.insert(.certificate(certificate.fingerprint()))
    }
    for encoded in message.crls.map(\.encoded) + message.ocspResponses.map(\.encoded) {
      objects.insert(.revocation(HashAlgorithm.sha256.hash(encoded)))
    }
  }

  /// A document time stamp that stands before every signature, or alone.
  private func stampReport(_ read: Read, number: Int) throws -> SignatureReport {
    let unit = read.token.flatMap { token in
      token.signedData.certificates.first { token.signer.identifier.matches($0) }
    }
    var under = SignatureUnderTest(outcome: .refused(.passed, unit), level: .timeStamped)
    under.certificates = stored.certificates
    under.crls = stored.crls
    under.ocspResponses = stored.responses
    let later = all.filter { $0.signature.isDocumentTimeStamp && $0.end > read.end }
    under.timeStamps = [evidence(read, own: [.signature])]
    under.timeStamps += later.map { evidence($0, own: [.signature]) }
    var changed: Conclusion?
    if let range = read.range, let revision = read.revision {
      let changes = try changes(after: read, revision, range)
      under.changesAfter = changes.list
      changed = changes.conclusion
      under.covers = [
        CoveredContent(
          name: read.signature.fieldName, digestAlgorithm: nil, digest: nil, isEnclosed: true,
          isWhole: bytes[range.end...].allSatisfy(PDFParser.isSpace), isIntact: true)
      ]
    }
    var report = validator.report(on: under, number: number)
    if let stamp = report.timeStamps.first {
      report.conclusion = stamp.conclusion
      report.chain = stamp.chain
      if stamp.conclusion.isPassed {
        report.anchor = stamp.chain.first?.issuer
        if let changed { report.conclusion = changed }
      } else if !report.covers.isEmpty {
        report.covers[0].isIntact = stamp.conclusion.subIndication != .hashFailure
      }
    }
    return report
  }
}
