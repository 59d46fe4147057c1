public import PacketCapture
import Yams

/// Reads the YAML of fingerprint rules into values, and says where it is wrong.
struct FingerprintRuleReader {
  private var rule: String?
  private let mapping: Node.Mapping
  private let line: Int?

  static func rules(in yaml: String) throws(FingerprintRuleError) -> [FingerprintRule] {
    let root: Node?
    do {
      root = try Yams.compose(yaml: yaml)
    } catch let error as YamlError {
      throw FingerprintRuleError(
        rule: nil, field: nil, line: nil, problem: "the file is not YAML: \(error)")
    } catch {
      throw FingerprintRuleError(
        rule: nil, field: nil, line: nil, problem: "the file is not YAML: \(error)")
    }
    guard let top = root?.mapping, let list = top["rules"]?.sequence else {
      throw FingerprintRuleError(
        rule: nil, field: "rules", line: root?.mark?.line,
        problem: "the file must be a mapping with a list `rules`.")
    }
    for key in top.keys where key.string != "rules" && key.string != "version" {
      throw FingerprintRuleError(
        rule: nil, field: key.string, line: key.mark?.line,
        problem: "unknown key; only `version` and `rules` may stand here.")
    }
    if let version = top["version"], version.string != "1" {
      throw FingerprintRuleError(
        rule: nil, field: "version", line: version.mark?.line,
        problem: "only version 1 of the format is known.")
    }
    var seen: Set<String> = []
    var result: [FingerprintRule] = []
    for node in list {
      guard let mapping = node.mapping else {
        throw FingerprintRuleError(
          rule: nil, field: "rules", line: node.mark?.line, problem: "a rule must be a mapping.")
      }
      var reader = FingerprintRuleReader(mapping: mapping, line: node.mark?.line)
      let rule = try reader.read()
      guard seen.insert(rule.id).inserted else {
        throw reader.error("id", mapping["id"], "two rules of this file have this identifier.")
      }
      result.append(rule)
    }
    return result
  }

  private init(mapping: Node.Mapping, line: Int?) {
    self.mapping = mapping
    self.line = line
  }

  private static let keys: Set<String> = [
    "id", "tool", "versions", "grade", "applies-to", "fields", "formulas", "unless", "behaviours",
    "minimum-packets", "share", "malware", "enabled", "source",
  ]

  private mutating func read() throws(FingerprintRuleError) -> FingerprintRule {
    let id = try text("id")
    rule = id
    for key in mapping.keys where !Self.keys.contains(key.string ?? "") {
      throw error(key.string ?? "?", key, "unknown key; docs/fingerprints.md lists the known ones.")
    }
    let fields = try fields()
    let formulas = try names("formulas", FingerprintFormula.self)
    let kinds = try names("applies-to", ProbeKind.self)
    let behaviours = try names("behaviours", FingerprintBehaviour.self)
    guard !kinds.isEmpty else {
      throw error("applies-to", nil, "name at least one of \(Self.list(ProbeKind.self)).")
    }
    let rule = FingerprintRule(
      id: id, tool: try text("tool"), versionFamily: mapping["versions"]?.string ?? "any",
      grade: try name("grade", FingerprintGrade.self, expected: "`certain` or `probable`"),
      appliesTo: kinds, fields: fields.ranges, optionLayouts: fields.layouts,
      dontFragment: fields.dontFragment, formulas: formulas,
      unless: try names("unless", FingerprintFormula.self), behaviours: behaviours,
      minimumPackets: try minimumPackets(), share: try share(),
      malware: mapping["malware"]?.string,
      enabled: try flag("enabled", mapping["enabled"]) ?? true, source: try text("source"))
    guard !rule.isWholeSource || !behaviours.isEmpty else {
      throw error(
        "fields", nil, "the rule would match every such packet; add fields, formulas or behaviours."
      )
    }
    return rule
  }

  func error(_ field: String, _ node: Node?, _ problem: String) -> FingerprintRuleError {
    FingerprintRuleError(
      rule: rule, field: field, line: (node ?? mapping[field])?.mark?.line ?? line,
      problem: problem)
  }

  private func text(_ key: String) throws(FingerprintRuleError) -> String {
    guard let value = mapping[key]?.string, !value.isEmpty else {
      throw error(key, nil, "a text is required here.")
    }
    return value
  }

  private func flag(
    _ key: String, _ node: Node?
  ) throws(FingerprintRuleError) -> Bool? {
    guard let node else { return nil }
    guard let value = node.bool else { throw error(key, node, "expected true or false.") }
    return value
  }

  private static func list<T: CaseIterable & RawRepresentable<String>>(_: T.Type) -> String {
    T.allCases.map(\.rawValue).joined(separator: ", ")
  }

  private func name<T: RawRepresentable<String>>(
    _ key: String, _: T.Type, expected: String
  ) throws(FingerprintRuleError) -> T {
    guard let value = T(rawValue: try text(key)) else {
      throw error(key, nil, "expected \(expected).")
    }
    return value
  }

