import FlowAnalysis
import Foundation
import HTTPTypes
import Hummingbird
import NetworkTypes

/// What is told of an attack to others, and filters against it, as files.
struct AttackDownloads: Sendable {
  let reading: DetectionReading
  let find: @Sendable (Visit) async throws -> Attack

  /// In whose words: the DDoS Clearing House's, RFC 9244, RFC 9066.
  enum Exchange: String, CaseIterable, Sendable {
    case clearingHouse = "clearing-house"
    case telemetry
    case callHome = "call-home"
  }

  var routes: [Route] {
    [
      download("/attacks/{id}/exchange/{exchange}") { visit in
        let attack = try await find(visit)
        guard let format = Exchange(rawValue: visit.parameter("exchange")) else {
          throw Problem.notFound
        }
        guard let text = text(of: attack, format, visit) else { throw Problem.notFound }
        return Answer.file(
          text, name: "noroshi-\(Self.plain(attack.id))-\(format.rawValue).json",
          type: "application/json")
      },
      download("/attacks/{id}/mitigation/{mitigation}") { visit in
        let attack = try await find(visit)
        guard let format = MitigationFormat(rawValue: visit.parameter("mitigation")) else {
          throw Problem.notFound
        }
        return Answer.file(
          attack.mitigation(format),
          name: "noroshi-\(Self.plain(attack.id))-\(format.rawValue).txt",
          type: "text/plain; charset=utf-8")
      },
      download("/attacks/{id}/sources/{format}") { visit in
        let attack = try await find(visit)
        guard visit.parameter("format") == "csv" else { throw Problem.notFound }
        let columns = AttackPages.sourceColumns
        var text = columns.map(\.name).joined(separator: ",") + "\r\n"
        for source in attack.sources {
          text += columns.map { $0.value(source).csv }.joined(separator: ",") + "\r\n"
        }
        return Answer.file(
          text, name: "noroshi-\(Self.plain(attack.id))-sources.csv",
          type: "text/csv; charset=utf-8")
      },
    ]
  }

  private func download(
    _ path: String, _ handle: @escaping @Sendable (Visit) async throws -> Response
  ) -> Route {
    Route(method: .get, path: path, audience: .staff, face: .download, handle: handle)
  }

  /// Nil where there is nothing to tell: a call home without a source that is probably true.
  private func text(of attack: Attack, _ format: Exchange, _ visit: Visit) -> String? {
    switch format {
    case .clearingHouse:
      // Offsets of whole hours are always a time zone.
      let zone = TimeZone(secondsFromGMT: Int(visit.zone.offsetSeconds)) ?? .gmt
      return AttackFingerprint(attack, .init(timeZone: zone)).json
    case .telemetry: return AttackTelemetry(attack).telemetryJSON
    case .callHome:
      let owner = reading.owners()
      let organisation = visit.query("organisation")
      let sources = attack.sources.filter { source in
        organisation == nil || owner(source.address).organisation == organisation
      }
      return AttackTelemetry(attack).callHomeJSON(sources: sources)
    }
  }

  /// What a file name may hold inside a header.
  private static func plain(_ text: String) -> String {
    String(text.map { $0.isASCII && ($0.isLetter || $0.isNumber || "-.".contains($0)) ? $0 : "_" })
  }

  // MARK: Markup

  static func panel(_ attack: Attack, _ visit: Visit) -> HTML {
    let isTold = attack.sources.contains { $0.nature != .forged }
    let items = Exchange.allCases.filter { $0 != .callHome || isTold }.map { format -> HTML in
      """
      <li><a href="\(ServerPath.attack(attack.id))/exchange/\(format.rawValue)" download>\
      \(visit.t("exchange.\(format.rawValue)"))</a> \
      <small>\(visit.t("exchange-long.\(format.rawValue)"))</small></li>
      """
    }
    return """
      <section class="panel"><h2>\(visit.t("attack.tell"))</h2><ul class="plain">\(items)</ul></section>
      """
  }

  /// The way to what the organisation of a group is told; nothing where none of its sources is true.
  static func callHome(_ attack: Attack, _ group: SourceGroup, _ visit: Visit) -> HTML {
    guard let organisation = group.owner.organisation,
      group.sources.contains(where: { $0.nature != .forged })
    else { return .empty }
    return """
      <a href="\(ServerPath.attack(attack.id))/exchange/call-home?organisation=\
      \(QueryText.encode(organisation))" download>\(visit.t("attack.call-home"))</a>
      """
  }
}

/// Filters against an attack, to read and to copy.
enum MitigationMarkup {
  /// Lines that a page shows; a file has all of them.
  private static let shownLines = 200

  static func panel(_ attack: Attack, _ visit: Visit) -> HTML {
    let parts = MitigationFormat.allCases.map { part(attack, $0, visit) }
    return """
      <section class="panel"><h2>\(visit.t("attack.mitigate"))</h2>
      <p class="meta">\(visit.t("attack.mitigate-note"))</p>\(parts)</section>
      """
  }

  private static func part(
    _ attack: Attack, _ format: MitigationFormat, _ visit: Visit
  ) -> HTML {
    let text = attack.mitigation(format)
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    let isWhole = lines.count <= shownLines
    let shown = isWhole ? text : lines.prefix(shownLines).joined(separator: "\n") + "\n…"
    let name = visit.t("mitigation.\(format.rawValue)")
    let file = "\(ServerPath.attack(attack.id))/mitigation/\(format.rawValue)"
    // A part would not do what the whole does, so only the whole is copied.
    let copy: HTML =
      isWhole
      ? """
      <button type="button" class="plain" data-copy="mitigation-\(format.rawValue)" \
      data-done="\(visit.t("attack.copied"))" hidden>\(visit.t("attack.copy"))</button>
      """ : "<small>\(visit.t("attack.cut", ["count": visit.number(lines.count)]))</small>"
    return """
      <details class="mitigation"><summary>\(name)</summary>
      <p class="buttons">\(copy)<a href="\(file)" download>\(visit.t("notice.download"))</a></p>
      <pre id="mitigation-\(format.rawValue)" tabindex="0" role="region" aria-label="\(name)">\
      \(shown)</pre></details>
      """
  }
}
