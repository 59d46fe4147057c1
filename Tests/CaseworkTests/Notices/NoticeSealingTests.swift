import Constituency
import Foundation
import NetworkTypes
import Store
import Synchronization
import Testing

@testable import Casework

@Suite("Sealed notices")
struct NoticeSealingTests {
  private static let words = NoticeSealWords(
    organisation: "例示観測センター", anchor: "CN=Example Root", fingerprint: "12:AB",
    address: "https://example.jp/ca.crt")

  private static func house(sealed: Bool = true) throws -> NoticeHouse {
    var parameters = try NoticeHouse.parameters
    if sealed { parameters.seal = words }
    let house = try NoticeHouse(notices: parameters)
    _ = try house.record([NoticeHouse.infected("192.0.2.7"), NoticeHouse.infected("198.51.100.9")])
    return house
  }

  private struct Away: Error, CustomStringConvertible {
    let description = "the authority does not answer"
  }

  /// A seal that says what it is over.
  private static let sealing = NoticeSealing { content in
    Array("seal of \(content.count): ".utf8) + content.suffix(8)
  }

  private static func service(_ house: NoticeHouse, _ sealing: NoticeSealing?) -> DeliveryService {
    DeliveryService(
      house.outbox, channels: [.directory: .directory(house.folder + "/out")], sealing: sealing,
      now: { NoticeHouse.morning })
  }

  private static func records(_ house: NoticeHouse) throws -> [NoticeRecord] {
    try house.outbox.notices(ListQuery(), visibleTo: .everything).rows.compactMap {
      try house.outbox.notice($0.id, visibleTo: .everything)
    }
  }

  private static func states(_ house: NoticeHouse) throws -> [Delivery.State: Int] {
    try house.outbox.counts().states
  }

  @Test("nothing leaves before it is sealed, and then every file has its seal beside it")
  func sealedBeforeSent() async throws {
    let house = try Self.house()
    defer { house.remove() }
    #expect(try house.make().made.count == 2)
    #expect(try Self.states(house) == [.unsealed: 2])
    // Nobody seals: nobody sends.
    #expect(try await Self.service(house, nil).deliverDue() == .init())
    #expect(house.delivered("kaede").isEmpty)

    let round = try await Self.service(house, Self.sealing).deliverDue()
    #expect(round.sealed == 2 && round.delivered == 2)
    let names = house.delivered("kaede")
    let contents = names.filter { !$0.hasSuffix(".p7s") && !$0.hasSuffix(".eml") }
    #expect(contents.count == 3)
    for name in contents {
      let content = try Data(contentsOf: URL(filePath: "\(house.folder)/out/kaede/\(name)"))
      let seal = try Data(contentsOf: URL(filePath: "\(house.folder)/out/kaede/\(name).p7s"))
      #expect(Array(seal) == Array("seal of \(content.count): ".utf8) + content.suffix(8))
    }
    #expect(try house.isTrailIntact)
    let record = try #require(try Self.records(house).first)
    #expect(
      try house.actions(of: record.notice.number) == ["notice.made", "notice.sealed"])
    #expect(record.parts.count == 6)
  }

  @Test("while the authority is away notices wait, say why, and are sealed later")
  func authorityAway() async throws {
    let house = try Self.house()
    defer { house.remove() }
    _ = try house.make()
    let isAway = Mutex(true)
    let asked = Mutex(0)
    let sealing = NoticeSealing { content in
      asked.withLock { $0 += 1 }
      if isAway.withLock({ $0 }) { throw Away() }
      return try await Self.sealing.seal(content)
    }
    let round = try await Self.service(house, sealing).deliverDue()
    #expect(round.sealed == 0 && round.unsealed == 1 && round.delivered == 0)
    // The second is not even tried: it would wait as long for nothing.
    #expect(asked.withLock { $0 } == 1)
    let failures = try Self.records(house).flatMap(\.deliveries).compactMap(\.failure)
    #expect(failures == ["cannot be sealed: the authority does not answer"])
    isAway.withLock { $0 = false }
    let later = try await Self.service(house, sealing).deliverDue()
    #expect(later.sealed == 2 && later.delivered == 2)
    #expect(try Self.states(house) == [.delivered: 2])
    // Once more changes nothing.
    #expect(try await Self.service(house, sealing).deliverDue() == .init())
  }

  @Test("a delivery that waits for its seal cannot be sent by hand either")
  func noShortcut() async throws {
    let house = try Self.house()
    defer { house.remove() }
    _ = try house.make()
    let delivery = try #require(try Self.records(house).first?.deliveries.first)
    #expect(throws: NoticeError.notPossible(delivery: delivery.id, state: .unsealed)) {
      try house.outbox.retry(delivery.id, by: .commandLine("test"), at: NoticeHouse.morning)
    }
  }

  @Test("the text says how to verify, in its language, and only where there is a seal")
  func words() throws {
    for isSealed in [true, false] {
      let house = try Self.house(sealed: isSealed)
      defer { house.remove() }
      _ = try house.make()
      let record = try #require(try Self.records(house).first)
      let text = try #require(record.parts.first?.text)
      #expect(text.contains("eシール") == isSealed)
      #expect(text.contains("12:AB") == isSealed)
      #expect(
        text.contains("-in \(record.notice.number).csv.p7s -content \(record.notice.number).csv")
          == isSealed)
      #expect(!text.contains("{"))
    }
  }

  @Test(
    "Python's mail parser finds every file and its seal",
    .enabled(if: PythonTool.has("email"), "python3 is not installed"))
  func mail() async throws {
    struct Parsed: Decodable {
      struct Attachment: Decodable {
        let name: String
        let type: String
        let content: String
      }
      let defects: [String]
      let attachments: [Attachment]
      let bareLineEnds: Int
    }
    let house = try Self.house()
    defer { house.remove() }
    _ = try house.make()
    _ = try await Self.service(house, Self.sealing).deliverDue()
    let name = try #require(house.delivered("kaede").first { $0.hasSuffix(".eml") })
    let output = try PythonTool.run(
      [PythonTool.fixtures + "/read_mail.py", "\(house.folder)/out/kaede/\(name)"])
    let mail = try JSONDecoder().decode(Parsed.self, from: output)
    #expect(mail.defects.isEmpty && mail.bareLineEnds == 0)
    #expect(mail.attachments.count == 6)
    let files = Dictionary(uniqueKeysWithValues: mail.attachments.map { ($0.name, $0) })
    for file in mail.attachments where file.type != "application/pkcs7-signature" {
      let seal = try #require(files[file.name + ".p7s"])
      #expect(seal.type == "application/pkcs7-signature")
      let content = try #require(Data(base64Encoded: file.content))
      let octets = try #require(Data(base64Encoded: seal.content))
      #expect(Array(octets) == Array("seal of \(content.count): ".utf8) + content.suffix(8))
    }
  }
}
