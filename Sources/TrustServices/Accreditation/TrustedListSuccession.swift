import FoundationEssentials
import NetworkTypes

/// What a relying party remembers of an operator's lists, so that an older or another one is noticed.
public struct TrustedListMemory: Hashable, Sendable, Codable {
  /// The operator's name in English.
  public let schemeOperator: String
  public let sequence: UInt64
  /// SHA-256 of the canonical text, hexadecimal.
  public let sha256: String
  /// The register's head that the list carried.
  public let registerHead: String?

  /// What is to be remembered of a list.
  public init(_ list: TrustedList) {
    schemeOperator = list.schemeOperator.name.en
    sequence = list.sequence
    sha256 = list.sha256
    registerHead = list.registerHead
  }

  /// Refuses a list that is older than this one, or another of the same number.
  public func check(_ list: TrustedList) throws(TrustedListError) {
    guard list.schemeOperator.name.en == schemeOperator else { return }
    guard list.sequence >= sequence else {
      throw .older(sequence: list.sequence, known: sequence)
    }
    guard list.sequence > sequence || list.sha256 == sha256 else {
      throw .forked(sequence: list.sequence)
    }
  }
}

extension TrustedList {
  /// Whether it is of the same operator as another.
  public func isOfSameOperator(as other: TrustedList) -> Bool {
    schemeOperator.name == other.schemeOperator.name
      && schemeOperator.territory == other.schemeOperator.territory
  }

  /// Refuses a list that does not follow an earlier one of the same operator: by its number, its date,
  /// or because it takes back a service, a certificate or a period that the earlier one told of.
  ///
  /// What may change: names, and the status of services by decisions whose effect comes after what was
  /// told.
  public func checkSuccession(of earlier: TrustedList) throws(TrustedListError) {
    guard isOfSameOperator(as: earlier) else { return }
    guard sequence >= earlier.sequence else {
      throw .older(sequence: sequence, known: earlier.sequence)
    }
    if sequence == earlier.sequence {
      guard self == earlier else { throw .forked(sequence: sequence) }
      return
    }
    guard issued >= earlier.issued else {
      throw .rewritten("number \(sequence) is dated before number \(earlier.sequence).")
    }
    guard earlier.nextUpdate != nil else {
      throw .rewritten("number \(earlier.sequence) closed the list, and there is another.")
    }
    let now = Dictionary(services.map { ($0.service.id, $0.service) }) { first, _ in first }
    for (_, old) in earlier.services {
      guard let new = now[old.id] else { throw .rewritten("the service \(old.id) is missing.") }
      guard new.scheme == old.scheme, new.kind == old.kind, new.policies == old.policies else {
        throw .rewritten("the service \(old.id) was of another kind, scheme or policy.")
      }
      guard Set(new.certificates).isSuperset(of: old.certificates) else {
        throw .rewritten("a certificate of the service \(old.id) is missing.")
      }
      let periods = Set(new.periods)
      for period in old.periods where !periods.contains(period) {
        throw .rewritten(
          "\(old.id) was \(period.status.rawValue) from \(period.since), which is missing.")
      }
      // Between what was told nothing new may stand: only after it.
      guard let last = old.periods.first else { continue }
      let known = Set(old.periods)
      for period in new.periods where period.since < last.since && !known.contains(period) {
        throw .rewritten(
          "\(old.id) is now said to have been \(period.status.rawValue) from \(period.since).")
      }
    }
  }
}
