import ArgumentParser
import Constituency

struct OrgContact: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "contact", abstract: "The people and desks of an organisation.",
    subcommands: [OrgContactAdd.self, OrgContactRemove.self])
}

struct OrgContactAdd: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "add",
    abstract: "Add a contact, or replace the one with the same address.",
    discussion: """
      Contacts of the role abuse receive the notices.

      Example:
        noroshi org contact add example-isp abuse@isp.example --name "Abuse desk" --language ja
      """)

  @OptionGroup var organisation: OrganisationChange

  @Argument(help: "The mail address.")
  var email: String

  @Option(name: .long, help: "The name.")
  var name: String?

  @Option(name: .long, help: "abuse, security, noc or administrative.")
  var role = "abuse"

  @Option(name: .long, help: "The language, if not the organisation's: ja or en.")
  var language: String?

  @Option(name: .long, help: "The fingerprint of its OpenPGP key.")
  var pgp: String?

  @Flag(name: .long, help: "It asked to be left alone.")
  var doNotNotify = false

  func run() throws {
    guard Contact.isValidEmail(email) else {
      throw ValidationError("“\(email)” is no mail address such as abuse@isp.example.")
    }
    let contact = Contact(
      name: name ?? email, email: email, role: try OrganisationFields.choice(role, "--role"),
      language: try language.map { try OrganisationFields.choice($0, "--language") }, pgp: pgp,
      doNotNotify: doNotNotify)
    let id = organisation.id
    try organisation.make(
      "contact-added", details: ["email": email], done: "\(email) is a contact of \(id)."
    ) { constituency in
      try constituency.update(id) { $0.contacts.removeAll { $0.email == email } }
      try constituency.add(contact, to: id)
    }
  }
}

struct OrgContactRemove: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "remove", abstract: "Remove a contact.")

  @OptionGroup var organisation: OrganisationChange

  @Argument(help: "The mail address.")
  var email: String

  func run() throws {
    let id = organisation.id
    try organisation.make(
      "contact-removed", details: ["email": email],
      done: "\(email) is no longer a contact of \(id)."
    ) { try $0.remove(contact: email, from: id) }
  }
}
