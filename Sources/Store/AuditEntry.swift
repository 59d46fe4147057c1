/// One thing that was done: who did what to what, and when.
public struct AuditEntry: Hashable, Sendable {
  /// Who did it.
  public enum Actor: Hashable, Sendable {
    /// A part of Noroshi itself: `casework`, `delivery`.
    case system(String)
    /// Somebody signed in to the portal, by account name.
    case user(String)
    /// Somebody at the command line, by the operating system's user name.
    case commandLine(String)

    /// The same, its name without a NUL.
    var withoutNulls: Actor {
      switch self {
      case .system(let name): .system(name.withoutNulls)
      case .user(let name): .user(name.withoutNulls)
      case .commandLine(let name): .commandLine(name.withoutNulls)
      }
    }

    /// `system:casework`, `user:hanako`, `cli:root`: as it stands in the database.
    public var text: String {
      switch self {
      case .system(let name): "system:\(name)"
      case .user(let name): "user:\(name)"
      case .commandLine(let name): "cli:\(name)"
      }
    }

    public init?(text: String) {
      let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
      guard parts.count == 2 else { return nil }
      let name = String(parts[1])
      switch parts[0] {
      case "system": self = .system(name)
      case "user": self = .user(name)
      case "cli": self = .commandLine(name)
      default: return nil
      }
    }
  }

  /// Nanoseconds since 1970-01-01T00:00:00Z.
  public var nanoseconds: Int64
  public var actor: Actor
  /// A stable, dotted name: `case.opened`, `notice.sent`, `user.signed-in`.
  public var action: String
  /// What it was done to: a case number, a notice, an account.
  public var subject: String
  /// Further facts; never secrets.
  public var details: [String: String]

  public init(
    nanoseconds: Int64, actor: Actor, action: String, subject: String,
    details: [String: String] = [:]
  ) {
    self.nanoseconds = nanoseconds
    self.actor = actor
    self.action = action
    self.subject = subject
    self.details = details
  }
}

extension AuditEntry {
  /// SQLite's text ends at a NUL, so that what is hashed would not be what is read back.
  mutating func takeOutNulls() {
    actor = actor.withoutNulls
    action = action.withoutNulls
    subject = subject.withoutNulls
  }
}

extension String {
  /// The text with every U+0000 replaced by U+FFFD.
  public var withoutNulls: String {
    utf8.contains(0) ? replacing("\u{0}", with: "\u{FFFD}") : self
  }
}

/// An entry in its place in the chain.
public struct AuditRecord: Hashable, Sendable, Identifiable {
  /// From 1, without gaps.
  public let sequence: Int64
  public let entry: AuditEntry
  /// 64 hexadecimal digits: the hash of the entry before.
  public let previous: String
  /// 64 hexadecimal digits: SHA-256 over the entry, its place and ``previous``.
  public let hash: String

  public var id: Int64 { sequence }
}

/// The end of the chain at some moment: whoever keeps a copy can prove later that nothing before
/// it was taken away or changed.
public struct AuditHead: Hashable, Sendable, Codable {
  /// The last entry's place; 0 for an empty trail.
  public let sequence: Int64
  /// The last entry's hash, 64 hexadecimal digits.
  public let hash: String

  public init(sequence: Int64, hash: String) {
    self.sequence = sequence
    self.hash = hash
  }
}

/// What a check of the whole trail found.
public enum AuditVerification: Hashable, Sendable {
  /// Every entry stands as it was written.
  case intact(head: AuditHead)
  /// The first place that is wrong, and why, in a sentence.
  case broken(sequence: Int64, reason: String)
}
