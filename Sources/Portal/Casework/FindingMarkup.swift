import Findings
import FlowAnalysis
import NetworkTypes

/// Findings as cases and hosts show them: what, since when, how sure, and why we believe it.
enum FindingMarkup {
  static let columns: [Column<Finding>] = [
    Column("id", .text, value: { .text($0.id) }),
    Column(
      "kind", .choice(prefix: "kind", words: Finding.Kind.allCases.map(\.rawValue)),
      value: { .choice($0.kind.rawValue) }),
    Column("subject", .text, value: { .text($0.subject.description) }),
    Column("sensor", .text, value: { .text($0.sensor) }),
    Column("confidence", .integer, value: { .integer(Int64($0.confidence.percent)) }),
    Column(
      "marking", .choice(prefix: "tlp", words: TrafficLight.allCases.map(\.rawValue)),
      value: { .choice($0.marking.rawValue) }),
    Column("first_seen", .time, value: { .time($0.firstSeen) }),
    Column("last_seen", .time, value: { .time($0.lastSeen) }),
    Column("evidence", .list, value: { .list($0.evidence.map(\.summary)) }),
  ]

  static func list(_ findings: [Finding], _ visit: Visit) -> HTML {
    guard !findings.isEmpty else { return "<p class=\"empty\">\(visit.t("table.empty"))</p>" }
    return findings.map { card($0, visit) }.joined()
  }

  private static func card(_ finding: Finding, _ visit: Visit) -> HTML {
    let evidence = finding.evidence.map { item -> HTML in
      let values = item.values.sorted { $0.key < $1.key }.map { value -> HTML in
        "<span class=\"tag\">\(value.key) \(value.value)</span>"
      }
      let text = visit.platform.catalogue.known("reason.\(item.name)", visit.language)
      return "<li>\(text ?? item.summary) \(values.joined(" "))</li>"
    }
    let attributes = finding.attributes.sorted { $0.key < $1.key }.map { value -> HTML in
      let tag: HTML = "<span class=\"tag\">\(value.key) \(value.value)</span>"
      guard let link = link(value.key, value.value, visit) else { return tag }
      return "<a href=\"\(link)\">\(tag)</a>"
    }
    let subject: HTML = "<code>\(finding.subject.description)</code>"
    let server = Service(text: finding.subject.description).map { ServerPath.page($0) }
    let named: HTML =
      finding.kind == .commandAndControl && isStaff(visit)
      ? server.map { "<a href=\"\($0)\">\(subject)</a>" } ?? subject : subject
    return """
      <article class="finding"><h3>\(visit.t("kind.\(finding.kind.rawValue)")) \
      \(named)</h3>
      <p class="meta">\(visit.timeElement(finding.firstSeen)) – \(visit.timeElement(finding.lastSeen)) · \
      \(visit.t("host.confidence", ["percent": String(finding.confidence.percent)])) · \
      \(finding.marking.rawValue) · \(finding.sensor)</p>
      <ul class="reasons">\(evidence)</ul>
      <p>\(attributes.joined(" "))</p></article>
      """
  }

  /// Where an attribute leads: to the server that a client reports to, or the attack that a source takes
  /// part in. These pages are not for ISPs' users.
  private static func link(_ name: String, _ value: String, _ visit: Visit) -> String? {
    guard isStaff(visit) else { return nil }
    switch name {
    case "server": return Service(text: value).map { ServerPath.page($0) }
    case "attack.id": return ServerPath.attack(value)
    default: return nil
    }
  }

  private static func isStaff(_ visit: Visit) -> Bool {
    Route.Audience.staff.admits(visit.viewer?.account.role)
  }
}
