import Foundation
import NetworkTypes
import SwiftASN1
import Testing

@testable import TrustServices

/// An authority in a folder that goes with the test.
struct TestStampAuthority {
  let root: TestAuthority
  let folder: URL
  let hand = HandClock()
  let log: LogSigner
  let unitCertificate: Certificate
  let unitKey: FileKey
  static let policy: ASN1ObjectIdentifier = [1, 2, 392, 200_000, 1]

  init() throws {
    root = try TestAuthority()
    (unitCertificate, unitKey) = try root.issue("TSU", purpose: OID.timeStamping, isCritical: true)
    folder = FileManager.default.temporaryDirectory.appendingPathComponent(
      "noroshi-tsa-\(UUID().uuidString)")
    log = try LogSigner(name: "test/tsa", key: try FileKey.generate(.ed25519))
  }

  func open(_ change: (inout TimeStampUnitParameters) -> Void = { _ in }) async throws
    -> TimeStampAuthority
  {
    var parameters = TimeStampUnitParameters(policy: Self.policy)
    change(&parameters)
    let authority = TimeStampAuthority(
      unit: try TimeStampUnit(
        certificate: unitCertificate, key: unitKey, parameters: parameters),
      clockSources: hand.sources, journal: try Journal(folder: folder.path), signer: log)
    await authority.clock.check()
    return authority
  }

  func validator() throws -> CertificateValidator {
    CertificateValidator(anchors: [try root.anchor()])
  }

  func remove() { try? FileManager.default.removeItem(at: folder) }
}

/// A journal whose answers a test has in its hands.
struct ForgedJournal: AuditedJournal {
  var records: [[UInt8]]
  var published: JournalHead?

  static func head(_ records: [[UInt8]]) -> JournalHead {
    var frontier = MerkleFrontier()
    for record in records { _ = frontier.append(MerkleTree.leafHash(record)) }
    return JournalHead(size: frontier.size, root: frontier.root)
  }

  func head() async throws -> JournalHead { published ?? Self.head(records) }

  func entries(from: UInt64, to: UInt64) async throws -> [[UInt8]] {
    Array(records[Int(from)..<min(Int(to), records.count)].prefix(7))
  }

  func consistencyProof(from: UInt64, to: UInt64) async throws -> [[UInt8]] {
    guard from > 0, from < to else { return [] }
    var nodes: [[UInt8]] = []
    var frontier = MerkleFrontier()
    for record in records { nodes += frontier.append(MerkleTree.leafHash(record)) }
    return try MerkleProver { nodes[Int($0)] }.consistency(from, size: to)
  }
}

@Suite("The time-stamp authority")
struct AuthorityTests {
  let content = Array("証拠となる記録".utf8)

  func request(_ change: (inout TimeStampRequest) -> Void = { _ in }) -> TimeStampRequest {
    var request = TimeStampRequest(MessageImprint(.sha256, of: content))
    change(&request)
    return request
  }

  @Test("a stamp verifies, and its record is in the journal before it is answered")
  func stamp() async throws {
    let house = try TestStampAuthority()
    defer { house.remove() }
    let authority = try await house.open()
    let sent = request()
    let token = try TimeStampResponse(encoded: await authority.answer(sent.encoded)).granted()
    _ = try token.verify(content: content, request: sent, validator: try house.validator())
    #expect(authority.journal.head.size == 2)
    let proof = try authority.inclusionProof(serialNumber: token.info.serialNumber)
    #expect(proof.index == 1)
    let head = try proof.verify(token, log: authority.logVerifier)
    #expect(head.size == 2)
    #expect(proof.entry.hasSuffix(" 0"))
    // Somebody else's token, log or head is not proven by it.
    let other = try await authority.timeStamp(content)
    #expect(throws: LogError.otherToken) { try proof.verify(other, log: authority.logVerifier) }
    let stranger = try LogSigner(name: "test/tsa", key: try FileKey.generate(.ed25519)).verifier
    #expect(throws: LogError.self) { try proof.verify(token, log: stranger) }
    let json = try JSONEncoder().encode(proof)
    #expect(try JSONDecoder().decode(InclusionProof.self, from: json) == proof)
    #expect(throws: LogError.self) { try authority.inclusionProof(serialNumber: [1, 2, 3]) }
    #expect(LogVerifier("\(authority.logVerifier)") == authority.logVerifier)
    #expect(LogVerifier("\(authority.logVerifier)x") == nil)
  }

