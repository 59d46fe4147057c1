/// Why a filter could not be read.
///
/// ```
/// expected a number after port
///   proto tcp and port http
///                      ^
/// ```
public struct FilterError: Error, Hashable, Sendable, CustomStringConvertible {
  /// What was read.
  public let text: String
  /// Where it went wrong, in octets of UTF-8 from the beginning.
  public let offset: Int
  /// What was expected there.
  public let message: String

  /// The message, the line of the filter that it is about, and a caret under the place.
  public var description: String {
    let octets = Array(text.utf8)
    let place = min(max(0, offset), octets.count)
    let start = octets[..<place].lastIndex(of: 10).map { $0 + 1 } ?? 0
    let end = octets[place...].firstIndex(of: 10) ?? octets.count
    let line = String(decoding: octets[start..<end], as: UTF8.self)
    let before = String(decoding: octets[start..<place], as: UTF8.self)
    return "\(message)\n  \(line)\n  \(String(repeating: " ", count: before.count))^"
  }
}

/// The numbers that bound a filter.
public struct FilterParameters: Hashable, Sendable {
  /// Octets of text: lists of some tens of thousands of addresses fit (our own choice).
  public var longestText = 1 << 20
  /// Levels of parentheses and negations: far more than a person writes, and little stack.
  public var deepestNesting = 200
  /// Files that include one another (our own choice).
  public var deepestInclusion = 10

  /// The values above.
  public init() {}
}
