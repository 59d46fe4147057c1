import Findings
import Foundation
import GRDB
import NetworkTypes
import Store

/// The tables of casework, and how a row becomes a value and back.
///
/// Times are nanoseconds since 1970. Addresses stand as 16 octets in network order, so that a
/// prefix is a range of the index, and as text, to be searched. Markings stand as their rank.
enum CaseTables {
  static let migrations = [
    StoreMigration(id: "casework-001") { db in
      try db.execute(
        sql: """
          CREATE TABLE cases (
            number INTEGER PRIMARY KEY,
            id TEXT NOT NULL UNIQUE,
            kind TEXT NOT NULL,
            address BLOB NOT NULL CHECK (length(address) = 16),
            address_text TEXT NOT NULL,
            responsibility TEXT NOT NULL,
            organisation TEXT,
            claimants TEXT NOT NULL,
            state TEXT NOT NULL,
            opened INTEGER NOT NULL,
            updated INTEGER NOT NULL,
            closed INTEGER,
            first_seen INTEGER NOT NULL,
            last_seen INTEGER NOT NULL,
            confidence INTEGER NOT NULL,
            marking INTEGER NOT NULL,
            findings INTEGER NOT NULL,
            due INTEGER,
            assignee TEXT,
            reopened INTEGER NOT NULL,
            detail TEXT
          ) STRICT;
          CREATE INDEX cases_of_address ON cases(address, kind, number);
          CREATE INDEX cases_of_organisation ON cases(organisation, state, updated);
          CREATE INDEX cases_by_state ON cases(state, last_seen);
          CREATE TABLE findings (
            id TEXT PRIMARY KEY,
            kind TEXT NOT NULL,
            address BLOB NOT NULL CHECK (length(address) = 16),
            address_text TEXT NOT NULL,
            subject TEXT NOT NULL,
            sensor TEXT NOT NULL,
            first_seen INTEGER NOT NULL,
            last_seen INTEGER NOT NULL,
            confidence INTEGER NOT NULL,
            marking INTEGER NOT NULL,
            detail TEXT,
            case_id TEXT REFERENCES cases(id),
            recorded INTEGER NOT NULL,
            document TEXT NOT NULL
          ) STRICT;
          CREATE INDEX findings_of_address ON findings(address, last_seen);
          CREATE INDEX findings_of_case ON findings(case_id, last_seen);
          CREATE INDEX findings_by_time ON findings(last_seen);
          CREATE TABLE case_events (
            id INTEGER PRIMARY KEY,
            case_id TEXT NOT NULL REFERENCES cases(id),
            moment INTEGER NOT NULL,
            actor TEXT NOT NULL,
            action TEXT NOT NULL,
            text TEXT
          ) STRICT;
          CREATE INDEX case_events_of_case ON case_events(case_id, id);
          CREATE INDEX case_events_by_action ON case_events(action, moment);
          """)
    }
  ]

  /// In the order of ``caseRow(_:)`` and ``writeCase``.
  static let caseColumns = """
    id, kind, address, responsibility, organisation, claimants, state, opened, updated, closed, \
    first_seen, last_seen, confidence, marking, findings, due, assignee, reopened, detail, number
    """

  static func octets(_ address: IPAddress) -> Data {
    withUnsafeBytes(of: address.bits.bigEndian) { Data($0) }
  }

  static func address(_ octets: Data) -> IPAddress {
    IPAddress(bits: octets.prefix(16).reduce(0) { $0 << 8 | UInt128($1) })
  }

  static func rank(_ marking: TrafficLight) -> Int {
    TrafficLight.allCases.firstIndex(of: marking) ?? TrafficLight.allCases.count - 1
  }

  /// An unknown rank is read as the narrowest circle.
  static func marking(_ rank: Int) -> TrafficLight {
    TrafficLight.allCases.indices.contains(rank) ? TrafficLight.allCases[rank] : .red
  }

  /// A stored case with its running number.
  struct StoredCase {
    var value: Case
    let number: Int64
  }

