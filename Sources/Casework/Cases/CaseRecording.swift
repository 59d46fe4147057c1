public import Constituency
import Findings
import Foundation
import GRDB
import NetworkTypes
import Store

/// One batch of findings on its way into the cases, inside one transaction.
///
/// Cases that are touched are kept here and written once at the end; so a case that gains a
/// thousand findings is written once, and its history gains one line.
struct CaseRecording {
  private let parameters: CaseworkParameters
  private let moment: Timestamp
  private let responsibility: (Finding) -> Responsibility
  /// The cases of an address that were read, the latest first, and what happened to them.
  private var cases: [Key: [Touched]] = [:]
  private var nextNumber: Int64
  private let statements: CaseStatements
  private(set) var changes = CaseChanges()

  private struct Key: Hashable {
    let kind: Finding.Kind
    let address: IPAddress
  }

  fileprivate struct Touched {
    var stored: CaseTables.StoredCase
    var isNew = false
    /// As it stands in the database; nil before it was written.
    var written: Case?
    var newFindings = 0
    var updatedFindings = 0
    var steps: [(action: CaseEvent.Action, text: String?)] = []
    var isTouched: Bool { isNew || newFindings > 0 || updatedFindings > 0 || !steps.isEmpty }
  }

  init(
    _ db: Database, parameters: CaseworkParameters, at moment: Timestamp,
    responsibility: @escaping (Finding) -> Responsibility
  ) throws {
    self.parameters = parameters
    self.moment = moment
    self.responsibility = responsibility
    statements = try CaseStatements(db)
    nextNumber = (try Int64.fetchOne(db, sql: "SELECT max(number) FROM cases") ?? 0) + 1
  }

  mutating func record(_ prepared: PreparedFinding) throws {
    let (finding, id, document) = (prepared.finding, prepared.id, prepared.document)
    let lastSeen = try Int64.fetchOne(statements.lastSeen, arguments: [id])
    var previousCase: String?
    if let lastSeen {
      let known = try Row.fetchOne(statements.finding, arguments: [id])
      let stored: String = known?[0] ?? ""
      // The same again, or an earlier reading of what has gone on since: nothing is new.
      if try lastSeen > finding.lastSeen.nanoseconds || stored == document
        || lastSeen == finding.lastSeen.nanoseconds && Self.says(stored, finding)
      {
        changes.unchangedFindings += 1
        return
      }
      changes.updatedFindings += 1
      previousCase = known?[1]
    } else {
      changes.newFindings += 1
    }
    let caseID = try place(finding, previousCase: previousCase)
    let address = finding.subject.address.description
    try statements.writeFinding.execute(arguments: [
      id, finding.kind.rawValue, CaseTables.octets(finding.subject.address), address,
      finding.subject.isAddressAlone ? address : finding.subject.description, finding.sensor,
      finding.firstSeen.nanoseconds, finding.lastSeen.nanoseconds, finding.confidence.percent,
      CaseTables.rank(finding.marking), CaseRules.detail(of: finding), caseID ?? previousCase,
      moment.nanoseconds, document,
    ])
  }

  /// Whether a stored document says the same, which may be in another order of its keys: an older
  /// version wrote them sorted.
  private static func says(_ document: String, _ finding: Finding) throws -> Bool {
    try CaseTables.finding(document) == finding
  }

  /// The case that the finding goes into; nil for none.
  private mutating func place(_ finding: Finding, previousCase: String?) throws
    -> String?
  {
    let key = Key(kind: finding.kind, address: finding.subject.address)
    guard parameters.kinds.contains(finding.kind) else { return nil }
    if cases[key] == nil { cases[key] = try read(key) }
    let owner = CaseResponsibility(responsibility(finding))
    let position = cases[key]?.firstIndex { $0.stored.value.isFor(owner) }
    let latest = position.flatMap { cases[key]?[$0].stored.value }
    let effect = CaseRules.effect(of: finding, on: latest, parameters)
    switch effect {
    case .none: return nil
    case .open:
      let number = nextNumber
      nextNumber += 1
      let item = Case(
        id: CaseTables.id(number: number, opened: moment), kind: finding.kind,
        address: finding.subject.address, responsibility: owner, state: .open, opened: moment,
        updated: moment, firstSeen: finding.firstSeen, lastSeen: finding.lastSeen,
        confidence: finding.confidence, marking: finding.marking, findings: 1,
        detail: CaseRules.detail(of: finding))
      var touched = Touched(stored: .init(value: item, number: number), isNew: true)
      touched.steps.append((.opened, finding.evidence.first?.summary))
      touched.newFindings = 1
      // Written now, so that findings may point to it, and again when the batch is done if more
      // findings have changed it.
      try CaseTables.write(touched.stored, with: statements.writeCase)
      touched.written = item
      cases[key]?.insert(touched, at: 0)
      changes.opened.append(item.id)
      return item.id
    case .update, .reopen:
      // An effect on a case needs the case, and it was found at this position.
      guard let position, var touched = cases[key]?[position] else { return nil }
      touched.apply(finding, owner: owner, isNewHere: touched.stored.value.id != previousCase)
      if effect == .reopen {
        touched.reopen(text: finding.evidence.first?.summary)
        changes.reopened.append(touched.stored.value.id)
      }
      cases[key]?[position] = touched
      return touched.stored.value.id
    }
  }

