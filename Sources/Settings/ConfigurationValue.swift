public import NetworkTypes

/// A type that a key of the configuration may have: it reads itself from the text that stands in
/// `noroshi.yaml` or in an environment variable, and says what it expects when it cannot.
public protocol ConfigurationValue: Equatable, Sendable {
  /// What is expected, to follow "expected": `a whole number`, `a size such as 1GB`.
  static var expectation: String { get }

  /// The value, or nil when `text` is none.
  ///
  /// - Parameter base: the folder that a relative path is relative to.
  static func read(_ text: String, base: String) -> Self?

  /// The text that ``read(_:base:)`` reads back as this value.
  var configurationText: String { get }
}

extension String: ConfigurationValue {
  public static var expectation: String { "a text" }
  public static func read(_ text: String, base: String) -> String? { text }
  public var configurationText: String { self }
}

extension Int: ConfigurationValue {
  public static var expectation: String { "a whole number" }
  public static func read(_ text: String, base: String) -> Int? {
    // 1_000_000 as Swift and YAML 1.1 write it.
    text.hasPrefix("_") ? nil : Int(text.replacing("_", with: ""))
  }
  public var configurationText: String { String(self) }
}

extension Double: ConfigurationValue {
  public static var expectation: String { "a number" }
  public static func read(_ text: String, base: String) -> Double? {
    Double(text).flatMap { $0.isFinite ? $0 : nil }
  }
  public var configurationText: String {
    self == rounded() && abs(self) < 1e15 ? String(Int(self)) : String(self)
  }
}

extension Bool: ConfigurationValue {
  public static var expectation: String { "yes or no" }
  public static func read(_ text: String, base: String) -> Bool? {
    switch text.lowercased() {
    case "yes", "true", "on": true
    case "no", "false", "off": false
    default: nil
    }
  }
  public var configurationText: String { self ? "yes" : "no" }
}

extension Optional: ConfigurationValue where Wrapped: ConfigurationValue {
  public static var expectation: String { "\(Wrapped.expectation), or nothing" }
  public static func read(_ text: String, base: String) -> Wrapped?? {
    guard !text.isEmpty, text != "~", text != "null" else { return .some(nil) }
    guard let value = Wrapped.read(text, base: base) else { return nil }
    return .some(value)
  }
  public var configurationText: String { map(\.configurationText) ?? "" }
}

extension IPPrefix: ConfigurationValue {
  public static var expectation: String {
    "a network such as 192.0.2.0/24 or 2001:db8::/32, its host bits zero"
  }
  public static func read(_ text: String, base: String) -> IPPrefix? { IPPrefix(text) }
  public var configurationText: String { description }
}

/// A value that the program works out itself unless it is given: `auto` in the file.
public enum Automatic<Value: ConfigurationValue>: ConfigurationValue {
  case automatic
  case fixed(Value)

  /// The given value; nil means that the program shall work it out.
  public var value: Value? {
    if case .fixed(let value) = self { return value }
    return nil
  }

  public static var expectation: String { "\(Value.expectation), or auto" }
  public static func read(_ text: String, base: String) -> Automatic? {
    text.lowercased() == "auto" ? .automatic : Value.read(text, base: base).map { .fixed($0) }
  }
  public var configurationText: String { value?.configurationText ?? "auto" }
}

/// A number of octets: `1GB` (10⁹), `512MiB` (2²⁰ each), `1.5 GB`, `1000000`.
public struct ByteSize: ConfigurationValue, Hashable, Comparable {
  public let bytes: Int

  public init(bytes: Int) { self.bytes = bytes }

  public static var expectation: String { "a size such as 1GB, 512MiB or 1000000" }

  private static let units: [(String, Double)] = [
    ("", 1), ("b", 1), ("k", 1e3), ("kb", 1e3), ("m", 1e6), ("mb", 1e6), ("g", 1e9), ("gb", 1e9),
    ("t", 1e12), ("tb", 1e12), ("kib", 0x1p10), ("mib", 0x1p20), ("gib", 0x1p30), ("tib", 0x1p40),
  ]

  public static func read(_ text: String, base: String) -> ByteSize? {
    let digits = text.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
    let unit = text.dropFirst(digits.count).drop { $0 == " " }.lowercased()
    guard let number = Double(digits), let factor = units.first(where: { $0.0 == unit })?.1,
      number * factor < 0x1p62
    else { return nil }
    return ByteSize(bytes: Int(number * factor))
  }

  public static func < (left: Self, right: Self) -> Bool { left.bytes < right.bytes }

  public var configurationText: String {
    for (symbol, size) in [
      ("TB", 1_000_000_000_000), ("TiB", 1 << 40), ("GB", 1_000_000_000), ("GiB", 1 << 30),
      ("MB", 1_000_000), ("MiB", 1 << 20), ("kB", 1_000), ("KiB", 1 << 10),
    ] where bytes >= size && bytes % size == 0 {
      return "\(bytes / size)\(symbol)"
    }
    return String(bytes)
  }
}

/// A span of time: `90s`, `10min`, `2h`, `14d`; a bare number counts seconds.
public struct TimeSpan: ConfigurationValue, Hashable {
  public let seconds: Double

  public init(seconds: Double) { self.seconds = seconds }

  public static var expectation: String { "a span of time such as 90s, 10min, 2h or 14d" }

