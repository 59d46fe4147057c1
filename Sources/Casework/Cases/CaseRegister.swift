public import Constituency
public import Findings
import Foundation
public import GRDB
public import NetworkTypes
public import Store

/// All findings and cases: the edge of casework to its tables.
///
/// ```swift
/// let register = try CaseRegister(store: store, trail: trail)
/// let index = ConstituencyIndex(constituency)
/// let changes = try register.record(findings, at: moment) { index.responsible(for: $0) }
/// let mine = try register.cases(ListQuery(), visibleTo: .organisation("isp-kaede"))
/// ```
///
/// Every change is one transaction together with its lines of the audit trail. Every question names
/// who asks, and ``Visibility`` is a condition in the SQL of every answer.
public final class CaseRegister: Sendable {
  public static let migrations = CaseTables.migrations

  public let store: DataStore
  public let trail: AuditTrail
  public let parameters: CaseworkParameters

  /// Brings the tables up to date.
  public init(
    store: DataStore, trail: AuditTrail, parameters: CaseworkParameters = CaseworkParameters()
  ) throws {
    self.store = store
    self.trail = trail
    self.parameters = parameters
    try store.migrate(AuditTrail.migrations)
    try store.migrate(Self.migrations)
  }

  /// Takes findings into the cases, all in one transaction: what returned is kept, what did not
  /// return changed nothing. The same findings again change nothing.
  ///
  /// - Parameters:
  ///   - moment: the time of the data, at which cases open and reopen.
  ///   - responsibility: who answers for the address of a finding.
  public func record(
    _ findings: some Sequence<Finding>, at moment: Timestamp,
    responsibility: @escaping (Finding) -> Responsibility
  ) throws -> CaseChanges {
    let findings = Array(findings)
    return try store.writer.write { db in
      var recording = try CaseRecording(
        db, parameters: parameters, at: moment, responsibility: responsibility)
      try PreparedFinding.forEach(of: findings) { try recording.record($0) }
      try recording.finish(trail, in: db)
      return recording.changes
    }
  }

  /// As ``record(_:at:responsibility:)``, where the address alone says who answers.
  public func record(
    findings: [Finding], responsibility: @escaping (IPAddress) -> Responsibility,
    at moment: Timestamp
  ) throws -> CaseChanges {
    try record(findings, at: moment) { responsibility($0.subject.address) }
  }

  /// Closes every active case that has not been seen for ``CaseworkParameters/quietDays``.
  ///
  /// - Returns: their identifiers.
  @discardableResult
  public func closeQuiet(asOf moment: Timestamp) throws -> [String] {
    let before = moment.advanced(bySeconds: -parameters.quietDays * 86_400)
    return try store.writer.write { db in
      let ids = try String.fetchAll(
        db,
        sql: """
          SELECT id FROM cases WHERE state NOT IN ('closed', 'fixed') AND last_seen <= ?
          ORDER BY number
          """, arguments: [before.nanoseconds])
      let days = parameters.quietDays.formatted()
      try change(
        ids, .closed, by: .system("casework"), text: "not seen for \(days) days", at: moment,
        visibleTo: .everything, in: db)
      return ids
    }
  }

  // MARK: - What people do

  /// The responsible organisation says that it works on it.
  public func acknowledge(
    _ id: String, by actor: AuditEntry.Actor, text: String? = nil, at moment: Timestamp,
    visibleTo visibility: Visibility
  ) throws {
    try change([id], .acknowledged, by: actor, text: text, at: moment, visibleTo: visibility)
  }

  /// The responsible organisation says that it is gone.
  public func markFixed(
    _ id: String, by actor: AuditEntry.Actor, text: String? = nil, at moment: Timestamp,
    visibleTo visibility: Visibility
  ) throws {
    try change([id], .fixed, by: actor, text: text, at: moment, visibleTo: visibility)
  }

  /// - Parameter reason: a stable word or a sentence; needed.
  public func close(
    _ id: String, by actor: AuditEntry.Actor, reason: String, at moment: Timestamp,
    visibleTo visibility: Visibility
  ) throws {
    guard !reason.isEmpty else { throw CaseError.emptyText(.closed) }
    try change([id], .closed, by: actor, text: reason, at: moment, visibleTo: visibility)
  }

  /// Closes the active cases of which every finding rests on one server that was taken for a C&C
  /// server and is none: the server's own, and those of hosts that were only seen to call it.
  ///
  /// - Parameter server: as findings name it: `192.0.2.1:6667/tcp`.
  /// - Returns: the identifiers of the cases.
  @discardableResult
  public func closeCases(
    restingOn server: String, by actor: AuditEntry.Actor, reason: String, at moment: Timestamp
  ) throws -> [String] {
    guard !reason.isEmpty else { throw CaseError.emptyText(.closed) }
    return try store.writer.write { db in
      let resting = """
        (f.kind = 'command-and-control' AND f.subject = ?1
          OR coalesce(json_extract(f.document, '$.attributes.server'), '') = ?1)
        """
      let ids = try String.fetchAll(
        db,
        sql: """
          SELECT id FROM cases c WHERE state NOT IN ('closed', 'fixed')
            AND EXISTS (SELECT 1 FROM findings f WHERE f.case_id = c.id AND \(resting))
            AND NOT EXISTS (SELECT 1 FROM findings f WHERE f.case_id = c.id AND NOT \(resting))
          ORDER BY number
          """, arguments: [server])
      try change(
        ids, .closed, by: actor, text: reason, at: moment, visibleTo: .everything, in: db)
      return ids
    }
  }

