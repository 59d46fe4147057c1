/// A moment as the sensors write it: whole nanoseconds since 1970-01-01T00:00:00Z, without leap
/// seconds. Its range is the years 1677 to 2262.
///
/// Event time comes from the data, never from the wall clock, so there is no `now` here: whoever
/// needs the clock is given one.
@frozen
public struct Timestamp: Hashable, Comparable, Sendable, BitwiseCopyable {
  public let nanoseconds: Int64

  @inlinable public init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }

  /// A whole second; one outside the range of this type becomes its nearest end.
  @inlinable public init(seconds: Int64) {
    let (product, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
    nanoseconds = overflow ? (seconds < 0 ? .min : .max) : product
  }

  @inlinable public static func < (left: Self, right: Self) -> Bool {
    left.nanoseconds < right.nanoseconds
  }

  /// Whole seconds, rounded towards the past.
  @inlinable public var seconds: Int64 {
    let quotient = nanoseconds / 1_000_000_000
    return nanoseconds % 1_000_000_000 < 0 ? quotient - 1 : quotient
  }

  /// The seconds from `earlier` to this moment.
  @inlinable public func seconds(since earlier: Timestamp) -> Double {
    let (difference, overflow) = nanoseconds.subtractingReportingOverflow(earlier.nanoseconds)
    // The difference of two large numbers as Double would lose everything below 0.2 µs.
    return overflow
      ? Double(nanoseconds) / 1e9 - Double(earlier.nanoseconds) / 1e9 : Double(difference) / 1e9
  }

  /// The moment so many seconds later; past the range of this type it stays at the range's end, and
  /// a `seconds` that is not a number moves nothing.
  @inlinable public func advanced(bySeconds seconds: Double) -> Timestamp {
    let step = seconds * 1e9
    // 2^63 as Double: from there on the conversion would trap.
    guard abs(step) < 0x1p63 else {
      return step.isNaN ? self : step < 0 ? .distantPast : .distantFuture
    }
    let (sum, overflow) = nanoseconds.addingReportingOverflow(Int64(step))
    guard overflow else { return Timestamp(nanoseconds: sum) }
    return step < 0 ? .distantPast : .distantFuture
  }

  public static let distantPast = Timestamp(nanoseconds: .min)
  public static let distantFuture = Timestamp(nanoseconds: .max)
}

extension Timestamp: LosslessStringConvertible {
  /// RFC 3339 in UTC with as many digits as it takes: `2026-11-25T05:10:58Z`,
  /// `2026-11-25T05:10:58.25Z`.
  public var description: String {
    let whole = seconds
    let fraction = nanoseconds &- whole &* 1_000_000_000
    var days = whole / 86_400
    var rest = whole % 86_400
    if rest < 0 {
      rest += 86_400
      days -= 1
    }
    let (year, month, day) = Self.civil(fromDays: days)
    return String(unsafeUninitializedCapacity: 30) { text in
      var count = 0
      // The years 1677 to 2262 have four digits.
      func append(_ value: Int64, _ width: Int, _ mark: UInt8) {
        var rest = value
        for place in stride(from: count + width - 1, through: count, by: -1) {
          text[place] = 48 + UInt8(truncatingIfNeeded: rest % 10)
          rest /= 10
        }
        text[count + width] = mark
        count += width + 1
      }
      append(year, 4, UInt8(ascii: "-"))
      append(month, 2, UInt8(ascii: "-"))
      append(day, 2, UInt8(ascii: "T"))
      append(rest / 3600, 2, UInt8(ascii: ":"))
      append(rest / 60 % 60, 2, UInt8(ascii: ":"))
      append(rest % 60, 2, fraction == 0 ? UInt8(ascii: "Z") : UInt8(ascii: "."))
      guard fraction != 0 else { return count }
      append(fraction, 9, UInt8(ascii: "Z"))
      count -= 1
      while text[count - 1] == 48 { count -= 1 }
      text[count] = UInt8(ascii: "Z")
      return count + 1
    }
  }

