public import TrustServices

/// What `/metrics` says of the time-stamp authority.
public enum TrustMetrics {
  /// The families of an authority as it is now.
  public static func families(of authority: TimeStampAuthority) -> [MetricFamily] {
    let counters = authority.counters
    let clock = authority.clock.status
    var families = [
      family(
        "noroshi_tsa_stamps_total", "Time stamps granted.", .counter,
        [MetricSample(value: Double(counters.granted))]),
      family(
        "noroshi_tsa_rejections_total", "Time-stamp requests rejected, by failInfo.", .counter,
        counters.rejected.sorted { $0.key.rawValue < $1.key.rawValue }.map {
          MetricSample([.init("reason", "\($0.key)")], value: Double($0.value))
        }),
      family(
        "noroshi_tsa_overload_total", "Requests turned away as too many waited for the disk.",
        .counter, [MetricSample(value: Double(counters.overloaded))]),
      family(
        "noroshi_tsa_journal_records", "Records in the journal.", .gauge,
        [MetricSample(value: Double(authority.journal.head.size))]),
      family(
        "noroshi_tsa_clock_ready",
        "1 while time stamps can be given, 0 while the clock is stopped.",
        .gauge, [MetricSample(value: clock.state == .stopped ? 0 : 1)]),
      family(
        "noroshi_tsa_clock_jumps_total", "How often the wall clock was set under the guard.",
        .counter, [MetricSample(value: Double(clock.jumps))]),
    ]
    if let judgement = clock.judgement, judgement.errorBound.isFinite {
      families.append(
        family(
          "noroshi_tsa_clock_offset_seconds", "The sources' time minus the system clock's.", .gauge,
          [MetricSample(value: judgement.offset)]))
      families.append(
        family(
          "noroshi_tsa_clock_error_bound_seconds", "How far the clock may be off.", .gauge,
          [MetricSample(value: judgement.errorBound)]))
    }
    return families
  }

  private static func family(
    _ name: String, _ help: String, _ kind: MetricsRegistry.Kind, _ samples: [MetricSample]
  ) -> MetricFamily {
    MetricFamily(name: name, help: help, kind: kind, samples: samples)
  }
}
