import NetworkTypes
import Yams

extension ConstituencyYAML {
  /// The text from which ``read(_:)`` gives the same constituency; what is at its default is left
  /// out.
  func text(_ constituency: Constituency) throws -> String {
    let root: Node = [
      "organisations": Node(constituency.organisations.map(Self.node))
    ]
    do {
      return try serialize(node: root, width: 96, allowUnicode: true)
    } catch {
      throw ConstituencyError("the constituency cannot be written as YAML: \(error)", file: file)
    }
  }

  private static func node(_ organisation: Organisation) -> Node {
    var pairs: [(String, Node)] = [
      ("id", word(organisation.id)), ("name", text(organisation.name)),
    ]
    if let name = organisation.nameJa { pairs.append(("nameJa", text(name))) }
    if !organisation.roles.isEmpty {
      pairs.append(("roles", words(organisation.roles.map(\.rawValue).sorted())))
    }
    if !organisation.prefixes.isEmpty {
      pairs.append(("prefixes", Node(organisation.prefixes.map { text($0.description) })))
    }
    if !organisation.asns.isEmpty {
      pairs.append(("asns", words(organisation.asns.map { String($0.number) })))
    }
    if let parent = organisation.parent { pairs.append(("parent", word(parent))) }
    pairs.append(("language", word(organisation.language.rawValue)))
    if organisation.memberAlerts { pairs.append(("memberAlerts", word("true"))) }
    if !organisation.contacts.isEmpty {
      pairs.append(("contacts", Node(organisation.contacts.map(node))))
    }
    if organisation.delivery != DeliveryPreferences() {
      pairs.append(("delivery", node(organisation.delivery)))
    }
    return mapping(pairs)
  }

  private static func node(_ contact: Contact) -> Node {
    var pairs: [(String, Node)] = []
    if contact.name != contact.email { pairs.append(("name", text(contact.name))) }
    pairs.append(("email", text(contact.email)))
    pairs.append(("role", word(contact.role.rawValue)))
    if let language = contact.language { pairs.append(("language", word(language.rawValue))) }
    if let pgp = contact.pgp { pairs.append(("pgp", text(pgp))) }
    if contact.doNotNotify { pairs.append(("doNotNotify", word("true"))) }
    return mapping(pairs)
  }

  private static func node(_ delivery: DeliveryPreferences) -> Node {
    var pairs: [(String, Node)] = [
      ("formats", words(delivery.formats.map(\.rawValue).sorted())),
      ("channels", words(delivery.channels.map(\.rawValue).sorted())),
      ("interval", word(String(delivery.intervalSeconds))),
      ("aggregateBy", word(delivery.aggregateBy.rawValue)),
      ("minimumConfidence", word(String(delivery.minimumConfidence))),
      ("maximumMarking", text(delivery.maximumMarking)),
    ]
    if delivery.doNotNotify { pairs.append(("doNotNotify", word("true"))) }
    return mapping(pairs)
  }

  private static func mapping(_ pairs: [(String, Node)]) -> Node {
    Node(pairs.map { (word($0.0), $0.1) })
  }

  private static func words(_ words: [String]) -> Node {
    Node(words.map(word), Tag(.implicit), .flow)
  }

  /// A word of ours, which stands plainly.
  private static func word(_ text: String) -> Node { Node(text, Tag(.implicit), .plain) }

  /// Anything from outside, quoted, so that no name is read as a number, a date or a comment.
  private static func text(_ text: String) -> Node { Node(text, Tag(.str), .doubleQuoted) }
}
