extension IPPrefix {
  /// The fewest prefixes that together hold exactly the addresses of `range`, in rising order.
  ///
  /// Address lists come as ranges (`192.0.2.5 - 192.0.2.20`), routing comes as prefixes. A range
  /// whose ends are of different families gives none; an IPv6 range never covers the block of the
  /// IPv4-mapped addresses, which are IPv4. At most 62 prefixes for IPv4, 254 for IPv6.
  public static func covering(range: ClosedRange<IPAddress>) -> [IPPrefix] {
    guard range.lowerBound.isIPv4 == range.upperBound.isIPv4 else { return [] }
    let isIPv4 = range.lowerBound.isIPv4
    let width = isIPv4 ? 32 : 128
    let last = range.upperBound.bits
    var next = range.lowerBound.bits
    var prefixes: [IPPrefix] = []
    while true {
      // The greatest aligned block that begins here and does not pass the end.
      var hostBits = min(next == 0 ? 128 : next.trailingZeroBitCount, width)
      while hostBits > 0, lastOfBlock(at: next, hostBits: hostBits) > last { hostBits -= 1 }
      let address = IPAddress(bits: next)
      if address.isIPv4 == isIPv4, let prefix = IPPrefix(address, length: width - hostBits) {
        prefixes.append(prefix)
      }
      let blockLast = lastOfBlock(at: next, hostBits: hostBits)
      guard blockLast < last else { return prefixes }
      next = blockLast + 1
    }
  }

  private static func lastOfBlock(at first: UInt128, hostBits: Int) -> UInt128 {
    hostBits == 128 ? .max : first | ((1 << UInt128(hostBits)) - 1)
  }
}
