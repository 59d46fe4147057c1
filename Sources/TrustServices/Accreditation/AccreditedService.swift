public import NetworkTypes

/// A service of the register: where it stands in the procedure, and what the public was told of it
/// over time.
public struct AccreditedService: Hashable, Sendable {
  /// The place in the procedure, from application to the end.
  public enum Stage: String, Hashable, Sendable, Codable, CaseIterable {
    case applied, refused, accredited, suspended, withdrawn, expired

    /// Whether another application may follow.
    var isClosed: Bool { [.refused, .withdrawn, .expired].contains(self) }
  }

  public let id: String
  public let provider: String
  public let scheme: String
  public let kind: TrustServiceKind
  public internal(set) var name: BilingualText
  public internal(set) var certificates: [Certificate]
  public let policies: [String]
  /// As the last step left it; see ``stage(at:scheme:)`` for what time made of it.
  public private(set) var stage = Stage.applied
  /// The result of the last assessment since the application or the last renewal.
  public private(set) var lastAssessment: ServiceAssessment?
  /// What was decided publicly, the earliest first; ends that come by time are not in it.
  public private(set) var decided: [AccreditationPeriod] = []

  init(_ application: ServiceApplication, certificates: [Certificate]) {
    id = application.service
    provider = application.provider
    scheme = application.scheme
    kind = application.kind
    name = application.name
    policies = application.policies
    self.certificates = certificates
  }

  /// The moment at which the validity in force ends; the scheme's own end may come before.
  private func end(_ scheme: AccreditationScheme) -> Timestamp? {
    decided.last.map { min($0.validUntil.end, scheme.until?.end ?? .distantFuture) }
  }

  /// The stage at a moment: an accreditation whose validity or scheme has ended is expired.
  public func stage(at moment: Timestamp, scheme: AccreditationScheme) -> Stage {
    guard stage == .accredited || stage == .suspended, let end = end(scheme), moment >= end else {
      return stage
    }
    return .expired
  }

  /// What the public is told at a moment, the earliest first: decisions that have their effect, and
  /// the ends that time brought.
  public func periods(at moment: Timestamp, scheme: AccreditationScheme) -> [AccreditationPeriod] {
    var periods: [AccreditationPeriod] = []
    func close(before next: Timestamp) {
      guard let last = periods.last, [.accredited, .suspended].contains(last.status) else { return }
      let end = min(last.validUntil.end, scheme.until?.end ?? .distantFuture)
      guard end < next else { return }
      periods.append(
        AccreditationPeriod(
          .expired, since: end, validFrom: last.validFrom, validUntil: last.validUntil))
    }
    for period in decided where period.since <= moment {
      close(before: period.since)
      periods.append(period)
    }
    // At the moment of the end itself it has ended.
    close(before: Timestamp(nanoseconds: moment.nanoseconds &+ 1))
    return periods
  }

  private func refuse(_ step: String, _ stage: String, _ advice: String) -> AccreditationError {
    .notAllowed(service: id, step: step, stage: stage, advice: advice)
  }

  // The steps. Each is a transition: what it asks of the stage, and what it makes of it.

  /// Another application after a refusal or an end, at the moment of its record.
  mutating func apply(
    again application: ServiceApplication, certificates: [Certificate], at moment: Timestamp,
    scheme: AccreditationScheme
  ) throws(AccreditationError) {
    let now = stage(at: moment, scheme: scheme)
    guard now.isClosed else {
      throw refuse("applied for again", now.rawValue, "Decide about it first.")
    }
    guard application.provider == provider, application.scheme == self.scheme,
      application.kind == kind, application.policies == policies
    else {
      throw .wrong(
        id, "provider, scheme, kind and policies of a service stay; take another identifier")
    }
    stage = .applied
    lastAssessment = nil
    name = application.name
    // What was stamped and sealed before is still to be recognised.
    for certificate in certificates where !self.certificates.contains(certificate) {
      self.certificates.append(certificate)
    }
  }

  mutating func assess(_ assessment: ServiceAssessment, at moment: Timestamp)
    throws(AccreditationError)
  {
    guard !stage.isClosed else {
      throw refuse("assessed", stage.rawValue, "Take its application first.")
    }
    guard assessment.day.start <= moment else {
      throw .wrong(id, "an assessment that ended on \(assessment.day) is of the future")
    }
    lastAssessment = assessment
  }

