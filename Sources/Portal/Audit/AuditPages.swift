import NetworkTypes

/// One line of the audit trail as a page shows it.
struct AuditLine: Sendable {
  var sequence: Int64
  var moment: Timestamp
  var actor: String
  var action: String
  var subject: String
  var details: String
}

/// The audit trail, for administrators.
struct AuditPages: Sendable {
  let lines: @Sendable (TableQuery) async throws -> Rows<AuditLine>

  static let columns: [Column<AuditLine>] = [
    Column("sequence", .integer, value: { .integer($0.sequence) }),
    Column("time", .time, value: { .time($0.moment) }),
    Column("actor", .text, value: { .text($0.actor) }),
    Column(
      "action", .text,
      markup: { line, visit in
        "\(visit.name("audit", line.action)) <small><code>\(line.action)</code></small>"
      }, value: { .text($0.action) }),
    Column("subject_of", .text, value: { .text($0.subject) }),
    Column("details", .text, sort: false, value: { .text($0.details) }),
  ]

  var table: Table<AuditLine> {
    Table(
      name: "audit", path: "/audit", section: "audit", audience: .administrators,
      columns: Self.columns, order: .init("-sequence"),
      rows: { query, _ in try await lines(query) })
  }

  var routes: [Route] { table.routes }
}
