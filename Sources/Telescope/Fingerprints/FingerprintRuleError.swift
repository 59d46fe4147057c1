/// Why a file of fingerprint rules was refused.
public struct FingerprintRuleError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The rule, if it has got as far as a name.
  public let rule: String?
  /// The key within the rule.
  public let field: String?
  /// The line of the file, from 1.
  public let line: Int?
  /// What is wrong and what was expected.
  public let problem: String

  /// One sentence that says where and what to change.
  public var description: String {
    var place = ["Fingerprint rules"]
    if let line { place.append("line \(line)") }
    if let rule { place.append("rule \(rule)") }
    if let field { place.append("key \(field)") }
    return place.joined(separator: ", ") + ": " + problem
  }
}
