public import Findings
import GRDB
public import NetworkTypes
import Store

/// How many cases there are: for the overview and `/metrics`.
public struct CaseCounts: Hashable, Sendable {
  /// Every state is there, also with 0.
  public var byState: [Case.State: Int]
  /// Active cases; every kind is there, also with 0.
  public var activeByKind: [Finding.Kind: Int]
  /// Active cases of those that have an organisation.
  public var activeByOrganisation: [String: Int]
  /// Active cases that nobody answers for, and that several claim.
  public var unassigned: Int
  public var contested: Int
  /// Active cases whose answer is late.
  public var overdue: Int
  public var findings: Int
}

/// Cases of one day in UTC.
public struct CaseDay: Hashable, Sendable {
  /// Midnight.
  public let day: Timestamp
  public var opened: Int
  public var reopened: Int
  public var closed: Int

  public init(day: Timestamp, opened: Int, reopened: Int, closed: Int) {
    self.day = day
    self.opened = opened
    self.reopened = reopened
    self.closed = closed
  }
}

extension CaseRegister {
  /// - Parameter moment: against which an answer is late.
  public func counts(asOf moment: Timestamp, visibleTo visibility: Visibility) throws -> CaseCounts
  {
    let (visible, values) = visibility.onCases
    let (visibleFindings, findingValues) = visibility.onFindings
    let active = "state NOT IN ('closed', 'fixed') AND (\(visible))"
    return try store.writer.read { db in
      func groups(_ column: String, _ condition: String) throws -> [String: Int] {
        var result: [String: Int] = [:]
        let rows = try Row.fetchCursor(
          db,
          sql: """
            SELECT \(column), count(*) FROM cases
            WHERE (\(condition)) AND \(column) IS NOT NULL GROUP BY 1
            """, arguments: StatementArguments(values))
        while let row = try rows.next() { result[row[0]] = row[1] }
        return result
      }
      let states = try groups("state", visible)
      let kinds = try groups("kind", active)
      let responsibilities = try groups("responsibility", active)
      let overdue = try Int.fetchOne(
        db, sql: "SELECT count(*) FROM cases WHERE \(active) AND due < ?",
        arguments: StatementArguments(values + [moment.nanoseconds.databaseValue]))
      let findings = try Int.fetchOne(
        db, sql: "SELECT count(*) FROM findings WHERE \(visibleFindings)",
        arguments: StatementArguments(findingValues))
      return CaseCounts(
        byState: Dictionary(
          uniqueKeysWithValues: Case.State.allCases.map { ($0, states[$0.rawValue] ?? 0) }),
        activeByKind: Dictionary(
          uniqueKeysWithValues: Finding.Kind.allCases.map { ($0, kinds[$0.rawValue] ?? 0) }),
        activeByOrganisation: try groups("organisation", active),
        unassigned: responsibilities["unassigned"] ?? 0,
        contested: responsibilities["contested"] ?? 0, overdue: overdue ?? 0,
        findings: findings ?? 0)
    }
  }

  /// What happened on each day from the first moment to before the second; days without anything
  /// are left out.
  public func days(
    from first: Timestamp, to end: Timestamp, visibleTo visibility: Visibility
  ) throws -> [CaseDay] {
    let (visible, values) = visibility.onCases
    let nanosecondsOfDay: Int64 = 86_400_000_000_000
    return try store.writer.read { db in
      let rows = try Row.fetchCursor(
        db,
        sql: """
          SELECT (moment - ((moment % ?1) + ?1) % ?1) AS day, action, count(*) FROM case_events
          WHERE action IN ('opened', 'reopened', 'closed') AND moment >= ?2 AND moment < ?3
            AND case_id IN (SELECT id FROM cases WHERE \(visible.replacing("?", with: "?4")))
          GROUP BY day, action ORDER BY day
          """,
        arguments: StatementArguments(
          [
            nanosecondsOfDay.databaseValue, first.nanoseconds.databaseValue,
            end.nanoseconds.databaseValue,
          ] + values))
      var days: [CaseDay] = []
      while let row = try rows.next() {
        let day = Timestamp(nanoseconds: row[0])
        if days.last?.day != day {
          days.append(CaseDay(day: day, opened: 0, reopened: 0, closed: 0))
        }
        let action: String = row[1]
        let count: Int = row[2]
        switch action {
        case "opened": days[days.count - 1].opened = count
        case "reopened": days[days.count - 1].reopened = count
        default: days[days.count - 1].closed = count
        }
      }
      return days
    }
  }
}
