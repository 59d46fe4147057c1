import FlowAnalysis
import Portal

/// What `/metrics` says of those who look at flows as they come.
enum DetectionMetrics {
  static func families(of service: ContactService) -> [MetricFamily] {
    let (state, dropped) = service.statistics
    let counters = state.counters
    return [
      counter("detection_contacts_total", "Contacts taken in.", counters.contacts),
      counter(
        "detection_dropped_total", "Contacts dropped before they were taken in.", dropped),
      counter(
        "detection_refused_total", "Contacts left out for want of room.",
        counters.refused &+ counters.refusedTimelines),
      counter(
        "detection_evicted_pairs_total", "Pairs of client and service let go for want of room.",
        counters.evictedPairs),
      counter(
        "detection_idle_pairs_total", "Pairs forgotten after long silence.", counters.idlePairs),
      gauge("detection_pairs", "Pairs of client and service remembered.", Double(state.pairs)),
      counter("detection_rankings_total", "Rankings of servers made.", state.rankings),
      counter(
        "detection_failures_total", "Rankings and readings of the archive that failed.",
        state.failures),
      gauge(
        "detection_ranking_seconds", "Seconds that the last ranking took.", state.rankingSeconds),
      gauge(
        "detection_reported_servers", "Servers above the reporting line.", Double(state.reported)),
    ]
  }

  static func families(of service: AttackService) -> [MetricFamily] {
    let (counters, dropped) = service.statistics
    return [
      counter("ddos_flows_total", "Flows looked at for attacks.", counters.flows),
      counter("ddos_dropped_total", "Flows dropped before they were looked at.", dropped),
      counter(
        "ddos_unprotected_total", "Flows to addresses that are not protected.",
        counters.unprotected),
      counter("ddos_late_total", "Flows that came too late to count.", counters.late),
      counter(
        "ddos_unmetered_total", "Flows not counted for a host for want of room.",
        counters.unmetered),
      counter(
        "ddos_dropped_hosts_total", "Hosts let go for others while they were not idle.",
        counters.droppedActiveHosts),
      counter("ddos_attacks_total", "Attacks that began.", counters.attacks),
      counter(
        "ddos_unkept_attacks_total", "Attacks not kept, as there were too many at once.",
        counters.unkeptAttacks),
      gauge("ddos_ongoing_attacks", "Attacks that go on.", Double(counters.ongoing)),
      gauge("ddos_hosts", "Hosts and blocks that rates are kept of.", Double(counters.hosts)),
    ]
  }

  private static func counter(_ name: String, _ help: String, _ value: UInt64) -> MetricFamily {
    MetricFamily(
      name: "noroshi_" + name, help: help, kind: .counter,
      samples: [MetricSample(value: Double(value))])
  }

  private static func gauge(_ name: String, _ help: String, _ value: Double) -> MetricFamily {
    MetricFamily(
      name: "noroshi_" + name, help: help, kind: .gauge, samples: [MetricSample(value: value)])
  }
}
