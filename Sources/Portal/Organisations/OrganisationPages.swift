import NetworkTypes

/// What a page shows of an organisation of the constituency.
struct OrganisationRecord: Sendable {
  var id: String
  var name: String
  /// The name in Japanese, where it has one.
  var nameJa: String? = nil
  var roles: [String]
  var prefixes: [IPPrefix]
  var systems: [ASN]
  var contacts: [String]
  /// How it wants its notices: formats, channels, intervals, in the words of the constituency.
  var preferences: [String]

  func name(in language: Language) -> String { language == .ja ? nameJa ?? name : name }
}

/// Organisations, to read; they are edited with the command line. An ISP's user sees its own.
struct OrganisationPages: Sendable {
  let organisations: @Sendable () async throws -> [OrganisationRecord]
  let cases: Table<CaseSummary>

  static let columns: [Column<OrganisationRecord>] = [
    Column(
      "id", .text, link: { "/organisations/\(QueryText.encode($0.id))" }, value: { .text($0.id) }),
    Column(
      "name", .text, markup: { record, visit in "\(record.name(in: visit.language))" },
      value: { .text($0.name) }),
    Column("name_ja", .text, hidden: true, value: { .optional($0.nameJa) }),
    Column("roles", .list, sort: false, value: { .list($0.roles) }),
    Column(
      "prefixes", .list, sort: false, filter: false,
      value: { .list($0.prefixes.map(\.description)) }),
    Column(
      "asns", .list, sort: false, value: { .list($0.systems.map(\.description)) }),
    Column("contacts", .list, sort: false, value: { .list($0.contacts) }),
    Column(
      "preferences", .list, sort: false, filter: false, hidden: true,
      value: { .list($0.preferences) }),
  ]

  var table: Table<OrganisationRecord> {
    Table(
      name: "organisations", path: "/organisations", section: "organisations",
      audience: .signedIn, columns: Self.columns, order: .init("id"),
      rows: { query, visit in query.answer(try await seen(visit), columns: Self.columns) })
  }

  private func seen(_ visit: Visit) async throws -> [OrganisationRecord] {
    let all = try await organisations()
    guard let own = visit.scope.organisation else { return all }
    return all.filter { $0.id == own }
  }

  var routes: [Route] {
    table.routes + [
      .page("/organisations/{id}", .signedIn) { visit in
        guard
          let record = try await seen(visit).first(where: { $0.id == visit.parameter("id") })
        else { throw Problem.notFound }
        return try await view(record, visit)
      }
    ]
  }

  private func view(_ record: OrganisationRecord, _ visit: Visit) async throws -> View {
    var facts = Facts()
    for column in Self.columns {
      facts.add(visit.t("column.\(column.name)"), column.html(record, visit))
    }
    let cases = try await cases.brief(
      visit, limit: 10,
      filters: [.init(column: "organisation", condition: .equals(record.id))],
      more: "/cases?organisation=\(QueryText.encode(record.id))")
    return View(
      title: record.name(in: visit.language), section: "organisations",
      body: """
        <p class="trail"><a href="/organisations">\(visit.t("table.organisations"))</a></p>
        <h1>\(record.name(in: visit.language))</h1>
        <section class="panel"><h2>\(visit.t("organisation.facts"))</h2>\(facts.html)</section>
        \(cases)
        """)
  }
}
