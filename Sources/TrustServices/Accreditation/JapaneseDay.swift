public import NetworkTypes

/// A day of the Japanese calendar of laws and notices: from midnight to midnight in JST (UTC+9,
/// without daylight saving time since 1951).
///
/// Accreditations begin and end with whole days: one that is valid until 2023-07-29 holds for every
/// moment before 2023-07-30T00:00:00+09:00.
public struct JapaneseDay: Hashable, Comparable, Sendable, LosslessStringConvertible {
  /// Its first moment.
  public let start: Timestamp
  private static let secondsOfDay: Int64 = 86_400
  private static let offset: Int64 = 9 * 3600

  /// Reads `2023-07-29`; nil for anything else.
  public init?(_ description: String) {
    guard description.utf8.count == 10,
      let midnight = Timestamp(description + "T00:00:00+09:00"), midnight > .distantPast,
      midnight < .distantFuture
    else { return nil }
    start = midnight
    guard self.description == description else { return nil }
  }

  /// The day in which a moment lies.
  public init(of moment: Timestamp) {
    let local = moment.seconds &+ Self.offset
    let rest = local % Self.secondsOfDay
    start = Timestamp(seconds: moment.seconds - (rest < 0 ? rest + Self.secondsOfDay : rest))
  }

  /// The first moment after it.
  public var end: Timestamp { start.advanced(bySeconds: Double(Self.secondsOfDay)) }

  /// The day after it.
  public var next: JapaneseDay { JapaneseDay(of: end) }

  public var description: String {
    String(start.advanced(bySeconds: Double(Self.offset)).description.prefix(10))
  }

  public static func < (left: Self, right: Self) -> Bool { left.start < right.start }
}

extension JapaneseDay: Codable {
  /// Reads the text form.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    let text = try container.decode(String.self)
    guard let day = JapaneseDay(text) else {
      throw DecodingError.dataCorruptedError(
        in: container, debugDescription: "\(text) is not a day such as 2023-07-29")
    }
    self = day
  }

  /// Writes the text form.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(description)
  }
}
