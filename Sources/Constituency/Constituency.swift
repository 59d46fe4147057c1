public import NetworkTypes

/// All organisations that the house knows, as the file `constituency.yaml` holds them.
public struct Constituency: Hashable, Sendable {
  /// In the order of the file.
  public private(set) var organisations: [Organisation] = []

  public init() {}

  /// - Throws: ``ConstituencyError`` where an identifier stands twice, or a parent is not there or
  /// goes
  ///   round in a circle.
  public init(_ organisations: [Organisation]) throws(ConstituencyError) {
    self.organisations = organisations
    try check()
  }

  public subscript(id: String) -> Organisation? { organisations.first { $0.id == id } }

  /// Adds an organisation at the end.
  public mutating func add(_ organisation: Organisation) throws(ConstituencyError) {
    guard self[organisation.id] == nil else {
      throw ConstituencyError(
        "\(organisation.id) exists already; update it, or choose another identifier")
    }
    try replace(organisations + [organisation])
  }

  /// Changes an organisation; its identifier stays.
  public mutating func update(_ id: String, _ change: (inout Organisation) -> Void)
    throws(ConstituencyError)
  {
    let place = try place(of: id)
    var changed = organisations
    change(&changed[place])
    changed[place].id = id
    try replace(changed)
  }

  public mutating func remove(_ id: String) throws(ConstituencyError) {
    var changed = organisations
    changed.remove(at: try place(of: id))
    try replace(changed)
  }

  /// Adds the contact, or replaces the one with the same address.
  public mutating func add(_ contact: Contact, to id: String) throws(ConstituencyError) {
    try update(id) { organisation in
      if let place = organisation.contacts.firstIndex(where: { $0.email == contact.email }) {
        organisation.contacts[place] = contact
      } else {
        organisation.contacts.append(contact)
      }
    }
  }

  public mutating func remove(contact email: String, from id: String) throws(ConstituencyError) {
    let place = try place(of: id)
    guard organisations[place].contacts.contains(where: { $0.email == email }) else {
      throw ConstituencyError("\(id) has no contact \(email)")
    }
    try update(id) { $0.contacts.removeAll { $0.email == email } }
  }

  public mutating func add(_ prefix: IPPrefix, to id: String) throws(ConstituencyError) {
    try update(id) { organisation in
      if !organisation.prefixes.contains(prefix) { organisation.prefixes.append(prefix) }
    }
  }

  public mutating func remove(_ prefix: IPPrefix, from id: String) throws(ConstituencyError) {
    let place = try place(of: id)
    guard organisations[place].prefixes.contains(prefix) else {
      throw ConstituencyError("\(id) has no prefix \(prefix)")
    }
    try update(id) { $0.prefixes.removeAll { $0 == prefix } }
  }

  /// The organisations that sell on to this one, the nearest first.
  public func resellers(above id: String) -> [Organisation] {
    var chain: [Organisation] = []
    // The parents run in no circle: init and every change check it.
    var next = self[id]?.parent.flatMap { self[$0] }
    while let organisation = next {
      chain.append(organisation)
      next = organisation.parent.flatMap { self[$0] }
    }
    return chain
  }

  private func place(of id: String) throws(ConstituencyError) -> Int {
    guard let place = organisations.firstIndex(where: { $0.id == id }) else {
      throw ConstituencyError("there is no organisation \(id)")
    }
    return place
  }

  private mutating func replace(_ changed: [Organisation]) throws(ConstituencyError) {
    self = try Constituency(changed)
  }

  private func check() throws(ConstituencyError) {
    var parents: [String: String] = [:]
    var ids = Set<String>()
    for organisation in organisations {
      guard Organisation.isValidID(organisation.id) else {
        throw ConstituencyError(
          "“\(organisation.id.prefix(70))” is no identifier: 1 to 64 of a-z, 0-9 and “-”, as isp-kaede"
        )
      }
      guard ids.insert(organisation.id).inserted else {
        throw ConstituencyError("\(organisation.id) stands there twice; remove one")
      }
      parents[organisation.id] = organisation.parent
    }
    var checked = Set<String>()
    for organisation in organisations {
      var chain = Set<String>()
      var id = organisation.id
      while !checked.contains(id) {
        guard chain.insert(id).inserted else {
          throw ConstituencyError(
            "the parents of organisation \(id) go round in a circle; take one out")
        }
        guard let parent = parents[id] else { break }
        guard ids.contains(parent) else {
          throw ConstituencyError(
            "\(id) has the parent \(parent), which does not exist; add it first")
        }
        id = parent
      }
      checked.formUnion(chain)
    }
  }
}

/// What is wrong in a constituency, where it stands, and what was expected.
public struct ConstituencyError: Error, Hashable, Sendable, CustomStringConvertible {
  public let message: String
  public var file: String?
  public var line: Int?
  /// `organisations[2].contacts[0].email`.
  public var path: String?

  public init(_ message: String, file: String? = nil, line: Int? = nil, path: String? = nil) {
    self.message = message
    self.file = file
    self.line = line
    self.path = path
  }

  public var description: String {
    let position = [file, line.map { String($0) }].compactMap { $0 }.joined(separator: ":")
    return [position, path ?? "", message].filter { !$0.isEmpty }.joined(separator: ": ")
  }
}
