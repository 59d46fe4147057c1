import HTTPTypes
import Hummingbird
import NIOCore
import NetworkTypes
import TrustServices

/// The public page of the trusted list that this house publishes, and the sealed list itself: read by
/// everybody, without signing in.
struct AccreditationPages: Sendable {
  /// The list in force; nil where none was published.
  let published: @Sendable () throws -> SealedTrustedList?

  var routes: [Route] {
    [
      .page("/trust", .everyone) { visit in
        View(
          title: visit.t("accreditation.title"), section: "accreditation",
          body: try published().map { page($0.list, visit) } ?? nothing(visit))
      },
      // As an asset: to programs too, whoever they are.
      Route(method: .get, path: "/trust/list.json", audience: .everyone, face: .asset) { _ in
        guard let sealed = try published() else { throw Problem.notFound }
        return Response(
          status: .ok,
          headers: [
            .contentType: "application/jose+json", .cacheControl: "no-cache",
            .contentDisposition: "inline; filename=\"list-\(sealed.list.sequence).json\"",
          ], body: ResponseBody(byteBuffer: ByteBuffer(bytes: sealed.encoded)))
      },
    ]
  }

  private func nothing(_ visit: Visit) -> HTML {
    """
    <h1>\(visit.t("accreditation.title"))</h1>
    <p class="empty">\(visit.t("accreditation.none"))</p>
    """
  }

  private func page(_ list: TrustedList, _ visit: Visit) -> HTML {
    let now = visit.platform.now()
    let warning: HTML =
      list.isOutdated(at: now)
      ? "<p class=\"alert\" role=\"alert\">\(visit.t("accreditation.outdated"))</p>"
      : list.nextUpdate == nil
        ? "<p class=\"note\">\(visit.t("accreditation.closed"))</p>" : .empty
    var facts = Facts()
    facts.add(
      visit.t("accreditation.operator"),
      """
      <a href="\(list.schemeOperator.uri)" rel="noopener noreferrer">\
      \(text(list.schemeOperator.name, visit))</a>
      """)
    facts.add(
      visit.t("accreditation.list"), "\(text(list.schemeOperator.schemeName, visit))")
    facts.add(visit.t("accreditation.number"), "\(visit.number(list.sequence))")
    facts.add(visit.t("accreditation.issued"), visit.timeElement(list.issued))
    if let next = list.nextUpdate {
      facts.add(visit.t("accreditation.next"), visit.timeElement(next))
    }
    facts.add(
      visit.t("accreditation.sealed"),
      """
      <a href="/trust/list.json">\(visit.t("accreditation.download"))</a> \
      <code>noroshi accreditation list verify list.json --operator …</code>
      """)
    let providers = list.providers.map { provider(list, $0, now, visit) }
    let empty: HTML =
      providers.isEmpty
      ? "<p class=\"empty\">\(visit.t("accreditation.no-service"))</p>" : .empty
    return """
      <h1>\(visit.t("accreditation.title"))</h1>
      <p class="note">\(visit.t("accreditation.note"))</p>
      \(warning)
      <section class="panel"><h2>\(visit.t("accreditation.list"))</h2>\(facts.html)</section>
      \(empty)\(providers)
      \(schemes(list, visit))
      """
  }

