public import SwiftASN1

/// What a scheme says of a seal certificate.
public struct SchemeLevel: Hashable, Sendable, Codable {
  /// Which set of levels is meant.
  public enum Edition: String, Hashable, Sendable, Codable {
    /// 2 where an authority accredited by the minister issued the certificate, else 1
    /// (eシールに係る認証業務の認定に関する規程, 2025).
    case accreditation2025 = "2025"
    /// The three levels of the guideline of June 2021 (eシールに係る指針), no longer assigned.
    case guideline2021 = "2021"
  }

  public let edition: Edition
  /// 1 or 2; 1 to 3 in the guideline of 2021.
  public let level: Int
  /// The policy that says so; nil where no policy does and the lowest level is left.
  public let policy: String?

  /// A level of an edition.
  public init(edition: Edition, level: Int, policy: String?) {
    self.edition = edition
    self.level = level
    self.policy = policy
  }
}

/// Which certificate policies stand for which level of the Japanese e-seal scheme.
///
/// The policies of accredited authorities are their own, so they are configured, not built in.
public struct SealScheme: Hashable, Sendable {
  private struct Assignment: Hashable, Sendable {
    let edition: SchemeLevel.Edition
    let level: Int
  }

  private var assignments: [ASN1ObjectIdentifier: Assignment] = [:]

  /// A scheme in which no authority is accredited.
  public init() {}

  /// States that certificates of `policy` are of this level; a level outside the edition's range
  /// (1...2, 1...3 for 2021) is ignored and false given back.
  @discardableResult
  public mutating func assign(
    _ policy: ASN1ObjectIdentifier, level: Int, edition: SchemeLevel.Edition = .accreditation2025
  ) -> Bool {
    guard (1...(edition == .guideline2021 ? 3 : 2)).contains(level) else { return false }
    assignments[policy] = Assignment(edition: edition, level: level)
    return true
  }

  /// The same with a policy as an operator writes it; false too where that is no OID.
  @discardableResult
  public mutating func assign(
    dotted policy: String, level: Int, edition: SchemeLevel.Edition = .accreditation2025
  ) -> Bool {
    guard let identifier = ASN1ObjectIdentifier(dotted: policy) else { return false }
    return assign(identifier, level: level, edition: edition)
  }

  /// The level of a certificate: the highest of its policies in the current scheme, else of 2021,
  /// else level 1 for a certificate that names an organisation. A time-stamp unit makes no seals.
  func level(of certificate: Certificate) -> SchemeLevel? {
    var best: SchemeLevel?
    for information in certificate.extensions.certificatePolicies ?? [] {
      guard let found = assignments[information.policy] else { continue }
      let level = SchemeLevel(
        edition: found.edition, level: found.level, policy: "\(information.policy)")
      guard let known = best else {
        best = level
        continue
      }
      let isNewer = level.edition == .accreditation2025 && known.edition == .guideline2021
      if isNewer || level.edition == known.edition && level.level > known.level { best = level }
    }
    if best == nil, !certificate.subject.texts(.organization).isEmpty,
      !TimeStampToken.isTimeStampUnit(certificate)
    {
      return SchemeLevel(edition: .accreditation2025, level: 1, policy: nil)
    }
    return best
  }
}
