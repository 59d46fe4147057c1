import Findings
import FlowAnalysis
import NetworkTypes
import Store
import Testing

@Suite("The register of servers")
struct RegistryTests {
  private let now = Timestamp(seconds: 1_800_000_000)

  private func register() throws -> (ServerRegister, DataStore) {
    let store = try DataStore.inMemory()
    try store.migrate(AuditTrail.migrations + ServerRegister.migrations)
    return (ServerRegister(store: store, trail: AuditTrail(store: store)), store)
  }

  private func servers(_ seconds: Int64 = 1_800_000_000 - 90_000) throws -> [DetectedServer] {
    let tracker = ContactTracker()
    for index in 0..<300 {
      tracker.add(
        try contact(
          Double(seconds) + Double(index) * 200, "192.168.1.7", "198.18.3.\(index % 251 + 1)",
          port: 23, answered: false))
    }
    for beat in 0..<200 {
      tracker.add(
        try contact(
          Double(seconds) + Double(beat) * 400, "192.168.1.7", "198.51.100.66", port: 6_667))
    }
    return ServerRanking().rank(tracker).servers
  }

  @Test("a server is entered once, and later sights prolong it")
  func entering() throws {
    let (register, _) = try register()
    try register.record(try servers(), at: now)
    try register.record(try servers(1_800_000_000 + 86_400), at: now)
    let service = try #require(Service(text: "198.51.100.66:6667"))
    let entry = try #require(try register.entry(service))
    #expect(entry.firstSeen == Timestamp(seconds: 1_800_000_000 - 90_000))
    #expect(entry.lastSeen > Timestamp(seconds: 1_800_000_000 + 86_400))
    #expect(try register.current(at: now).filter { $0.server.service == service }.count == 1)
    #expect(entry.server.evidence[.periodic] == 1)
  }

  @Test("an expired server leaves the list and stays in the history")
  func expiry() throws {
    let (register, _) = try register()
    try register.record(try servers(), at: now)
    let later = now.advanced(bySeconds: 31 * 86_400)
    #expect(try register.current(at: now).isEmpty == false)
    #expect(try register.current(at: later).isEmpty)
    #expect(try register.history().isEmpty == false)
  }

  @Test(
    "a verdict is kept with its author and reason, is in the audit trail, and can be taken back")
  func verdict() throws {
    let (register, store) = try register()
    try register.record(try servers(), at: now)
    let service = try #require(Service(text: "198.51.100.66:6667"))
    try register.judge(
      service, .wrong, by: .commandLine("hanako"), reason: "our own chat server", at: now)
    #expect(try register.verdicts() == [service: .wrong])
    let entry = try #require(try register.entry(service))
    #expect(entry.verdict?.actor == "cli:hanako")
    #expect(entry.verdict?.reason == "our own chat server")
    try register.judge(service, nil, by: .commandLine("hanako"), reason: "a mistake", at: now)
    #expect(try register.verdicts().isEmpty)
    #expect(try AuditTrail(store: store).head().sequence == 2)
    #expect(throws: ServerRegisterError.needsReason) {
      try register.judge(service, .wrong, by: .commandLine("hanako"), reason: " ", at: now)
    }
  }

  @Test("findings tell of the suspicious client, with what speaks for it")
  func findings() throws {
    let server = try #require(try servers().first)
    let findings = server.findings(kind: nil, sensor: "flows")
    let client = try #require(findings.first { $0.kind == .infectedHost })
    #expect(client.subject.address == IPAddress("192.168.1.7"))
    #expect(client.attributes["server"] == "198.51.100.66:6667/tcp")
    #expect(client.confidence.percent > 80)
    #expect(client.evidence.first?.summary.contains("scans port 23") == true)
  }

  @Test("a kind of evidence that adds nothing is not given as a reason")
  func reasonsThatCount() throws {
    var server = try #require(try servers().first)
    server.evidence[.synchronous] = 0.002
    #expect(!ServerExplanation(server).lines.contains { $0.kind == .synchronous })
    server.evidence[.synchronous] = 0.5
    #expect(ServerExplanation(server).lines.contains { $0.kind == .synchronous })
  }
}
