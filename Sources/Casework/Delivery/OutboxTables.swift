import Constituency
import Foundation
import GRDB
import NetworkTypes
import Store

/// The tables of notices and deliveries, and how a row becomes a value. Times are nanoseconds since
/// 1970; markings stand as their rank, as in the tables of cases.
enum OutboxTables {
  static let migrations = [
    StoreMigration(id: "notices-001") { db in
      try db.execute(
        sql: """
          CREATE TABLE notices (
            id TEXT PRIMARY KEY,
            number TEXT NOT NULL UNIQUE,
            day TEXT NOT NULL,
            sequence INTEGER NOT NULL,
            organisation TEXT NOT NULL,
            aggregate TEXT NOT NULL,
            created INTEGER NOT NULL,
            first_seen INTEGER NOT NULL,
            last_seen INTEGER NOT NULL,
            marking INTEGER NOT NULL,
            formats TEXT NOT NULL,
            UNIQUE (day, sequence)
          ) STRICT;
          CREATE INDEX notices_of_organisation ON notices(organisation, created);
          CREATE TABLE notice_cases (
            notice_id TEXT NOT NULL REFERENCES notices(id),
            place INTEGER NOT NULL,
            case_id TEXT NOT NULL REFERENCES cases(id),
            created INTEGER NOT NULL,
            last_seen INTEGER NOT NULL,
            reopened INTEGER NOT NULL,
            substance TEXT NOT NULL,
            PRIMARY KEY (notice_id, case_id)
          ) STRICT;
          CREATE INDEX notice_cases_of_case ON notice_cases(case_id, created);
          CREATE TABLE notice_parts (
            notice_id TEXT NOT NULL REFERENCES notices(id),
            place INTEGER NOT NULL,
            format TEXT NOT NULL,
            language TEXT,
            name TEXT NOT NULL,
            type TEXT NOT NULL,
            subject TEXT,
            content BLOB NOT NULL,
            PRIMARY KEY (notice_id, place)
          ) STRICT;
          CREATE TABLE deliveries (
            id TEXT PRIMARY KEY,
            notice_id TEXT NOT NULL REFERENCES notices(id),
            channel TEXT NOT NULL,
            target TEXT NOT NULL,
            language TEXT NOT NULL,
            state TEXT NOT NULL,
            attempts INTEGER NOT NULL,
            queued INTEGER NOT NULL,
            last_attempt INTEGER,
            next_attempt INTEGER,
            delivered INTEGER,
            failure TEXT,
            message_id TEXT NOT NULL UNIQUE,
            sender TEXT NOT NULL,
            message BLOB NOT NULL
          ) STRICT;
          CREATE INDEX deliveries_of_notice ON deliveries(notice_id);
          CREATE INDEX deliveries_due ON deliveries(state, next_attempt);
          CREATE TABLE delivery_attempts (
            id INTEGER PRIMARY KEY,
            delivery_id TEXT NOT NULL REFERENCES deliveries(id),
            number INTEGER NOT NULL,
            began INTEGER NOT NULL,
            ended INTEGER,
            transmitted INTEGER NOT NULL,
            outcome TEXT NOT NULL,
            words TEXT,
            UNIQUE (delivery_id, number)
          ) STRICT;
          """)
    }
  ]

  static let deliveryColumns = """
    d.id, d.notice_id, n.organisation, d.channel, d.target, d.language, d.state, d.attempts, \
    d.last_attempt, d.next_attempt, d.delivered, d.failure, d.message_id
    """

  static func delivery(_ row: Row) throws -> Delivery {
    let id: String = row["id"]
    guard let channel = DeliveryPreferences.Channel(rawValue: row["channel"]),
      let language = Language(rawValue: row["language"]),
      let state = Delivery.State(rawValue: row["state"])
    else { throw StoreError.damaged(["delivery \(id) has an unknown channel, language or state"]) }
    return Delivery(
      id: id, notice: row["notice_id"], organisation: row["organisation"], channel: channel,
      target: row["target"], language: language, state: state, attempts: row["attempts"],
      lastAttempt: moment(row["last_attempt"]), nextAttempt: moment(row["next_attempt"]),
      delivered: moment(row["delivered"]), failure: row["failure"], messageID: row["message_id"])
  }

  static func attempt(_ row: Row) throws -> DeliveryAttempt {
    let word: String = row["outcome"]
    guard let outcome = DeliveryAttempt.Outcome(rawValue: word) else {
      throw StoreError.damaged(["an attempt has the outcome \(word)"])
    }
    return DeliveryAttempt(
      id: row["id"], delivery: row["delivery_id"], number: row["number"],
      began: Timestamp(nanoseconds: row["began"]), ended: moment(row["ended"]),
      transmitted: row["transmitted"], outcome: outcome, words: row["words"])
  }

  static func part(_ row: Row) throws -> NoticePart {
    guard let format = DeliveryPreferences.Format(rawValue: row["format"]) else {
      throw StoreError.damaged(["a part of a notice has an unknown format"])
    }
    let content: Data = row["content"]
    return NoticePart(
      format: format, language: (row["language"] as String?).flatMap(Language.init(rawValue:)),
      name: row["name"], type: row["type"], subject: row["subject"], content: Array(content))
  }

  static func insert(_ part: NoticePart, place: Int, of notice: String, in db: Database) throws {
    try db.execute(
      sql: "INSERT INTO notice_parts VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
      arguments: [
        notice, place, part.format.rawValue, part.language?.rawValue, part.name, part.type,
        part.subject, Data(part.content),
      ])
  }

  static func parts(of notice: String, in db: Database) throws -> [NoticePart] {
    try Row.fetchAll(
      db, sql: "SELECT * FROM notice_parts WHERE notice_id = ? ORDER BY place", arguments: [notice]
    ).map(part)
  }

  static func notice(_ row: Row, in db: Database) throws -> Notice {
    let id: String = row["id"]
    let cases = try String.fetchAll(
      db, sql: "SELECT case_id FROM notice_cases WHERE notice_id = ? ORDER BY place",
      arguments: [id])
    return Notice(
      id: id, number: row["number"], organisation: row["organisation"], aggregate: row["aggregate"],
      created: Timestamp(nanoseconds: row["created"]),
      firstSeen: Timestamp(nanoseconds: row["first_seen"]),
      lastSeen: Timestamp(nanoseconds: row["last_seen"]),
      marking: CaseTables.marking(row["marking"]), cases: cases)
  }

  static func moment(_ nanoseconds: Int64?) -> Timestamp? {
    nanoseconds.map(Timestamp.init(nanoseconds:))
  }
}