  private func names<T: CaseIterable & RawRepresentable<String>>(
    _ key: String, _: T.Type
  ) throws(FingerprintRuleError) -> [T] {
    guard let node = mapping[key] else { return [] }
    var result: [T] = []
    for item in node.sequence.map(Array.init) ?? [node] {
      guard let value = T(rawValue: item.string ?? "") else {
        throw error(
          key, item, "`\(item.string ?? "?")` is unknown; expected some of \(Self.list(T.self)).")
      }
      result.append(value)
    }
    return result
  }

  private func minimumPackets() throws(FingerprintRuleError) -> Int {
    guard let node = mapping["minimum-packets"] else { return FingerprintParameters.minimumPackets }
    guard let value = node.int, (FingerprintParameters.smallestMinimum...1_000_000).contains(value)
    else {
      throw error(
        "minimum-packets", node, "expected 2 to 1000000: no tool is named after one packet.")
    }
    return value
  }

  private func share() throws(FingerprintRuleError) -> Double {
    guard let node = mapping["share"] else { return FingerprintParameters.share }
    guard let value = node.float, value > 0, value <= 1 else {
      throw error("share", node, "expected a number above 0 and up to 1.")
    }
    return value
  }

  private typealias Fields = (
    ranges: [FingerprintField: [ClosedRange<Int>]], layouts: [String]?, dontFragment: Bool?
  )

  private func fields() throws(FingerprintRuleError) -> Fields {
    guard let node = mapping["fields"] else { return ([:], nil, nil) }
    guard let table = node.mapping else {
      throw error("fields", node, "expected a mapping from field to values.")
    }
    var result: Fields = ([:], nil, nil)
    for (key, value) in table {
      let name = key.string ?? "?"
      if name == "options" {
        result.layouts = try layouts(value)
      } else if name == "dont-fragment" {
        result.dontFragment = try flag(name, value)
      } else if let field = FingerprintField(rawValue: name) {
        result.ranges[field] = try ranges(value, of: field)
      } else {
        throw error(
          name, key,
          "unknown field; expected options, dont-fragment, \(Self.list(FingerprintField.self)).")
      }
    }
    return result
  }

  private func layouts(_ node: Node) throws(FingerprintRuleError) -> [String] {
    var result: [String] = []
    for item in node.sequence.map(Array.init) ?? [node] {
      guard let text = item.string, let layout = TCPOptionLayout(fingerprint: text) else {
        throw error(
          "options", item,
          "expected names such as `mss,nop,ws,nop,nop,sackok` (eol, nop, mss, ws, sackok, ts, other;"
            + " at most 16) or `none`.")
      }
      result.append(layout.fingerprint)
    }
    return result
  }

  private func ranges(
    _ node: Node, of field: FingerprintField
  ) throws(FingerprintRuleError) -> [ClosedRange<Int>] {
    var result: [ClosedRange<Int>] = []
    for item in node.sequence.map(Array.init) ?? [node] {
      guard let range = Self.range(item.string ?? ""), range.upperBound <= field.maximum else {
        throw error(
          field.rawValue, item,
          "`\(item.string ?? "?")` is not a number or a range such as 1024..4096 within"
            + " 0..\(field.maximum).")
      }
      result.append(range)
    }
    guard !result.isEmpty else {
      throw error(field.rawValue, node, "expected at least one value.")
    }
    return result
  }

  /// `5`, `0x1f`, `5..9`; never negative.
  private static func range(_ text: String) -> ClosedRange<Int>? {
    func number(_ text: some StringProtocol) -> Int? {
      let text = text.trimmingSpaces
      let value =
        text.hasPrefix("0x") ? Int(text.dropFirst(2), radix: 16) : Int(text)
      return value.flatMap { $0 >= 0 ? $0 : nil }
    }
    let parts = text.split(separator: "..", omittingEmptySubsequences: false)
    guard (1...2).contains(parts.count), let low = number(parts[0]),
      let high = number(parts[parts.count - 1]), low <= high
    else { return nil }
    return low...high
  }
}

extension StringProtocol {
  fileprivate var trimmingSpaces: String {
    var rest = Substring(self)
    while rest.first == " " { rest.removeFirst() }
    while rest.last == " " { rest.removeLast() }
    return String(rest)
  }
}

extension TCPOptionLayout {
  private static let names: [(name: String, code: UInt64)] = [
    ("eol", 1), ("nop", 2), ("mss", 3), ("ws", 4), ("sackok", 5), ("ts", 6), ("other", 15),
  ]

  /// The names of the options in order, `none` without any.
  public var fingerprint: String {
    var rest = bits
    var words: [String] = []
    while rest != 0 {
      words.append(Self.names.first { $0.code == rest & 15 }?.name ?? "other")
      rest >>= 4
    }
    return words.isEmpty ? "none" : words.joined(separator: ",")
  }

  /// Reads what ``fingerprint`` writes; nil for an unknown name or more than sixteen options.
  public init?(fingerprint text: String) {
    guard text != "none" else {
      self = .none
      return
    }
    let words = text.split(separator: ",", omittingEmptySubsequences: false)
    guard words.count <= 16 else { return nil }
    var bits: UInt64 = 0
    for (place, word) in words.enumerated() {
      let name = word.trimmingSpaces
      guard let code = Self.names.first(where: { $0.name == name })?.code else { return nil }
      bits |= code << UInt64(4 * place)
    }
    self.init(bits: bits)
  }
}