  @Test("notes are signed as others sign them: the example of Go's sumdb/note verifies")
  func foreignNote() throws {
    let log = try #require(
      LogVerifier("PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"))
    let note = """
      If you think cryptography is the answer to your problem,
      then you don't know what your problem is.

      — PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=

      """
    #expect(log.text(of: note)?.hasSuffix("problem is.\n") == true)
    #expect(log.text(of: note.replacing("don't", with: "do")) == nil)
  }

  @Test("every hash is stamped, at every policy that is offered")
  func hashes() async throws {
    let house = try TestStampAuthority()
    defer { house.remove() }
    let authority = try await house.open { $0.otherPolicies = [[1, 2, 3], [1, 2, 4]] }
    for hash in HashAlgorithm.allCases where hash != .sha1 {
      for policy: ASN1ObjectIdentifier? in [nil, [1, 2, 3], [1, 2, 4]] {
        let sent = request {
          $0.imprint = MessageImprint(hash, of: content)
          $0.policy = policy
        }
        let token = try await authority.timeStamp(sent)
        _ = try token.verify(content: content, request: sent, validator: try house.validator())
        #expect(token.info.policy == policy ?? TestStampAuthority.policy)
      }
    }
    #expect(authority.counters.granted == 18)
  }

  @Test("each request that is refused gets its failInfo, and leaves no record")
  func refusals() async throws {
    let house = try TestStampAuthority()
    defer { house.remove() }
    let authority = try await house.open { $0.givesCertificate = false }
    func failure(_ query: [UInt8]) async throws -> TimeStampFailure? {
      let response = try TimeStampResponse(encoded: await authority.answer(query))
      #expect(response.status == .rejection && response.token == nil)
      return response.failures.first
    }
    func failure(_ change: (inout TimeStampRequest) -> Void) async throws -> TimeStampFailure? {
      try await failure(
        request {
          $0.wantsCertificate = false
          change(&$0)
        }.encoded)
    }
    #expect(try await failure([]) == .badDataFormat)
    #expect(try await failure([0x30, 0x80, 1, 2, 3]) == .badDataFormat)
    var version = request().encoded
    version[4] = 2
    #expect(try await failure(version) == .badRequest)
    #expect(try await failure { $0.imprint = MessageImprint(.sha1, of: content) } == .badAlg)
    #expect(
      try await failure { $0.imprint = MessageImprint(.sha512, digest: [1]) } == .badDataFormat)
    #expect(try await failure { $0.policy = [1, 2, 9] } == .unacceptedPolicy)
    #expect(
      try await failure { $0.extensions = [CertificateExtension([1, 2, 5], value: [5, 0])] }
        == .unacceptedExtension)
    #expect(try await failure { $0.wantsCertificate = true } == .addInfoNotAvailable)
    house.hand.set { $0.offset = 2 }
    await authority.clock.check()
    #expect(try await failure { _ in } == .timeNotAvailable)
    // The two clock records are all there is.
    #expect(authority.journal.head.size == 2)
    #expect(authority.counters.rejected[.timeNotAvailable] == 1)
  }

  @Test("stamps in order have strictly growing times, and no serial number comes twice")
  func ordering() async throws {
    let house = try TestStampAuthority()
    defer { house.remove() }
    var all: [TimeStampInfo] = []
    for _ in 0..<2 {
      let authority = try await house.open {
        $0.ordering = true
        $0.fractionDigits = 6
      }
      for _ in 0..<50 {
        let info = try await authority.timeStamp(content).info
        #expect(info.ordering)
        all.append(info)
      }
      let many = try await withThrowingTaskGroup(of: TimeStampInfo.self) { group in
        for _ in 0..<100 {
          group.addTask { try await authority.timeStamp(content).info }
        }
        var list: [TimeStampInfo] = []
        for try await info in group { list.append(info) }
        return list
      }
      all += many.sorted { $0.genTime < $1.genTime }
      house.hand.pass(1)
    }
    for (earlier, later) in zip(all, all.dropFirst()) { #expect(earlier.genTime < later.genTime) }
    #expect(Set(all.map(\.serialNumber)).count == 300)
    #expect(all.allSatisfy { $0.serialNumber.count == 16 && $0.serialNumber[0] & 0x80 == 0 })
  }

  @Test("any stamp of many is found in the journal by its serial number")
  func lookup() async throws {
    let house = try TestStampAuthority()
    defer { house.remove() }
    var tokens: [TimeStampToken] = []
    let authority = try await house.open()
    for round in 0..<3 {
      tokens += try await withThrowingTaskGroup(of: TimeStampToken.self) { group in
        for _ in 0..<80 { group.addTask { try await authority.timeStamp(content) } }
        var list: [TimeStampToken] = []
        for try await token in group { list.append(token) }
        return list
      }
      if round == 1 { try await authority.anchor() }
    }
    for token in tokens {
      try authority.inclusionProof(serialNumber: token.info.serialNumber)
        .verify(token, log: authority.logVerifier)
    }
    let elsewhere = try TestStampAuthority()
    defer { elsewhere.remove() }
    let other = try await elsewhere.open()
    #expect(throws: LogError.self) {
      try other.inclusionProof(serialNumber: tokens[0].info.serialNumber)
    }
  }

  @Test("openssl verifies what the authority answers", .enabled(if: OpenSSL.isPresent))
  func openssl() async throws {
    let house = try TestStampAuthority()
    defer { house.remove() }
    let authority = try await house.open()
    let folder = house.folder
    try folder.put("data", content)
    try folder.put("ca.pem", Array(house.root.certificate.pem.utf8))
    for hash in ["sha256", "sha384", "sha512", "sha3-256", "sha3-512"] {
      try OpenSSL.run(
        "ts", "-query", "-data", "data", "-\(hash)", "-cert", "-out", "q.tsq", in: folder)
      try folder.put("r.tsr", await authority.answer(try folder.get("q.tsq")))
      let outcome = try OpenSSL.run(
        "ts", "-verify", "-queryfile", "q.tsq", "-in", "r.tsr", "-CAfile", "ca.pem",
        "-attime", "\(TestAuthority.now.seconds)", in: folder)
      #expect(outcome.output.contains("Verification: OK"), "\(hash): \(outcome.output)")
    }
    try folder.put("r.tsr", await authority.answer([1, 2, 3]))
    let refused = try OpenSSL.run("ts", "-reply", "-in", "r.tsr", "-text", in: folder)
    #expect(refused.output.contains("the data submitted has the wrong format"))
  }
}

