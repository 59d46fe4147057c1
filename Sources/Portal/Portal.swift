import Findings
import Hummingbird
import Logging
import NIOCore
import NetworkTypes
public import ServiceLifecycle
import TrustServices

/// The web face of the house: pages, JSON API, metrics, sign-in.
///
/// It is assembled here, in the order of the house; each system has a folder of its own.
public struct Portal: Service {
  let platform: Platform
  let routes: [Route]
  /// What is answered beside the route table: to programs, in octets, to everybody.
  let trust: TrustAnswers?
  private let onServerRunning: @Sendable (Int) async -> Void

  init(
    configuration: PortalConfiguration, accounts: Accounts, sources: PortalSources,
    metrics: MetricsRegistry, logger: Logger, now: @escaping @Sendable () -> Timestamp,
    trust: TrustAnswers? = nil,
    onServerRunning: @escaping @Sendable (Int) async -> Void = { _ in }
  ) throws {
    let assets = Assets()
    let traffic = Traffic()
    traffic.register(in: metrics)
    platform = Platform(
      configuration: configuration, catalogue: try Catalogue.embedded(), assets: assets,
      accounts: accounts, metrics: metrics, traffic: traffic,
      uploads: UploadGate(capacity: configuration.parameters.uploadsAtOnce),
      navigation: Self.navigation.filter {
        ($0.name != "flows" || sources.flows != nil)
          && ($0.name != "verify" || sources.verification != nil)
      }, now: now,
      logger: logger)
    self.onServerRunning = onServerRunning
    self.trust = trust

    // Telescope
    let telescopeTables = TelescopeTables(
      reading: sources.telescope, systemName: sources.systemName)
    let telescope = TelescopePages(
      reading: sources.telescope, tables: telescopeTables, map: WorldMap(),
      systemName: sources.systemName)
    // Flows
    let flows = sources.flows.map {
      FlowPages(reading: $0, parameters: configuration.parameters.flows)
    }
    flows?.desk.register(in: metrics)
    let flowLink = FlowLink(isOffered: flows != nil)
    // Casework
    let cases = CasePages(reading: sources.cases, flows: flowLink)
    // Notices
    let notices = NoticePages(reading: sources.notices)
    // C&C servers and attacks
    let casesAbout = { @Sendable (visit: Visit, filters: [TableQuery.Filter], more: String) in
      try await cases.table.brief(
        visit, limit: 5, filters: filters,
        only: ["id", "state", "kind", "address", "organisation", "opened", "updated"], more: more)
    }
    let detection = DetectionSections(
      servers: ServerPages(reading: sources.detection, cases: casesAbout, flows: flowLink),
      attacks: AttackPages(
        reading: sources.detection, cases: casesAbout, systemName: sources.systemName,
        flows: flowLink))
    // What is known of one address, from every system
    let hosts = HostPages(
      reading: sources.telescope, tables: telescopeTables,
      sections: [
        { address, visit in
          try await cases.table.brief(
            visit, limit: 5,
            filters: [.init(column: "address", condition: .within(IPPrefix(address)))],
            only: ["id", "state", "kind", "organisation", "opened", "updated"],
            more: "/cases?address=\(QueryText.encode(address.description))")
        },
        { address, visit in
          let findings = try await sources.findings(address, visit.scope)
          return """
            <section class="panel"><h2>\(visit.t("case.findings"))</h2>\
            \(FindingMarkup.list(findings, visit))</section>
            """
        },
        { address, visit in try await detection.host(address, visit) },
      ], responsible: sources.responsible, flows: flowLink)
    // Organisations
    let organisations = OrganisationPages(
      organisations: sources.organisations, cases: cases.table)
    // Accounts
    let users = UserPages(organisations: {
      try await sources.organisations().map { ($0.id, $0.name) }
    })

    var routes = OverviewPage(
      telescope: telescope, cases: cases, notices: notices, detection: detection
    ).routes
    routes += telescopeTables.routes + telescope.routes + hosts.routes
    routes += flows?.routes ?? []
    routes += detection.servers.routes + detection.attacks.routes
    routes += cases.routes + notices.routes
    routes += organisations.routes
    routes += SignInPages.routes + AccountPages.routes + users.routes
    routes += AuditPages(lines: sources.audit).routes
    routes += AccreditationPages(published: sources.accreditation).routes
    routes += sources.verification.map { VerificationPages(verification: $0).routes } ?? []
    routes += ProbeRoutes.routes(metricsAreOpen: configuration.metricsAreOpen)
    routes += assets.routes
    routes.append(ProbeRoutes.openAPI(describing: routes))
    self.routes = routes
  }

  static let navigation = [
    NavigationItem(name: "overview", path: "/", audience: .signedIn),
    NavigationItem(name: "telescope", path: "/telescope", audience: .staff),
    NavigationItem(name: "hosts", path: "/hosts", audience: .signedIn),
    NavigationItem(name: "flows", path: "/flows", audience: .staff),
    NavigationItem(name: "servers", path: "/servers", audience: .staff),
    NavigationItem(name: "attacks", path: "/attacks", audience: .staff),
    NavigationItem(name: "cases", path: "/cases", audience: .signedIn),
    NavigationItem(name: "notices", path: "/notices", audience: .signedIn),
    NavigationItem(name: "organisations", path: "/organisations", audience: .signedIn),
    NavigationItem(name: "accreditation", path: "/trust", audience: .signedIn),
    NavigationItem(name: "verify", path: "/verify", audience: .everyone),
    NavigationItem(name: "audit", path: "/audit", audience: .administrators),
    NavigationItem(name: "users", path: "/users", audience: .administrators),
  ]

  /// Every route of the table behind the door, and a last answer that says that there is nothing.
  func router() -> Router<PortalContext> {
    let admission = Admission(platform: platform)
    let router = Router(context: PortalContext.self, options: [.autoGenerateHeadEndpoints])
    for route in routes {
      router.on(RouterPath(route.path), method: route.method) { request, context in
        await admission.respond(route, request, context)
      }
    }
    trust?.add(to: router)
    router.add(middleware: Fallback(admission: admission))
    return router
  }

  /// The HTTP server.
  func application() -> some ApplicationProtocol {
    let running = onServerRunning
    return Application(
      router: router(),
      configuration: ApplicationConfiguration(
        address: .hostname(platform.configuration.host, port: platform.configuration.port),
        serverName: nil),
      onServerRunning: { channel in await running(channel.localAddress?.port ?? 0) },
      logger: platform.logger)
  }

  /// Serves until the task is cancelled or the service group shuts down.
  public func run() async throws {
    try await application().run()
  }
}

/// What the pages are made from; each closure answers for one part of the house.
struct PortalSources: Sendable {
  var telescope: TelescopeReading
  var cases: CaseReading
  var notices: NoticeReading
  var organisations: @Sendable () async throws -> [OrganisationRecord]
  /// Who answers for an address, the most specific only; several where they claim the same.
  var responsible: @Sendable (IPAddress, ASN?) async throws -> [OrganisationRecord]
  var findings: @Sendable (IPAddress, Scope) async throws -> [Finding]
  var systemName: @Sendable (ASN) -> String?
  var audit: @Sendable (TableQuery) async throws -> Rows<AuditLine>
  /// Nil where no flows are kept.
  var flows: FlowReading?
  var detection: DetectionReading
  /// The trusted list that this house publishes.
  var accreditation: @Sendable () throws -> SealedTrustedList? = { nil }
  /// Nil where nothing is verified for visitors.
  var verification: SealVerification?
}
