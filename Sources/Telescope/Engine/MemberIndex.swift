public import NetworkTypes

/// Which member organisation an address belongs to, and whose dark networks are whose.
///
/// The telescope does not know the constituency: whoever builds it hands in names and prefixes.
public struct MemberIndex: Sendable {
  /// Identifiers; entry and alert tables hold the index + 1.
  public let organisations: [String]
  private let prefixes: PrefixMap<UInt16>
  private let dark: PrefixMap<UInt16>

  public static let none = MemberIndex(members: [], space: DarkSpace([]))

  /// At most 65,534 organisations; those beyond have no alerts.
  public init(members: [(organisation: String, prefix: IPPrefix)], space: DarkSpace) {
    var numbers: [String: UInt16] = [:]
    var names: [String] = []
    func number(_ name: String) -> UInt16 {
      if let number = numbers[name] { return number }
      guard names.count < 65_534 else { return 0 }
      names.append(name)
      numbers[name] = UInt16(names.count)
      return UInt16(names.count)
    }
    prefixes = PrefixMap(members.map { ($0.prefix, number($0.organisation)) })
    dark = PrefixMap(
      space.networks.compactMap { network in
        network.organisation.map { (network.prefix, number($0)) }
      })
    organisations = names
  }

  func member(of address: IPAddress) -> UInt16 { prefixes[address] ?? 0 }

  func ownsDark(_ address: IPAddress, _ member: UInt16) -> Bool { dark[address] == member }
}
