public import Anonymisation
public import NetworkTypes

/// Writes what the telescope has stored as one file for DuckDB, pandas, Spark and spreadsheets; on request
/// with anonymised addresses.
///
/// An anonymised file keeps prefixes (Crypto-PAn): two addresses share as many leading bits as before, so
/// that networks stay networks. What else could name a host is left out of it: who runs a survey, and
/// the values behind a verdict. Sampled packets are never exported, since they hold addresses.
public struct EventExport {
  private let store: TelescopeStore
  private var anonymiser: CachedCryptoPAn?

  public init(_ store: TelescopeStore, anonymisedWith key: AnonymisationKey? = nil) {
    self.store = store
    anonymiser = key.map { CachedCryptoPAn(CryptoPAn(key: $0)) }
  }

  private mutating func shown(_ address: IPAddress) -> ExportValue {
    .address(anonymiser?.anonymised(address) ?? address)
  }

  private static func known(_ country: CountryCode) -> ExportValue {
    country == .unknown ? .missing : .text(country.description)
  }

  private static func known(_ system: ASN) -> ExportValue {
    system == .unknown ? .missing : .count(UInt64(system.number))
  }

  private static func ports(_ ports: [ObservedHost.PortCount]) -> ExportValue {
    .list(ports.map { "\($0.port)/\($0.transport)" })
  }

  // MARK: Events

  /// The columns of exported events. Times are UTC; rates are packets per second on the whole Internet with
  /// their 95 % interval.
  public static let eventColumns: [ExportColumn] = [
    .init("source", .text), .init("port", .count(bits: 16)), .init("class", .text),
    .init("first_seen", .moment), .init("last_seen", .moment), .init("packets", .count(bits: 64)),
    .init("bytes", .count(bits: 64)), .init("destinations", .real),
    .init("destination_blocks", .real), .init("rate_pps", .real), .init("rate_lower", .real),
    .init("rate_upper", .real), .init("country", .text, isOptional: true),
    .init("asn", .count(bits: 32), isOptional: true), .init("tools", .text),
    .init("closed", .flag),
  ]

  /// Writes the events that a question is about, hour by hour, those that are going on last.
  ///
  /// - Parameter progress: events looked at so far, and how many there are to look at.
  /// - Returns: the number of events written.
  /// - Throws: when the file cannot be written; it is then not there at all.
  public mutating func writeEvents(
    to path: String, format: ExportFormat = .parquet, _ query: EventQuery = EventQuery(),
    progress: (Int, Int) -> Void = { _, _ in }
  ) throws -> Int {
    let sink = try ExportSink(Self.eventColumns, format: format, path: path)
    var query = query
    query.wantsSamples = false
    try store.forEachEvent(query, progress: progress) { try sink.append(row($0)) }
    try sink.finish()
    return sink.rows
  }

  private mutating func row(_ event: TelescopeEvent) -> [ExportValue] {
    [
      shown(event.source), .count(UInt64(event.port)), .text(event.trafficClass.name),
      .moment(event.firstSeen), .moment(event.lastSeen), .count(event.packets),
      .count(event.bytes), .real(event.destinations), .real(event.destinationBlocks),
      .real(event.rate.packetsPerSecond), .real(event.rate.lower), .real(event.rate.upper),
      Self.known(event.country), Self.known(event.asn), .list(event.tools), .flag(event.isClosed),
    ]
  }

  // MARK: Hosts and victims

  /// The columns of exported hosts.
  public static let hostColumns: [ExportColumn] = [
    .init("address", .text), .init("verdict", .text), .init("confidence", .count(bits: 8)),
    .init("malware", .text, isOptional: true), .init("tools", .text),
    .init("country", .text, isOptional: true), .init("asn", .count(bits: 32), isOptional: true),
    .init("packets", .count(bits: 64)), .init("bytes", .count(bits: 64)),
    .init("destinations", .real), .init("ports", .text), .init("distinct_ports", .real),
    .init("classes", .text), .init("rate_pps", .real), .init("rate_lower", .real),
    .init("rate_upper", .real), .init("first_seen", .moment), .init("last_seen", .moment),
    .init("reasons", .text), .init("surveyor", .text, isOptional: true),
  ]

  /// Writes hosts of note that were seen in a time.
  public mutating func writeHosts(
    to path: String, format: ExportFormat, since: Timestamp?, until: Timestamp?,
    progress: (Int, Int) -> Void = { _, _ in }
  ) throws -> Int {
    let sink = try ExportSink(Self.hostColumns, format: format, path: path)
    let isAnonymous = anonymiser != nil
    try store.forEachHost(since: since, until: until, progress: progress) { host in
      try sink.append([
        shown(host.address), .text(host.verdict.rawValue),
        .count(UInt64(clamping: host.confidence)), host.malware.map { .text($0) } ?? .missing,
        .list(host.tools), Self.known(host.country), Self.known(host.asn), .count(host.packets),
        .count(host.bytes), .real(host.destinations), Self.ports(host.ports),
        .real(host.distinctPorts), .list(host.classes.map(\.name)),
        .real(host.rate.packetsPerSecond), .real(host.rate.lower), .real(host.rate.upper),
        .moment(host.firstSeen), .moment(host.lastSeen), .list(host.reasons.map(\.name)),
        isAnonymous ? .missing : host.surveyor.map { .text($0) } ?? .missing,
      ])
    }
    try sink.finish()
    return sink.rows
  }

  /// The columns of exported victims.
  public static let victimColumns: [ExportColumn] = [
    .init("victim", .text), .init("start", .moment), .init("end", .moment),
    .init("packets", .count(bits: 64)), .init("bytes", .count(bits: 64)),
    .init("peak_ppm", .count(bits: 64)), .init("destinations", .real), .init("services", .text),
    .init("evidence", .text), .init("quote_mismatches", .count(bits: 64)),
    .init("rate_pps", .real), .init("rate_lower", .real), .init("rate_upper", .real),
    .init("country", .text, isOptional: true), .init("asn", .count(bits: 32), isOptional: true),
    .init("closed", .flag),
  ]

  /// Writes attacks that went on in a time.
  public mutating func writeVictims(
    to path: String, format: ExportFormat, since: Timestamp?, until: Timestamp?,
    progress: (Int, Int) -> Void = { _, _ in }
  ) throws -> Int {
    let sink = try ExportSink(Self.victimColumns, format: format, path: path)
    try store.forEachVictim(since: since, until: until, progress: progress) { event in
      try sink.append([
        shown(event.victim), .moment(event.start), .moment(event.end), .count(event.packets),
        .count(event.bytes), .count(event.peakPacketsPerMinute), .real(event.destinations),
        Self.ports(event.services),
        .list(event.evidence.map { "\($0.trafficClass.name) \($0.packets)" }),
        .count(event.quoteMismatches), .real(event.rate.packetsPerSecond),
        .real(event.rate.lower), .real(event.rate.upper), Self.known(event.country),
        Self.known(event.asn), .flag(event.isClosed),
      ])
    }
    try sink.finish()
    return sink.rows
  }
}
