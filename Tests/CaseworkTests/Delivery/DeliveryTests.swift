import Constituency
import Findings
import Foundation
import NetworkTypes
import Store
import Synchronization
import Testing

@testable import Casework

/// A clock that only moves when it is told to.
final class TestClock: Sendable {
  private let moment: Mutex<Timestamp>
  init(_ moment: Timestamp = NoticeHouse.morning) { self.moment = Mutex(moment) }
  var now: Timestamp { moment.withLock { $0 } }
  func advance(_ seconds: Double) {
    moment.withLock { $0 = $0.advanced(bySeconds: seconds) }
  }
}

@Suite("Deliveries", .timeLimit(.minutes(2)))
struct DeliveryTests {
  /// A channel whose outcomes are told in advance; it keeps the Message-IDs of what it sent.
  private final class Script: Sendable {
    let outcomes: Mutex<[MailOutcome]>
    let sent = Mutex<[String]>([])
    init(_ outcomes: [MailOutcome]) { self.outcomes = Mutex(outcomes) }

    var channel: DeliveryChannel {
      DeliveryChannel(isResumable: false) { [self] package, willTransmit in
        let outcome = outcomes.withLock { $0.isEmpty ? .accepted("250 ok") : $0.removeFirst() }
        switch outcome {
        case .accepted, .unknown:
          try await willTransmit()
          sent.withLock { $0.append(package.delivery.messageID) }
        default: break
        }
        return outcome
      }
    }
  }

  private func service(_ house: NoticeHouse, _ channel: DeliveryChannel, _ clock: TestClock)
    -> DeliveryService
  {
    DeliveryService(
      house.outbox, channels: [.smtp: channel, .directory: .directory(house.folder + "/out")],
      now: { clock.now })
  }

  private func mailHouse(_ parameters: DeliveryParameters = DeliveryParameters()) throws -> (
    NoticeHouse, caseID: String, notice: Notice
  ) {
    let house = try NoticeHouse(channel: .smtp, delivery: parameters)
    let id = try house.record([NoticeHouse.infected("192.0.2.3")]).opened[0]
    return (house, id, try #require(try house.make().made.first))
  }

  private func delivery(_ house: NoticeHouse) throws -> Delivery {
    try #require(
      try house.outbox.deliveries(ListQuery(), visibleTo: .everything).rows.first)
  }

