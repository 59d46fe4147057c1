public import Constituency
import Findings
import Foundation
import GRDB
public import NetworkTypes
public import Store

/// The notices that were made, and their way to the recipients (送信箱).
///
/// ```swift
/// let outbox = try Outbox(register: register, notices: parameters)
/// let report = try outbox.makeNotices(for: constituency, at: now)
/// let service = DeliveryService(outbox, channels: [.directory: .directory("notices")], now: clock)
/// try await service.deliverDue()
/// ```
///
/// What a notice says is fixed when it is made: retries send the same octets under the same
/// Message-ID. Every step is one transaction together with its lines of the audit trail.
public final class Outbox: Sendable {
  public static let migrations = OutboxTables.migrations

  public let register: CaseRegister
  public let notices: NoticeParameters
  public let delivery: DeliveryParameters
  let renderer: NoticeRenderer
  var store: DataStore { register.store }
  var trail: AuditTrail { register.trail }

  static let actor = AuditEntry.Actor.system("delivery")

  /// Brings the tables up to date.
  public init(
    register: CaseRegister, notices: NoticeParameters,
    delivery: DeliveryParameters = DeliveryParameters()
  ) throws {
    self.register = register
    self.notices = notices
    self.delivery = delivery
    renderer = NoticeRenderer(catalogue: try NoticeCatalogue.embedded(), parameters: notices)
    try register.store.migrate(Self.migrations)
  }

  /// What a making of notices did.
  public struct Report: Sendable {
    public var made: [Notice] = []
    /// Identifiers of cases by what holds them back.
    public var held: [Directive.Hold: [String]] = [:]
    /// Notices that could not be made, in words.
    public var problems: [String] = []

    public init() {}
  }

