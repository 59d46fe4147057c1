import Findings
import FlowArchive
import Foundation
import GRDB
import Hummingbird
import Logging
import NetworkTypes
import Store
import Synchronization
import Telescope

@testable import Portal

/// A whole house in memory: two ISPs, an institute's telescope, cases, notices and four accounts.
///
/// Addresses are from the documentation blocks (RFC 5737, RFC 3849), system numbers from RFC 5398.
final class SampleHouse: Sendable {
  static let aozora = "aozora-net"
  static let midori = "midori-cable"
  static let password = "beacon-fire-17"

  let accounts: Accounts
  let portal: Portal
  let metrics = MetricsRegistry()
  /// Where servers and attacks are kept, with verdicts and their lines of the audit trail.
  let detected: DataStore
  let journal: Mutex<[AuditLine]>
  /// What ``CaseReading/act`` was asked to do.
  let acts: Mutex<[String]>
  /// What ``NoticeReading/act`` was asked to do.
  let deliveries: Mutex<[String]>
  /// Whether the audit trail takes no line of a search.
  let isTrailBroken = Mutex(false)
  /// Seconds since 1970 of the test's clock.
  let clock: Mutex<Int64>

  static let start = Timestamp("2026-11-20T00:00:00Z")!  // a literal in the right form
  static let hours = 72

  static let organisations = [
    OrganisationRecord(
      id: aozora, name: "あおぞらネット", roles: ["isp"],
      prefixes: [IPPrefix("192.0.2.0/24")!], systems: [ASN(64_500)],
      contacts: ["abuse@aozora.example"], preferences: ["mail", "csv", "daily"]),
    OrganisationRecord(
      id: midori, name: "みどりケーブル", roles: ["isp"],
      prefixes: [IPPrefix("198.51.100.0/24")!, IPPrefix("2001:db8::/32")!], systems: [ASN(64_501)],
      contacts: ["noc@midori.example"], preferences: ["xarf"]),
  ]

  /// The organisation that answers for an address.
  static func owner(_ address: IPAddress) -> OrganisationRecord? {
    organisations.first { $0.prefixes.contains { $0.contains(address) } }
  }

  static func sees(_ scope: Scope, _ address: IPAddress) -> Bool {
    switch scope {
    case .everything: true
    case .organisation(let id): owner(address)?.id == id
    }
  }

  init(
    configuration: PortalConfiguration? = nil, flows: FlowDeskParameters? = nil
  ) async throws {
    var parameters = PortalParameters()
    // Pages wait for their searches here, however busy the machine is.
    parameters.flows.patienceMilliseconds = 60_000
    if let flows { parameters.flows = flows }
    // The cost of hashing is tested by itself; here it would only make every test slow.
    parameters.scryptRounds = 1 << 4
    parameters.scryptParallelism = 1
    var settings = configuration ?? PortalConfiguration(port: 0)
    settings.parameters = parameters
    let journal = Mutex<[AuditLine]>([])
    let acts = Mutex<[String]>([])
    let deliveries = Mutex<[String]>([])
    self.clock = Mutex(Self.start.seconds + 3 * 86_400)
    self.journal = journal
    self.acts = acts
    self.deliveries = deliveries
    let box = Box()
    let now: @Sendable () -> Timestamp = {
      Timestamp(seconds: box.house?.clock.withLock { $0 } ?? 0)
    }
    accounts = try Accounts(
      store: DataStore.inMemory(), parameters: parameters,
      journal: Journal { actor, action, subject, details in
        box.house?.record(actor, action, subject, details)
      }, now: now)
    let detected = try DataStore.inMemory()
    self.detected = detected
    var logger = Logger(label: "portal-tests")
    logger.logLevel = .error
    let sources = SampleSources(
      audit: { query in
        query.answer(box.house?.journal.withLock { $0 } ?? [], columns: AuditPages.columns)
      },
      act: { id, action, actor in box.house?.acts.withLock { $0.append("\(actor) \(id) \(action)") }
      },
      deliver: { id, action, actor in
        box.house?.deliveries.withLock { $0.append("\(actor) \(action) \(id)") }
      },
      searched: { record, asker in
        guard let house = box.house, !house.isTrailBroken.withLock({ $0 }) else {
          throw Problem.unavailable
        }
        house.record(
          asker.account.name, "flows.search.\(record.stage.rawValue)", record.archive,
          record.details(of: asker))
      },
      detection: try SampleDetection.reading(in: detected, now: now))
    var all = sources.all()
    let list = try await SampleAccreditation.list()
    all.accreditation = { list }
    all.verification = SampleVerification.verification(now: now)
    portal = try Portal(
      configuration: settings, accounts: accounts, sources: all, metrics: metrics,
      logger: logger, now: now)
    box.set(self)
    try await accounts.create(name: "admin", password: Self.password, role: .administrator)
    try await accounts.create(name: "sato", password: Self.password, role: .analyst)
    try await accounts.create(
      name: "aozora", password: Self.password, role: .isp(organisation: Self.aozora))
    try await accounts.create(
      name: "midori", password: Self.password, role: .isp(organisation: Self.midori))
  }

  private func record(
    _ actor: String, _ action: String, _ subject: String, _ details: [String: String]
  ) {
    let moment = Timestamp(seconds: clock.withLock { $0 })
    let text = details.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
    journal.withLock { lines in
      lines.append(
        AuditLine(
          sequence: Int64(lines.count + 1), moment: moment, actor: actor, action: action,
          subject: subject, details: text.joined(separator: " ")))
    }
  }

  func pass(seconds: Int64) { clock.withLock { $0 += seconds } }

  /// The closures are made before the house is there.
  private final class Box: Sendable {
    private let weakly = Mutex<Weak>(Weak())
    private struct Weak { weak var house: SampleHouse? }
    var house: SampleHouse? { weakly.withLock { $0.house } }
    func set(_ house: SampleHouse) { weakly.withLock { $0.house = house } }
  }
}

/// Numbers that look random and are the same every time (Steele, Lea, Flood 2014: SplitMix64).
struct Dice {
  var state: UInt64

  mutating func next(_ bound: Int) -> Int {
    state &+= 0x9e37_79b9_7f4a_7c15
    var z = state
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    return Int((z ^ (z >> 31)) % UInt64(bound))
  }
}
