import NetworkTypes

/// Reading of numbers out of bytes of text, without allocation; what is no number is nil.
enum FieldText {
  static func split(_ line: ArraySlice<UInt8>, by separator: UInt8) -> [ArraySlice<UInt8>] {
    line.split(separator: separator, omittingEmptySubsequences: false)
  }

  static func trimmed(_ field: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
    var field = field
    while let first = field.first, first == 32 || first == 9 { field.removeFirst() }
    while let last = field.last, last == 32 || last == 9 { field.removeLast() }
    return field
  }

  static func string(_ field: ArraySlice<UInt8>) -> String {
    String(decoding: field, as: UTF8.self)
  }

  static func unsigned(_ field: ArraySlice<UInt8>) -> UInt64? {
    guard !field.isEmpty else { return nil }
    var value: UInt64 = 0
    for byte in field {
      guard byte >= 48, byte <= 57 else { return nil }
      let (product, over) = value.multipliedReportingOverflow(by: 10)
      let (sum, more) = product.addingReportingOverflow(UInt64(byte - 48))
      if over || more { return .max }
      value = sum
    }
    return value
  }

  /// Whole or fractional seconds as nanoseconds: `12.5`, `1313481706.972101`, `1e3`.
  static func nanoseconds(_ field: ArraySlice<UInt8>) -> Int64? {
    let parts = field.split(separator: 46, omittingEmptySubsequences: false)
    if parts.count <= 2, let whole = unsigned(parts[0]), whole < 9_000_000_000 {
      guard parts.count == 2 else { return Int64(whole) * 1_000_000_000 }
      let digits = parts[1].prefix(9)
      if let fraction = unsigned(digits) {
        var scaled = fraction
        for _ in digits.count..<9 { scaled *= 10 }
        return Int64(whole) * 1_000_000_000 + Int64(scaled)
      }
    }
    guard let value = Double(string(field)), value.isFinite, abs(value) < 9e9 else { return nil }
    return Int64(value * 1e9)
  }

  /// A port in decimal, or in hexadecimal as Argus writes ICMP's type and code.
  static func port(_ field: ArraySlice<UInt8>) -> UInt16? {
    if field.starts(with: [48, 120]) {
      return UInt16(string(field.dropFirst(2)), radix: 16)
    }
    return unsigned(field).flatMap { UInt16(exactly: $0) }
  }

  static func address(_ field: ArraySlice<UInt8>) -> IPAddress? {
    if let v4 = dottedQuad(field) { return IPAddress(v4: v4) }
    return IPAddress(string(field))
  }

  private static func dottedQuad(_ field: ArraySlice<UInt8>) -> UInt32? {
    guard field.count >= 7, field.count <= 15 else { return nil }
    var result: UInt32 = 0
    var octet: UInt32 = 0
    var digits = 0
    var dots = 0
    for byte in field {
      if byte == 46 {
        guard digits > 0 else { return nil }
        result = result << 8 | octet
        octet = 0
        digits = 0
        dots += 1
      } else {
        guard byte >= 48, byte <= 57 else { return nil }
        octet = octet * 10 + UInt32(byte - 48)
        digits += 1
        guard digits <= 3, octet <= 255 else { return nil }
      }
    }
    guard dots == 3, digits > 0 else { return nil }
    return result << 8 | octet
  }

  static func transport(_ field: ArraySlice<UInt8>) -> UInt8? {
    switch string(field).lowercased() {
    case "tcp": 6
    case "udp": 17
    case "icmp": 1
    case "ipv6-icmp", "icmp6", "icmpv6": 58
    case let text: UInt8(text).flatMap { [1, 6, 17, 58].contains($0) ? $0 : nil }
    }
  }
}