  mutating func decide(_ decision: AccreditationDecision, scheme: AccreditationScheme)
    throws(AccreditationError)
  {
    let start = decision.from.start
    if let last = decided.last, start < last.since {
      throw .wrong(
        id,
        "a decision of \(decision.from) would come before the one of \(JapaneseDay(of: last.since)), "
          + "and what was public stays")
    }
    // A renewal may begin at the moment at which the validity ends.
    let asked = decision.kind == .renewed ? Timestamp(nanoseconds: start.nanoseconds &- 1) : start
    let now = stage(at: asked, scheme: scheme)
    switch decision.kind {
    case .accredited, .renewed: try grant(decision, now, scheme)
    case .refused:
      guard stage == .applied else {
        throw refuse("refused", now.rawValue, "Only an application is refused; withdraw instead.")
      }
      try checkNoValidity(decision)
      stage = .refused
    case .suspended:
      try end(decision, now, allowed: [.accredited], "Only what is accredited is suspended.")
    case .resumed:
      try end(decision, now, allowed: [.suspended], "Only what is suspended is resumed.")
    case .withdrawn:
      try end(
        decision, now, allowed: [.accredited, .suspended],
        "Only what is accredited or suspended is withdrawn.")
    case .expired:
      guard now == .expired, stage != .expired else {
        throw refuse(
          "declared expired", now.rawValue,
          end(scheme).map {
            "Its validity ends with \(JapaneseDay(of: $0.advanced(bySeconds: -1))); until then "
              + "it can be withdrawn."
          } ?? "It was never accredited.")
      }
      try checkNoValidity(decision)
      // The end itself is told by time; this closes the procedure.
      stage = .expired
    }
  }

  private func checkNoValidity(_ decision: AccreditationDecision) throws(AccreditationError) {
    guard decision.until == nil else {
      throw .wrong(id, "only an accreditation or renewal has a last day")
    }
  }

  private mutating func grant(
    _ decision: AccreditationDecision, _ now: Stage, _ scheme: AccreditationScheme
  ) throws(AccreditationError) {
    let isRenewal = decision.kind == .renewed
    guard now == (isRenewal ? .accredited : .applied) else {
      throw refuse(
        decision.kind.rawValue, now.rawValue,
        isRenewal
          ? "A renewal begins while the accreditation holds; else it has to be applied for again."
          : "Take its application first.")
    }
    guard let until = decision.until else { throw .wrong(id, "an accreditation needs a last day") }
    guard until >= decision.from else {
      throw .wrong(id, "the accreditation would end on \(until), before \(decision.from)")
    }
    guard decision.from >= scheme.from, scheme.until.map({ until <= $0 }) ?? true else {
      let end = scheme.until.map { " to \($0)" } ?? ""
      throw .wrong(
        id, "the scheme \(scheme.id) counts from \(scheme.from)\(end), not on all of these days")
    }
    if isRenewal, let last = decided.last, until <= last.validUntil {
      throw .wrong(id, "a renewal to \(until) is none: it is valid until \(last.validUntil)")
    }
    guard lastAssessment?.isPassed == true else {
      throw refuse(
        decision.kind.rawValue, "not assessed with success since its application or renewal",
        "Record the assessment first.")
    }
    stage = .accredited
    lastAssessment = nil
    decided.append(
      AccreditationPeriod(
        .accredited, since: decision.from.start, validFrom: decision.from, validUntil: until))
  }

  /// Suspends, resumes, withdraws: the validity stays as it was granted.
  private mutating func end(
    _ decision: AccreditationDecision, _ now: Stage, allowed: [Stage], _ advice: String
  ) throws(AccreditationError) {
    let step = decision.kind.rawValue
    guard allowed.contains(now), let last = decided.last else {
      throw refuse(step, now.rawValue, advice)
    }
    try checkNoValidity(decision)
    let status: AccreditationStatus
    switch decision.kind {
    case .suspended: (stage, status) = (.suspended, .suspended)
    case .withdrawn: (stage, status) = (.withdrawn, .withdrawn)
    default: (stage, status) = (.accredited, .accredited)
    }
    decided.append(
      AccreditationPeriod(
        status, since: decision.from.start, validFrom: last.validFrom, validUntil: last.validUntil))
  }
}
