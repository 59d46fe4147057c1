/// One key of the configuration: where it stands, what it means, which values it takes.
///
/// The list ``all`` is the only place that knows the keys. The file, the environment variables, the
/// messages, `noroshi config reference` and docs/configuration.md all follow from it.
public struct ConfigurationKey: Sendable {
  /// `telescope.victims.minimumPackets`.
  public let path: String
  /// What it means, in one or two sentences, with its unit.
  public let summary: String
  /// What a value must be, to follow "expected".
  public let expectation: String
  public let isList: Bool

  let assign:
    @Sendable (inout NoroshiConfiguration, _ texts: [String], _ base: String) -> Rejection?
  let texts: @Sendable (NoroshiConfiguration) -> [String]

  /// Which of the texts is none of the values expected.
  struct Rejection {
    let index: Int
    let reason: String
  }

  /// A key with one value.
  init<Value: ConfigurationValue>(
    _ path: String, _ member: any WritableKeyPath<NoroshiConfiguration, Value> & Sendable,
    within range: ClosedRange<Value>, _ summary: String
  ) where Value: Comparable {
    self.init(
      path, member, summary,
      expectation: "\(Value.expectation) from \(range.lowerBound.configurationText) to "
        + range.upperBound.configurationText
    ) { range.contains($0) }
  }

  init<Value: ConfigurationValue>(
    _ path: String, _ member: any WritableKeyPath<NoroshiConfiguration, Value> & Sendable,
    _ summary: String, expectation: String = Value.expectation,
    where isAllowed: @escaping @Sendable (Value) -> Bool = { _ in true }
  ) {
    self.path = path
    self.summary = summary
    self.expectation = expectation
    isList = false
    assign = { configuration, texts, base in
      guard let text = texts.first, texts.count == 1, let value = Value.read(text, base: base),
        isAllowed(value)
      else {
        return Rejection(
          index: 0, reason: "expected \(expectation), not \(Self.quoted(texts.first ?? ""))")
      }
      configuration[keyPath: member] = value
      return nil
    }
    texts = { [$0[keyPath: member].configurationText] }
  }

  /// A key with a list of values.
  init<Value: ConfigurationValue>(
    list path: String, _ member: any WritableKeyPath<NoroshiConfiguration, [Value]> & Sendable,
    _ summary: String
  ) {
    self.path = path
    self.summary = summary
    let expectation = Value.expectation
    self.expectation = "a list, each \(expectation)"
    isList = true
    assign = { configuration, texts, base in
      var values: [Value] = []
      for (index, text) in texts.enumerated() {
        guard let value = Value.read(text, base: base) else {
          return Rejection(
            index: index, reason: "expected \(expectation), not \(Self.quoted(text))")
        }
        values.append(value)
      }
      configuration[keyPath: member] = values
      return nil
    }
    texts = { $0[keyPath: member].map(\.configurationText) }
  }

  /// The environment variable that sets it: `NOROSHI_TELESCOPE_VICTIMS_MINIMUM_PACKETS`.
  public var variable: String {
    var name = "NOROSHI"
    for part in path.split(separator: ".") {
      name += "_"
      var previous: Character?
      for character in part {
        // A capital begins a word, unless the one before it was a capital too: publicURL, timeZone.
        if character.isUppercase, let previous, !previous.isUppercase { name += "_" }
        name += character.uppercased()
        previous = character
      }
    }
    return name
  }

  /// The value as a line of YAML shows it.
  public func text(in configuration: NoroshiConfiguration) -> String {
    let values = texts(configuration).map(Self.yamlScalar)
    return isList ? "[\(values.joined(separator: ", "))]" : values.first ?? ""
  }

  /// The key with this path.
  public static func named(_ path: String) -> ConfigurationKey? { byPath[path] }

  private static let byPath = Dictionary(
    all.map { ($0.path, $0) }, uniquingKeysWith: { first, _ in first })

  static func quoted(_ text: String) -> String {
    text.isEmpty ? "nothing" : "“\(text.prefix(80))\(text.count > 80 ? "…" : "")”"
  }

  private static func yamlScalar(_ text: String) -> String {
    let isPlain =
      text.allSatisfy { $0.isLetter || $0.isNumber || "/._-@+ ".contains($0) }
      && text.first.map { $0.isLetter || $0.isNumber || $0 == "/" || $0 == "." } == true
      && text.last != " "
    if isPlain || text.isEmpty { return text }
    return "\"" + text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"") + "\""
  }
}
