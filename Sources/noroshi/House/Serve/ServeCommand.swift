import ArgumentParser
import Casework
import Constituency
import FlowAnalysis
import Foundation
import Geolocation
import Logging
import NetworkTypes
import Portal
import ServiceLifecycle
import Settings
import Store
import Telescope
import UnixSignals

struct ServeCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "serve",
    abstract: "Run the portal, the notices, and what is configured of live capture and flows.",
    discussion: """
      Stops cleanly on Ctrl-C and SIGTERM; what waited goes on at the next start.

      Examples:
        noroshi serve --data /var/lib/noroshi
        noroshi serve --port 9000 --log-level debug
      """)

  @OptionGroup var options: HouseOptions

  @Option(name: .long, help: "The portal's port (portal.port).")
  var port: Int?

  func validate() throws {
    if let port, !(0...65_535).contains(port) {
      throw ValidationError("--port must be 0 to 65535.")
    }
  }

  func run() async throws {
    let house = try options.house()
    let store = try house.store()
    let trail = AuditTrail(store: store)
    let register = try house.caseRegister(store)
    let outbox = try house.outbox(register)
    let constituency = try CurrentFile(house.data.constituency, logger: house.logger) {
      let constituency = try house.constituency()
      return (whole: constituency, index: ConstituencyIndex(constituency))
    }
    let geo = try CurrentFile(house.data.geo, logger: house.logger) { try house.geo() }

    let metrics = MetricsRegistry()
    let trust = try await house.trustAnswers(metrics)
    let ranking = try house.configuredRanking()
    let portal = try Portal(
      configuration: house.portalConfiguration(port: port), accounts: house.accounts(store),
      store: store, trail: trail, telescope: TelescopeStore(store), register: register,
      outbox: outbox,
      constituency: { constituency.content.index }, geolocation: { geo.content },
      flows: house.flowSource(), ranking: { ranking.parameters },
      metrics: metrics, logger: house.logger, now: { House.now }, trust: trust,
      accreditation: try house.publishedTrustedList(),
      verification: try house.sealVerification(outbox),
      onServerRunning: { port in
        let settings = house.configuration.portal
        let host = settings.address.contains(":") ? "[\(settings.address)]" : settings.address
        Terminal.error.line(
          "The portal listens on \(settings.publicURL ?? "http://\(host):\(port)").")
      })
    let notices = NoticeRounds(
      outbox: outbox, delivery: try house.deliveryService(outbox),
      constituency: { constituency.content.whole })

    var services: [any ServiceLifecycle.Service] = [portal, notices]
    if !house.configuration.telescope.live.interfaces.isEmpty {
      services.append(LiveTelescope(house: house))
    }
    if let trust, trust.authority != nil { services.append(TrustWatch(trust)) }
    if house.configuration.audit.stamped {
      let stamping = try AuditStamping(house)
      metrics.register { stamping.families }
      services.append(stamping)
    }
    services += try house.flowServices(store, metrics)
    for line in house.flowsAnnouncement { Terminal.error.line(line) }
    let group = ServiceGroup(
      configuration: ServiceGroupConfiguration(
        services: services.map { ServiceGroupConfiguration.ServiceConfiguration(service: $0) },
        gracefulShutdownSignals: [.sigterm, .sigint], logger: house.logger))
    do {
      try await group.run()
    } catch  where "\(error)".contains("errno: 98") {
      throw CommandFailure(
        "The portal's port is in use by another program",
        advice: "`ss -ltnp 'sport = :\(port ?? house.configuration.portal.port)'` says which; "
          + "--port or portal.port sets another.", status: .unavailable)
    }
  }
}

extension House {
  func portalConfiguration(port: Int?) -> PortalConfiguration {
    let settings = configuration.portal
    return PortalConfiguration(
      host: settings.address, port: port ?? settings.port,
      allowedHosts: Set(settings.allowedHosts), trustedProxies: settings.trustedProxies,
      isSecure: settings.secureCookies.value
        ?? (settings.publicURL?.hasPrefix("https://") ?? false),
      defaultLanguage: settings.language.rawValue, metricsAreOpen: configuration.metrics.open,
      parameters: portalParameters)
  }
}
