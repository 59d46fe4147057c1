/// Undoes the compressions of nfcapd's blocks. Broken input gives nil and never more than `limit`
/// octets.
enum BlockCompression {
  /// The LZ4 block format (lz4.org, "LZ4 Block Format Description").
  static func lz4(_ input: RawSpan, limit: Int) -> [UInt8]? {
    var output = ExpandingOutput(limit: limit, hint: input.byteCount * 3)
    var at = 0
    let end = input.byteCount
    while at < end {
      let token = Int(input.u8(at))
      at += 1
      guard let literals = length(token >> 4, input, &at) else { return nil }
      guard literals <= end - at, output.append(input, at, literals) else { return nil }
      at += literals
      // The last sequence has literals only.
      if at == end { return output.octets }
      guard end - at >= 2 else { return nil }
      let distance = Int(input.u8(at)) | Int(input.u8(at + 1)) << 8
      at += 2
      guard let more = length(token & 15, input, &at) else { return nil }
      guard output.copy(distance: distance, count: more + 4) else { return nil }
    }
    return nil
  }

  /// Four bits; 15 goes on with octets of which each 255 does so again.
  private static func length(_ nibble: Int, _ input: RawSpan, _ at: inout Int) -> Int? {
    guard nibble == 15 else { return nibble }
    var length = 15
    while true {
      guard at < input.byteCount else { return nil }
      let more = Int(input.u8(at))
      at += 1
      length += more
      if more != 255 { return length }
    }
  }

  /// The stream of LZO1X (Linux kernel, Documentation/staging/lzo.rst).
  static func lzo(_ input: RawSpan, limit: Int) -> [UInt8]? {
    var decoder = LZO1X(output: ExpandingOutput(limit: limit, hint: input.byteCount * 3))
    return decoder.run(input)
  }
}

/// Octets that grow, with copies from what is there, up to a limit.
struct ExpandingOutput {
  private(set) var octets: [UInt8] = []
  private let limit: Int

  init(limit: Int, hint: Int) {
    self.limit = limit
    octets.reserveCapacity(min(limit, max(hint, 0)))
  }

  /// The range must be within the input.
  mutating func append(_ input: RawSpan, _ start: Int, _ count: Int) -> Bool {
    guard count >= 0, count <= limit - octets.count else { return false }
    input.extracting(start..<start + count).withUnsafeBytes { octets.append(contentsOf: $0) }
    return true
  }

  mutating func copy(distance: Int, count: Int) -> Bool {
    guard distance > 0, distance <= octets.count, count >= 0, count <= limit - octets.count else {
      return false
    }
    let start = octets.count - distance
    // Octet by octet: it may overlap itself, and so repeat; and a slice of the array, appended to it,
    // would share its memory and so make it copy all of that.
    for index in start..<start + count { octets.append(octets[index]) }
    return true
  }
}

/// What LZO1X's instructions mean depends on how many literals came last.
private struct LZO1X {
  var output: ExpandingOutput
  /// Literals of the last instruction, 4 for a long run.
  private var state = 0
  private var at = 0

  init(output: ExpandingOutput) { self.output = output }

  mutating func run(_ input: RawSpan) -> [UInt8]? {
    guard let first = byte(input) else { return nil }
    if first > 17 {
      guard literals(input, first - 17) else { return nil }
      state = min(first - 17, 4)
    } else {
      at = 0
    }
    while let instruction = byte(input) {
      switch step(instruction, input) {
      case .goesOn: continue
      case .ends: return output.octets
      case .isBroken: return nil
      }
    }
    return nil
  }

  private enum Step { case goesOn, ends, isBroken }

  private mutating func step(_ code: Int, _ input: RawSpan) -> Step {
    if code >= 64 {
      guard let high = byte(input) else { return .isBroken }
      let count = code >= 128 ? 5 + (code >> 5 & 3) : 3 + (code >> 5 & 1)
      return match((high << 3) + (code >> 2 & 7) + 1, count, code & 3, input)
    }
    if code >= 32 {
      guard let more = extended(code & 31, 31, input), let word = word(input) else {
        return .isBroken
      }
      return match((word >> 2) + 1, 2 + more, word & 3, input)
    }
    if code >= 16 {
      guard let more = extended(code & 7, 7, input), let word = word(input) else {
        return .isBroken
      }
      let distance = 16_384 + ((code & 8) << 11) + (word >> 2)
      if distance == 16_384 { return .ends }
      return match(distance, 2 + more, word & 3, input)
    }
    if state == 0 {
      guard let more = extended(code, 15, input), literals(input, 3 + more) else {
        return .isBroken
      }
      state = 4
      return .goesOn
    }
    guard let high = byte(input) else { return .isBroken }
    let near = (high << 2) + (code >> 2)
    return state == 4
      ? match(near + 2_049, 3, code & 3, input) : match(near + 1, 2, code & 3, input)
  }

  private mutating func match(
    _ distance: Int, _ count: Int, _ following: Int, _ input: RawSpan
  ) -> Step {
    guard output.copy(distance: distance, count: count), literals(input, following) else {
      return .isBroken
    }
    state = following
    return .goesOn
  }

  private mutating func literals(_ input: RawSpan, _ count: Int) -> Bool {
    guard count <= input.byteCount - at, output.append(input, at, count) else { return false }
    at += count
    return true
  }

  private mutating func byte(_ input: RawSpan) -> Int? {
    guard at < input.byteCount else { return nil }
    defer { at += 1 }
    return Int(input.u8(at))
  }

  private mutating func word(_ input: RawSpan) -> Int? {
    guard let low = byte(input), let high = byte(input) else { return nil }
    return low | high << 8
  }

  /// A length that, when its bits are zero, goes on: 255 for each zero octet, and the next one.
  private mutating func extended(_ bits: Int, _ base: Int, _ input: RawSpan) -> Int? {
    if bits != 0 { return bits }
    var length = base
    while let more = byte(input) {
      if more != 0 { return length + more }
      length += 255
    }
    return nil
  }
}
