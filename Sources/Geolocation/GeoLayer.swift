import NetworkTypes

/// What one source says: blocks with countries, blocks with systems, names of systems.
struct GeoLayer: Sendable {
  var country4: [AddressRuns<UInt32>.Block] = []
  var country6: [AddressRuns<UInt128>.Block] = []
  var asn4: [AddressRuns<UInt32>.Block] = []
  var asn6: [AddressRuns<UInt128>.Block] = []
  var names: [UInt32: String] = [:]
  var date: Timestamp?
  var description = ""
  var entries = 0
  var skipped = 0
  var firstSkippedLine = 0
  var multipleOrigins = 0

  /// Adds a block; parts that the source does not know are 0 and leave the greater block's word
  /// standing.
  mutating func add(first: IPAddress, last: IPAddress, country: UInt32, asn: UInt32) {
    entries += 1
    if let first = first.v4, let last = last.v4 {
      if country != 0 { country4.append(.init(first: first, last: last, number: country)) }
      if asn != 0 { asn4.append(.init(first: first, last: last, number: asn)) }
    } else {
      if country != 0 {
        country6.append(.init(first: first.bits, last: last.bits, number: country))
      }
      if asn != 0 { asn6.append(.init(first: first.bits, last: last.bits, number: asn)) }
    }
  }

  mutating func skip(line: Int) {
    skipped += 1
    if firstSkippedLine == 0 { firstSkippedLine = line }
  }
}

/// A reader of one text format, fed line by line.
///
/// A line that cannot be read is counted and left out, never an error: the tables are made by other
/// people's programs, and one odd line among a million must not cost the rest.
protocol GeoTextFormat: Sendable {
  static var kind: GeoSourceKind { get }
  var layer: GeoLayer { get }
  init()
  mutating func read(_ line: borrowing Span<UInt8>, number: Int)
  mutating func finish()
}

extension GeoTextFormat {
  /// Reads a whole text that is in memory.
  static func layer(of text: [UInt8]) -> GeoLayer {
    var format = Self()
    var cutter = LineCutter()
    _ = cutter.feed(text) { format.read($1, number: $0) }
    _ = cutter.feed(nil) { format.read($1, number: $0) }
    format.finish()
    return format.layer
  }
}

/// The head of IPFire's exports, which Tor's files repeat: `# Generated: Sat, 29 Oct 2022 05:59:54
/// GMT`, `# Vendor:`, `# License:`.
struct ExportHead: Sendable {
  private(set) var date: Timestamp?
  private var vendor = ""
  private var licence = ""

  var description: String {
    [vendor, licence].filter { !$0.isEmpty }.joined(separator: ", ")
  }

  mutating func read(_ comment: borrowing Span<UInt8>) {
    let text = comment.text(comment.trimmedBounds(from: 1, to: min(comment.count, 400)))
    if let rest = Self.value(of: "Generated:", in: text) { date = Self.moment(rest) }
    if let rest = Self.value(of: "Vendor:", in: text) { vendor = rest }
    if let rest = Self.value(of: "License:", in: text) { licence = rest }
  }

  private static func value(of key: String, in text: String) -> String? {
    guard text.hasPrefix(key) else { return nil }
    return String(text.dropFirst(key.count).drop { $0 == " " })
  }

  /// Reads the date of RFC 5322 as HTTP writes it (RFC 9110 §5.6.7).
  static func moment(_ text: String) -> Timestamp? {
    let months = [
      "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]
    let parts = text.split(separator: " ")
    guard parts.count == 6, parts[5] == "GMT", let month = months.firstIndex(of: String(parts[2]))
    else { return nil }
    let day = parts[1].count == 1 ? "0\(parts[1])" : String(parts[1])
    let number = month + 1
    return Timestamp("\(parts[3])-\(number < 10 ? "0" : "")\(number)-\(day)T\(parts[4])Z")
  }
}
