import Sketches

/// What a telescope is seeing right now, for a view that is drawn again and again.
public struct TelescopeGlance: Sendable {
  public var counters = TelescopeCounters()
  /// Ports and tools of the hour that is open, those with the most sources first.
  public var ports: [SeriesPoint] = []
  public var tools: [SeriesPoint] = []
  /// Infected hosts that are remembered, the newest first, and how many there are in all.
  public var infected: [ObservedHost] = []
  public var infectedCount = 0
  /// Attacks that are going on, the strongest first, and how many there are in all.
  public var victims: [VictimEvent] = []
  public var victimCount = 0
  /// Alerts that are going on, the newest first, and how many there are in all.
  public var alerts: [MemberAlert] = []
  public var alertCount = 0

  public init() {}
}

extension TelescopeEngine {
  /// What was counted up to now, at the cost of a few additions. The number of sources is that of the
  /// last bin or look.
  public var currentCounters: TelescopeCounters { totals() }

  /// Looks at what is going on and changes nothing: the next ``checkpoint()`` gives what it would have
  /// given. The time it takes grows with the tables, so look less often when they are large.
  ///
  /// - Parameter limit: of each list.
  public func glance(limit: Int) -> TelescopeGlance {
    ring.settle()
    var glance = TelescopeGlance()
    glance.counters = totals()
    var everybody = sources
    let judge = HostJudge(
      parameters: parameters, space: space, surveys: surroundings.surveys, members: rules.members,
      reverseName: surroundings.reverseName)
    for index in 0..<Partition.count {
      everybody.merge(partitions[index].results.sources)
      for position in 0..<partitions[index].sources.count {
        let summary = partitions[index].describe(partitions[index].sources[position])
        guard summary.isNotable(parameters) else { continue }
        let host = judge.judge(summary, storms: storms)
        if host.verdict == .infected { glance.infected.append(host) }
      }
      for position in 0..<partitions[index].victims.count {
        if let victim = partitions[index].describe(
          partitions[index].victims[position], isClosed: false)
        {
          glance.victims.append(victim)
        }
      }
      for position in 0..<partitions[index].alerts.count {
        glance.alerts.append(
          alert(partitions[index].describe(partitions[index].alerts[position], isClosed: false)))
      }
    }
    glance.counters.sources = everybody.estimate
    if clock.isSet {
      for point in book.openPoints(with: openBin(), start: clock.binStart / 1_000_000_000)
      where point.resolution == .hour && point.key != "other" {
        if point.dimension == .port { glance.ports.append(point) }
        if point.dimension == .tool { glance.tools.append(point) }
      }
    }
    glance.cut(to: max(0, limit))
    return glance
  }
}

extension TelescopeGlance {
  fileprivate mutating func cut(to limit: Int) {
    infectedCount = infected.count
    victimCount = victims.count
    alertCount = alerts.count
    infected.sort { ($1.firstSeen, $0.address) < ($0.firstSeen, $1.address) }
    victims.sort { ($1.packets, $0.victim) < ($0.packets, $1.victim) }
    alerts.sort { ($1.firstSeen, $0.address) < ($0.firstSeen, $1.address) }
    // The points come with the most sources first.
    ports = Array(ports.prefix(limit))
    tools = Array(tools.prefix(limit))
    infected = Array(infected.prefix(limit))
    victims = Array(victims.prefix(limit))
    alerts = Array(alerts.prefix(limit))
  }
}
