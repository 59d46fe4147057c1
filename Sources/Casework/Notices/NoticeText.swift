import Constituency
import Findings
import NetworkTypes

/// The text for people: subject and body of a notice in one language.
struct NoticeText {
  let catalogue: NoticeCatalogue
  let parameters: NoticeParameters
  let language: Language
  let template: String

  struct Result: Hashable {
    var subject: String
    var body: String
  }

  /// - Parameter attachments: format and file name of what comes with it.
  func render(
    _ notice: Notice, _ cases: [NoticeCase], for organisation: Organisation,
    attachments: [(format: DeliveryPreferences.Format, name: String)]
  ) throws -> Result {
    let kinds = Finding.Kind.allCases.filter { kind in cases.contains { $0.item.kind == kind } }
    let time = LocalTime(parameters.timeZone)
    let what = kinds.count == 1 ? "what.\(kinds[0].rawValue)" : "what.mixed"
    let senderName = language == .japanese ? parameters.sender.nameJa : parameters.sender.name
    let sender = MailText.plain(senderName)
    let kindCounts = try kinds.map { kind in
      try say(
        "kind.count",
        [
          "kind": try say("kind.\(kind.rawValue)"),
          "count": String(cases.count { $0.item.kind == kind }),
        ])
    }
    var sections = [
      try section(
        "salutation", ["organisation": MailText.plain(organisation.name(in: language))]),
      try section("greeting", ["sender": sender]),
      try section(Self.opening(cases), ["sender": sender]),
      try section(
        "facts",
        [
          "number": notice.number, "created": time.local(notice.created),
          "created_utc": LocalTime.plain(notice.created), "first": time.local(notice.firstSeen),
          "last": time.local(notice.lastSeen), "count": String(cases.count),
          "kinds": kindCounts.joined(separator: language == .japanese ? "、" : ", "),
          "tlp": notice.marking.rawValue, "tlp_meaning": try say("tlp.\(notice.marking.rawValue)"),
        ]),
      try details(cases, time, isListedElsewhere: attachments.contains { $0.format == .csv }),
    ]
    if kinds.contains(where: Self.subscribers.contains) {
      sections.append(try section("identify"))
    }
    let requests = try kinds.map { try section("request.\($0.rawValue)") }
    sections.append(
      try section("request") + "\n" + requests.joined(separator: "\n\n"))
    var files = try attachments.map {
      try section("attachment.\($0.format.rawValue)", ["name": $0.name])
    }
    let textName = NoticeRenderer.textName(notice, language)
    if parameters.seal != nil {
      files.append(try section("attachment.mail", ["name": textName]))
    }
    if !files.isEmpty {
      sections.append(([try section("attachments")] + files).joined(separator: "\n"))
    }
    if let seal = parameters.seal {
      sections.append(
        try section(
          "seal",
          [
            "organisation": MailText.plain(seal.organisation),
            "anchor": MailText.plain(seal.anchor), "fingerprint": seal.fingerprint,
            "address": try seal.address.map(MailText.plain) ?? section("seal.ask"),
            "name": attachments.first?.name ?? textName,
          ]))
    }
    sections.append(try section("reply"))
    sections.append(try contact(senderName: sender))
    sections.append(try section("closing"))
    return Result(
      subject: try section(
        "subject",
        ["what": try say(what), "count": String(cases.count), "number": notice.number]),
      body: sections.joined(separator: "\n\n") + "\n")
  }

  /// Kinds that only flows tell of; of the others, the first evidence does.
  private static let ofFlows: Set<Finding.Kind> = [
    .commandAndControl, .denialOfServiceSource, .denialOfServiceReflector,
  ]

  /// What the opening says of the observation depends on it.
  private static func isOfFlows(_ told: NoticeCase) -> Bool {
    if ofFlows.contains(told.item.kind) { return true }
    return told.findings.allSatisfy { finding in
      finding.attributes["attack.id"] != nil
        || finding.evidence.first?.name.hasPrefix("flow-") == true
    }
  }

