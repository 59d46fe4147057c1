public import NetworkTypes

/// Who answers for an address.
public enum Responsibility: Hashable, Sendable {
  /// Nobody of the constituency.
  case none
  case one(organisation: String, via: Via)
  /// Several claim the same prefix or system; the identifiers in order. A person must decide.
  case several([String])

  public enum Via: Hashable, Sendable {
    case prefix(IPPrefix)
    case asn(ASN)
  }

  /// The identifier of the one organisation that answers.
  public var organisation: String? {
    if case .one(let organisation, _) = self { organisation } else { nil }
  }
}

/// The constituency made ready for look-up, immutable and shared between threads.
///
/// The most specific prefix wins; a prefix comes before a system; equal claims are
/// ``Responsibility/several(_:)``. Only organisations in the role of an ISP, institute, CSIRT or
/// ISAC, or with no role at all, answer for addresses; a member that is a customer of an ISP is
/// told of its own by ``member(of:)``.
public struct ConstituencyIndex: Sendable {
  private let answering: PrefixMap<[String]>
  private let members: PrefixMap<[String]>
  private let systems: [ASN: [String]]
  public let organisations: [String: Organisation]

  public init(_ constituency: Constituency) {
    var claims: [IPPrefix: Set<String>] = [:]
    var memberClaims: [IPPrefix: Set<String>] = [:]
    var systems: [ASN: Set<String>] = [:]
    for organisation in constituency.organisations {
      if organisation.answersForAddresses {
        for prefix in organisation.prefixes { claims[prefix, default: []].insert(organisation.id) }
        for asn in organisation.asns where asn != .unknown {
          systems[asn, default: []].insert(organisation.id)
        }
      }
      if organisation.memberAlerts {
        for prefix in organisation.prefixes {
          memberClaims[prefix, default: []].insert(organisation.id)
        }
      }
    }
    answering = PrefixMap(claims.map { ($0.key, $0.value.sorted()) })
    members = PrefixMap(memberClaims.map { ($0.key, $0.value.sorted()) })
    self.systems = systems.mapValues { $0.sorted() }
    organisations = Dictionary(
      constituency.organisations.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
  }

  /// Who answers for the address; `asn` is asked only where no prefix holds it.
  public func responsible(for address: IPAddress, asn: ASN? = nil) -> Responsibility {
    if let (prefix, claimants) = answering.match(address) {
      return claimants.count == 1
        ? .one(organisation: claimants[0], via: .prefix(prefix)) : .several(claimants)
    }
    if let asn, let claimants = systems[asn] {
      return claimants.count == 1
        ? .one(organisation: claimants[0], via: .asn(asn)) : .several(claimants)
    }
    return .none
  }

  /// The member organisation whose address this is; nil for none. Of several the first by
  /// identifier.
  public func member(of address: IPAddress) -> Organisation? {
    members[address]?.first.flatMap { organisations[$0] }
  }

  /// Every prefix of members with alerts, with its organisation: what the telescope watches.
  public var memberPrefixes: [(prefix: IPPrefix, organisation: String)] {
    members.entries.flatMap { entry in entry.value.map { (entry.prefix, $0) } }
  }
}

extension Organisation {
  /// Whether cases about its addresses are its own.
  public var answersForAddresses: Bool {
    roles.isEmpty || !roles.isDisjoint(with: [.isp, .institute, .csirt, .isac])
  }
}
