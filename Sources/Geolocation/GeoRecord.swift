public import NetworkTypes

/// What the geographic database knows of an address; either part may be unknown.
@frozen
public struct GeoRecord: Hashable, Sendable, BitwiseCopyable {
  /// Where the registry or the database says the block is used; ``CountryCode/unknown`` if it does
  /// not.
  public let country: CountryCode
  /// The system that announces the address; ``ASN/unknown`` (0) where none does.
  public let asn: ASN

  @inlinable public init(country: CountryCode, asn: ASN) {
    self.country = country
    self.asn = asn
  }

  public static let unknown = GeoRecord(country: .unknown, asn: .unknown)
}

/// The kinds of file that say where addresses belong.
public enum GeoSourceKind: String, Codable, Sendable, CaseIterable {
  /// A MaxMind DB file: GeoLite2 and GeoIP2 Country, City, ASN; DB-IP; IPinfo. Country, ASN, names.
  case maxMindDB = "mmdb"
  /// CAIDA's RouteViews prefix-to-AS table, optionally gzipped. ASN.
  case prefixToAS = "pfx2as"
  /// The IPFire location database, as `location.db` or as the text of `location dump`. Country, ASN,
  /// names.
  case ipfireLocation = "libloc"
  /// Tor's `geoip` and `geoip6`. Country.
  case torGeoIP = "tor-geoip"

  /// Whose word counts first where two sources differ; smaller is more trusted.
  ///
  /// Our own choice: what an operator obtained on purpose (MMDB) before measured routing (pfx2as)
  /// before what comes with the distribution. The last two are one family and equal, so that the
  /// newer one wins.
  public var trustRank: Int {
    switch self {
    case .maxMindDB: 0
    case .prefixToAS: 1
    case .ipfireLocation, .torGeoIP: 2
    }
  }
}

/// Where the answers of a database come from.
public struct GeoProvenance: Codable, Hashable, Sendable {
  public let kind: GeoSourceKind
  /// The name of the file that was read, without its folder.
  public let file: String
  /// When the data were made by their publisher; the file's own date where they do not say.
  public let date: Timestamp
  /// The publisher's words about itself and its licence, if the file has any.
  public let description: String
  /// Entries that were used.
  public let entries: Int
  /// Lines or records that could not be read, and were left out.
  public let skipped: Int
  /// The first line left out, 0 for none.
  public let firstSkippedLine: Int
  /// Prefixes that several systems announce; the first system was taken.
  public let multipleOrigins: Int
}

/// Why geographic data could not be read or written.
public struct GeoError: Error, CustomStringConvertible, Sendable {
  /// What was read, where, what was expected and what to do, as one or two sentences.
  public let description: String

  init(_ description: String) { self.description = description }
}