  private func read(_ key: Key) throws -> [Touched] {
    let question: StatementArguments = [CaseTables.octets(key.address), key.kind.rawValue]
    guard try Int64.fetchOne(statements.caseOfAddress, arguments: question) != nil else {
      return []
    }
    let rows = try Row.fetchAll(statements.casesOfAddress, arguments: question)
    return try rows.map { row in
      let stored = try CaseTables.caseRow(row)
      return Touched(stored: stored, written: stored.value)
    }
  }

  /// Writes what was touched, with its history and its lines of the audit trail.
  mutating func finish(_ trail: AuditTrail, in db: Database) throws {
    let actor = AuditEntry.Actor.system("casework")
    let actorText = actor.text
    let touched = cases.values.joined().filter(\.isTouched)
      .sorted { $0.stored.number < $1.stored.number }
    var entries: [AuditEntry] = []
    for var item in touched {
      item.stored.value.updated = max(item.stored.value.updated, moment)
      if item.stored.value != item.written {
        try CaseTables.write(item.stored, with: statements.writeCase)
      }
      let value = item.stored.value
      if item.steps.isEmpty {
        item.steps.append((.updated, item.summary))
        changes.updated.append(value.id)
      }
      for step in item.steps {
        try CaseTables.writeEvent(
          step.action, value.id, actor: actorText, text: step.text, at: moment,
          with: statements.writeEvent)
        entries.append(
          AuditEntry(
            nanoseconds: moment.nanoseconds, actor: actor, action: "case.\(step.action.rawValue)",
            subject: value.id,
            details: [
              "address": value.address.description, "kind": value.kind.rawValue,
              "responsibility": value.responsibility.text, "findings": String(value.findings),
              "last_seen": value.lastSeen.description,
            ]))
      }
    }
    try trail.append(entries, in: db)
  }
}

extension CaseRecording.Touched {
  fileprivate mutating func apply(_ finding: Finding, owner: CaseResponsibility, isNewHere: Bool) {
    if isNewHere {
      newFindings += 1
      stored.value.findings += 1
    } else {
      updatedFindings += 1
    }
    stored.value.firstSeen = min(stored.value.firstSeen, finding.firstSeen)
    stored.value.lastSeen = max(stored.value.lastSeen, finding.lastSeen)
    stored.value.confidence = max(stored.value.confidence, finding.confidence)
    stored.value.marking = max(stored.value.marking, finding.marking)
    stored.value.detail = CaseRules.detail(of: finding) ?? stored.value.detail
    if stored.value.responsibility.organisation == nil, stored.value.responsibility != owner {
      stored.value.responsibility = owner
      steps.append((.reassigned, owner.text))
    }
  }

  fileprivate mutating func reopen(text: String?) {
    stored.value.state = .reopened
    stored.value.closed = nil
    stored.value.due = nil
    stored.value.reopened += 1
    steps.append((.reopened, text))
  }

  fileprivate var summary: String {
    "\(newFindings) new, \(updatedFindings) updated; last seen \(stored.value.lastSeen)"
  }
}

extension Case {
  /// The moment that later sightings are measured against.
  var closedMoment: Timestamp { closed ?? updated }

  /// Whether a finding that this owner answers for belongs to the case: its own; one that nobody
  /// owns yet, which the owner then takes over; or, where the constituency gives no single owner,
  /// one that a person has assigned.
  fileprivate func isFor(_ owner: CaseResponsibility) -> Bool {
    responsibility == owner || responsibility.organisation == nil || owner.organisation == nil
  }
}

extension CaseResponsibility {
  public init(_ responsibility: Responsibility) {
    switch responsibility {
    case .none: self = .unassigned
    case .one(let organisation, _): self = .organisation(organisation)
    case .several(let claimants): self = .contested(claimants)
    }
  }

  /// One word or list for people: the organisation, `unassigned`, `contested: isp-a, isp-b`.
  public var text: String {
    switch self {
    case .unassigned: "unassigned"
    case .organisation(let id): id
    case .contested(let claimants): "contested: " + claimants.joined(separator: ", ")
    }
  }
}
