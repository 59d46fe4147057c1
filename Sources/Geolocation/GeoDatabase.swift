import Foundation
public import NetworkTypes

/// Answers the question "which country and which autonomous system does this address belong to?"
///
/// It is immutable and may be used from any number of threads at once; an update is a new database.
/// Everything works with ``empty``, which knows nothing.
///
/// ```swift
/// let geo = try GeoDatabase(snapshot: "/var/lib/noroshi/geo.noroshi")
/// let record = geo.lookup(source)
/// print(record.country, record.asn, geo.asnName(record.asn) ?? "")
/// ```
///
/// The snapshot is made by ``GeoImporter``. MMDB files may also be asked live
/// (``init(snapshot:live:)``): they are slower (about a million look-ups a second) but follow the
/// operator's own update job after a restart.
public final class GeoDatabase: Sendable {
  @usableFromInline let table: IPRunTable
  /// The answers by the numbers of `table`; the first is "unknown".
  @usableFromInline let records: [GeoRecord]
  @usableFromInline let live: [MaxMindDatabase]
  private let names: ASNNames
  /// Where the answers come from, the most trusted first.
  public let provenance: [GeoProvenance]

  /// A database without any data: every address is unknown.
  public static let empty = GeoDatabase(GeoSnapshot(), live: [])

  /// Reads a snapshot file, and opens MMDB files that are asked before it.
  ///
  /// - Throws: ``GeoError``, which says which file is wrong and how to make it anew.
  public convenience init(snapshot path: String, live mmdb: [String] = []) throws {
    try self.init(GeoSnapshot(contentsOf: path), live: mmdb.map { try MaxMindDatabase(path: $0) })
  }

  /// Asks MMDB files only, in the given order.
  public convenience init(live mmdb: [String]) throws {
    try self.init(GeoSnapshot(), live: mmdb.map { try MaxMindDatabase(path: $0) })
  }

  /// Reads a snapshot that is in memory.
  public convenience init(snapshotBytes bytes: [UInt8]) throws {
    do {
      try self.init(GeoSnapshot(bytes: bytes), live: [])
    } catch let problem as GeoSnapshot.SnapshotProblem {
      throw GeoError(
        "The geographic database \(problem.text); make it anew with `noroshi geo import`.")
    }
  }

  /// A database of one text table that is in memory, for small tables of one's own; lines that
  /// cannot be read are left out. An MMDB file is no text and gives an empty database.
  public convenience init(text: [UInt8], kind: GeoSourceKind) {
    let layer =
      switch kind {
      case .maxMindDB: GeoLayer()
      case .prefixToAS: PrefixToASText.layer(of: text)
      case .ipfireLocation: IPFireLocationText.layer(of: text)
      case .torGeoIP: TorGeoIPText.layer(of: text)
      }
    self.init(GeoSnapshot(GeoCombination([layer])), live: [])
  }

  init(_ snapshot: GeoSnapshot, live: [MaxMindDatabase]) {
    table = snapshot.table
    records = snapshot.records
    names = snapshot.names
    self.live = live
    provenance = live.map(\.provenance) + snapshot.provenance
  }

  /// Whether there is nothing to look anything up in.
  public var isEmpty: Bool { records.count <= 1 && live.isEmpty }

  /// Country and system of an address. From the snapshot some ten million a second and core.
  @inlinable public func lookup(_ address: IPAddress) -> GeoRecord {
    let record = records[Int(table.number(address))]
    return live.isEmpty ? record : asked(address, else: record)
  }

  /// As ``lookup(_:)-(IPAddress)``, for an IPv4 address in host order.
  @inlinable public func lookup(v4: UInt32) -> GeoRecord {
    let record = records[Int(table.number(v4: v4))]
    return live.isEmpty ? record : asked(IPAddress(v4: v4), else: record)
  }

  @usableFromInline func asked(_ address: IPAddress, else stored: GeoRecord) -> GeoRecord {
    var country = CountryCode.unknown
    var asn = ASN.unknown
    for database in live {
      guard let answer = database.lookup(address) else { continue }
      if country == .unknown { country = answer.country }
      if asn == .unknown { asn = answer.asn }
      if country != .unknown, asn != .unknown { break }
    }
    return GeoRecord(
      country: country == .unknown ? stored.country : country,
      asn: asn == .unknown ? stored.asn : asn)
  }

  /// The name of an autonomous system as its registry or publisher writes it, if the sources that
  /// were imported have names.
  public func asnName(_ asn: ASN) -> String? { names[asn] }

  /// How many systems have names.
  public var namedSystems: Int { names.count }

  /// The memory that the tables hold, in bytes.
  public var byteCount: Int {
    table.byteCount + records.count * MemoryLayout<GeoRecord>.stride + names.byteCount
  }
}

/// Names of autonomous systems, as one blob with offsets: a hundred thousand strings would take
/// several times the memory.
struct ASNNames: Sendable {
  /// Rising strictly.
  let numbers: [UInt32]
  /// Where each name begins in `text`, and behind the last where it ends.
  let offsets: [UInt32]
  let text: [UInt8]

  init() {
    numbers = []
    offsets = [0]
    text = []
  }

  init(_ names: [UInt32: String]) {
    numbers = names.keys.sorted()
    var offsets: [UInt32] = [0]
    var text: [UInt8] = []
    for number in numbers {
      text += (names[number] ?? "").utf8
      offsets.append(UInt32(clamping: text.count))
    }
    self.offsets = offsets
    self.text = text
  }

  /// Nil unless the parts fit each other.
  init?(numbers: [UInt32], offsets: [UInt32], text: [UInt8]) {
    guard offsets.count == numbers.count + 1, offsets.first == 0,
      offsets.last == UInt32(exactly: text.count),
      zip(offsets, offsets.dropFirst()).allSatisfy({ $0 <= $1 }),
      zip(numbers, numbers.dropFirst()).allSatisfy({ $0 < $1 })
    else { return nil }
    self.numbers = numbers
    self.offsets = offsets
    self.text = text
  }

  var count: Int { numbers.count }
  var byteCount: Int { numbers.count * 8 + text.count }

  subscript(asn: ASN) -> String? {
    var low = 0
    var high = numbers.count
    while low < high {
      let middle = (low + high) / 2
      if numbers[middle] < asn.number { low = middle + 1 } else { high = middle }
    }
    guard low < numbers.count, numbers[low] == asn.number else { return nil }
    return String(decoding: text[Int(offsets[low])..<Int(offsets[low + 1])], as: UTF8.self)
  }
}
