import Constituency
import Findings

/// Makes the parts of a notice: once, when it is made; what is sent later, and again, are these octets.
struct NoticeRenderer {
  let catalogue: NoticeCatalogue
  let parameters: NoticeParameters

  /// - Parameter languages: those of the recipients.
  /// - Throws: ``NoticeError/foreignCase(notice:case:owner:)`` where a case is not the organisation's.
  func render(
    _ notice: Notice, _ cases: [NoticeCase], for organisation: Organisation,
    formats: Set<DeliveryPreferences.Format>, template: String, languages: Set<Language>
  ) throws -> [NoticePart] {
    try Self.check(notice, cases, organisation)
    var files: [NoticePart] = []
    if formats.contains(.csv) {
      files.append(
        NoticePart(
          format: .csv, language: nil, name: "\(notice.number).csv",
          type: "text/csv; charset=utf-8; header=present", subject: nil,
          content: NoticeTable.render(notice, cases, feed: parameters.sender.name)))
    }
    if formats.contains(.xarf) {
      files.append(
        NoticePart(
          format: .xarf, language: nil, name: "\(notice.number).xarf.json",
          type: "application/json",
          subject: nil,
          content: try XARFReport.render(notice, cases, sender: parameters.sender)))
    }
    let attachments = files.map { (format: $0.format, name: $0.name) }
    // A mail has a text in any case; `mail` alone among the formats means: no files.
    let texts = try languages.sorted { $0.rawValue < $1.rawValue }.map { language in
      let text = try NoticeText(
        catalogue: catalogue, parameters: parameters, language: language, template: template
      ).render(notice, cases, for: organisation, attachments: attachments)
      return NoticePart(
        format: .mail, language: language, name: Self.textName(notice, language),
        type: "text/plain; charset=utf-8", subject: text.subject, content: Array(text.body.utf8))
    }
    return texts + files
  }

  static func textName(_ notice: Notice, _ language: Language) -> String {
    "\(notice.number).\(language.rawValue).txt"
  }

  /// The last wall between two organisations: whatever chose the cases, a notice with a case of
  /// somebody else is not made.
  static func check(_ notice: Notice, _ cases: [NoticeCase], _ organisation: Organisation) throws {
    guard notice.organisation == organisation.id else {
      throw NoticeError.foreignCase(
        notice: notice.number, case: notice.cases.first ?? "", owner: organisation.id)
    }
    guard !cases.isEmpty, notice.cases == cases.map(\.item.id) else {
      throw NoticeError.incomplete(
        notice: notice.number, reason: "it does not hold exactly the cases that it names")
    }
    for told in cases {
      guard told.item.responsibility == .organisation(organisation.id) else {
        throw NoticeError.foreignCase(
          notice: notice.number, case: told.item.id, owner: told.item.responsibility.text)
      }
      guard told.item.marking <= organisation.maximumMarking else {
        throw NoticeError.incomplete(
          notice: notice.number,
          reason: "case \(told.item.id) is marked \(told.item.marking.rawValue)")
      }
      guard !told.findings.isEmpty,
        told.findings.allSatisfy({
          $0.subject.address == told.item.address && $0.kind == told.item.kind
            && $0.marking <= told.item.marking
        })
      else {
        throw NoticeError.incomplete(
          notice: notice.number, reason: "the findings of case \(told.item.id) are not its own")
      }
    }
  }
}
