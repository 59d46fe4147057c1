import Constituency
import Findings
import Foundation
import GRDB
import NetworkTypes
import Store
import Synchronization
import Testing

@testable import Casework

/// Whatever happens between two steps: nothing is lost, and nothing comes twice.
@Suite("Deliveries that break off", .timeLimit(.minutes(4)))
struct DeliveryCrashTests {
  private struct Broken: Error {}

  /// Breaks off at the n-th time that a point is reached.
  private static func service(
    _ house: NoticeHouse, _ smtp: DeliveryChannel? = nil, at point: DeliveryPoint, nth: Int = 1,
    _ act: @escaping @Sendable () throws -> Void
  ) -> DeliveryService {
    let count = Mutex(0)
    let checkpoint: @Sendable (DeliveryPoint) throws -> Void = { reached in
      guard reached == point else { return }
      let number = count.withLock {
        $0 += 1
        return $0
      }
      if number == nth { try act() }
    }
    var channels: [DeliveryPreferences.Channel: DeliveryChannel] = [
      .directory: .directory(house.folder + "/out", checkpoint: checkpoint)
    ]
    channels[.smtp] = smtp
    return DeliveryService(
      house.outbox, channels: channels, now: { NoticeHouse.morning.advanced(bySeconds: 60) },
      sleep: { _ in }, checkpoint: checkpoint)
  }

  private static func healthy(_ house: NoticeHouse, _ smtp: DeliveryChannel? = nil)
    -> DeliveryService
  {
    var channels: [DeliveryPreferences.Channel: DeliveryChannel] = [
      .directory: .directory(house.folder + "/out")
    ]
    channels[.smtp] = smtp
    return DeliveryService(
      house.outbox, channels: channels, now: { NoticeHouse.morning.advanced(bySeconds: 120) })
  }

  private static func fill(_ house: NoticeHouse) throws {
    _ = try house.record([
      NoticeHouse.infected("192.0.2.3"), NoticeHouse.infected("198.51.100.3"),
    ])
    _ = try house.make()
  }

  private static let folderPoints: [DeliveryPoint] = [
    .claimed, .filesWritten, .marked, .filePublished, .sent, .settled,
  ]

  @Test(
    "an error at any step of the folder channel loses nothing and doubles nothing",
    arguments: folderPoints, [1, 2, 3, 4])
  private func folderErrors(_ point: DeliveryPoint, _ nth: Int) async throws {
    let house = try NoticeHouse()
    defer { house.remove() }
    try Self.fill(house)
    _ = try? await Self.service(house, at: point, nth: nth) { throw Broken() }.deliverDue()
    try await Self.expectWhole(house)
  }

  /// Finishes the work, taking away what is complete in between as a consumer does.
  private static func expectWhole(_ house: NoticeHouse) async throws {
    var taken: [String: Int] = [:]
    func take() throws {
      for organisation in ["kaede", "momiji"] {
        for name in house.delivered(organisation) {
          taken[name, default: 0] += 1
          try FileManager.default.removeItem(atPath: "\(house.folder)/out/\(organisation)/\(name)")
        }
      }
    }
    try take()
    for _ in 0..<3 {
      _ = try await healthy(house).deliverDue()
      try take()
    }
    #expect(taken.count == 6)
    #expect(taken.values.allSatisfy { $0 == 1 }, "\(taken)")
    #expect(try house.outbox.counts()[.delivered] == 2)
    let cases = try house.register.cases(ListQuery(), visibleTo: .everything).rows
    #expect(cases.map(\.state) == [.notified, .notified])
    #expect(try house.isTrailIntact)
    for organisation in ["kaede", "momiji"] {
      let all = try FileManager.default.contentsOfDirectory(
        atPath: "\(house.folder)/out/\(organisation)")
      #expect(all == [], "hidden files are left")
    }
  }

