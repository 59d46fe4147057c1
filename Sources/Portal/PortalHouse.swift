public import Casework
public import Constituency
import Findings
public import FlowAnalysis
public import Geolocation
public import Logging
public import NetworkTypes
public import Store
public import Telescope
public import TrustServices

extension Portal {
  /// The portal of a house: joins its pages to the stores of the systems.
  ///
  /// ```swift
  /// let accounts = try Accounts(store: store, trail: trail, now: clock)
  /// let portal = try Portal(
  ///   configuration: PortalConfiguration(port: 8080), accounts: accounts, store: store,
  ///   trail: trail, telescope: telescope, register: register, outbox: outbox,
  ///   constituency: { index }, geolocation: { geo }, logger: logger, now: clock)
  /// try await portal.run()
  /// ```
  ///
  /// - Parameters:
  ///   - constituency: asked anew for each page, so that a reloaded file counts at once.
  ///   - geolocation: likewise.
  ///   - flows: the archive of flows; nil where there is none, and no pages of it then.
  ///   - ranking: the weights that rankings of C&C servers are made with, for their explanation.
  ///   - now: the wall clock, at which people act and sessions end.
  ///   - accreditation: the trusted list that is published at `/trust`; asked anew for each page.
  ///   - verification: how files that visitors bring are verified; without, there is no such page.
  ///   - trust: time stamps and OCSP, answered beside the pages; see ``TrustAnswers``.
  ///   - onServerRunning: is told the port when the server listens.
  /// - Throws: ``CatalogueError`` when the built-in texts are broken, which the tests forbid.
  public init(
    configuration: PortalConfiguration, accounts: Accounts, store: DataStore, trail: AuditTrail,
    telescope: TelescopeStore, register: CaseRegister, outbox: Outbox,
    constituency: @escaping @Sendable () -> ConstituencyIndex,
    geolocation: @escaping @Sendable () -> GeoDatabase, flows: FlowSource? = nil,
    ranking: @escaping @Sendable () -> RankingParameters = { RankingParameters() },
    metrics: MetricsRegistry = MetricsRegistry(), logger: Logger,
    now: @escaping @Sendable () -> Timestamp,
    trust: TrustAnswers? = nil,
    accreditation: @escaping @Sendable () throws -> SealedTrustedList? = { nil },
    verification: SealVerification? = nil,
    onServerRunning: @escaping @Sendable (Int) async -> Void = { _ in }
  ) throws {
    let detection = try DetectionLive(
      store: store, trail: trail, ranking: ranking, now: now,
      withdraw: { service, actor, reason in
        try register.closeCases(
          restingOn: service.description, by: .user(actor), reason: reason, at: now())
      })
    let notices = NoticeLive(store: store, outbox: outbox, now: now)
    let sources = PortalSources(
      telescope: TelescopeLive(
        store: store, telescope: telescope, constituency: constituency
      ).reading,
      cases: .live(register, now: now) { try notices.telling(of: $0, $1) },
      notices: notices.reading,
      organisations: {
        constituency().organisations.values.sorted { $0.id < $1.id }.map { OrganisationRecord($0) }
      },
      responsible: { address, asn in
        let index = constituency()
        let known = asn.flatMap { $0 == .unknown ? nil : $0 } ?? geolocation().lookup(address).asn
        let ids =
          switch index.responsible(for: address, asn: known) {
          case .none: [String]()
          case .one(let id, _): [id]
          case .several(let ids): ids
          }
        return ids.compactMap { index.organisations[$0] }.map { OrganisationRecord($0) }
      },
      findings: { address, scope in
        try register.findings(about: address, visibleTo: scope.visibility, limit: 50)
      },
      systemName: { geolocation().asnName($0) }, audit: AuditLine.live(trail),
      flows: flows.map { .live($0, trail: trail, store: store, now: now) },
      detection: detection.reading {
        let index = constituency()
        let geo = geolocation()
        return { address in SourceOwner(of: address, index, geo) }
      }, accreditation: accreditation, verification: verification)
    try self.init(
      configuration: configuration, accounts: accounts, sources: sources, metrics: metrics,
      logger: logger, now: now, trust: trust, onServerRunning: onServerRunning)
    PortalMetrics.register(
      in: metrics, telescope: telescope, register: register, store: store, now: now)
  }
}

extension SourceOwner {
  /// The organisation that answers for an address, its system, country, and network of the usual size.
  fileprivate init(of address: IPAddress, _ index: ConstituencyIndex, _ geo: GeoDatabase) {
    let place = geo.lookup(address)
    let asn = place.asn == .unknown ? nil : place.asn
    self.init(
      organisation: index.responsible(for: address, asn: asn).organisation, asn: asn,
      country: place.country == .unknown ? nil : place.country,
      // What is routed at least: longer prefixes are hardly announced between networks.
      network: IPPrefix(address, length: address.isIPv4 ? 24 : 48))
  }
}
