public import NetworkTypes

/// An organisation of the constituency (RFC 2350, section 3.3.2: whom the team answers for), or one
/// that works with it: an ISP that answers for address blocks, a member that is told of its own
/// addresses in the darknet, the institute, an information-sharing centre.
public struct Organisation: Hashable, Sendable, Codable, Identifiable {
  /// A short stable name of `a-z`, `0-9` and `-`, 1...64 characters: `isp-kaede`.
  public var id: String
  public var name: String
  /// The name in Japanese, for notices in Japanese.
  public var nameJa: String?
  public var roles: Set<Role>
  public var prefixes: [IPPrefix]
  public var asns: [ASN]
  /// The organisation that sells on to this one: a case that this one leaves unanswered is its too.
  public var parent: String?
  public var language: Language
  public var contacts: [Contact]
  public var delivery: DeliveryPreferences
  /// Whether its addresses raise an alert when they reach the darknet (DAEDALUS).
  public var memberAlerts: Bool

  public init(
    id: String, name: String, nameJa: String? = nil, roles: Set<Role> = [],
    prefixes: [IPPrefix] = [], asns: [ASN] = [], parent: String? = nil,
    language: Language = .english, contacts: [Contact] = [],
    delivery: DeliveryPreferences = DeliveryPreferences(), memberAlerts: Bool = false
  ) {
    self.id = id
    self.name = name
    self.nameJa = nameJa
    self.roles = roles
    self.prefixes = prefixes
    self.asns = asns
    self.parent = parent
    self.language = language
    self.contacts = contacts
    self.delivery = delivery
    self.memberAlerts = memberAlerts
  }

  /// What an organisation does in the house.
  public enum Role: String, Hashable, Sendable, Codable, CaseIterable {
    /// Observes and surveys, and tells ISPs.
    case institute
    /// Receives its own cases and alerts its subscribers.
    case isp
    /// An information-sharing and analysis centre: a hub for members.
    case isac
    case member
    case csirt
    /// Another country's hub.
    case peer
    case trainer
  }

  /// The name in the language of the reader.
  public func name(in language: Language) -> String {
    language == .japanese ? nameJa ?? name : name
  }

  /// Whether the text may be an ``id``.
  public static func isValidID(_ text: String) -> Bool {
    (1...64).contains(text.utf8.count)
      && text.utf8.allSatisfy { $0 >= 97 && $0 <= 122 || $0 >= 48 && $0 <= 57 || $0 == 45 }
  }
}

/// The languages in which people are written to (ISO 639-1).
public enum Language: String, Hashable, Sendable, Codable, CaseIterable {
  case japanese = "ja"
  case english = "en"
}

/// A person or desk of an organisation that receives what it should know.
public struct Contact: Hashable, Sendable, Codable {
  public var name: String
  /// `local@domain`, as RFC 5321 carries it; checked when read.
  public var email: String
  public var role: Role
  /// Nil: the organisation's.
  public var language: Language?
  /// The fingerprint of the key that mail to this contact is encrypted to (RFC 9580), hexadecimal.
  public var pgp: String?
  /// A contact that asked to be left alone, although the organisation is not.
  public var doNotNotify: Bool

  public init(
    name: String, email: String, role: Role = .abuse, language: Language? = nil,
    pgp: String? = nil, doNotNotify: Bool = false
  ) {
    self.name = name
    self.email = email
    self.role = role
    self.language = language
    self.pgp = pgp
    self.doNotNotify = doNotNotify
  }

  /// After the mailbox names of RFC 2142.
  public enum Role: String, Hashable, Sendable, Codable, CaseIterable {
    /// Receives notices.
    case abuse
    case security
    case noc
    /// Is asked by telephone or letter; receives no notices.
    case administrative
  }

  /// Whether the text has the form of an address of RFC 5321 (dot-atoms only, 254 octets at most).
  /// Nothing that could end a header line passes.
  public static func isValidEmail(_ text: String) -> Bool {
    let atom = Set(
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789!#$%&'*+-/=?^_`{|}~")
    let parts = text.split(separator: "@", omittingEmptySubsequences: false)
    guard parts.count == 2, text.utf8.count <= 254, (1...64).contains(parts[0].utf8.count) else {
      return false
    }
    let isAtoms = { (part: Substring) in
      part.split(separator: ".", omittingEmptySubsequences: false).allSatisfy {
        !$0.isEmpty && $0.allSatisfy(atom.contains)
      }
    }
    let labels = parts[1].split(separator: ".", omittingEmptySubsequences: false)
    return isAtoms(parts[0]) && isAtoms(parts[1])
      && labels.allSatisfy { $0.utf8.count <= 63 && !$0.hasPrefix("-") && !$0.hasSuffix("-") }
      && parts[1].utf8.allSatisfy {
        $0 >= 97 && $0 <= 122 || $0 >= 65 && $0 <= 90 || $0 >= 48 && $0 <= 57 || $0 == 45
          || $0 == 46
      }
  }
}
