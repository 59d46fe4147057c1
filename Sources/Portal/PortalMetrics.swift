import Casework
import GRDB
import NetworkTypes
import Store
import Telescope

/// What `/metrics` says of the systems behind the portal, asked from their stores at each scrape.
enum PortalMetrics {
  static func register(
    in metrics: MetricsRegistry, telescope: TelescopeStore, register: CaseRegister,
    store: DataStore, now: @escaping @Sendable () -> Timestamp
  ) {
    let counters: [(String, String, @Sendable (TelescopeCounters) -> [MetricSample])] = [
      (
        "noroshi_telescope_packets_total", "Packets read, by traffic class.",
        { counters in
          counters.byClass.sorted { $0.key < $1.key }.map {
            MetricSample([.init("class", $0.key)], value: Double($0.value))
          }
        }
      ),
      (
        "noroshi_telescope_bytes_total", "Bytes read.",
        { [MetricSample(value: Double($0.bytes))] }
      ),
      (
        "noroshi_telescope_undecoded_total", "Packets that could not be decoded, by reason.",
        { counters in
          counters.undecoded.sorted { $0.key < $1.key }.map {
            MetricSample([.init("reason", $0.key)], value: Double($0.value))
          }
        }
      ),
      (
        "noroshi_telescope_dropped_total",
        "Packets left out: outside the dark space, ignored by configuration, evicted, late.",
        { counters in
          [
            ("outside", counters.outsideDarkSpace), ("ignored", counters.ignored),
            ("evicted", counters.evictedPackets), ("late", counters.late),
          ].map { MetricSample([.init("reason", $0.0)], value: Double($0.1)) }
        }
      ),
    ]
    for (name, help, samples) in counters {
      metrics.register(name, help: help, kind: .counter) {
        (try? telescope.counters()).map(samples) ?? []
      }
    }
    metrics.register(
      "noroshi_telescope_sources", help: "Unique sources over everything read (HyperLogLog).",
      kind: .gauge
    ) { (try? telescope.counters()).map { [MetricSample(value: $0.sources)] } ?? [] }
    metrics.register("noroshi_cases", help: "Cases, by state.", kind: .gauge) {
      guard let counts = try? register.counts(asOf: now(), visibleTo: .everything) else {
        return []
      }
      return counts.byState.sorted { $0.key.rawValue < $1.key.rawValue }.map {
        MetricSample([.init("state", $0.key.rawValue)], value: Double($0.value))
      }
    }
    metrics.register("noroshi_deliveries", help: "Deliveries of notices, by state.", kind: .gauge) {
      let rows = try? await store.writer.read { db in
        try Row.fetchAll(
          db, sql: "SELECT state, count(*) FROM deliveries GROUP BY state ORDER BY state"
        ).map { row -> (String, Int) in (row[0], row[1]) }
      }
      return (rows ?? []).map { MetricSample([.init("state", $0.0)], value: Double($0.1)) }
    }
  }
}
