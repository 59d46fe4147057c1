/// A Japanese corporate number (法人番号): a check digit and 12 digits (Order of the Ministry of
/// Finance No. 70 of 2014, article 2).
public struct CorporateNumber: Hashable, Sendable, CustomStringConvertible {
  public let description: String

  /// Reads 13 digits; nil where there are others or the check digit is wrong.
  public init?(_ text: String) {
    let digits = text.utf8.map { Int($0) - 0x30 }
    guard digits.count == 13, digits.allSatisfy({ (0...9).contains($0) }) else { return nil }
    // 9 minus the remainder by 9 of the digits from the right, every second one doubled.
    var sum = 0
    for (place, digit) in digits.dropFirst().reversed().enumerated() {
      sum += digit * (place % 2 == 0 ? 1 : 2)
    }
    guard digits[0] == 9 - sum % 9 else { return nil }
    description = text
  }

  /// The organizationIdentifier of a certificate (EN 319 412-1 5.1.4: national trade register).
  public var organizationIdentifier: String { "NTRJP-\(description)" }
}
