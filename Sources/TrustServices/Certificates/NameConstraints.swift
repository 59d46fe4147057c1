import SwiftASN1

/// NameConstraints (RFC 5280 4.2.1.10).
public struct NameConstraints: Hashable, Sendable {
  public let permitted: [GeneralName]
  public let excluded: [GeneralName]

  init(_ node: ASN1Node) throws(MalformedStructure) {
    var reader = try ElementReader(node, as: "NameConstraints")
    func subtrees(_ number: UInt, _ field: String) throws(MalformedStructure) -> [GeneralName] {
      guard let list = reader.optional(context: number) else { return [] }
      var names: [GeneralName] = []
      for element in try list.children("NameConstraints", field) {
        var subtree = try ElementReader(element, as: "GeneralSubtree")
        names.append(try GeneralName(subtree.any("base")))
        if let minimum = subtree.optional(context: 0) {
          // RFC 5280 leaves no room for distances; a value here would change the meaning.
          guard
            try minimum.smallInteger("GeneralSubtree", "minimum", tag: minimum.identifier) == 0
          else { throw subtree.wrong("minimum", "not 0") }
        }
        try subtree.end()
      }
      return names
    }
    permitted = try subtrees(0, "permittedSubtrees")
    excluded = try subtrees(1, "excludedSubtrees")
    try reader.end()
  }
}

/// How a name relates to a constraint's base (RFC 5280 4.2.1.10).
enum NameMatch {
  case within
  case outside
  /// The constraint is about another form of name.
  case otherForm
  /// The same form, but one whose constraints are not understood here.
  case unsupported

  static func of(_ name: GeneralName, in base: GeneralName) -> NameMatch {
    switch (name, base) {
    case (.directoryName(let name), .directoryName(let base)):
      name.isWithin(base) ? .within : .outside
    case (.rfc822Name(let address), .rfc822Name(let base)):
      mail(address, base) ? .within : .outside
    case (.dNSName(let host), .dNSName(let base)): domain(host, base) ? .within : .outside
    case (.uniformResourceIdentifier(let uri), .uniformResourceIdentifier(let base)):
      uriHost(uri).map { host($0, base) ? .within : .outside } ?? .unsupported
    case (.iPAddress(let address), .iPAddress(let base)):
      base.count == address.count * 2
        ? zip(zip(address, base), base.dropFirst(address.count)).allSatisfy { pair, mask in
          pair.0 & mask == pair.1 & mask
        } ? .within : .outside
        : .outside
    case (.otherName, .otherName), (.x400Address, .x400Address), (.ediPartyName, .ediPartyName),
      (.registeredID, .registeredID):
      .unsupported
    default: .otherForm
    }
  }

  /// A mailbox, a host, or with a leading dot every host of a domain.
  private static func mail(_ address: String, _ base: String) -> Bool {
    guard let at = address.lastIndex(of: "@") else { return false }
    let local = address[..<at]
    let domain = address[address.index(after: at)...].lowercased()
    if let baseAt = base.lastIndex(of: "@") {
      // The local part is compared exactly, the host without regard to case (RFC 5280 7.5).
      return base[..<baseAt] == local && base[base.index(after: baseAt)...].lowercased() == domain
    }
    return host(domain, base)
  }

  /// A host, or with a leading dot every host below it.
  private static func host(_ host: String, _ base: String) -> Bool {
    let (host, base) = (host.lowercased(), base.lowercased())
    return base.hasPrefix(".") ? host.hasSuffix(base) && host != base : host == base
  }

  /// A domain with everything below it; the empty domain holds everything.
  private static func domain(_ host: String, _ base: String) -> Bool {
    let host = host.lowercased()
    var base = base.lowercased()
    if base.isEmpty { return true }
    if base.hasPrefix(".") { base.removeFirst() }
    return host == base || host.hasSuffix("." + base)
  }

  /// The host of `scheme://user@host:port/…`; nil where there is none, or an address instead.
  private static func uriHost(_ uri: String) -> String? {
    guard let start = uri.firstRange(of: "://")?.upperBound else { return nil }
    var authority = uri[start...].prefix { $0 != "/" && $0 != "?" && $0 != "#" }
    if let at = authority.lastIndex(of: "@") {
      authority = authority[authority.index(after: at)...]
    }
    if authority.hasPrefix("[") { return nil }
    let host = authority.prefix { $0 != ":" }
    guard !host.isEmpty, !host.allSatisfy({ $0 == "." || ("0"..."9").contains($0) }) else {
      return nil
    }
    return String(host)
  }
}