  /// Kinds for which a subscriber must be found.
  private static let subscribers: Set<Finding.Kind> = [
    .infectedHost, .denialOfServiceSource, .denialOfServiceReflector,
  ]

  private static func opening(_ cases: [NoticeCase]) -> String {
    let ofFlows = cases.count(where: isOfFlows)
    return ofFlows == cases.count ? "opening.flows" : ofFlows > 0 ? "opening.mixed" : "opening"
  }

  private func details(_ cases: [NoticeCase], _ time: LocalTime, isListedElsewhere: Bool) throws
    -> String
  {
    let limit = isListedElsewhere ? max(1, parameters.listedCases) : cases.count
    var blocks = [try section("details")]
    for (place, item) in cases.prefix(limit).enumerated() {
      blocks.append(try block(item, place: place + 1, time))
    }
    if cases.count > limit {
      blocks.append(try section("more", ["count": String(cases.count - limit)]))
    }
    return blocks.joined(separator: "\n\n")
  }

  private func block(_ told: NoticeCase, place: Int, _ time: LocalTime) throws -> String {
    let item = told.item
    let newest = told.findings.first
    let malware = newest?.attributes["malware.name"].map { name in
      catalogue.text("malware.\(name)", language) ?? MailText.plain(String(name.prefix(60)))
    }
    let kind =
      if let malware, item.kind == .infectedHost {
        try say("kind.infected-host.named", ["name": malware])
      } else {
        try say("kind.\(item.kind.rawValue)")
      }
    let first = told.findings.map(\.firstSeen).min() ?? item.firstSeen
    var lines = [
      try section(
        "case",
        [
          "place": String(place), "address": item.address.description, "case": item.id,
          "kind": kind, "first": time.local(first), "first_utc": LocalTime.plain(first),
          "last": time.local(item.lastSeen), "last_utc": LocalTime.plain(item.lastSeen),
          "confidence": try say(
            "confidence.\(item.confidence.level.rawValue)",
            ["percent": String(item.confidence.percent)]),
        ])
    ]
    let isVictim = item.kind == .denialOfServiceVictim
    if let ports = newest?.attributes[isVictim ? "services" : "ports"], !ports.isEmpty {
      lines.append(try section(isVictim ? "services" : "ports", ["ports": clipped(ports, 120)]))
    }
    let evidence = newest?.evidence ?? []
    if !evidence.isEmpty {
      lines.append(try section("evidence"))
      for reason in evidence.prefix(5) {
        let values = reason.values.mapValues { clipped($0, 80) }
        // A sensor that is newer than the catalogue speaks English.
        let known = catalogue.text("evidence.\(reason.name)", language, values)
        lines.append(
          try section("evidence-item", ["text": known ?? clipped(reason.summary, 300)]))
      }
    }
    return lines.joined(separator: "\n")
  }

  private func contact(senderName: String) throws -> String {
    let lines = language == .japanese ? parameters.sender.contactJa : parameters.sender.contact
    let mail = (parameters.sender.replyTo ?? parameters.sender.from).address
    return
      ([try section("contact"), "  \(senderName)", "  E-mail: \(mail)"]
      + lines.map { "  " + MailText.plain($0) }).joined(separator: "\n")
  }

  private func clipped(_ text: String, _ length: Int) -> String {
    let plain = MailText.plain(text)
    return plain.count > length ? plain.prefix(length) + "…" : plain
  }

  /// A text of the template, without its last line end.
  private func section(_ key: String, _ values: [String: String] = [:]) throws -> String {
    var text = try say("\(template).\(key)", values)
    while text.last == "\n" { text.removeLast() }
    return text
  }

  private func say(_ key: String, _ values: [String: String] = [:]) throws -> String {
    guard let text = catalogue.text(key, language, values) else {
      throw NoticeCatalogueError("there is no text \(key)")
    }
    return text
  }
}
