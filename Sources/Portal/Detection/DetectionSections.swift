import FlowAnalysis
import NetworkTypes

/// What detection says on other systems' pages: of one host, and of what is going on now.
struct DetectionSections: Sendable {
  let servers: ServerPages
  let attacks: AttackPages

  private static let shown = 5

  /// What is known of an address as a server, as a client of one, as a target or a source.
  func host(_ address: IPAddress, _ visit: Visit) async throws -> HTML {
    guard visit.scope == .everything else { return .empty }
    let found = try await servers.reading.serversTouching(address)
    let touching = try await attacks.reading.attacksTouching(address)
    return serverList(found, of: address, visit) + attackList(touching, of: address, visit)
  }

  private func serverList(
    _ found: [ServerSummary], of address: IPAddress, _ visit: Visit
  ) -> HTML {
    guard !found.isEmpty else { return .empty }
    let items = found.prefix(20).map { server -> HTML in
      let role = server.service.address == address ? "server.is-server" : "server.is-client"
      return """
        <li><a href="\(ServerPath.page(server.service))"><code>\(server.service.description)</code></a> \
        \(ServerTable.badge(server.grade, visit)) \
        \(visit.t(role)) · \
        \(visit.t("server.likely", ["percent": visit.number(ServerTable.percent(server.probability))])) · \
        \(visit.timeElement(server.lastSeen))</li>
        """
    }
    return """
      <section class="panel"><h2>\(visit.t("server.of-host"))</h2><ul class="plain">\(items)</ul></section>
      """
  }

  private func attackList(
    _ touching: [AttackSummary], of address: IPAddress, _ visit: Visit
  ) -> HTML {
    guard !touching.isEmpty else { return .empty }
    let items = touching.prefix(20).map { attack -> HTML in
      let role = attack.target.contains(address) ? "attack.is-target" : "attack.is-source"
      return """
        <li>\(AttackTables.badge(isOngoing: attack.isOngoing, visit)) \
        <a href="\(ServerPath.attack(attack.id))">\(visit.timeElement(attack.start)) \
        \(AttackWords.vector(attack.name, visit))</a> \(visit.t(role))</li>
        """
    }
    return """
      <section class="panel"><h2>\(visit.t("attack.of-host"))</h2><ul class="plain">\(items)</ul></section>
      """
  }

  // MARK: The overview

  /// Attacks that go on, and servers above the reporting line that nobody has judged.
  struct Now: Sendable {
    var attacks: Rows<AttackSummary>
    var servers: Rows<ServerSummary>
  }

  /// Where the two lists stand.
  static let ongoing = "/attacks?ongoing=true"
  static let unjudged = "/servers?verdict=\(ServerTable.noVerdict)&probability_min=50"

  func now() async throws -> Now {
    let attackQuery = TableQuery(
      order: .init("-start"), size: Self.shown,
      filters: [.init(column: "ongoing", condition: .flag(true))])
    let serverQuery = TableQuery(
      order: .init("-first_seen"), size: Self.shown,
      filters: [
        .init(column: "state", condition: .equals(ServerSummary.State.listed.rawValue)),
        .init(column: "verdict", condition: .equals(ServerTable.noVerdict)),
        .init(
          column: "probability",
          condition: .atLeast(servers.reading.ranking().probable * 100)),
      ])
    return Now(
      attacks: try await attacks.reading.attacks(attackQuery),
      servers: try await servers.reading.servers(serverQuery))
  }

  /// A line for each of them; nothing where all is quiet.
  func lines(_ now: Now, _ visit: Visit) -> HTML {
    let ongoing = now.attacks.rows.map { attack -> HTML in
      """
      <li><a href="\(ServerPath.attack(attack.id))">\(AttackTables.badge(isOngoing: true, visit)) \
      \(visit.t("attack.title", ["target": AttackWords.target(attack.target), "name": AttackWords.vector(attack.name, visit)]))</a> \
      \(visit.t("attack.since", ["time": visit.time(attack.start)])) · \
      \(AttackWords.rate(attack.peakPackets, "pps", visit)) · \
      \(visit.t("attack.from-sources", ["count": visit.number(attack.sources.rounded())]))</li>
      """
    }
    let found = now.servers.rows.map { server -> HTML in
      """
      <li><a href="\(ServerPath.page(server.service))">\(ServerTable.badge(server.grade, visit)) \
      \(visit.t("server.new", ["server": server.service.description]))</a> \
      \(visit.t("server.likely", ["percent": visit.number(ServerTable.percent(server.probability))])) · \
      \(visit.t("server.clients", ["count": visit.number(server.clients)])) · \
      \(visit.timeElement(server.firstSeen))</li>
      """
    }
    guard !ongoing.isEmpty || !found.isEmpty else { return .empty }
    return """
      <section class="alert" aria-label="\(visit.t("overview.now"))">\
      <ul class="plain">\(ongoing)\(found)</ul></section>
      """
  }
}
