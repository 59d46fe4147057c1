public import NetworkTypes

/// What a person may do.
public enum Role: Hashable, Sendable, CustomStringConvertible {
  /// Everything, including accounts and the audit trail.
  case administrator
  /// Everything but those.
  case analyst
  /// An ISP's abuse desk: its own organisation's cases, notices and hosts, by the organisation's
  /// identifier.
  case isp(organisation: String)

  /// `administrator`, `analyst`, `isp`.
  public var name: String {
    switch self {
    case .administrator: "administrator"
    case .analyst: "analyst"
    case .isp: "isp"
    }
  }

  /// The organisation of an ISP's user.
  public var organisation: String? {
    if case .isp(let organisation) = self { organisation } else { nil }
  }

  /// From its parts; nil for an unknown name, an ISP without an organisation, or another role with
  /// one.
  public init?(name: String, organisation: String?) {
    let organisation = organisation.flatMap { $0.isEmpty ? nil : $0 }
    switch (name, organisation) {
    case ("administrator", nil): self = .administrator
    case ("analyst", nil): self = .analyst
    case ("isp", let organisation?): self = .isp(organisation: organisation)
    default: return nil
    }
  }

  public var description: String { organisation.map { "isp of \($0)" } ?? name }
}

extension Role {
  var scope: Scope { organisation.map { .organisation($0) } ?? .everything }
}

/// A person who may sign in.
public struct Account: Hashable, Sendable {
  public let id: Int64
  /// Unique without regard to case.
  public let name: String
  public var role: Role
  /// `ja` or `en`; nil follows the browser.
  public var language: String?
  /// `UTC` or `JST`; nil is the default of the language.
  public var zone: String?
  public let created: Timestamp
  public var lastSignIn: Timestamp?
  public var isDisabled: Bool
}

/// Why an account could not be made or changed.
public enum AccountError: Error, Equatable, CustomStringConvertible {
  case nameTaken(String)
  case nameInvalid(String)
  case passwordTooShort(minimum: Int)
  case passwordTooLong(maximum: Int)
  case passwordIsName
  case noSuchAccount(String)
  case lastAdministrator
  case tooManyTokens(limit: Int)

  public var description: String {
    switch self {
    case .nameTaken(let name): "There is already an account `\(name)`; choose another name."
    case .nameInvalid(let name):
      """
      `\(name)` is no account name: use 1 to 64 letters, digits, dots, hyphens, underscores or @, \
      beginning with a letter or digit.
      """
    case .passwordTooShort(let minimum):
      "The password is too short; use at least \(minimum) characters."
    case .passwordTooLong(let maximum):
      "The password is too long; use at most \(maximum) characters."
    case .passwordIsName: "The password is the account's name; choose another."
    case .noSuchAccount(let name): "There is no account `\(name)`; `noroshi user list` shows them."
    case .lastAdministrator:
      "This is the last administrator who can sign in; make another one first."
    case .tooManyTokens(let limit):
      "The account has \(limit) tokens already; revoke one that is no longer used."
    }
  }
}