  public static func read(_ text: String, base: String) -> TimeSpan? {
    let digits = text.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
    let unit = text.dropFirst(digits.count).drop { $0 == " " }
    let factors: [Substring: Double] = [
      "": 1, "s": 1, "min": 60, "m": 60, "h": 3_600, "d": 86_400,
    ]
    // 1e9 seconds are 31 years: more is a typing error.
    guard let number = Double(digits), let factor = factors[unit], number * factor <= 1e9 else {
      return nil
    }
    return TimeSpan(seconds: number * factor)
  }

  public var configurationText: String {
    for (symbol, size) in [("d", 86_400.0), ("h", 3_600), ("min", 60)]
    where seconds >= size && seconds.truncatingRemainder(dividingBy: size) == 0 {
      return "\((seconds / size).configurationText)\(symbol)"
    }
    return "\(seconds.configurationText)s"
  }
}

/// A time of day: `09:00`.
public struct TimeOfDay: ConfigurationValue, Hashable {
  /// 0..<1440.
  public let minutes: Int

  public init(minutes: Int) { self.minutes = minutes }

  public static var expectation: String { "a time of day such as 09:00" }

  public static func read(_ text: String, base: String) -> TimeOfDay? {
    let parts = text.split(separator: ":", omittingEmptySubsequences: false)
    guard parts.count == 2, parts[1].count == 2,
      parts.allSatisfy({ $0.allSatisfy { $0.isASCII && $0.isNumber } }),
      let hour = Int(parts[0]), let minute = Int(parts[1]), hour < 24, minute < 60
    else { return nil }
    return TimeOfDay(minutes: hour * 60 + minute)
  }

  public var configurationText: String {
    let hour = minutes / 60
    let minute = minutes % 60
    return (hour < 10 ? "0\(hour)" : "\(hour)") + ":" + (minute < 10 ? "0\(minute)" : "\(minute)")
  }
}

/// A file or folder. A relative path in `noroshi.yaml` is relative to the folder of that file, one
/// from the environment or the command line to the working directory.
public struct FilePath: ConfigurationValue, Hashable {
  /// Absolute once it was read.
  public let path: String

  public init(_ path: String) { self.path = path }

  public static var expectation: String { "the path of a file or folder" }

  public static func read(_ text: String, base: String) -> FilePath? {
    guard !text.isEmpty, !text.contains("\0") else { return nil }
    if text.hasPrefix("/") { return FilePath(text) }
    var parts = base.split(separator: "/")
    for part in text.split(separator: "/") where part != "." {
      if part == ".." { _ = parts.popLast() } else { parts.append(part) }
    }
    return FilePath("/" + parts.joined(separator: "/"))
  }

  public var configurationText: String { path }
}

/// A mail address as it may stand in a notice's header: one `@`, no blanks, no angle brackets.
public struct MailAddress: ConfigurationValue, Hashable {
  public let address: String

  public init(_ address: String) { self.address = address }

  public static var expectation: String { "a mail address such as abuse@example.jp" }

  public static func read(_ text: String, base: String) -> MailAddress? {
    let parts = text.split(separator: "@", omittingEmptySubsequences: false)
    let forbidden: Set<Character> = ["<", ">", ",", ";", ":", "\"", "(", ")", "\\"]
    guard parts.count == 2, parts.allSatisfy({ !$0.isEmpty }), text.count <= 254,
      !text.contains(where: { $0.isWhitespace || $0.isNewline || forbidden.contains($0) }),
      text.unicodeScalars.allSatisfy({ $0.value >= 0x20 && $0.value != 0x7f })
    else { return nil }
    return MailAddress(text)
  }

  public var configurationText: String { address }
}

/// A dark network and, after an `@`, the organisation that owns it: `192.0.2.0/24@example-isp`.
public struct DarkNetwork: ConfigurationValue, Hashable {
  public let prefix: IPPrefix
  /// The organisation's identifier in the constituency. Packets from an organisation's own addresses
  /// into its own dark network are *internal* alerts, into anybody else's *external* ones.
  public let organisation: String?

  public init(_ prefix: IPPrefix, organisation: String? = nil) {
    self.prefix = prefix
    self.organisation = organisation
  }

  public static var expectation: String {
    "a network such as 192.0.2.0/24 (its host bits zero), optionally with its owner: "
      + "192.0.2.0/24@example-isp"
  }

  public static func read(_ text: String, base: String) -> DarkNetwork? {
    let parts = text.split(separator: "@", omittingEmptySubsequences: false)
    guard parts.count <= 2, let prefix = IPPrefix(parts[0]), parts.count == 1 || !parts[1].isEmpty
    else { return nil }
    return DarkNetwork(prefix, organisation: parts.count == 2 ? String(parts[1]) : nil)
  }

  public var configurationText: String {
    organisation.map { "\(prefix)@\($0)" } ?? "\(prefix)"
  }
}

/// An enumeration whose cases are written by their raw values.
public protocol ConfigurationChoice: ConfigurationValue, CaseIterable, RawRepresentable
where RawValue == String {}

extension ConfigurationChoice {
  public static var expectation: String {
    "one of " + allCases.map(\.rawValue).joined(separator: ", ")
  }
  public static func read(_ text: String, base: String) -> Self? { Self(rawValue: text) }
  public var configurationText: String { rawValue }
}
