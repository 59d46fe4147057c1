import Foundation
import NetworkTypes

/// Organisations from a table (RFC 4180, first line names the columns, in any order).
///
/// Columns: `id` (needed), `name`, `name_ja`, `roles`, `prefixes`, `asns`, `parent`, `language`,
/// `member_alerts`, `contact_name`, `contact_email`, `contact_role`, `contact_language`, `formats`,
/// `channels`, `interval`, `do_not_notify`. Several values in a field stand apart by spaces or `;`.
/// Several lines may tell of the same organisation.
public enum ConstituencyCSV {
  public static let columns = [
    "id", "name", "name_ja", "roles", "prefixes", "asns", "parent", "language", "member_alerts",
    "contact_name", "contact_email", "contact_role", "contact_language", "formats", "channels",
    "interval", "do_not_notify",
  ]

  /// What an import did.
  public struct Outcome: Hashable, Sendable {
    public var added = 0
    public var changed = 0

    public init(added: Int = 0, changed: Int = 0) {
      self.added = added
      self.changed = changed
    }
  }

  /// Merges the table into the constituency: lists and contacts grow, single values that the table
  /// gives replace what was there. Nothing is changed when any line is wrong.
  @discardableResult
  public static func merge(
    _ text: String, file: String? = nil, into constituency: inout Constituency
  )
    throws -> Outcome
  {
    let table = try CSVTable(text, file: file)
    for (place, name) in table.header.enumerated() {
      guard columns.contains(name), table.header.firstIndex(of: name) == place else {
        throw ConstituencyError(
          "unknown or double column “\(name.prefix(60))”; expected some of "
            + columns.joined(separator: ","), file: file, line: 1)
      }
    }
    guard table.header.contains("id") else {
      throw ConstituencyError("the column id is missing", file: file, line: 1)
    }
    var organisations = constituency.organisations
    var places = Dictionary(
      organisations.enumerated().map { ($1.id, $0) }, uniquingKeysWith: { first, _ in first })
    let before = organisations
    for record in table.records {
      let line = CSVLine(header: table.header, record: record, file: file)
      let id = try line.required("id", "an identifier of a-z, 0-9 and “-”") {
        Organisation.isValidID($0) ? $0 : nil
      }
      let place: Int
      if let known = places[id] {
        place = known
      } else {
        place = organisations.count
        places[id] = place
        organisations.append(
          Organisation(id: id, name: try line.required("name", "a name") { $0 }))
      }
      try line.merge(into: &organisations[place])
    }
    do {
      constituency = try Constituency(organisations)
    } catch {
      throw ConstituencyError(error.message, file: file)
    }
    var outcome = Outcome()
    outcome.added = organisations.count - before.count
    for (old, new) in zip(before, organisations) where old != new { outcome.changed += 1 }
    return outcome
  }

  /// Merges the file at the path.
  @discardableResult
  public static func merge(path: String, into constituency: inout Constituency)
    throws -> Outcome
  {
    try merge(try ConstituencyFile.text(path), file: path, into: &constituency)
  }
}

/// One line with the names of its columns.
private struct CSVLine {
  let header: [String]
  let record: CSVTable.Record
  let file: String?

  func optional<Value>(_ name: String, _ expected: String, _ read: (String) -> Value?)
    throws -> Value?
  {
    guard let place = header.firstIndex(of: name), place < record.fields.count else { return nil }
    let text = record.fields[place].trimmingCharacters(in: .whitespaces)
    guard !text.isEmpty else { return nil }
    guard let value = read(text) else {
      throw ConstituencyError(
        "expected \(expected), found “\(text.prefix(60))”", file: file, line: record.line,
        path: name)
    }
    return value
  }

  func required<Value>(_ name: String, _ expected: String, _ read: (String) -> Value?)
    throws -> Value
  {
    guard let value = try optional(name, expected, read) else {
      throw ConstituencyError(
        "\(name) is missing; expected \(expected)", file: file, line: record.line, path: name)
    }
    return value
  }

  func list<Value>(_ name: String, _ expected: String, _ read: (String) -> Value?)
    throws -> [Value]
  {
    try optional(name, expected) { text in
      let words = text.split { $0 == " " || $0 == ";" }
      let values = words.compactMap { read(String($0)) }
      return values.count == words.count ? values : nil
    } ?? []
  }

  func flag(_ name: String) throws -> Bool? {
    try optional(name, "true or false") {
      ["true": true, "yes": true, "1": true, "false": false, "no": false, "0": false][
        $0.lowercased()]
    }
  }

  func merge(into organisation: inout Organisation) throws {
    organisation.name = try optional("name", "a name") { $0 } ?? organisation.name
    organisation.nameJa = try optional("name_ja", "a name") { $0 } ?? organisation.nameJa
    organisation.roles.formUnion(
      try list("roles", "roles as isp, member") { Organisation.Role(rawValue: $0) })
    for prefix in try list("prefixes", "prefixes as 192.0.2.0/24", { IPPrefix($0) })
    where !organisation.prefixes.contains(prefix) {
      organisation.prefixes.append(prefix)
    }
    for asn in try list("asns", "AS numbers as 64496", { ASN(text: $0) })
    where !organisation.asns.contains(asn) {
      organisation.asns.append(asn)
    }
    organisation.parent = try optional("parent", "an identifier") { $0 } ?? organisation.parent
    organisation.language =
      try optional("language", "ja or en") { Language(rawValue: $0) } ?? organisation.language
    organisation.memberAlerts = try flag("member_alerts") ?? organisation.memberAlerts
    let formats = try list("formats", "mail, csv or xarf") {
      DeliveryPreferences.Format(rawValue: $0)
    }
    if !formats.isEmpty { organisation.delivery.formats = Set(formats) }
    let channels = try list("channels", "directory or smtp") {
      DeliveryPreferences.Channel(rawValue: $0)
    }
    if !channels.isEmpty { organisation.delivery.channels = Set(channels) }
    organisation.delivery.intervalSeconds =
      try optional("interval", "seconds from -1 to 31,536,000") {
        Int($0).flatMap { (-1...31_536_000).contains($0) ? $0 : nil }
      } ?? organisation.delivery.intervalSeconds
    organisation.delivery.doNotNotify =
      try flag("do_not_notify") ?? organisation.delivery.doNotNotify
    if let email = try optional(
      "contact_email", "an e-mail address as abuse@example.org",
      { Contact.isValidEmail($0) ? $0 : nil })
    {
      var contact =
        organisation.contacts.first { $0.email == email } ?? Contact(name: email, email: email)
      contact.name = try optional("contact_name", "a name") { $0 } ?? contact.name
      contact.role =
        try optional("contact_role", "abuse, security, noc or administrative") {
          Contact.Role(rawValue: $0)
        } ?? contact.role
      contact.language =
        try optional("contact_language", "ja or en") { Language(rawValue: $0) } ?? contact.language
      if let place = organisation.contacts.firstIndex(where: { $0.email == email }) {
        organisation.contacts[place] = contact
      } else {
        organisation.contacts.append(contact)
      }
    }
  }
}