  public func reopen(
    _ id: String, by actor: AuditEntry.Actor, text: String? = nil, at moment: Timestamp,
    visibleTo visibility: Visibility
  ) throws {
    try change([id], .reopened, by: actor, text: text, at: moment, visibleTo: visibility)
  }

  public func comment(
    _ id: String, by actor: AuditEntry.Actor, text: String, at moment: Timestamp,
    visibleTo visibility: Visibility
  ) throws {
    guard !text.isEmpty else { throw CaseError.emptyText(.commented) }
    try change([id], .commented, by: actor, text: text, at: moment, visibleTo: visibility)
  }

  /// Gives the case to a person; an empty name takes it from everybody.
  public func assign(
    _ id: String, to assignee: String, by actor: AuditEntry.Actor, at moment: Timestamp,
    visibleTo visibility: Visibility
  ) throws {
    try change([id], .assigned, by: actor, text: assignee, at: moment, visibleTo: visibility)
  }

  /// Gives the case to an organisation: the answer to a contested or unassigned one.
  public func reassign(
    _ id: String, to organisation: String, by actor: AuditEntry.Actor, at moment: Timestamp
  ) throws {
    guard !organisation.isEmpty else { throw CaseError.emptyText(.reassigned) }
    try change([id], .reassigned, by: actor, text: organisation, at: moment, visibleTo: .everything)
  }

  private func change(
    _ ids: [String], _ action: CaseEvent.Action, by actor: AuditEntry.Actor, text: String?,
    at moment: Timestamp, visibleTo visibility: Visibility
  ) throws {
    try store.writer.write { db in
      try change(ids, action, by: actor, text: text, at: moment, visibleTo: visibility, in: db)
    }
  }

  /// Takes one step with many cases inside the caller's transaction, with history and audit trail:
  /// so a notice and what it does to its cases are written together.
  ///
  /// `text` is the comment, the reason, the assignee or the organisation, by the action.
  ///
  /// - Throws: ``CaseError``.
  public func change(
    _ ids: [String], _ action: CaseEvent.Action, by actor: AuditEntry.Actor, text: String?,
    at moment: Timestamp, visibleTo visibility: Visibility = .everything, in db: Database
  ) throws {
    // SQLite's text ends at a NUL.
    let text = text?.withoutNulls
    var entries: [AuditEntry] = []
    for id in ids {
      guard var stored = try Self.stored(id, visibility, in: db) else {
        throw CaseError.notFound(id)
      }
      let before = stored.value.state
      guard let state = CaseRules.state(after: action, from: before) else {
        throw CaseError.notPossible(id: id, action: action, state: before)
      }
      stored.value.take(action, state, text: text, at: moment, parameters)
      try CaseTables.write(stored, in: db)
      try CaseTables.writeEvent(action, id, actor: actor, text: text, at: moment, in: db)
      var details = ["from": before.rawValue, "to": state.rawValue]
      if let text, !text.isEmpty { details["text"] = text }
      entries.append(
        AuditEntry(
          nanoseconds: moment.nanoseconds, actor: actor, action: "case.\(action.rawValue)",
          subject: id, details: details))
    }
    if !entries.isEmpty { try trail.append(entries, in: db) }
  }

  static func stored(_ id: String, _ visibility: Visibility, in db: Database) throws
    -> CaseTables.StoredCase?
  {
    let (condition, values) = visibility.onCases
    return try Row.fetchOne(
      db, sql: "SELECT \(CaseTables.caseColumns) FROM cases WHERE id = ? AND \(condition)",
      arguments: StatementArguments([id.databaseValue] + values)
    ).map(CaseTables.caseRow)
  }
}

extension Case {
  fileprivate mutating func take(
    _ action: CaseEvent.Action, _ next: State, text: String?, at moment: Timestamp,
    _ parameters: CaseworkParameters
  ) {
    let wasActive = state.isActive
    state = next
    updated = max(updated, moment)
    // A fixed case that is then closed keeps the moment from which a sighting contradicts.
    if !next.isActive, wasActive { closed = moment }
    if next.isActive { closed = nil }
    switch action {
    case .notified: due = due ?? moment.advanced(bySeconds: parameters.dueDays * 86_400)
    case .assigned: assignee = text.flatMap { $0.isEmpty ? nil : $0 }
    case .reassigned: text.map { responsibility = .organisation($0) }
    case .reopened:
      reopened += 1
      due = nil
    default: break
    }
  }
}

/// What a batch of findings did.
public struct CaseChanges: Hashable, Sendable {
  public var newFindings = 0
  public var updatedFindings = 0
  /// Seen before, with the same content or a later one.
  public var unchangedFindings = 0
  /// Identifiers of cases.
  public var opened: [String] = []
  public var updated: [String] = []
  public var reopened: [String] = []

  public init() {}

  public var isEmpty: Bool {
    newFindings == 0 && updatedFindings == 0 && opened.isEmpty && updated.isEmpty
      && reopened.isEmpty
  }
}
