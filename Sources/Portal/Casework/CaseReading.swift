import Findings
import NetworkTypes

/// What a page shows of a case.
struct CaseSummary: Sendable {
  var id: String
  var kind: Finding.Kind
  var address: IPAddress
  /// The identifier of the responsible organisation; nil when nobody, or several, answer for it.
  var organisation: String?
  /// The stable name: `case.STATE` in the catalogue.
  var state: String
  var assignee: String?
  var confidence: Int
  var marking: TrafficLight
  var findings: Int
  var opened: Timestamp
  var updated: Timestamp
  var closed: Timestamp?
  /// The malware or the attacked service: what the case is about beyond its kind.
  var detail: String?
}

/// One step in a case's history.
struct CaseStep: Sendable {
  var moment: Timestamp
  var actor: String
  /// The stable name: `step.ACTION` in the catalogue.
  var action: String
  var text: String?
}

/// What the portal asks of casework about cases.
struct CaseReading: Sendable {
  var cases: @Sendable (TableQuery, Scope) async throws -> Rows<CaseSummary>
  /// Nil when there is none, or the scope must not see it.
  var detail: @Sendable (String, Scope) async throws -> CaseDetail?
  /// By state.
  var counts: @Sendable (Scope) async throws -> [String: Int]
  /// Does one of ``CaseAction``; the case has been shown to be in the visitor's scope.
  var act: @Sendable (String, CaseAction, String) async throws -> Void
  var states: [String]
}

struct CaseDetail: Sendable {
  var summary: CaseSummary
  var steps: [CaseStep]
  var findings: [Finding]
  /// The notices that told of it: identifier and moment.
  var notices: [(id: String, moment: Timestamp)]
}

/// What a person does with a case.
enum CaseAction: Sendable, Equatable {
  case acknowledge
  /// The responsible organisation says that it is gone.
  case fixed
  case reopen
  case comment(String)
  case close(reason: String, text: String)
  case assign(String)
}
