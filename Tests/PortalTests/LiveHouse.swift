import Casework
import Constituency
import Findings
import Geolocation
import Logging
import NetworkTypes
import Store
import Telescope

@testable import Portal

/// The sample house again, but in the stores of the systems, in memory.
struct LiveHouse {
  let store: DataStore
  let trail: AuditTrail
  let accounts: Accounts
  let register: CaseRegister
  let portal: Portal
  let index: ConstituencyIndex
  let metrics = MetricsRegistry()

  static let organisations = SampleHouse.organisations.map { record in
    Organisation(
      id: record.id, name: record.name, roles: [.isp], prefixes: record.prefixes,
      asns: record.systems,
      contacts: [Contact(name: "Abuse desk", email: "abuse@\(record.id).example")],
      delivery: DeliveryPreferences(channels: [.smtp], intervalSeconds: 0))
  }

  init() async throws {
    let store = try DataStore.inMemory()
    let trail = AuditTrail(store: store)
    let now: @Sendable () -> Timestamp = { SampleHouse.start.advanced(bySeconds: 5 * 86_400) }
    var parameters = PortalParameters()
    parameters.scryptRounds = 1 << 4
    parameters.scryptParallelism = 1
    let accounts = try Accounts(store: store, trail: trail, parameters: parameters, now: now)
    let telescope = try TelescopeStore(store)
    var results = TelescopeResults()
    results.hosts = SampleSources.hosts
    results.victims = SampleSources.victims
    results.alerts = SampleSources.alerts
    results.campaigns = SampleSources.campaigns
    results.series = SampleSources.series
    results.counters.packets = 12_345
    results.counters.byClass = ["syn-scan": 12_345]
    try telescope.record(results, inputs: [], generation: 1, now: now()) { consume in
      for event in SampleTelescope.events() { try consume(event) }
    }
    let constituency = try Constituency(Self.organisations)
    let index = ConstituencyIndex(constituency)
    let register = try CaseRegister(store: store, trail: trail)
    let infected = SampleSources.hosts.filter { $0.verdict == .infected }
    _ = try register.record(
      infected.map { SampleCases.finding($0.address) }, at: SampleHouse.start
    ) { index.responsible(for: $0.subject.address) }
    let outbox = try Outbox(
      register: register,
      notices: NoticeParameters(
        sender: NoticeSender(
          name: "Sample Institute", nameJa: "見本研究所",
          from: try Mailbox(name: "", address: "notice@institute.example"))))
    _ = try outbox.makeNotices(for: constituency, at: SampleHouse.start.advanced(bySeconds: 86_400))
    try SampleDetection.record(in: store)
    var logger = Logger(label: "portal-tests")
    logger.logLevel = .error
    var configuration = PortalConfiguration(port: 0, metricsAreOpen: true)
    configuration.parameters = parameters
    portal = try Portal(
      configuration: configuration, accounts: accounts, store: store, trail: trail,
      telescope: telescope, register: register, outbox: outbox, constituency: { index },
      geolocation: { .empty }, metrics: metrics, logger: logger, now: now)
    self.store = store
    self.trail = trail
    self.accounts = accounts
    self.register = register
    self.index = index
    let people: [(String, Role)] = [
      ("admin", .administrator), ("sato", .analyst),
      ("aozora", .isp(organisation: SampleHouse.aozora)),
      ("midori", .isp(organisation: SampleHouse.midori)),
    ]
    for (name, role) in people {
      try await accounts.create(name: name, password: SampleHouse.password, role: role)
    }
  }
}
