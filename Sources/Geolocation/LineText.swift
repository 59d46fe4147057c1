import NetworkTypes

/// Reading the bytes of a line without making strings of them: the tables have millions of lines.
extension Span where Element == UInt8 {
  /// The place of the first such byte from `start` on.
  func firstIndex(of byte: UInt8, from start: Int = 0) -> Int? {
    var index = start
    while index < count {
      if self[index] == byte { return index }
      index += 1
    }
    return nil
  }

  /// The first and the behind-last place of what remains without blanks at both ends.
  func trimmedBounds(from start: Int, to end: Int) -> Range<Int> {
    var low = start
    var high = end
    while low < high, self[low] <= 32 { low += 1 }
    while high > low, self[high - 1] <= 32 { high -= 1 }
    return low..<high
  }

  func begins(with text: StaticString) -> Bool {
    guard count >= text.utf8CodeUnitCount else { return false }
    return text.withUTF8Buffer { buffer in
      buffer.indices.allSatisfy { self[$0] == buffer[$0] }
    }
  }

  /// An unsigned decimal number without sign; nil if there is anything else or it does not fit.
  func decimal(_ range: Range<Int>) -> UInt32? {
    guard !range.isEmpty, range.count <= 10 else { return nil }
    var value: UInt64 = 0
    for index in range {
      let digit = self[index] &- 48
      guard digit <= 9 else { return nil }
      value = value * 10 + UInt64(digit)
    }
    return UInt32(exactly: value)
  }

  func text(_ range: Range<Int>) -> String {
    String(decoding: range.map { self[$0] }, as: UTF8.self)
  }

  /// An address in any text form.
  func address(_ range: Range<Int>) -> IPAddress? {
    guard range.count <= 45 else { return nil }
    var value: UInt32 = 0
    var octet: UInt32 = 0
    var digits = 0
    var dots = 0
    for index in range {
      let byte = self[index]
      if byte == UInt8(ascii: ".") {
        guard digits > 0, dots < 3 else { return nil }
        value = value << 8 | octet
        (octet, digits, dots) = (0, 0, dots + 1)
      } else {
        let digit = byte &- 48
        // Whatever is not plainly IPv4 is left to the full reader.
        guard digit <= 9, digits < 3, digits == 0 || octet > 0 else {
          return IPAddress(text(range))
        }
        octet = octet * 10 + UInt32(digit)
        digits += 1
        guard octet <= 255 else { return IPAddress(text(range)) }
      }
    }
    guard dots == 3, digits > 0 else { return IPAddress(text(range)) }
    return IPAddress(v4: value << 8 | octet)
  }

  /// A country's two letters as they are stored in runs; 0 for anything else (`??`, `A1`, `ZZ`).
  func country(_ range: Range<Int>) -> UInt32 {
    guard range.count == 2 else { return 0 }
    let first = self[range.lowerBound]
    let second = self[range.lowerBound + 1]
    guard first >= 65, first <= 90, second >= 65, second <= 90 else { return 0 }
    let packed = UInt16(first) << 8 | UInt16(second)
    return packed == CountryCode.unknown.packed ? 0 : UInt32(packed)
  }
}

/// Cuts a stream of chunks into lines, whatever the size of the chunks.
struct LineCutter {
  private var rest: [UInt8] = []
  private(set) var lines = 0
  /// No line of any of the formats comes near it; a file without line ends is not one of them.
  static let longestLine = 1 << 16

  /// Gives every whole line of the chunk to `body`, without its line end; nil `chunk` ends the
  /// stream and gives what is left.
  ///
  /// - Returns: false when a line is too long to be one of a text table.
  mutating func feed(
    _ chunk: [UInt8]?, _ body: (_ number: Int, _ line: borrowing Span<UInt8>) -> Void
  ) -> Bool {
    guard let chunk else {
      if !rest.isEmpty {
        lines += 1
        body(lines, Self.line(rest.span, 0, rest.count))
        rest = []
      }
      return true
    }
    let span = chunk.span
    var start = 0
    while let end = span.firstIndex(of: 10, from: start) {
      lines += 1
      if rest.isEmpty {
        body(lines, Self.line(span, start, end))
      } else {
        rest += chunk[start..<end]
        body(lines, Self.line(rest.span, 0, rest.count))
        rest.removeAll(keepingCapacity: true)
      }
      start = end + 1
    }
    rest += chunk[start...]
    return rest.count <= Self.longestLine
  }

  @_lifetime(copy span)
  private static func line(_ span: Span<UInt8>, _ start: Int, _ end: Int) -> Span<UInt8> {
    let withoutReturn = end > start && span[end - 1] == 13 ? end - 1 : end
    return span.extracting(start..<withoutReturn)
  }
}