  /// Reads RFC 3339 with any offset, a space instead of `T`, and a missing zone as UTC; digits past
  /// the nanosecond are dropped, a leap second `:60` is the first second after it.
  public init?(_ text: String) {
    let bytes = Array(text.utf8)
    func number(_ range: Range<Int>) -> Int64? {
      guard range.upperBound <= bytes.count else { return nil }
      var value: Int64 = 0
      for byte in bytes[range] {
        guard byte >= 48, byte <= 57 else { return nil }
        value = value * 10 + Int64(byte - 48)
      }
      return value
    }
    guard bytes.count >= 19, let year = number(0..<4), bytes[4] == 45, let month = number(5..<7),
      bytes[7] == 45, let day = number(8..<10), [84, 116, 32].contains(bytes[10]),
      let hour = number(11..<13), bytes[13] == 58, let minute = number(14..<16), bytes[16] == 58,
      let second = number(17..<19), (1...12).contains(month), (1...31).contains(day), hour < 24,
      minute < 60, second <= 60, (1677...2262).contains(year)
    else { return nil }
    var position = 19
    var fraction: Int64 = 0
    if position < bytes.count, bytes[position] == 46 {
      position += 1
      var scale: Int64 = 100_000_000
      let start = position
      while position < bytes.count, bytes[position] >= 48, bytes[position] <= 57 {
        fraction += Int64(bytes[position] - 48) * scale
        scale /= 10
        position += 1
      }
      guard position > start else { return nil }
    }
    var offset: Int64 = 0
    if position < bytes.count {
      switch bytes[position] {
      case 90, 122:
        guard position + 1 == bytes.count else { return nil }
      case 43, 45:
        guard bytes.count == position + 6, bytes[position + 3] == 58,
          let hours = number(position + 1..<position + 3),
          let minutes = number(position + 4..<position + 6), hours < 24, minutes < 60
        else { return nil }
        offset = (hours * 3600 + minutes * 60) * (bytes[position] == 45 ? -1 : 1)
      default: return nil
      }
    }
    let days = Self.days(fromCivil: year, month, day)
    guard Self.civil(fromDays: days) == (year, month, day) else { return nil }
    let whole = days * 86_400 + hour * 3600 + minute * 60 + second - offset
    // Before 1970 the fraction counts up from the second below: add it in 128 bits, as the product
    // alone may pass the range that the sum keeps.
    let exact = Int128(whole) * 1_000_000_000 + Int128(fraction)
    guard let nanoseconds = Int64(exactly: exact) else { return nil }
    self.nanoseconds = nanoseconds
  }

  // The proleptic Gregorian calendar in whole days, after Howard Hinnant,
  // "chrono-Compatible Low-Level Date Algorithms" (2013).
  private static func days(fromCivil year: Int64, _ month: Int64, _ day: Int64) -> Int64 {
    let y = month <= 2 ? year - 1 : year
    let era = (y >= 0 ? y : y - 399) / 400
    let yearOfEra = y - era * 400
    let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
    let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
    return era * 146_097 + dayOfEra - 719_468
  }

  private static func civil(fromDays days: Int64) -> (Int64, Int64, Int64) {
    let z = days + 719_468
    let era = (z >= 0 ? z : z - 146_096) / 146_097
    let dayOfEra = z - era * 146_097
    let yearOfEra =
      (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let shifted = (5 * dayOfYear + 2) / 153
    let month = shifted < 10 ? shifted + 3 : shifted - 9
    return (
      yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * shifted + 2) / 5 + 1
    )
  }
}

extension Timestamp: Codable {
  public init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    let text = try container.decode(String.self)
    guard let moment = Timestamp(text) else {
      throw DecodingError.dataCorruptedError(
        in: container, debugDescription: "\(text) is not a time such as 2026-11-25T05:10:58Z")
    }
    self = moment
  }
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(description)
  }
}
