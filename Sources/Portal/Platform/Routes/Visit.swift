import NetworkTypes

/// What a person may see.
enum Scope: Sendable, Equatable {
  case everything
  /// Only what an organisation, by its identifier, is responsible for.
  case organisation(String)

  var organisation: String? {
    if case .organisation(let id) = self { id } else { nil }
  }
}

/// A signed-in person, or a program with that person's token.
struct Viewer: Sendable {
  let account: Account
  /// How the viewer proved who it is; nil for a bearer token.
  let session: Session?

  var scope: Scope { account.role.scope }
}

/// One request, with everything that the answer depends on: who asks, in which language and zone,
/// for what.
struct Visit: Sendable {
  let path: String
  /// Query parameters in the order of the address; the last of a name counts.
  let query: [(name: String, value: String)]
  /// What the route's `{name}` parts matched.
  let parameters: [String: String]
  let form: [String: String]
  /// Files by the names of their fields.
  let files: [String: [UploadedFile]]
  let viewer: Viewer?
  let language: Language
  let zone: Zone
  /// What a form must carry back.
  let formToken: String
  /// Whether the browser says that a page of another site led here (Fetch Metadata).
  let isFromElsewhere: Bool
  /// The visitor's address; nil where the transport has none (in tests).
  let address: String?
  let cookies: [String: String]
  let platform: Platform

  func query(_ name: String) -> String? { query.last { $0.name == name }?.value }

  /// A part of the path that the route promises to be there.
  func parameter(_ name: String) -> String { parameters[name] ?? "" }

  /// The viewer of a route that is not for everyone.
  /// - Throws: ``Problem`` 401 where the route table let somebody through by mistake.
  func requireViewer() throws -> Viewer {
    guard let viewer else { throw Problem.unauthenticated }
    return viewer
  }

  var scope: Scope { viewer?.scope ?? .organisation("") }
}

extension Visit {
  func t(_ key: String, _ values: [String: String] = [:]) -> String {
    platform.catalogue.text(key, language, values)
  }

  /// The text for a name that comes from data: the name itself where the catalogue has none.
  func name(_ prefix: String, _ name: String) -> String {
    platform.catalogue.known("\(prefix).\(name)", language) ?? name
  }

  /// `2026-11-25 14:05:58` in the visitor's zone.
  func time(_ moment: Timestamp) -> String {
    let text = moment.advanced(bySeconds: Double(zone.offsetSeconds)).description
    guard let mark = text.firstIndex(of: "T") else { return text }
    return text[..<mark] + " " + text[text.index(after: mark)...].prefix(8)
  }

  /// The zone of times that name none: that of the page's tables; for programs UTC.
  var inputZone: Zone { path.hasPrefix("/api/") ? .utc : zone }

  /// A moment as an `<input type="datetime-local">` takes it, in the zone of the page's tables.
  func localInput(_ moment: Timestamp) -> String {
    let text = moment.advanced(bySeconds: Double(inputZone.offsetSeconds)).description
    return String(text.prefix(16))
  }

  /// The query's moment of that name for such a field; empty where there is none.
  func localInput(_ name: String) -> String {
    query(name).flatMap { Timestamp(dateOrMoment: $0, in: inputZone) }.map { localInput($0) } ?? ""
  }

  /// The same as an element that programs can read.
  func timeElement(_ moment: Timestamp) -> HTML {
    "<time datetime=\"\(moment.description)\">\(time(moment))</time>"
  }

  func country(_ code: String) -> String {
    code == "ZZ" ? t("country.unknown") : language.countryName(code)
  }

  func number(_ value: some BinaryInteger) -> String { NumberText.grouped(String(value)) }
  func number(_ value: Double) -> String { NumberText.grouped(value) }
}

/// Numbers as people read them, the same in both languages.
enum NumberText {
  /// `1,234,567`.
  static func grouped(_ digits: String) -> String {
    let isNegative = digits.hasPrefix("-")
    let plain = Array(isNegative ? digits.dropFirst() : digits[...])
    var result = isNegative ? "-" : ""
    for (index, digit) in plain.enumerated() {
      if index > 0, (plain.count - index).isMultiple(of: 3) { result.append(",") }
      result.append(digit)
    }
    return result
  }

  /// Three significant digits below 100, whole numbers above; `–` for what is not a number.
  static func grouped(_ value: Double) -> String {
    guard value.isFinite, abs(value) < 9e15 else { return "–" }
    if abs(value) >= 100 || value == value.rounded() {
      return grouped(String(Int64(value.rounded())))
    }
    let scale = abs(value) >= 10 ? 10.0 : 100.0
    let scaled = Int64((value * scale).rounded())
    let whole = scaled / Int64(scale)
    var fraction = String(abs(scaled % Int64(scale)))
    while fraction.count < (scale == 10 ? 1 : 2) { fraction = "0" + fraction }
    while fraction.hasSuffix("0") { fraction.removeLast() }
    let sign = value < 0 && whole == 0 ? "-" : ""
    return sign + String(whole) + (fraction.isEmpty ? "" : "." + fraction)
  }

  /// `950`, `1.2k`, `34M`: for the axes of charts.
  static func compact(_ value: Double) -> String {
    for (limit, unit) in [(1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")] where abs(value) >= limit
    {
      return grouped(value / limit) + unit
    }
    return grouped(value)
  }
}
