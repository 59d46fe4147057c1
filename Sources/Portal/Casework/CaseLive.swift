import Casework
import Findings
import NetworkTypes
import Store

extension Scope {
  var visibility: Visibility {
    switch self {
    case .everything: .everything
    case .organisation(let id): .organisation(id)
    }
  }
}

extension CaseReading {
  /// From the register of the house.
  static func live(
    _ register: CaseRegister, now: @escaping @Sendable () -> Timestamp,
    notices: @escaping @Sendable (String, Scope) throws -> [(id: String, moment: Timestamp)]
  ) -> CaseReading {
    CaseReading(
      cases: { query, scope in
        let rows = try query.gather { try register.cases($0, visibleTo: scope.visibility) }
        return Rows(rows.rows.map { CaseSummary($0) }, total: rows.total)
      },
      detail: { id, scope in
        let visibility = scope.visibility
        guard let item = try register.case(id, visibleTo: visibility) else { return nil }
        return CaseDetail(
          summary: CaseSummary(item),
          steps: try register.history(of: id, visibleTo: visibility).map { CaseStep($0) },
          findings: try register.findings(ofCase: id, visibleTo: visibility, limit: 100),
          notices: try notices(id, scope))
      },
      counts: { scope in
        let counts = try register.counts(asOf: now(), visibleTo: scope.visibility)
        return counts.byState.filter { $0.value > 0 }.reduce(into: [:]) {
          $0[$1.key.rawValue] = $1.value
        }
      },
      act: { id, action, actor in
        try register.act(id, action, by: .user(actor), at: now())
      }, states: Case.State.allCases.map(\.rawValue))
  }
}

extension CaseRegister {
  /// The page has shown that the case is in its visitor's scope.
  fileprivate func act(
    _ id: String, _ action: CaseAction, by actor: AuditEntry.Actor, at moment: Timestamp
  ) throws {
    do {
      switch action {
      case .acknowledge: try acknowledge(id, by: actor, at: moment, visibleTo: .everything)
      case .fixed: try markFixed(id, by: actor, at: moment, visibleTo: .everything)
      case .reopen: try reopen(id, by: actor, at: moment, visibleTo: .everything)
      case .comment(let text):
        try comment(id, by: actor, text: text, at: moment, visibleTo: .everything)
      case .close(let reason, let text):
        try close(
          id, by: actor, reason: text.isEmpty ? reason : "\(reason): \(text)", at: moment,
          visibleTo: .everything)
      case .assign(let name):
        try assign(id, to: name, by: actor, at: moment, visibleTo: .everything)
      }
    } catch let error as CaseError {
      switch error {
      case .notFound: throw Problem.notFound
      case .notPossible: throw Problem.conflict
      case .emptyText: throw Problem.field("text", "empty")
      }
    }
  }
}

extension CaseSummary {
  init(_ item: Case) {
    self.init(
      id: item.id, kind: item.kind, address: item.address,
      organisation: item.responsibility.organisation, state: item.state.rawValue,
      assignee: item.assignee, confidence: item.confidence.percent, marking: item.marking,
      findings: item.findings, opened: item.opened, updated: item.updated, closed: item.closed,
      detail: item.detail)
  }
}

extension CaseStep {
  init(_ event: CaseEvent) {
    let actor =
      switch AuditEntry.Actor(text: event.actor) {
      case .user(let name): name
      case .system: "system"
      case .commandLine: "command-line"
      case nil: event.actor
      }
    self.init(
      moment: event.moment, actor: actor, action: event.action.rawValue, text: event.text)
  }
}