  static func caseRow(_ row: Row) throws -> StoredCase {
    let id: String = row[0]
    let kindText: String = row[1]
    let stateText: String = row[6]
    guard let kind = Finding.Kind(rawValue: kindText), let state = Case.State(rawValue: stateText)
    else {
      throw StoreError.damaged(["case \(id) has the kind \(kindText) and the state \(stateText)"])
    }
    let organisation: String? = row[4]
    let claimants: String = row[5]
    let responsibility: CaseResponsibility =
      organisation.map(CaseResponsibility.organisation)
      ?? (claimants.isEmpty
        ? .unassigned : .contested(claimants.split(separator: " ").map(String.init)))
    func moment(_ place: Int) -> Timestamp? {
      (row[place] as Int64?).map(Timestamp.init(nanoseconds:))
    }
    return StoredCase(
      value: Case(
        id: id, kind: kind, address: address(row[2]), responsibility: responsibility, state: state,
        opened: Timestamp(nanoseconds: row[7]), updated: Timestamp(nanoseconds: row[8]),
        closed: moment(9), firstSeen: Timestamp(nanoseconds: row[10]),
        lastSeen: Timestamp(nanoseconds: row[11]), confidence: Confidence(percent: row[12]),
        marking: marking(row[13]), findings: row[14], due: moment(15), assignee: row[16],
        reopened: row[17], detail: row[18]),
      number: row[19])
  }

  static let writeCaseSQL = """
    INSERT INTO cases (number, id, kind, address, address_text, responsibility, organisation,
      claimants, state, opened, updated, closed, first_seen, last_seen, confidence, marking,
      findings, due, assignee, reopened, detail)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (number) DO UPDATE SET responsibility = excluded.responsibility,
      organisation = excluded.organisation, claimants = excluded.claimants,
      state = excluded.state, updated = excluded.updated, closed = excluded.closed,
      first_seen = excluded.first_seen, last_seen = excluded.last_seen,
      confidence = excluded.confidence, marking = excluded.marking,
      findings = excluded.findings, due = excluded.due, assignee = excluded.assignee,
      reopened = excluded.reopened, detail = excluded.detail
    """

  static let writeEventSQL =
    "INSERT INTO case_events (case_id, moment, actor, action, text) VALUES (?, ?, ?, ?, ?)"

  /// Writes a case, new or changed.
  static func write(_ stored: StoredCase, in db: Database) throws {
    try write(stored, with: try db.cachedStatement(sql: writeCaseSQL))
  }

  /// - Parameter statement: of ``writeCaseSQL``.
  static func write(_ stored: StoredCase, with statement: Statement) throws {
    let item = stored.value
    try statement.execute(arguments: [
      stored.number, item.id, item.kind.rawValue, octets(item.address), item.address.description,
      item.responsibility.word, item.responsibility.organisation,
      item.responsibility.claimants.joined(separator: " "), item.state.rawValue,
      item.opened.nanoseconds, item.updated.nanoseconds, item.closed?.nanoseconds,
      item.firstSeen.nanoseconds, item.lastSeen.nanoseconds, item.confidence.percent,
      rank(item.marking), item.findings, item.due?.nanoseconds, item.assignee, item.reopened,
      item.detail,
    ])
  }

  static func writeEvent(
    _ action: CaseEvent.Action, _ id: String, actor: AuditEntry.Actor, text: String?,
    at moment: Timestamp, in db: Database
  ) throws {
    try writeEvent(
      action, id, actor: actor.text, text: text, at: moment,
      with: try db.cachedStatement(sql: writeEventSQL))
  }

  /// - Parameter statement: of ``writeEventSQL``.
  static func writeEvent(
    _ action: CaseEvent.Action, _ id: String, actor: String, text: String?, at moment: Timestamp,
    with statement: Statement
  ) throws {
    try statement.execute(arguments: [id, moment.nanoseconds, actor, action.rawValue, text])
  }

  static func event(_ row: Row) throws -> CaseEvent {
    let text: String = row["action"]
    guard let action = CaseEvent.Action(rawValue: text) else {
      throw StoreError.damaged(["an event has the action \(text)"])
    }
    return CaseEvent(
      id: row["id"], caseID: row["case_id"], moment: Timestamp(nanoseconds: row["moment"]),
      actor: row["actor"], action: action, text: row["text"])
  }

  static func finding(_ document: String) throws -> Finding {
    try JSONDecoder().decode(Finding.self, from: Data(document.utf8))
  }

  /// `C-2026-000123`.
  static func id(number: Int64, opened: Timestamp) -> String {
    let digits = String(number)
    return "C-\(opened.description.prefix(4))-"
      + String(repeating: "0", count: max(0, 6 - digits.utf8.count)) + digits
  }
}

extension CaseResponsibility {
  /// `unassigned`, `organisation`, `contested`: a column to filter by.
  public var word: String {
    switch self {
    case .unassigned: "unassigned"
    case .organisation: "organisation"
    case .contested: "contested"
    }
  }

  /// Who claims the address where several do.
  public var claimants: [String] {
    if case .contested(let claimants) = self { claimants } else { [] }
  }
}
