import NetworkTypes

/// The text of `location dump` (IPFire's libloc): blocks of `key: value` lines with an empty line
/// behind each; `aut-num` and `name` for a system, `net`, `country` and `aut-num` for a network.
///
/// Networks nest. A network without a country or a system leaves the word of the network around it
/// standing, as libloc's own tree does not repeat what is inherited.
struct IPFireLocationText: GeoTextFormat {
  static let kind = GeoSourceKind.ipfireLocation
  private(set) var layer = GeoLayer()
  private var head = ExportHead()
  private var prefix: IPPrefix?
  private var country: UInt32 = 0
  private var asn: UInt32 = 0
  private var name = ""

  mutating func read(_ line: borrowing Span<UInt8>, number: Int) {
    guard line.count > 0 else {
      endBlock()
      return
    }
    guard line[0] != UInt8(ascii: "#") else {
      head.read(line)
      return
    }
    guard let colon = line.firstIndex(of: UInt8(ascii: ":")) else {
      layer.skip(line: number)
      return
    }
    let value = line.trimmedBounds(from: colon + 1, to: line.count)
    if line.begins(with: "net:") {
      // A file without empty lines between its blocks still has one `net` a block.
      if prefix != nil { endBlock() }
      prefix = network(line, value)
      if prefix == nil { layer.skip(line: number) }
    } else if line.begins(with: "country:") {
      country = line.country(value)
    } else if line.begins(with: "aut-num:") {
      asn = system(line, value)
      if asn == 0 { layer.skip(line: number) }
    } else if line.begins(with: "name:") {
      name = line.text(value)
    }
    // Other keys (is-anycast, drop, …) say nothing about where a network is.
  }

  private func network(_ line: borrowing Span<UInt8>, _ range: Range<Int>) -> IPPrefix? {
    guard let slash = line.firstIndex(of: UInt8(ascii: "/"), from: range.lowerBound),
      slash < range.upperBound, let address = line.address(range.lowerBound..<slash),
      let length = line.decimal(slash + 1..<range.upperBound), length <= 128
    else { return nil }
    return IPPrefix(address, length: Int(length))
  }

  private func system(_ line: borrowing Span<UInt8>, _ range: Range<Int>) -> UInt32 {
    var start = range.lowerBound
    if range.count > 2, line[start] == UInt8(ascii: "A"), line[start + 1] == UInt8(ascii: "S") {
      start += 2
    }
    return line.decimal(start..<range.upperBound) ?? 0
  }

  private mutating func endBlock() {
    if let prefix {
      layer.add(first: prefix.first, last: prefix.last, country: country, asn: asn)
    } else if asn != 0, !name.isEmpty {
      layer.names[asn] = name
    }
    prefix = nil
    (country, asn, name) = (0, 0, "")
  }

  mutating func finish() {
    endBlock()
    layer.date = head.date
    layer.description = head.description
  }
}
