import NetworkTypes

/// CAIDA's RouteViews prefix-to-AS table: `192.0.2.0<tab>24<tab>64496`, IPv4 or IPv6.
///
/// The third field may name several systems: `64496_64497` where different systems announce the
/// prefix (multi-origin), `64496,64497` where the announcement ends in an AS set. The first one is
/// taken, as CAIDA puts the most frequent first, and both cases are counted.
/// Format: CAIDA, "RouteViews Prefix-to-AS mappings (pfx2as) for IPv4 and IPv6".
struct PrefixToASText: GeoTextFormat {
  static let kind = GeoSourceKind.prefixToAS
  private(set) var layer = GeoLayer()

  mutating func read(_ line: borrowing Span<UInt8>, number: Int) {
    let all = line.trimmedBounds(from: 0, to: line.count)
    guard !all.isEmpty, line[all.lowerBound] != UInt8(ascii: "#") else { return }
    var bounds = [Range<Int>]()
    var position = all.lowerBound
    while position < all.upperBound, bounds.count < 4 {
      let start = position
      while position < all.upperBound, line[position] > 32 { position += 1 }
      bounds.append(start..<position)
      while position < all.upperBound, line[position] <= 32 { position += 1 }
    }
    guard bounds.count == 3, let address = line.address(bounds[0]),
      let length = line.decimal(bounds[1]), length <= 128,
      let prefix = IPPrefix(address, length: Int(length))
    else {
      layer.skip(line: number)
      return
    }
    var end = bounds[2].lowerBound
    while end < bounds[2].upperBound, line[end] != UInt8(ascii: "_"), line[end] != UInt8(ascii: ",")
    { end += 1 }
    guard let asn = line.decimal(bounds[2].lowerBound..<end), asn != 0 else {
      layer.skip(line: number)
      return
    }
    if end < bounds[2].upperBound { layer.multipleOrigins += 1 }
    layer.add(first: prefix.first, last: prefix.last, country: 0, asn: asn)
  }

  mutating func finish() {}
}