  @Test("a folder gets mail, table and reports, and its case is notified with a due date")
  func directory() async throws {
    let house = try NoticeHouse()
    defer { house.remove() }
    let id = try house.record([NoticeHouse.infected("192.0.2.3")]).opened[0]
    let notice = try #require(try house.make().made.first)
    let clock = TestClock()
    let round = try await service(house, Script([]).channel, clock).deliverDue()
    #expect(round.delivered == 1)
    let stem = "N-20261125-0001.\(notice.id.prefix(8))"
    #expect(house.delivered("kaede") == ["\(stem).csv", "\(stem).eml", "\(stem).xarf.json"])
    let item = try #require(try house.register.case(id, visibleTo: .everything))
    #expect(item.state == .notified)
    #expect(item.due == clock.now.advanced(bySeconds: 14 * 86_400))
    #expect(
      try house.register.history(of: id, visibleTo: .everything).last?.text == "N-20261125-0001")
    #expect(try await service(house, Script([]).channel, clock).deliverDue() == .init())
    #expect(
      try house.actions(of: "N-20261125-0001-1")
        == ["delivery.queued", "delivery.attempted", "delivery.delivered"])
    #expect(try house.isTrailIntact)
  }

  @Test("what is refused for now is tried again later and later, under one Message-ID")
  func backOff() async throws {
    let (house, caseID, notice) = try mailHouse()
    defer { house.remove() }
    let script = Script(Array(repeating: .temporary("450 later"), count: 8))
    let clock = TestClock()
    let service = service(house, script.channel, clock)
    var pauses: [Double] = []
    for _ in 0..<8 {
      _ = try await service.deliverDue()
      let waiting = try delivery(house)
      #expect(waiting.state == .retrying)
      #expect(waiting.failure == "450 later")
      let next = try #require(waiting.nextAttempt)
      pauses.append(next.seconds(since: clock.now))
      clock.advance(pauses.last! - 1)  // A value was appended in the line above.
      #expect(try await service.deliverDue() == .init())
      clock.advance(1)
    }
    for (pause, base) in zip(pauses, [300.0, 600, 1_200, 2_400, 4_800, 9_600, 10_800, 10_800]) {
      #expect(abs(pause / base - 1) <= 0.2)
    }
    #expect(try house.register.case(caseID, visibleTo: .everything)?.state == .open)
    #expect(try await service.deliverDue().delivered == 1)
    let record = try #require(try house.outbox.notice(notice.id, visibleTo: .everything))
    #expect(record.attempts.map(\.number) == Array(1...9))
    #expect(record.attempts.map(\.outcome) == Array(repeating: .temporary, count: 8) + [.accepted])
    #expect(record.state == .delivered)
    #expect(script.sent.withLock { $0 } == [record.deliveries[0].messageID])
    #expect(try house.register.case(caseID, visibleTo: .everything)?.state == .notified)
  }

  @Test("after five days it is given up, visibly, and its case is unreachable; a person can retry")
  func givingUp() async throws {
    let (house, caseID, _) = try mailHouse()
    defer { house.remove() }
    let clock = TestClock()
    let service = service(
      house, Script(Array(repeating: .temporary("no route"), count: 2)).channel, clock)
    _ = try await service.deliverDue()
    clock.advance(6 * 86_400)
    _ = try await service.deliverDue()
    #expect(try delivery(house).state == .failed)
    #expect(try delivery(house).failure == "given up: no route")
    #expect(try house.outbox.counts().needsAttention == 1)
    #expect(try house.register.case(caseID, visibleTo: .everything)?.state == .unreachable)
    try house.outbox.retry(try delivery(house).id, by: .user("hanako"), at: clock.now)
    #expect(try await service.deliverDue().delivered == 1)
    #expect(try house.register.case(caseID, visibleTo: .everything)?.state == .notified)
    #expect(throws: NoticeError.self) {
      try house.outbox.retry(try delivery(house).id, by: .user("hanako"), at: clock.now)
    }
    #expect(throws: NoticeError.self) {
      try house.outbox.retry("N-1", by: .user("hanako"), at: clock.now)
    }
  }

  @Test("a refusal for good is not tried again")
  func permanent() async throws {
    let (house, caseID, _) = try mailHouse()
    defer { house.remove() }
    let clock = TestClock()
    let service = service(house, Script([.permanent("550 no such mailbox")]).channel, clock)
    #expect(try await service.deliverDue().failed == 1)
    clock.advance(86_400)
    #expect(try await service.deliverDue() == .init())
    #expect(try delivery(house).failure == "550 no such mailbox")
    #expect(try house.register.case(caseID, visibleTo: .everything)?.state == .unreachable)
  }

  @Test("a doubt is held until a person retries or confirms; by the other policy it is resent")
  func doubt() async throws {
    for isConfirmed in [true, false] {
      let (house, caseID, _) = try mailHouse()
      defer { house.remove() }
      let script = Script([.unknown("connection lost")])
      let clock = TestClock()
      let service = service(house, script.channel, clock)
      #expect(try await service.deliverDue().inDoubt == 1)
      #expect(try delivery(house).state == .inDoubt)
      clock.advance(86_400)
      #expect(try await service.deliverDue() == .init())
      let id = try delivery(house).id
      if isConfirmed {
        try house.outbox.confirm(id, by: .commandLine("root"), at: clock.now)
      } else {
        try house.outbox.retry(id, by: .commandLine("root"), at: clock.now)
        #expect(try await service.deliverDue().delivered == 1)
      }
      #expect(try delivery(house).state == .delivered)
      #expect(script.sent.withLock { $0.count } == (isConfirmed ? 1 : 2))
      #expect(script.sent.withLock { Set($0).count } == 1)
      #expect(try house.register.case(caseID, visibleTo: .everything)?.state == .notified)
    }
    var parameters = DeliveryParameters()
    parameters.inDoubt = .resend
    let (house, _, _) = try mailHouse(parameters)
    defer { house.remove() }
    let script = Script([.unknown("connection lost")])
    let clock = TestClock()
    let service = service(house, script.channel, clock)
    _ = try await service.deliverDue()
    #expect(try await service.deliverDue() == .init())
    clock.advance(400)
    #expect(try await service.deliverDue().delivered == 1)
    #expect(script.sent.withLock { $0.count } == 2)
  }

  @Test("one recipient that refuses does not stop the other, and the worst is what the list shows")
  func twoRecipients() async throws {
    var house = try NoticeHouse(channel: .smtp)
    defer { house.remove() }
    try house.constituency.update("kaede") {
      $0.contacts.append(Contact(name: "NOC", email: "noc@kaede.example", language: .english))
    }
    let id = try house.record([NoticeHouse.infected("192.0.2.3")]).opened[0]
    _ = try house.make()
    var parameters = house.outbox.delivery
    parameters.concurrency = 1
    let clock = TestClock()
    let outbox = try Outbox(
      register: house.register, notices: try NoticeHouse.parameters, delivery: parameters)
    let script = Script([.permanent("550 no"), .accepted("250 ok")])
    let round = try await DeliveryService(
      outbox, channels: [.smtp: script.channel], now: { clock.now }
    ).deliverDue()
    #expect(round.failed == 1 && round.delivered == 1)
    let row = try #require(try outbox.notices(ListQuery(), visibleTo: .everything).rows.first)
    #expect(row.state == .failed)
    #expect(row.delivered == nil)
    #expect(try house.register.case(id, visibleTo: .everything)?.state == .notified)
  }

  @Test("without a mail server, mail waits visibly and folders are served")
  func missingChannel() async throws {
    let (house, _, _) = try mailHouse()
    defer { house.remove() }
    let clock = TestClock()
    let service = DeliveryService(
      house.outbox, channels: [.directory: .directory(house.folder + "/out")], now: { clock.now })
    #expect(try await service.deliverDue() == .init())
    #expect(try house.outbox.counts()[.pending] == 1)
    #expect(try house.outbox.counts().oldestWaiting == NoticeHouse.morning)
  }

  @Test("a folder that cannot be written is tried again")
  func unwritable() async throws {
    let house = try NoticeHouse()
    defer { house.remove() }
    _ = try house.record([NoticeHouse.infected("192.0.2.3")])
    _ = try house.make()
    // A file where the folder should be.
    try Data().write(to: URL(filePath: house.folder + "/out"))
    let clock = TestClock()
    let service = service(house, Script([]).channel, clock)
    #expect(try await service.deliverDue().postponed == 1)
    try FileManager.default.removeItem(atPath: house.folder + "/out")
    clock.advance(400)
    #expect(try await service.deliverDue().delivered == 1)
    #expect(house.delivered("kaede").count == 3)
  }

  @Test("only one process delivers at a time")
  func lock() async throws {
    let (house, _, _) = try mailHouse()
    defer { house.remove() }
    let clock = TestClock()
    let lock = try OutboxLock(besideDatabase: house.register.store.path)
    let service = service(house, Script([]).channel, clock)
    await #expect(throws: OutboxLock.Busy.self) { try await service.deliverDue() }
    lock.release()
    #expect(try await service.deliverDue().delivered == 1)
  }

  @Test("the service makes and delivers until it is stopped, and survives an error in between")
  func running() async throws {
    struct Broken: Error {}
    let house = try NoticeHouse()
    defer { house.remove() }
    let clock = TestClock()
    let rounds = Mutex(0)
    let service = DeliveryService(
      house.outbox, channels: [.directory: .directory(house.folder + "/out")],
      now: { clock.now }, sleep: { clock.advance($0) })
    let isStopped: @Sendable () -> Bool = { rounds.withLock { $0 >= 6 } }
    try await service.run(until: isStopped, every: 60) { now in
      let round = rounds.withLock {
        $0 += 1
        return $0
      }
      if round == 2 { throw Broken() }
      _ = try house.record([NoticeHouse.infected("192.0.2.\(round)")], at: now)
      _ = try house.make(at: now)
    }
    #expect(house.delivered("kaede").filter { $0.hasSuffix(".eml") }.count == 5)
  }

  @Test("a folder name that leaves the root is refused for good")
  func traversal() async throws {
    let (house, _, _) = try mailHouse()
    defer { house.remove() }
    var claim = try #require(try house.outbox.claim([.smtp], at: NoticeHouse.morning))
    for target in ["../evil", "", "a/b", ".", "a\u{0}b"] {
      let old = claim.package.delivery
      let package = DeliveryPackage(
        delivery: Delivery(
          id: old.id, notice: old.notice, organisation: target, channel: .directory, target: target,
          language: .japanese, state: .sending, attempts: 1, lastAttempt: nil, nextAttempt: nil,
          delivered: nil, failure: nil, messageID: old.messageID),
        number: claim.package.number, sender: "a@b", message: [], parts: [], isResumed: false)
      claim = Outbox.Claim(attempt: claim.attempt, package: claim.package)
      let outcome = try await DeliveryChannel.directory(house.folder + "/out").deliver(package) {}
      guard case .permanent = outcome else {
        Issue.record("\(target): \(outcome)")
        continue
      }
    }
  }
}