  /// Makes the notices that are due and queues their deliveries, all in one transaction. The same
  /// state again makes nothing.
  ///
  /// - Parameters:
  ///   - organisation: only those of this organisation.
  ///   - isForced: what is collected is due now; other holds stay.
  public func makeNotices(
    for constituency: Constituency, at now: Timestamp, organisation: String? = nil,
    isForced: Bool = false
  ) throws -> Report {
    let organisations = Dictionary(
      constituency.organisations.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
    let planner = NoticePlanner(parameters: notices, organisations: organisations)
    return try store.writer.write { db in
      let candidates = try Self.candidates(of: organisation, in: db)
      let plan = planner.plan(
        candidates, last: try Self.lastNotices(in: db), now: now, isForced: isForced)
      var report = Report()
      report.held = plan.held
      for draft in plan.drafts {
        // A planned lane is of a known organisation.
        guard let owner = organisations[draft.lane.organisation] else { continue }
        do {
          if let notice = try make(draft, for: owner, at: now, in: db) {
            report.made.append(notice)
          }
        } catch let error as NoticeError {
          report.problems.append(error.description)
        } catch let error as MailMessageError {
          report.problems.append("\(owner.id): \(error.description)")
        }
      }
      try markUnreachable(plan.held[.noContact] ?? [], candidates, at: now, in: db)
      return report
    }
  }

  // MARK: - Making

  private static func candidates(of organisation: String?, in db: Database) throws
    -> [NoticePlanner.Candidate]
  {
    let rows = try Row.fetchCursor(
      db,
      sql: """
        SELECT \(CaseTables.caseColumns), told_created, told_last_seen, told_reopened, told_substance
        FROM cases LEFT JOIN (
          -- SQLite takes the other columns from the row of the maximum.
          SELECT case_id AS told_case, max(created) AS told_created, last_seen AS told_last_seen,
            reopened AS told_reopened, substance AS told_substance
          FROM notice_cases GROUP BY case_id
        ) ON told_case = cases.id
        WHERE state NOT IN ('closed', 'fixed') AND (? IS NULL OR organisation = ?)
        ORDER BY number
        """,
      arguments: [organisation, organisation])
    var candidates: [NoticePlanner.Candidate] = []
    while let row = try rows.next() {
      let told = (row["told_created"] as Int64?).map { created in
        NoticePlanner.Told(
          moment: Timestamp(nanoseconds: created),
          lastSeen: Timestamp(nanoseconds: row["told_last_seen"]), reopened: row["told_reopened"],
          substance: row["told_substance"])
      }
      candidates.append(.init(item: try CaseTables.caseRow(row).value, told: told))
    }
    return candidates
  }

  private static func lastNotices(in db: Database) throws -> [NoticePlanner.Lane: Timestamp] {
    var last: [NoticePlanner.Lane: Timestamp] = [:]
    for row in try Row.fetchAll(
      db,
      sql:
        "SELECT organisation, aggregate, max(created) FROM notices GROUP BY organisation, aggregate"
    ) {
      last[.init(organisation: row[0], aggregate: row[1])] = Timestamp(nanoseconds: row[2])
    }
    return last
  }

  private func findings(of candidate: NoticePlanner.Candidate, in db: Database) throws -> [Finding]
  {
    func fetch(after moment: Int64) throws -> [Finding] {
      try String.fetchAll(
        db,
        sql: """
          SELECT document FROM findings WHERE case_id = ? AND last_seen > ?
          ORDER BY last_seen DESC, id LIMIT ?
          """,
        arguments: [candidate.item.id, moment, max(1, notices.findingsPerCase)]
      ).map(CaseTables.finding)
    }
    let new = try fetch(after: candidate.told?.lastSeen.nanoseconds ?? .min)
    return new.isEmpty ? try fetch(after: .min) : new
  }

  private func make(
    _ draft: NoticePlanner.Draft, for organisation: Organisation, at now: Timestamp, in db: Database
  ) throws -> Notice? {
    let day = LocalTime(notices.timeZone).day(now)
    let id = Notice.identifier(
      organisation: organisation.id, aggregate: draft.lane.aggregate, day: day,
      cases: draft.cases.map { ($0.item.id, $0.item.lastSeen) })
    let exists = try Bool.fetchOne(
      db, sql: "SELECT EXISTS (SELECT 1 FROM notices WHERE id = ?)", arguments: [id])
    if exists == true { return nil }
    let sequence =
      (try Int.fetchOne(
        db, sql: "SELECT max(sequence) FROM notices WHERE day = ?", arguments: [day])
        ?? 0) + 1
    let cases = try draft.cases.map {
      NoticeCase(item: $0.item, findings: try findings(of: $0, in: db))
    }
    let seen = cases.flatMap(\.findings)
    let notice = Notice(
      id: id, number: Notice.number(day: day, sequence: sequence), organisation: organisation.id,
      aggregate: draft.lane.aggregate, created: now,
      firstSeen: seen.map(\.firstSeen).min() ?? now, lastSeen: seen.map(\.lastSeen).max() ?? now,
      marking: cases.map(\.item.marking).max() ?? .red, cases: cases.map(\.item.id))
    let formats = draft.directives[0].formats
    let parts = try renderer.render(
      notice, cases, for: organisation, formats: formats, template: draft.directives[0].template,
      languages: Set(draft.directives.map(\.language)))
    let mails = try draft.directives.map { try mail(notice, parts, to: $0, of: organisation) }

    try db.execute(
      sql: """
        INSERT INTO notices (id, number, day, sequence, organisation, aggregate, created, first_seen,
          last_seen, marking, formats) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
        """,
      arguments: [
        id, notice.number, day, sequence, organisation.id, notice.aggregate, now.nanoseconds,
        notice.firstSeen.nanoseconds, notice.lastSeen.nanoseconds, CaseTables.rank(notice.marking),
        formats.map(\.rawValue).sorted().joined(separator: " "),
      ])
    for (place, told) in cases.enumerated() {
      try db.execute(
        sql: "INSERT INTO notice_cases VALUES (?, ?, ?, ?, ?, ?, ?)",
        arguments: [
          id, place, told.item.id, now.nanoseconds, told.item.lastSeen.nanoseconds,
          told.item.reopened, NoticePlanner.substance(of: told.item),
        ])
    }
    for (place, part) in parts.enumerated() {
      try OutboxTables.insert(part, place: place, of: id, in: db)
    }
    var entries = [
      entry(
        "notice.made", notice.number, at: now,
        [
          "id": id, "organisation": organisation.id, "cases": String(cases.count),
          "formats": formats.map(\.rawValue).sorted().joined(separator: " "),
        ])
    ]
    for (place, directive) in draft.directives.enumerated() {
      let deliveryID = "\(notice.number)-\(place + 1)"
      let mail = mails[place]
      try db.execute(
        sql: """
          INSERT INTO deliveries (id, notice_id, channel, target, language, state, attempts, queued,
            next_attempt, message_id, sender, message)
          VALUES (?, ?, ?, ?, ?, ?, 0, ?, ?, ?, ?, ?)
          """,
        arguments: [
          deliveryID, id, directive.channel.rawValue, directive.recipient,
          directive.language.rawValue,
          (notices.seal == nil ? Delivery.State.pending : .unsealed).rawValue, now.nanoseconds,
          now.nanoseconds, mail.messageID,
          notices.sender.from.address, Data(mail.octets),
        ])
      entries.append(
        entry(
          "delivery.queued", deliveryID, at: now,
          [
            "channel": directive.channel.rawValue, "target": directive.recipient,
            "message_id": mail.messageID,
          ]))
    }
    try trail.append(entries, in: db)
    return notice
  }

  private func mail(
    _ notice: Notice, _ parts: [NoticePart], to directive: Directive, of organisation: Organisation
  ) throws -> MailMessage {
    guard let text = parts.first(where: { $0.format == .mail && $0.language == directive.language })
    else {
      throw NoticeError.incomplete(notice: notice.number, reason: "it has no text for a recipient")
    }
    let desks = organisation.contacts.filter { $0.role == .abuse && !$0.doNotNotify }
    let recipients = desks.filter {
      directive.channel == .directory || $0.email == directive.recipient
    }
    let domain = notices.sender.from.domain
    let isPlain = domain.utf8.allSatisfy { $0 < 0x80 && $0 != 0x5b && $0 != 0x5d }
    // One mail has one Message-ID: the notice's, and the recipient's share of it.
    let place = Notice.identifier(
      organisation: directive.recipient, aggregate: directive.channel.rawValue, day: "", cases: []
    ).prefix(8)
    return try MailMessage(
      from: Mailbox(
        name: directive.language == .japanese ? notices.sender.nameJa : notices.sender.name,
        address: notices.sender.from.address),
      to: try recipients.map { try Mailbox(name: $0.name, address: $0.email) },
      replyTo: notices.sender.replyTo, subject: text.subject ?? notice.number, date: notice.created,
      zoneOffset: LocalTime(notices.timeZone).offset(at: notice.created),
      messageID: "\(notice.id).\(place)@\(isPlain ? domain : "noroshi.invalid")",
      noticeNumber: notice.number, language: directive.language, text: text.text,
      attachments: parts.filter {
        $0.isFile(in: directive.language, sealed: notices.seal != nil)
      }.map(\.attachment))
  }

  private func markUnreachable(
    _ ids: [String], _ candidates: [NoticePlanner.Candidate], at now: Timestamp, in db: Database
  ) throws {
    let wanted = Set(ids)
    let fresh = candidates.filter {
      wanted.contains($0.item.id) && $0.item.state != .unreachable
        && CaseRules.state(after: .unreachable, from: $0.item.state) != nil
    }.map(\.item.id)
    try register.change(
      fresh, .unreachable, by: Self.actor, text: "the organisation has no abuse contact", at: now,
      in: db)
  }

  func entry(
    _ action: String, _ subject: String, at moment: Timestamp,
    actor: AuditEntry.Actor = Outbox.actor, _ details: [String: String] = [:]
  ) -> AuditEntry {
    AuditEntry(
      nanoseconds: moment.nanoseconds, actor: actor, action: action, subject: subject,
      details: details)
  }
}
