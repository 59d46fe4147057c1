/// A set of fingerprint rules, the most specific first.
///
/// ```swift
/// let matcher = FingerprintMatcher(.standard)
/// let mine = try FingerprintRules(yaml: text, extending: .standard)
/// ```
public struct FingerprintRules: Sendable {
  /// Enabled rules in order of precedence; of two that match, the earlier is the more specific.
  public let rules: [FingerprintRule]

  /// The text of ``standard``, a file to start one's own from.
  public static var standardText: [UInt8] { PackageResources.fingerprints_yaml }

  /// The rules that the binary carries (`Fingerprints/Rules/fingerprints.yaml`).
  public static let standard: FingerprintRules = {
    let text = String(decoding: standardText, as: UTF8.self)
    // The file is part of the binary, and the test "the standard rules are read" reads it.
    return try! FingerprintRules(yaml: text, extending: nil)
  }()

  /// Reads rules from YAML, as `docs/fingerprints.md` describes them.
  ///
  /// A rule with the identifier of one in `base` takes its place; others come before all of `base`.
  ///
  /// - Throws: ``FingerprintRuleError`` with the rule, the key and the line.
  public init(yaml: String, extending base: FingerprintRules?) throws(FingerprintRuleError) {
    let read = try FingerprintRuleReader.rules(in: yaml)
    var merged = base?.rules ?? []
    var added: [FingerprintRule] = []
    for rule in read {
      if let place = merged.firstIndex(where: { $0.id == rule.id }) {
        merged[place] = rule
      } else {
        added.append(rule)
      }
    }
    rules = (added + merged).filter(\.enabled)
    try checkLimits()
  }

  private func checkLimits() throws(FingerprintRuleError) {
    func refuse(_ problem: String) -> FingerprintRuleError {
      FingerprintRuleError(rule: rules.last?.id, field: nil, line: nil, problem: problem)
    }
    let whole = rules.count(where: \.isWholeSource)
    let packetLimit = FingerprintParameters.firstWholeSourceBit
    if whole > FingerprintParameters.maximumWholeSourceRules {
      throw refuse(
        "\(whole) rules consist of behaviours alone, but at most"
          + " \(FingerprintParameters.maximumWholeSourceRules) may; give some a field or a formula."
      )
    }
    if rules.count - whole > packetLimit {
      throw refuse(
        "the set has \(rules.count - whole) enabled rules about single packets, but at most"
          + " \(packetLimit) fit; disable some with `enabled: false`.")
    }
    let layouts = Set(rules.flatMap { $0.optionLayouts ?? [] })
    if layouts.count > FingerprintParameters.maximumOptionLayouts {
      throw refuse(
        "the set names \(layouts.count) option layouts, but at most"
          + " \(FingerprintParameters.maximumOptionLayouts) fit; disable some rules.")
    }
  }
}
