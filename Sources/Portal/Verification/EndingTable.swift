public import NetworkTypes

/// Something of trust that ends: a certificate, or what was sealed or stamped by one.
public struct TrustEnding: Hashable, Sendable {
  public enum Kind: String, Hashable, Sendable, CaseIterable {
    case certificate, seal, token
  }

  public let kind: Kind
  /// The subject of the certificate.
  public let name: String
  /// What it is for: `tsa`, `seal`, `ca`, `anchor`, `notices`, `audit`.
  public let use: String
  /// How many seals or tokens.
  public let count: Int
  /// The last moment at which it can be verified without more: the end of its certificate.
  public let ends: Timestamp

  public init(kind: Kind, name: String, use: String, count: Int = 1, ends: Timestamp) {
    self.kind = kind
    self.name = name
    self.use = use
    self.count = count
    self.ends = ends
  }
}

/// `/verify/endings`: certificates, seals and tokens by when they end, the nearest first.
struct EndingTable: Sendable {
  let endings: @Sendable () throws -> [TrustEnding]

  /// An ending as it is seen at the moment of the visit.
  struct Row: Sendable {
    let ending: TrustEnding
    /// `ended`, `near` or `good`.
    let state: String

    /// From when on something is near its end: time to get a new certificate, or to add an archive
    /// time stamp. Our own choice: a quarter.
    private static let nearDays = 90.0

    init(_ ending: TrustEnding, now: Timestamp) {
      self.ending = ending
      let days = ending.ends.seconds(since: now) / 86_400
      state = days < 0 ? "ended" : days < Self.nearDays ? "near" : "good"
    }
  }

  private static let columns: [Column<Row>] = [
    Column(
      "state", .choice(prefix: "ending", words: ["ended", "near", "good"]),
      markup: { row, visit in
        "<span class=\"badge ending-\(row.state)\">\(visit.name("ending", row.state))</span>"
      }, value: { .choice($0.state) }),
    Column("ends", .time, value: { .time($0.ending.ends) }),
    Column(
      "kind", .choice(prefix: "ending-kind", words: TrustEnding.Kind.allCases.map(\.rawValue)),
      value: { .choice($0.ending.kind.rawValue) }),
    Column(
      "use",
      .choice(
        prefix: "ending-use", words: ["tsa", "seal", "ca", "anchor", "notices", "audit", "issued"]),
      value: { .choice($0.ending.use) }),
    Column("name", .text, value: { .text($0.ending.name) }),
    Column("count", .integer, value: { .integer(Int64($0.ending.count)) }),
  ]

  var table: Table<Row> {
    Table(
      name: "endings", path: "/verify/endings", section: "verify", audience: .staff,
      columns: Self.columns, order: .init("ends"),
      rows: { query, visit in
        let now = visit.platform.now()
        return query.answer(try endings().map { Row($0, now: now) }, columns: Self.columns)
      })
  }
}
