import HTTPTypes
import Hummingbird
import NetworkTypes
public import TrustServices

/// How the portal verifies seals, signatures and time stamps for its visitors.
public struct SealVerification: Sendable {
  /// A validator with the house's anchors and trusted lists, as of now.
  public var validator: @Sendable () throws -> SealValidator
  /// What the house has that ends some day.
  public var endings: @Sendable () throws -> [TrustEnding]

  public init(
    validator: @escaping @Sendable () throws -> SealValidator,
    endings: @escaping @Sendable () throws -> [TrustEnding] = { [] }
  ) {
    self.validator = validator
    self.endings = endings
  }
}

/// `/verify`: somebody brings a file, and sees who sealed, signed or stamped it, and whether that holds.
/// Nothing of it is kept. For everybody: whoever gets a notice may ask.
struct VerificationPages: Sendable {
  let verification: SealVerification

  var routes: [Route] {
    [
      Route(method: .get, path: "/verify", audience: .everyone, face: .page) { visit in
        page(visit, below: .empty)
      },
      Route(method: .post, path: "/verify", audience: .everyone, face: .upload) { visit in
        guard let seal = visit.files["seal"]?.first else {
          return page(visit, below: alert(visit.t("verify.no-file"), visit), status: .badRequest)
        }
        return page(visit, below: try result(seal, visit))
      },
    ] + EndingTable(endings: verification.endings).table.routes
  }

  private func alert(_ text: String, _ visit: Visit) -> HTML {
    "<p class=\"alert\" role=\"alert\">\(text)</p>"
  }

  /// The certificates that the visitor trusts, PEM or DER.
  private static func anchors(_ files: [UploadedFile]) throws -> [TrustAnchor] {
    try files.flatMap { file -> [Certificate] in
      if file.content.first == 0x30 { return [try Certificate(derEncoded: file.content)] }
      return try Certificate.list(pemEncoded: String(decoding: file.content, as: UTF8.self))
    }.map { try TrustAnchor($0) }
  }

  private func result(_ seal: UploadedFile, _ visit: Visit) throws -> HTML {
    var validator = try verification.validator()
    let brought = visit.files["anchor"] ?? []
    do {
      if !brought.isEmpty {
        validator.anchors = try Self.anchors(brought)
        validator.timeStampAnchors = nil
        guard !validator.anchors.isEmpty else {
          return alert(visit.t("verify.no-certificate"), visit)
        }
      }
    } catch {
      return alert(visit.t("verify.no-certificate"), visit)
    }
    let contents = (visit.files["content"] ?? []).map {
      NamedContent(name: $0.name, content: ContentDigests($0.content))
    }
    let report = validator.validate(file: seal.content, contents: contents)
    let text = ReportText(visit.language == .ja ? .japanese : .english) { moment in
      "\(visit.time(moment)) \(visit.zone.rawValue)"
    }
    let grade =
      switch report.conclusion.indication {
      case .totalPassed: "good"
      case .totalFailed: "bad"
      case .indeterminate: "open"
      }
    let whose = visit.t(brought.isEmpty ? "verify.house-anchors" : "verify.own-anchors")
    return """
      <section class="panel verdict \(grade)" aria-live="polite"><h2>\(seal.name)</h2>
      <p class="verdict"><strong>\(text.sentence(report.conclusion))</strong></p>
      <p class="note">\(whose)</p>
      <pre tabindex="0" role="region" aria-label="\(visit.t("verify.report"))">\
      \(text.render(report, name: seal.name))</pre></section>
      """
  }

  private func page(_ visit: Visit, below: HTML, status: HTTPResponse.Status = .ok) -> Response {
    let binding = VisitorBinding(visit)
    let limit = visit.platform.configuration.parameters.uploadBytes >> 20
    func field(_ name: String, isRequired: Bool = false) -> HTML {
      """
      <label>\(visit.t("verify.\(name)"))
      <input type="file" name="\(name)"\(when: isRequired, " required")></label>
      <p class="note">\(visit.t("verify.\(name).note"))</p>
      """
    }
    let endings: HTML =
      Route.Audience.staff.admits(visit.viewer?.account.role)
      ? "<p><a href=\"/verify/endings\">\(visit.t("table.endings"))</a></p>" : .empty
    let view = View(
      title: visit.t("verify.title"), section: "verify",
      body: """
        <h1>\(visit.t("verify.title"))</h1>
        <p class="note">\(visit.t("verify.note", ["limit": String(limit)]))</p>
        \(below)
        <section class="panel"><h2>\(visit.t("verify.form"))</h2>
        <form method="post" action="/verify" enctype="multipart/form-data" class="stacked">
        <input type="hidden" name="form_token" value="\(binding.token)">
        \(field("seal", isRequired: true))\(field("content"))\(field("anchor"))
        <p class="buttons"><button type="submit">\(visit.t("verify.submit"))</button></p>
        </form></section>
        \(endings)
        """)
    var response = Answer.html(Layout.page(view, for: visit), status: status)
    if let cookie = binding.cookie { response.headers.append(cookie) }
    return response
  }
}
