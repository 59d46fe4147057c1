import Synchronization

/// How many requests were answered, by route and status: what `/metrics` says of the portal itself.
/// The route's pattern is counted, not the path, so that visitors cannot make the table grow.
final class Traffic: Sendable {
  private struct Key: Hashable, Sendable {
    let route: String
    let status: Int
  }

  private let counts = Mutex<[Key: UInt64]>([:])

  func answered(_ route: String, status: Int) {
    counts.withLock { $0[Key(route: route, status: status), default: 0] += 1 }
  }

  func register(in metrics: MetricsRegistry) {
    metrics.register(
      "noroshi_http_requests_total", help: "Requests answered, by route and status.", kind: .counter
    ) { [self] in
      counts.withLock { $0 }.sorted {
        ($0.key.route, $0.key.status) < ($1.key.route, $1.key.status)
      }
      .map { key, count in
        MetricSample(
          [.init("route", key.route), .init("status", String(key.status))], value: Double(count))
      }
    }
  }
}
