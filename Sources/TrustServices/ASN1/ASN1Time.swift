import NetworkTypes
import SwiftASN1

/// UTCTime and GeneralizedTime as moments (RFC 5280 4.1.2.5, RFC 3161 2.4.2).
///
/// A year past 2262 is read as ``Timestamp/distantFuture``: certificates without a meaningful end
/// say 9999-12-31.
enum ASN1Time {
  static func read(
    _ node: ASN1Node, _ structure: String, _ field: String, tag: ASN1Identifier? = nil
  )
    throws(MalformedStructure) -> Timestamp
  {
    let kind = tag ?? node.identifier
    guard kind == .utcTime || kind == .generalizedTime, case .primitive(let content) = node.content,
      let moment = parse(content, fourDigitYear: kind == .generalizedTime)
    else { throw MalformedStructure(structure, field, "not a UTCTime or GeneralizedTime") }
    return moment
  }

  /// Reads `YYMMDDhhmm[ss]` or `YYYYMMDDhhmm[ss[.f…]]` with `Z` or an offset.
  static func parse(_ text: ArraySlice<UInt8>, fourDigitYear: Bool) -> Timestamp? {
    var rest = text
    func digits(_ count: Int) -> Int? {
      guard rest.count >= count else { return nil }
      var value = 0
      for byte in rest.prefix(count) {
        guard byte >= 0x30, byte <= 0x39 else { return nil }
        value = value * 10 + Int(byte - 0x30)
      }
      rest = rest.dropFirst(count)
      return value
    }
    guard var year = digits(fourDigitYear ? 4 : 2), let month = digits(2), let day = digits(2),
      let hour = digits(2), let minute = digits(2)
    else { return nil }
    if !fourDigitYear { year += year >= 50 ? 1900 : 2000 }
    var second = 0
    if let first = rest.first, first >= 0x30, first <= 0x39 {
      guard let value = digits(2) else { return nil }
      second = value
    }
    var nanoseconds: Int64 = 0
    if fourDigitYear, rest.first == UInt8(ascii: ".") || rest.first == UInt8(ascii: ",") {
      rest = rest.dropFirst()
      var scale: Int64 = 100_000_000
      var count = 0
      while let byte = rest.first, byte >= 0x30, byte <= 0x39 {
        nanoseconds += Int64(byte - 0x30) * scale
        scale /= 10
        count += 1
        rest = rest.dropFirst()
      }
      guard count > 0 else { return nil }
    }
    guard let zone = rest.popFirst() else { return nil }
    var offset = 0
    if zone == UInt8(ascii: "+") || zone == UInt8(ascii: "-") {
      guard let hours = digits(2), let minutes = digits(2), hours < 24, minutes < 60 else {
        return nil
      }
      offset = (hours * 60 + minutes) * 60 * (zone == UInt8(ascii: "+") ? 1 : -1)
    } else if zone != UInt8(ascii: "Z") {
      return nil
    }
    guard rest.isEmpty, (1...12).contains(month), (1...daysIn(month, of: year)).contains(day),
      hour < 24, minute < 60, second <= 60
    else { return nil }
    let seconds =
      days(year, month, day) * 86_400 + Int64(hour * 3600 + minute * 60 + second - offset)
    let whole = Timestamp(seconds: seconds)
    let (sum, overflow) = whole.nanoseconds.addingReportingOverflow(nanoseconds)
    return overflow ? .distantFuture : Timestamp(nanoseconds: sum)
  }

  /// The digits of `moment` with at most `fractionDigits` decimals, trailing zeros removed as DER
  /// wants (X.690 11.7), without the century where `twoDigitYear`.
  static func format(_ moment: Timestamp, fractionDigits: Int, twoDigitYear: Bool) -> [UInt8] {
    let seconds = moment.seconds
    var day = seconds / 86_400
    var rest = seconds % 86_400
    if rest < 0 {
      rest += 86_400
      day -= 1
    }
    let (year, month, dayOfMonth) = civil(day)
    var text: [UInt8] = []
    func put(_ value: Int64, _ width: Int) {
      var divisor: Int64 = 1
      for _ in 1..<width { divisor *= 10 }
      while divisor > 0 {
        text.append(0x30 + UInt8(value / divisor % 10))
        divisor /= 10
      }
    }
    if twoDigitYear { put(year % 100, 2) } else { put(year, 4) }
    for value in [month, dayOfMonth, rest / 3600, rest / 60 % 60, rest % 60] { put(value, 2) }
    let fraction = moment.nanoseconds &- seconds &* 1_000_000_000
    if fractionDigits > 0, fraction > 0 {
      var decimals: [UInt8] = []
      var scale: Int64 = 100_000_000
      for _ in 0..<min(fractionDigits, 9) {
        decimals.append(0x30 + UInt8(fraction / scale % 10))
        scale /= 10
      }
      while decimals.last == 0x30 { decimals.removeLast() }
      if !decimals.isEmpty { text.append(UInt8(ascii: ".")) }
      text += decimals
    }
    text.append(UInt8(ascii: "Z"))
    return text
  }

  private static func daysIn(_ month: Int, of year: Int) -> Int {
    switch month {
    case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
    case 4, 6, 9, 11: 30
    default: 31
    }
  }

  /// Days since 1970-01-01 in the proleptic Gregorian calendar (Hinnant, days_from_civil).
  private static func days(_ year: Int, _ month: Int, _ day: Int) -> Int64 {
    let shifted = month <= 2 ? year - 1 : year
    let era = shifted / 400
    let yearOfEra = shifted - era * 400
    let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
    let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
    return Int64(era * 146_097 + dayOfEra - 719_468)
  }

  private static func civil(_ days: Int64) -> (year: Int64, month: Int64, day: Int64) {
    // A Timestamp begins in 1677, so the sum is positive and the division rounds down.
    let shifted = days + 719_468
    let era = shifted / 146_097
    let dayOfEra = shifted - era * 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let shiftedMonth = (5 * dayOfYear + 2) / 153
    let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
    return (
      yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month,
      dayOfYear - (153 * shiftedMonth + 2) / 5 + 1
    )
  }
}

extension DER.Serializer {
  /// UTCTime through 2049 and GeneralizedTime from 2050 on, whole seconds (RFC 5280 4.1.2.5).
  mutating func time(_ moment: Timestamp) {
    // 1950-01-01 and 2050-01-01 in seconds since 1970.
    let isUTC = (-631_152_000..<2_524_608_000).contains(moment.seconds)
    appendPrimitiveNode(identifier: isUTC ? .utcTime : .generalizedTime) {
      $0 += ASN1Time.format(moment, fractionDigits: 0, twoDigitYear: isUTC)
    }
  }

  mutating func generalizedTime(_ moment: Timestamp, fractionDigits: Int = 0) {
    appendPrimitiveNode(identifier: .generalizedTime) {
      $0 += ASN1Time.format(moment, fractionDigits: fractionDigits, twoDigitYear: false)
    }
  }
}
