import Glibc

/// MD5 (RFC 1321), which the fingerprint format takes as its key. It protects nothing.
enum MD5 {
  private static let shifts: [[UInt32]] = [
    [7, 12, 17, 22], [5, 9, 14, 20], [4, 11, 16, 23], [6, 10, 15, 21],
  ]
  /// ⌊2³² · |sin(i + 1)|⌋ (RFC 1321 §3.4).
  private static let table: [UInt32] = (0..<64).map { UInt32(abs(sin(Double($0 + 1))) * 0x1p32) }

  static func hexadecimal(_ octets: [UInt8]) -> String {
    var message = octets
    message.append(0x80)
    while message.count % 64 != 56 { message.append(0) }
    let bits = UInt64(octets.count) &* 8
    for octet in 0..<8 { message.append(UInt8(truncatingIfNeeded: bits >> UInt64(8 * octet))) }
    var state: [UInt32] = [0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476]
    for block in stride(from: 0, to: message.count, by: 64) { digest(message, block, &state) }
    return state.map { word in
      (0..<4).map { octet in
        let value = UInt8(truncatingIfNeeded: word >> UInt32(8 * octet))
        return (value < 16 ? "0" : "") + String(value, radix: 16)
      }.joined()
    }.joined()
  }

  private static func digest(_ message: [UInt8], _ start: Int, _ state: inout [UInt32]) {
    let words = (0..<16).map { word in
      (0..<4).reduce(UInt32(0)) { $0 | UInt32(message[start + 4 * word + $1]) << UInt32(8 * $1) }
    }
    var (a, b, c, d) = (state[0], state[1], state[2], state[3])
    for step in 0..<64 {
      let mixed: UInt32
      let word: Int
      switch step / 16 {
      case 0: (mixed, word) = ((b & c) | (~b & d), step)
      case 1: (mixed, word) = ((d & b) | (~d & c), (5 * step + 1) % 16)
      case 2: (mixed, word) = (b ^ c ^ d, (3 * step + 5) % 16)
      default: (mixed, word) = (c ^ (b | ~d), 7 * step % 16)
      }
      let sum = a &+ mixed &+ table[step] &+ words[word]
      let shift = shifts[step / 16][step % 4]
      (a, d, c, b) = (d, c, b, b &+ (sum << shift | sum >> (32 - shift)))
    }
    state[0] &+= a
    state[1] &+= b
    state[2] &+= c
    state[3] &+= d
  }
}
