import NetworkTypes

/// Puts numbers in network byte order into a datagram.
struct DatagramWriter {
  private(set) var octets: [UInt8] = []

  init(reserving capacity: Int) { octets.reserveCapacity(capacity) }

  var count: Int { octets.count }

  mutating func removeAll() { octets.removeAll(keepingCapacity: true) }

  @inline(__always)
  mutating func u8(_ value: UInt8) { octets.append(value) }

  @inline(__always)
  mutating func u16(_ value: UInt16) {
    octets.append(UInt8(truncatingIfNeeded: value >> 8))
    octets.append(UInt8(truncatingIfNeeded: value))
  }

  @inline(__always)
  mutating func u32(_ value: UInt32) {
    u16(UInt16(truncatingIfNeeded: value >> 16))
    u16(UInt16(truncatingIfNeeded: value))
  }

  @inline(__always)
  mutating func u64(_ value: UInt64) {
    u32(UInt32(truncatingIfNeeded: value >> 32))
    u32(UInt32(truncatingIfNeeded: value))
  }

  /// The low `length` octets of a number.
  mutating func number(_ value: UInt64, length: Int) {
    switch length {
    case 1: u8(UInt8(truncatingIfNeeded: value))
    case 2: u16(UInt16(truncatingIfNeeded: value))
    case 4: u32(UInt32(truncatingIfNeeded: value))
    case 8: u64(value)
    default:
      for index in 0..<length {
        u8(UInt8(truncatingIfNeeded: value >> UInt64(8 * (length - 1 - index))))
      }
    }
  }

  /// An address as 16 octets, or as 4 of which the low bits are taken.
  mutating func address(_ address: IPAddress, length: Int) {
    if length == 4 {
      u32(UInt32(truncatingIfNeeded: address.bits))
    } else {
      u64(UInt64(truncatingIfNeeded: address.bits >> 64))
      u64(UInt64(truncatingIfNeeded: address.bits))
    }
  }

  mutating func zeros(_ count: Int) { octets.append(contentsOf: repeatElement(0, count: count)) }

  /// Overwrites a number that was not known when it was put; the place exists.
  mutating func patch16(_ value: UInt16, at place: Int) {
    octets[place] = UInt8(truncatingIfNeeded: value >> 8)
    octets[place + 1] = UInt8(truncatingIfNeeded: value)
  }

  mutating func patch32(_ value: UInt32, at place: Int) {
    patch16(UInt16(truncatingIfNeeded: value >> 16), at: place)
    patch16(UInt16(truncatingIfNeeded: value), at: place + 2)
  }
}
