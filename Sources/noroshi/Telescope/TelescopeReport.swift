import Casework
import NetworkTypes
import Telescope

/// What a reading found, on one screen.
enum TelescopeReport {
  static func write(
    _ readings: [TelescopeSession.Reading], _ session: TelescopeSession, _ changes: CaseChanges
  ) {
    let results = session.latest
    let fresh = readings.filter { !$0.wasKnown }
    var sheet = Sheet("Telescope")
    sheet.add(
      "captures",
      "\(fresh.count) read"
        + (fresh.count < readings.count ? ", \(readings.count - fresh.count) known already" : ""))
    sheet.add(
      "packets",
      "\(Quantity.grouped(fresh.reduce(0) { $0 + $1.input.packets })) read now, "
        + "\(Quantity.grouped(results.counters.packets)) in all")
    sheet.add("dark addresses", "\(Quantity.grouped(Int(session.engine.space.addressCount)))")
    sheet.add("sources", "about \(Quantity.grouped(Int(results.counters.sources.rounded())))")
    let classes = results.counters.byClass.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
    sheet.add(
      "traffic",
      classes.prefix(5).map { "\($0.key) \(Quantity.grouped($0.value))" }.joined(separator: ", "))
    for verdict in HostVerdict.allCases where verdict != .undecided {
      let hosts = results.hosts.filter { $0.verdict == verdict }
      guard !hosts.isEmpty else { continue }
      let names = hosts.sorted { $0.packets > $1.packets }.prefix(3).map(\.address.description)
      sheet.add(
        "hosts: \(verdict.rawValue)",
        "\(Quantity.grouped(hosts.count)) (\(names.joined(separator: ", "))"
          + (hosts.count > 3 ? ", …)" : ")"))
    }
    for event in results.victims.sorted(by: { $0.packets > $1.packets }).prefix(3) {
      let services = event.services.prefix(3).map { "\($0.port)/\($0.transport)" }
      sheet.add(
        "DoS victim",
        "\(event.victim) \(services.joined(separator: " ")), \(Quantity.grouped(event.packets)) "
          + "packets, about \(Quantity.grouped(Int(event.rate.packetsPerSecond))) pps")
    }
    if results.victims.count > 3 { sheet.add("", "and \(results.victims.count - 3) more") }
    for alert in results.alerts.prefix(3) {
      sheet.add(
        "member alert",
        "\(alert.organisation): \(alert.address) \(alert.reach.rawValue), "
          + "\(alert.state.rawValue)")
    }
    for campaign in results.campaigns.prefix(3) {
      sheet.add(
        "campaign",
        "\(campaign.key): \(Int(campaign.peakSources)) sources, usually "
          + "\(Int(campaign.baseline))")
    }
    sheet.add(
      "cases",
      "\(changes.opened.count) opened, \(changes.reopened.count) reopened, "
        + "\(changes.updated.count) updated")
    let undecoded = results.counters.undecoded.values.reduce(0, +)
    if undecoded > 0 || results.counters.outsideDarkSpace > 0 {
      sheet.add(
        "left out",
        "\(Quantity.grouped(undecoded)) not decodable, "
          + "\(Quantity.grouped(results.counters.outsideDarkSpace)) not to dark addresses")
    }
    let counters = results.counters
    if counters.evictedEvents + counters.evictedSources + counters.evictedVictims > 0 {
      sheet.add(
        "memory limit",
        "\(Quantity.grouped(counters.evictedEvents)) events and "
          + "\(Quantity.grouped(counters.evictedSources)) sources forgotten early")
    }
    sheet.write()
  }
}
