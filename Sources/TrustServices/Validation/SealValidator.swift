public import NetworkTypes

/// Validates seals, signatures and time stamps of every format by the rules of EN 319 102-1.
///
/// ```swift
/// var validator = SealValidator(anchors: [anchor], moment: now)
/// let report = validator.validate(cms: bytes, content: ContentDigests(file))
/// print(ReportText(.japanese).render(report))
/// ```
///
/// A format's reader turns each signature into a ``SignatureUnderTest``;
/// ``report(on:number:)`` judges it. That is where a reader of another format joins.
public struct SealValidator: Sendable {
  /// Whom signers' chains may end at.
  public var anchors: [TrustAnchor]
  /// Whom time-stamp units' chains may end at; the same as the signers' where nil.
  public var timeStampAnchors: [TrustAnchor]?
  /// Certificates that may be needed and did not come along.
  public var certificates: [Certificate] = []
  /// CRLs and OCSP answers that did not come along.
  public var evidence = RevocationEvidence()
  /// When the validation is made: now by the caller's clock, or a moment that is asked about.
  public var moment: Timestamp
  /// How much depends on knowing about revocation.
  public var revocation = RevocationMode.requiredWhereStated
  public var parameters = ValidationParameters()
  public var limits = PathLimits()
  public var scheme = SealScheme()
  /// Lists that say which services were accredited when. Their services are anchors too: for as long
  /// as a list says that they are accredited.
  public var trustedLists = TrustedLists()
  /// Whether a seal's authority, and every time stamp that proves its time, has to have been
  /// accredited at that time, whatever anchors there are.
  public var requiresAccreditation = false

  /// A validator that trusts `anchors`.
  public init(anchors: [TrustAnchor], moment: Timestamp) {
    self.anchors = anchors
    self.moment = moment
  }

  /// Judges one signature.
  public func report(on signature: SignatureUnderTest, number: Int = 1) -> SignatureReport {
    var judgement = SignatureJudgement(self, signature)
    return judgement.report(number: number)
  }

  /// Judges signatures that were read from one file.
  public func report(
    on signatures: [SignatureUnderTest], format: SealFormat, notes: [String] = []
  ) -> ValidationReport {
    var notes = notes
    if signatures.count > parameters.maximumSignatures {
      notes.append(
        "Only the first \(parameters.maximumSignatures) of \(signatures.count) signatures were "
          + "looked at.")
    }
    let reports = signatures.prefix(parameters.maximumSignatures).enumerated().map {
      report(on: $0.element, number: $0.offset + 1)
    }
    for list in trustedLists.lists where list.isOutdated(at: moment) {
      notes.append(
        "The trusted list \(list.sequence) of \(list.schemeOperator.name.en) should have been "
          + "followed by another at \(list.nextUpdate ?? list.issued). Get the current one.")
    }
    return ValidationReport(
      format: format, checkedAt: moment, signatures: reports, notes: notes)
  }
}