  private func provider(
    _ list: TrustedList, _ provider: TrustedList.Provider, _ now: Timestamp, _ visit: Visit
  ) -> HTML {
    let rows = provider.services.map { service -> HTML in
      let scheme = list.scheme(service.scheme)
      let current = list.period(of: service, at: now) ?? service.periods.last
      return """
        <tr><td>\(text(service.name, visit))\(certificates(service, visit))</td>\
        <td>\(visit.name("accreditation.kind", service.kind.description))</td>\
        <td>\(scheme.map { text($0.name, visit) } ?? service.scheme)</td>\
        <td>\(current.map { badge($0.status, visit) })</td>\
        <td>\(current.map { visit.timeElement($0.since) })</td>\
        <td>\(current.map { days($0.validFrom, $0.validUntil, visit) } ?? "")</td></tr>
        <tr><td colspan="6">\(history(service, visit))</td></tr>
        """
    }
    let columns = ["service", "kind", "scheme", "status", "since", "validity"].map { name -> HTML in
      "<th scope=\"col\">\(visit.name("accreditation", name))</th>"
    }
    let information = provider.information
    let identifier: HTML? = information.organizationIdentifier.map { "<small>\($0)</small>" }
    return """
      <section class="panel"><h2><a href="\(information.uri)" rel="noopener noreferrer">\
      \(text(information.name, visit))</a> \(identifier)</h2>
      <div class="scroll"><table role="table"><caption class="unseen">\
      \(text(information.name, visit))</caption><thead><tr>\(columns)</tr></thead>\
      <tbody>\(rows)</tbody></table>\
      </div></section>
      """
  }

  private func certificates(_ service: TrustedList.Service, _ visit: Visit) -> HTML {
    let items = service.certificates.map { certificate -> HTML in
      let digits = certificate.fingerprint().map { octet in
        (octet < 16 ? "0" : "") + String(octet, radix: 16)
      }
      return "<li>\(certificate.subject.description)<br><code>\(digits.joined())</code></li>"
    }
    let policies: HTML =
      service.policies.isEmpty
      ? .empty
      : "<p>\(visit.t("accreditation.policies")) \(service.policies.joined(separator: ", "))</p>"
    return """
      <details class="inline"><summary>\(visit.t("accreditation.certificates"))</summary>\
      <ul class="plain">\(items)</ul>\(policies)</details>
      """
  }

  private func history(_ service: TrustedList.Service, _ visit: Visit) -> HTML {
    let items = service.periods.map { period -> HTML in
      """
      <li>\(visit.timeElement(period.since)) \(badge(period.status, visit)) \
      \(days(period.validFrom, period.validUntil, visit))</li>
      """
    }
    return """
      <details class="inline"><summary>\(visit.t("accreditation.history"))</summary>\
      <ol class="history">\(items)</ol></details>
      """
  }

  private func schemes(_ list: TrustedList, _ visit: Visit) -> HTML {
    let rows = list.schemes.map { scheme -> HTML in
      let name: HTML =
        scheme.uri.map {
          "<a href=\"\($0)\" rel=\"noopener noreferrer\">\(text(scheme.name, visit))</a>"
        } ?? "\(text(scheme.name, visit))"
      return """
        <tr><td>\(name)</td><td>\(text(scheme.authority, visit))</td>\
        <td>\(text(scheme.basis, visit))</td><td>\(days(scheme.from, scheme.until, visit))</td></tr>
        """
    }
    let columns = ["scheme", "authority", "basis", "counts"].map { name -> HTML in
      "<th scope=\"col\">\(visit.name("accreditation", name))</th>"
    }
    return """
      <section class="panel"><h2>\(visit.t("accreditation.schemes"))</h2>
      <div class="scroll"><table role="table"><caption class="unseen">\
      \(visit.t("accreditation.schemes"))</caption><thead><tr>\(columns)</tr></thead><tbody>\(rows)</tbody></table>\
      </div></section>
      """
  }

  private func badge(_ status: AccreditationStatus, _ visit: Visit) -> HTML {
    """
    <span class="badge accreditation-\(status.rawValue)">\
    \(visit.name("accreditation.status", status.rawValue))</span>
    """
  }

  private func days(_ from: JapaneseDay, _ until: JapaneseDay?, _ visit: Visit) -> String {
    guard let until else { return visit.t("accreditation.days-from", ["from": "\(from)"]) }
    return visit.t("accreditation.days", ["from": "\(from)", "until": "\(until)"])
  }

  private func text(_ text: BilingualText, _ visit: Visit) -> String {
    visit.language == .ja ? text.ja : text.en
  }
}