  @Test(
    "kill -9 at any step of the folder channel loses nothing and doubles nothing",
    arguments: folderPoints)
  private func folderKills(_ point: DeliveryPoint) async throws {
    let house = try NoticeHouse()
    defer { house.remove() }
    try Self.fill(house)
    let folder = house.folder
    await #expect(processExitsWith: .signal(SIGKILL)) {
      [folder = folder as String, point = point as DeliveryPoint] in
      let child = try NoticeHouse(folder: folder)
      _ = try await Self.service(child, at: point, nth: 2) { kill(getpid(), SIGKILL) }.deliverDue()
      // A point that was passed once only ends here.
      kill(getpid(), SIGKILL)
    }
    try await Self.expectWhole(house)
  }

  @Test(
    "kill -9 at any step of a mail: sent once, or sent once and held in doubt; never lost",
    .enabled(if: PythonTool.has("aiosmtpd"), "needs aiosmtpd"),
    arguments: [DeliveryPoint.claimed, .marked, .sent, .settled])
  private func mailKills(_ point: DeliveryPoint) async throws {
    let sink = try MailSink()
    let house = try NoticeHouse(channel: .smtp)
    defer { house.remove() }
    _ = try house.record([NoticeHouse.infected("192.0.2.3")])
    _ = try house.make()
    let folder = house.folder
    let port = sink.port
    await #expect(processExitsWith: .signal(SIGKILL)) {
      [folder = folder as String, port = port as Int, point = point as DeliveryPoint] in
      let child = try NoticeHouse(folder: folder, channel: .smtp)
      let client = SMTPClient(SMTPServer(host: "127.0.0.1", port: port))
      _ = try await Self.service(child, .smtp(client), at: point) { kill(getpid(), SIGKILL) }
        .deliverDue()
    }
    let client = SMTPClient(SMTPServer(host: "127.0.0.1", port: port))
    let service = Self.healthy(house, .smtp(client))
    for _ in 0..<2 { _ = try await service.deliverDue() }
    let delivery = try #require(
      try house.outbox.deliveries(ListQuery(), visibleTo: .everything).rows.first)
    switch point {
    case .claimed:
      #expect(delivery.state == .delivered && sink.mails.count == 1)
    case .settled:
      #expect(delivery.state == .delivered && sink.mails.count == 1)
    case .sent:
      // It arrived and nobody wrote it down: held, not doubled.
      #expect(delivery.state == .inDoubt && sink.mails.count == 1)
      #expect(sink.mails[0].contains("Message-ID: <\(delivery.messageID)>"))
    default:
      // Marked and not sent looks the same from here: a person decides, and nothing is lost.
      #expect(delivery.state == .inDoubt && sink.mails.isEmpty)
      try house.outbox.retry(delivery.id, by: .user("hanako"), at: NoticeHouse.morning)
      _ = try await service.deliverDue()
      #expect(sink.mails.count == 1)
    }
    #expect(try house.isTrailIntact)
  }

  @Test("an error of the database at every write point is put right by the next round")
  func databaseErrors() async throws {
    // Each n-th write of the tables fails once, by a trigger that a full disk could be.
    for table in ["deliveries", "delivery_attempts", "audit_trail", "case_events", "cases"] {
      for operation in ["INSERT", "UPDATE"] {
        let house = try NoticeHouse()
        defer { house.remove() }
        try Self.fill(house)
        try await house.register.store.writer.write { db in
          try db.execute(
            sql: """
              CREATE TRIGGER full BEFORE \(operation) ON \(table)
              BEGIN SELECT RAISE(ABORT, 'disk full'); END
              """)
        }
        _ = try? await Self.healthy(house).deliverDue()
        try await house.register.store.writer.write { db in
          try db.execute(sql: "DROP TRIGGER full")
        }
        try await Self.expectWhole(house)
      }
    }
  }

  @Test("a making of notices that fails anywhere leaves nothing behind, and the next makes all")
  func makingErrors() throws {
    for table in ["notices", "notice_cases", "notice_parts", "deliveries", "audit_trail"] {
      let house = try NoticeHouse()
      defer { house.remove() }
      _ = try house.record([NoticeHouse.infected("192.0.2.3")])
      try house.register.store.writer.write { db in
        try db.execute(
          sql: """
            CREATE TRIGGER full BEFORE INSERT ON \(table)
            BEGIN SELECT RAISE(ABORT, 'disk full'); END
            """)
      }
      #expect(throws: (any Error).self) { try house.make() }
      try house.register.store.writer.write { db in try db.execute(sql: "DROP TRIGGER full") }
      #expect(try house.outbox.notices(ListQuery(), visibleTo: .everything).total == 0)
      #expect(try house.make().made.map(\.number) == ["N-20261125-0001"])
    }
  }
}
