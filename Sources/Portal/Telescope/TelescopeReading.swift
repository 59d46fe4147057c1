import NetworkTypes
import Telescope

/// What the portal asks of the telescope: closures, so that tests answer from memory and `noroshi`
/// from its store.
struct TelescopeReading: Sendable {
  /// The first and last moment that the series cover; nil before anything was read.
  var span: @Sendable () async throws -> (first: Timestamp, last: Timestamp)?
  /// Points of one resolution and dimension whose bins begin in the range (seconds since 1970).
  var series:
    @Sendable (SeriesPoint.Resolution, SeriesPoint.Dimension, Range<Int64>) async throws
      -> [SeriesPoint]
  var hosts: @Sendable (TableQuery, Scope) async throws -> Rows<ObservedHost>
  /// Its latest stay; nil when the telescope has nothing on it. Whether the visitor may see it is
  /// decided by who is responsible.
  var host: @Sendable (IPAddress) async throws -> ObservedHost?
  var hostsByCountry: @Sendable (Scope) async throws -> [String: Double]
  var verdicts: @Sendable (Scope) async throws -> [HostVerdict: Int]
  var events: @Sendable (TableQuery, Scope) async throws -> Rows<EventSummary>
  var victims: @Sendable (TableQuery, Scope) async throws -> Rows<VictimEvent>
  var alerts: @Sendable (TableQuery, Scope) async throws -> Rows<MemberAlert>
  var campaigns: @Sendable (TableQuery) async throws -> Rows<Campaign>
  var counters: @Sendable () async throws -> TelescopeCounters
}

/// What a page shows of one of the telescope's events.
struct EventSummary: Sendable {
  var source: IPAddress
  var port: UInt16
  /// The name of the traffic class.
  var trafficClass: String
  var packets: UInt64
  var bytes: UInt64
  var destinations: Double
  var packetsPerSecond: Double
  var tools: [String]
  var country: String
  var asn: ASN
  var firstSeen: Timestamp
  var lastSeen: Timestamp
  var isClosed: Bool
}

extension EventSummary {
  init(_ event: TelescopeEvent) {
    self.init(
      source: event.source, port: event.port, trafficClass: event.trafficClass.name,
      packets: event.packets, bytes: event.bytes, destinations: event.destinations,
      packetsPerSecond: event.rate.packetsPerSecond, tools: event.tools,
      country: event.country.description, asn: event.asn, firstSeen: event.firstSeen,
      lastSeen: event.lastSeen, isClosed: event.isClosed)
  }
}
