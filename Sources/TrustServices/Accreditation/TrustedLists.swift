import NetworkTypes
import SwiftASN1

/// The trusted lists that a validation rests on: anchors come from them, and the answer whether a
/// service was accredited.
public struct TrustedLists: Sendable {
  /// A key with its holder's name: TS 119 612 5.5.3 identifies services so.
  private struct Identity: Hashable {
    let name: DistinguishedName
    let key: PublicKey
  }

  private struct Entry {
    let list: Int
    let provider: TrustServiceProvider
    let service: TrustedList.Service
  }

  /// One of each operator, the newest.
  public private(set) var lists: [TrustedList] = []
  private var entries: [Entry] = []
  private var byIdentity: [Identity: [Int]] = [:]
  /// Authorities that certify seals.
  private(set) var sealAnchors: [TrustAnchor] = []
  /// Time-stamp units, and authorities that certify them.
  private(set) var timeStampAnchors: [TrustAnchor] = []

  /// No lists: nothing is known about accreditation.
  public init() {}

  /// Lists that were verified; of several of one operator each has to follow the one before, and the
  /// newest counts.
  public init(_ sealed: [SealedTrustedList]) throws(TrustedListError) {
    for list in sealed.map(\.list).sorted(by: { $0.sequence < $1.sequence }) {
      if let index = lists.firstIndex(where: { list.isOfSameOperator(as: $0) }) {
        try list.checkSuccession(of: lists[index])
        lists[index] = list
      } else {
        lists.append(list)
      }
    }
    for (index, list) in lists.enumerated() {
      for (provider, service) in list.services {
        for certificate in service.certificates { insert(certificate, entries.count, service.kind) }
        entries.append(Entry(list: index, provider: provider, service: service))
      }
    }
  }

  private mutating func insert(
    _ certificate: Certificate, _ entry: Int, _ kind: TrustServiceKind
  ) {
    // The reader refuses certificates whose key it cannot use.
    guard let key = certificate.publicKey, let anchor = try? TrustAnchor(certificate) else {
      return
    }
    byIdentity[Identity(name: certificate.subject, key: key), default: []].append(entry)
    switch kind {
    case .timeStamp:
      if !timeStampAnchors.contains(anchor) { timeStampAnchors.append(anchor) }
    case .seal: if !sealAnchors.contains(anchor) { sealAnchors.append(anchor) }
    }
  }

  /// Whether there is no list.
  public var isEmpty: Bool { lists.isEmpty }

  /// Whether an anchor is trusted through a list; for time stamps or for seals.
  func contains(_ anchor: TrustAnchor, forTimeStamps: Bool) -> Bool {
    (forTimeStamps ? timeStampAnchors : sealAnchors).contains {
      $0.name == anchor.name && $0.publicKey == anchor.publicKey
    }
  }

  /// What the lists say of whoever made a stamp or certified a seal.
  ///
  /// - Parameters:
  ///   - path: the valid path of the certificate, whose every member may be what a list names.
  ///   - policies: of the certificate, or of the stamp.
  ///   - moment: which is asked about.
  ///   - now: when the validation is made.
  func answer(
    about certificate: Certificate, path: ValidatedPath, forTimeStamps: Bool, policies: Set<String>,
    at moment: Timestamp, isProven: Bool, now: Timestamp
  ) -> AccreditationAnswer {
    var identities: [Identity] = [Identity(name: path.anchor.name, key: path.anchor.publicKey)]
    for link in path.certificates + [certificate] {
      if let key = link.publicKey { identities.append(Identity(name: link.subject, key: key)) }
    }
    var found: [Int] = []
    for identity in identities {
      for entry in byIdentity[identity] ?? [] where !found.contains(entry) { found.append(entry) }
    }
    let findings = found.map { entries[$0] }
      .filter { ($0.service.kind == .timeStamp) == forTimeStamps }
      .map { finding(of: $0, policies, at: moment, now: now) }
    return AccreditationAnswer(
      moment: moment, isProven: isProven,
      isAccredited: findings.contains { $0.status == .accredited },
      // What speaks for it comes first.
      findings: findings.filter { $0.status == .accredited }
        + findings.filter { $0.status != .accredited })
  }

  private func finding(
    of entry: Entry, _ policies: Set<String>, at moment: Timestamp, now: Timestamp
  ) -> AccreditationFinding {
    let list = lists[entry.list]
    let service = entry.service
    let period = list.period(of: service, at: moment)
    let scheme = list.scheme(service.scheme)
    let unknown = BilingualText(ja: service.scheme, en: service.scheme)
    var finding = AccreditationFinding(
      status: .notYet, scheme: service.scheme, schemeName: scheme?.name ?? unknown,
      authority: scheme?.authority ?? unknown, kind: service.kind, service: service.id,
      serviceName: service.name, providerName: entry.provider.name,
      listOperator: list.schemeOperator.name, listSequence: list.sequence,
      listIssued: list.issued, isListOutdated: list.isOutdated(at: now))
    guard let period else { return finding }
    finding.since = period.since
    finding.validFrom = period.validFrom
    finding.validUntil = period.validUntil
    finding.status = AccreditationFinding.Status(rawValue: period.status.rawValue) ?? .unknown
    if let current = service.periods.first, current.since > moment {
      finding.laterStatus = current.status
      finding.laterSince = current.since
    }
    if finding.status == .accredited {
      // After its end a list knows nothing; a closed one ends with its issue.
      if moment > list.nextUpdate ?? list.issued {
        finding.status = .unknown
        finding.since = nil
      } else if !service.policies.isEmpty, policies.isDisjoint(with: service.policies) {
        finding.status = .otherPolicy
        finding.since = nil
      }
    }
    return finding
  }
}
