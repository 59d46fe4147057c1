public import Findings
public import NetworkTypes

/// What is being done about one thing at one address: findings of the same kind about the same
/// address, held together until it is gone (事案).
public struct Case: Hashable, Sendable, Codable, Identifiable {
  /// `C-2026-000123`: the year in which it was opened (by the data's time) and a running number.
  public let id: String
  public let kind: Finding.Kind
  public let address: IPAddress
  public var responsibility: CaseResponsibility
  public var state: State
  public var opened: Timestamp
  /// The last step of any sort.
  public var updated: Timestamp
  public var closed: Timestamp?
  public var firstSeen: Timestamp
  public var lastSeen: Timestamp
  /// The highest of its findings.
  public var confidence: Confidence
  /// The narrowest of its findings.
  public var marking: TrafficLight
  /// How many findings belong to it.
  public var findings: Int
  /// When an answer is due (`dueDays` after the first notice).
  public var due: Timestamp?
  /// Who works on it: the name of a user.
  public var assignee: String?
  /// How often it has come back after it was closed.
  public var reopened: Int
  /// The malware or attacked service: what the case is about beyond its kind.
  public var detail: String?

  public init(
    id: String, kind: Finding.Kind, address: IPAddress, responsibility: CaseResponsibility,
    state: State, opened: Timestamp, updated: Timestamp, closed: Timestamp? = nil,
    firstSeen: Timestamp, lastSeen: Timestamp, confidence: Confidence, marking: TrafficLight,
    findings: Int, due: Timestamp? = nil, assignee: String? = nil, reopened: Int = 0,
    detail: String? = nil
  ) {
    self.id = id
    self.kind = kind
    self.address = address
    self.responsibility = responsibility
    self.state = state
    self.opened = opened
    self.updated = updated
    self.closed = closed
    self.firstSeen = firstSeen
    self.lastSeen = lastSeen
    self.confidence = confidence
    self.marking = marking
    self.findings = findings
    self.due = due
    self.assignee = assignee
    self.reopened = reopened
    self.detail = detail
  }

  /// Where a case stands. Raw values are stable: they stand in the database and in the catalogue.
  public enum State: String, Hashable, Sendable, Codable, CaseIterable {
    case open
    /// A notice went out.
    case notified
    /// The responsible organisation has said that it works on it.
    case acknowledged
    /// The responsible organisation says that it is gone; the data have not contradicted it.
    case fixed
    /// The notice cannot be brought to anybody.
    case unreachable
    /// It was closed and the data show it again.
    case reopened
    /// Done: by a person, or because nothing was seen for `quietDays`.
    case closed

    /// Whether somebody still has to do something.
    public var isActive: Bool { self != .closed && self != .fixed }
  }
}

/// Whose a case is.
public enum CaseResponsibility: Hashable, Sendable, Codable {
  /// Nobody of the constituency answers for the address.
  case unassigned
  case organisation(String)
  /// Several claim the address; an analyst assigns it.
  case contested([String])

  /// The identifier of the one organisation.
  public var organisation: String? {
    if case .organisation(let id) = self { id } else { nil }
  }
}

/// One step in the history of a case.
public struct CaseEvent: Hashable, Sendable, Codable, Identifiable {
  public let id: Int64
  public let caseID: String
  public let moment: Timestamp
  /// `system:casework`, `user:hanako`.
  public let actor: String
  public let action: Action
  public let text: String?

  /// What was done. Raw values are stable.
  public enum Action: String, Hashable, Sendable, Codable, CaseIterable {
    case opened, updated, reopened, closed, notified, acknowledged, fixed, unreachable
    case commented, assigned, reassigned
  }
}

/// Who reads. It is a part of every question, and a condition in the SQL of every answer.
public enum Visibility: Hashable, Sendable {
  case everything
  /// Only the cases of this organisation and the findings in them.
  case organisation(String)
}

/// Why something cannot be done to a case, and what can.
public enum CaseError: Error, Hashable, Sendable, CustomStringConvertible {
  /// There is none, or the asker must not see it: the two are not told apart.
  case notFound(String)
  case notPossible(id: String, action: CaseEvent.Action, state: Case.State)
  case emptyText(CaseEvent.Action)

  public var description: String {
    switch self {
    case .notFound(let id):
      "there is no case \(id); list them with “noroshi cases list”"
    case .notPossible(let id, let action, let state):
      "case \(id) is \(state.rawValue) and cannot be \(action.rawValue); reopen it first or leave it"
    case .emptyText(let action):
      "a case is not \(action.rawValue) without a word; give a text"
    }
  }
}