@Suite("Auditing a journal")
struct AuditTests {
  let content = Array("content".utf8)

  /// A journal with stamps, clock records and an anchor.
  func grown(_ house: TestStampAuthority) async throws -> [[UInt8]] {
    let authority = try await house.open()
    for number in 0..<20 {
      _ = try await authority.timeStamp(content)
      if number == 9 { try await authority.anchor() }
    }
    return try authority.entries(from: 0, count: 1000)
  }

  func reason(_ audit: JournalAudit, _ journal: some AuditedJournal) async throws -> LogError? {
    do {
      _ = try await audit.run(journal)
      return nil
    } catch let error as LogError { return error }
  }

  @Test("an honest journal passes, in its folder and from elsewhere")
  func honest() async throws {
    let house = try TestStampAuthority()
    defer { house.remove() }
    let records = try await grown(house)
    var audit = JournalAudit(log: house.log.verifier, validator: try house.validator())
    let report = try await audit.run(LocalJournal(folder: house.folder.path))
    #expect(report.stamps == 21 && report.anchors == 1 && report.clockRecords == 1)
    #expect(report.head.size == 23)
    audit.known = [ForgedJournal.head(Array(records.prefix(8))), report.head]
    _ = try await audit.run(ForgedJournal(records: records))
  }

  @Test("a journal that is cut, edited, reordered, forked or doubled is found out")
  func attacks() async throws {
    let house = try TestStampAuthority()
    defer { house.remove() }
    let records = try await grown(house)
    let honest = ForgedJournal.head(records)
    let audit = JournalAudit(log: house.log.verifier, known: [honest])

    #expect(
      try await reason(audit, ForgedJournal(records: Array(records.dropLast(3))))
        == .truncated(known: 23, now: 20))
    // The end cut off while the head stays.
    #expect(
      try await reason(
        audit, ForgedJournal(records: Array(records.dropLast(1)), published: honest))
        == .truncated(known: 23, now: 22))
    for index in [0, 1, 7, 22] {
      var edited = records
      edited[index][edited[index].count - 20] ^= 1
      // Rewritten with hashes and all: betrayed by what was seen before.
      #expect(
        try await reason(audit, ForgedJournal(records: edited)) == .forked(known: 23, now: 23))
      // Only the record changed.
      let found = try await reason(audit, ForgedJournal(records: edited, published: honest))
      #expect(found != nil, "record \(index)")
    }
    var grown = records
    grown.swapAt(3, 4)
    grown.append(records[5])
    #expect(try await reason(audit, ForgedJournal(records: grown)) == .forked(known: 23, now: 24))
    // Without any memory, what the journal says of itself is still checked.
    let fresh = JournalAudit(log: house.log.verifier)
    guard
      case .serialTwice(_, 23)? = try await reason(
        fresh, ForgedJournal(records: records + [records[5]]))
    else {
      Issue.record("a serial number twice")
      return
    }
    #expect(
      try await reason(fresh, ForgedJournal(records: records + [Array("stamp 00".utf8)]))
        == .malformedEntry(23))
    let untraced = TimeStampEntry.stamp(
      serialNumber: [1], genTime: TestAuthority.now, tokenHash: MerkleTree.leafHash([]),
      clockRecord: 5)
    #expect(
      try await reason(fresh, ForgedJournal(records: records + [untraced.encoded]))
        == .untraceable(23))
    // An anchor from before the rewriting contradicts it, without anybody's memory.
    var rewritten = records
    rewritten[2] = rewritten[5]
    rewritten[5] = records[2]
    guard case .badAnchor(12, _)? = try await reason(fresh, ForgedJournal(records: rewritten))
    else {
      Issue.record("the anchor did not contradict")
      return
    }
  }

  @Test("a text that looks like a head is no head for being stamped")
  func forgedNote() async throws {
    let house = try TestStampAuthority()
    defer { house.remove() }
    let authority = try await house.open()
    let stranger = try LogSigner(name: "test/tsa", key: try FileKey.generate(.ed25519))
    let note = try stranger.note(JournalHead(size: 0, root: MerkleTree.emptyRoot))
    let token = try await authority.timeStamp(Array(note.utf8))
    let entry = TimeStampEntry.anchor(token: token.encoded, note: note)
    let records = try authority.entries(from: 0, count: 1000) + [entry.encoded]
    guard
      case .badAnchor(2, _)? = try await reason(
        JournalAudit(log: house.log.verifier), ForgedJournal(records: records))
    else {
      Issue.record("believed")
      return
    }
  }
}
