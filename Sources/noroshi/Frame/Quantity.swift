import Foundation

/// Numbers as people read them in a terminal.
enum Quantity {
  /// `12,345,678`.
  static func grouped(_ value: some BinaryInteger) -> String {
    let digits = String(value.magnitude)
    var result = ""
    for (index, digit) in digits.enumerated() {
      if index > 0, (digits.count - index) % 3 == 0 { result.append(",") }
      result.append(digit)
    }
    return (value < 0 ? "-" : "") + result
  }

  /// `12.3 M packets`, `1.2 GB`: three digits and the SI prefix; `bytes` become the symbol B.
  static func short(_ value: Double, unit: String) -> String {
    let prefixes = ["", "k", "M", "G", "T", "P"]
    var scaled = value
    var index = 0
    while abs(scaled) >= 999.5, index < prefixes.count - 1 {
      scaled /= 1000
      index += 1
    }
    let digits = index == 0 || abs(scaled) >= 99.95 ? 0 : abs(scaled) >= 9.995 ? 1 : 2
    let number = String(format: "%.\(digits)f", locale: nil, scaled)
    if unit == "bytes" { return "\(number) \(prefixes[index])B" }
    let symbol = prefixes[index].isEmpty ? "" : " \(prefixes[index])"
    return unit.isEmpty ? number + symbol : "\(number)\(symbol) \(unit)"
  }

  /// `1.2 GB`.
  static func bytes(_ value: some BinaryInteger) -> String {
    short(Double(value), unit: "bytes")
  }

  /// `42 s`, `3 min 05 s`, `2 h 10 min`, `3 d 4 h`.
  static func duration(seconds: Double) -> String {
    guard seconds.isFinite, seconds >= 0, seconds < 1e12 else { return "?" }
    if seconds < 10 { return String(format: "%.1f s", locale: nil, seconds) }
    let whole = Int(seconds.rounded())
    switch whole {
    case ..<60: return "\(whole) s"
    case ..<3_600: return "\(whole / 60) min \(padded(whole % 60)) s"
    case ..<86_400: return "\(whole / 3_600) h \(padded(whole / 60 % 60)) min"
    default: return "\(whole / 86_400) d \(whole / 3_600 % 24) h"
    }
  }

  /// A decimal number with a point, whatever the locale.
  static func decimal(_ value: Double, digits: Int) -> String {
    value.isFinite ? String(format: "%.\(digits)f", locale: nil, value) : "–"
  }

  private static func padded(_ value: Int) -> String { value < 10 ? "0\(value)" : "\(value)" }
}
