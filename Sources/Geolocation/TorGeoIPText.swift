import NetworkTypes

/// Tor's `geoip` (`16777216,16777471,AU`, addresses as numbers) and `geoip6`
/// (`2001:200::,2001:200:ffff:...,JP`), with `??` for not known.
struct TorGeoIPText: GeoTextFormat {
  static let kind = GeoSourceKind.torGeoIP
  private(set) var layer = GeoLayer()
  private var head = ExportHead()

  mutating func read(_ line: borrowing Span<UInt8>, number: Int) {
    let all = line.trimmedBounds(from: 0, to: line.count)
    guard !all.isEmpty else { return }
    guard line[all.lowerBound] != UInt8(ascii: "#") else {
      head.read(line)
      return
    }
    let comma = UInt8(ascii: ",")
    guard let one = line.firstIndex(of: comma), let two = line.firstIndex(of: comma, from: one + 1),
      let first = address(line, all.lowerBound..<one), let last = address(line, one + 1..<two),
      first <= last, first.isIPv4 == last.isIPv4, all.upperBound == two + 3
    else {
      layer.skip(line: number)
      return
    }
    layer.add(
      first: first, last: last, country: line.country(two + 1..<all.upperBound), asn: 0)
  }

  private func address(_ line: borrowing Span<UInt8>, _ range: Range<Int>) -> IPAddress? {
    line.decimal(range).map(IPAddress.init(v4:)) ?? line.address(range)
  }

  mutating func finish() {
    layer.date = head.date
    layer.description = head.description
  }
}
