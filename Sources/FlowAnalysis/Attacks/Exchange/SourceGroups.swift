public import NetworkTypes

/// Who is behind an address, as far as whoever asks knows.
public struct SourceOwner: Sendable, Codable, Hashable {
  /// The organisation that answers for it, by its identifier.
  public var organisation: String?
  public var asn: ASN?
  public var country: CountryCode?
  public var network: IPPrefix?

  public init(
    organisation: String? = nil, asn: ASN? = nil, country: CountryCode? = nil,
    network: IPPrefix? = nil
  ) {
    self.organisation = organisation
    self.asn = asn
    self.country = country
    self.network = network
  }
}

/// Sources of an attack that belong together.
public struct SourceGroup: Sendable, Hashable {
  /// By what sources are put together.
  public enum Key: String, Sendable, CaseIterable {
    case organisation
    case asn
    case country
    case network
  }

  public var owner: SourceOwner
  public var sources: [AttackSource]
  public var packets: UInt64
  public var octets: UInt64

  public func count(of nature: SourceNature) -> Int {
    sources.reduce(0) { $0 + ($1.nature == nature ? 1 : 0) }
  }
}

extension Attack {
  /// The written-down sources by whom they belong to, the strongest group first.
  ///
  /// - Parameter owner: who is behind an address; an address of nobody that is known is in a group
  /// of its
  ///   own kind.
  public func sourceGroups(
    by key: SourceGroup.Key, owner: (IPAddress) -> SourceOwner
  ) -> [SourceGroup] {
    var groups: [SourceOwner: SourceGroup] = [:]
    for source in sources {
      let whole = owner(source.address)
      let kept =
        switch key {
        case .organisation: SourceOwner(organisation: whole.organisation)
        case .asn: SourceOwner(asn: whole.asn, country: whole.country)
        case .country: SourceOwner(country: whole.country)
        case .network: SourceOwner(asn: whole.asn, country: whole.country, network: whole.network)
        }
      var group =
        groups[kept] ?? SourceGroup(owner: kept, sources: [], packets: 0, octets: 0)
      group.sources.append(source)
      group.packets = group.packets.addingClamped(source.packets)
      group.octets = group.octets.addingClamped(source.octets)
      groups[kept] = group
    }
    return groups.values.sorted {
      $0.packets != $1.packets
        ? $0.packets > $1.packets
        : ($0.sources.first?.address ?? IPAddress(bits: 0))
          < ($1.sources.first?.address ?? IPAddress(bits: 0))
    }
  }
}
