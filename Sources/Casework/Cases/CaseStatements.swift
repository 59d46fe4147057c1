import GRDB

/// What a batch of findings asks and writes tens of thousands of times, looked up once.
struct CaseStatements {
  /// The moment of a finding that is stored. To ask for it, and for a case's number, takes a third of
  /// what an empty answer of whole rows takes, and most are empty.
  let lastSeen: Statement
  let finding: Statement
  let caseOfAddress: Statement
  let casesOfAddress: Statement
  let writeFinding: Statement
  let writeCase: Statement
  let writeEvent: Statement

  init(_ db: Database) throws {
    lastSeen = try db.cachedStatement(sql: "SELECT last_seen FROM findings WHERE id = ?")
    caseOfAddress = try db.cachedStatement(
      sql: "SELECT number FROM cases WHERE address = ? AND kind = ? LIMIT 1")
    finding = try db.cachedStatement(
      sql: "SELECT document, case_id FROM findings WHERE id = ?")
    casesOfAddress = try db.cachedStatement(
      sql: """
        SELECT \(CaseTables.caseColumns) FROM cases WHERE address = ? AND kind = ?
        ORDER BY number DESC LIMIT 16
        """)
    writeFinding = try db.cachedStatement(
      sql: """
        INSERT INTO findings (id, kind, address, address_text, subject, sensor, first_seen,
          last_seen, confidence, marking, detail, case_id, recorded, document)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
        ON CONFLICT (id) DO UPDATE SET last_seen = excluded.last_seen,
          confidence = excluded.confidence, marking = excluded.marking, detail = excluded.detail,
          case_id = excluded.case_id, recorded = excluded.recorded, document = excluded.document
        """)
    writeCase = try db.cachedStatement(sql: CaseTables.writeCaseSQL)
    writeEvent = try db.cachedStatement(sql: CaseTables.writeEventSQL)
  }
}
