import Foundation
import NetworkTypes
import Testing

@testable import TrustServices

@Suite("Attacks on the accreditation register")
struct AccreditationAttackTests {
  private func body(_ folder: URL) async throws -> (AccreditingBody, OldUnit) {
    let unit = try OldUnit()
    var body = try await AccreditingBody(folder, "総務省", "Ministry")
    try await body.scheme(AccreditationRegisterTests.scheme)
    try await body.apply(
      "tsa", AccreditationRegisterTests.scheme, .timeStamp, [unit.root.certificate])
    return (body, unit)
  }

  /// A register with some history, copied away so that the copy can be attacked.
  private func attacked(
    _ change: (URL) throws -> Void, expecting part: String, line: String
  ) async throws {
    try await withFolder { folder in
      var (body, _) = try await body(folder)
      try await body.assess("tsa")
      let early = body.register.head
      try await body.decide("tsa", .accredited, "2022-04-01", "2024-03-31")
      let list = try body.list()
      try await body.add(
        .published(sequence: 1, sha256: list.sha256, nextUpdate: body.clock))
      let copy = folder.appendingPathComponent("copy")
      try FileManager.default.copyItem(at: body.folder, to: copy)
      let audit = AccreditationAudit(log: body.signer.verifier, known: [early], lists: [list])
      let good = try await audit.run(try LocalJournal(folder: copy.path))
      #expect(good.head == body.register.head && good.contents == body.register.contents)
      try change(copy)
      do {
        _ = try await audit.run(try LocalJournal(folder: copy.path))
        Issue.record("not found: \(line)")
      } catch { #expect("\(error)".contains(part), "\(line): \(error)") }
    }
  }

  @Test("records that are cut off are found by a head, or a list, that was kept")
  func truncated() async throws {
    try await attacked(
      { copy in
        // Everything after the assessment, consistently in all files.
        let offsets = try copy.get("offsets")
        let place = offsets[(5 * 8)..<(6 * 8)].reversed().reduce(0) { $0 << 8 | Int($1) }
        try copy.put("records", try copy.get("records").prefix(place))
        try copy.put("offsets", offsets.prefix(5 * 8))
        try copy.put("nodes", try copy.get("nodes").prefix(8 * 32))
      }, expecting: "its end was cut off", line: "truncated")
  }

  @Test("a changed record is found, with or without its checksum and tree made anew")
  func edited() async throws {
    try await attacked(
      { copy in
        var records = try copy.get("records")
        let place = try #require(records.firstRange(of: Array("2024-03-31".utf8))?.lowerBound)
        records[place + 3] = UInt8(ascii: "9")
        try copy.put("records", records)
      }, expecting: "is not what was written", line: "edited")
    try await attacked(
      { copy in
        // Written anew with another end of the validity: every file fits every other.
        let reader = try JournalReader(folder: copy.path)
        var frames: [UInt8] = []
        var nodes: [UInt8] = []
        var frontier = MerkleFrontier()
        for index in 0..<reader.size {
          let record = Array(
            String(decoding: try reader.record(index), as: UTF8.self)
              .replacingOccurrences(of: "2024-03-31", with: "2029-03-31").utf8)
          let hash = MerkleTree.leafHash(record)
          frames += JournalFormat.frame(record, leafHash: hash)
          for node in frontier.append(hash) { nodes += node }
        }
        try copy.put("records", frames)
        try copy.put("nodes", nodes)
      }, expecting: "does not continue", line: "rewritten")
  }

  @Test("another history from the same beginning is found: a fork")
  func forked() async throws {
    try await withFolder { folder in
      var (body, _) = try await body(folder)
      try await body.assess("tsa")
      let fork = folder.appendingPathComponent("fork")
      try FileManager.default.copyItem(at: body.folder, to: fork)
      try await body.decide("tsa", .accredited, "2022-04-01", "2024-03-31")
      let shown = body.register.head
      var other = try AccreditationRegister(folder: fork.path, signer: body.signer)
      for kind in [AccreditationDecision.Kind.refused] {
        try await other.append(
          AccreditationRecord(
            time: body.clock, actor: "x", reason: "y",
            step: .decision(
              AccreditationDecision(
                service: "tsa", kind: kind, from: AccreditingBody.day("2022-04-01")))))
      }
      try await other.append(
        AccreditationRecord(
          time: body.clock, actor: "x", reason: "y",
          step: .scheme(try #require(AccreditationScheme.known.last))))
      let audit = AccreditationAudit(log: body.signer.verifier, known: [shown])
      await #expect(throws: LogError.forked(known: shown.size, now: shown.size + 1)) {
        _ = try await audit.run(try LocalJournal(folder: fork.path))
      }
    }
  }

  @Test("a list that says other than the register, or that it never published, is found")
  func lists() async throws {
    try await withFolder { folder in
      var (body, _) = try await body(folder)
      try await body.assess("tsa")
      try await body.decide("tsa", .accredited, "2022-04-01", "2024-03-31")
      let list = try body.list()
      let journal = body.folder.path
      await #expect(throws: AccreditationError.self) {
        try await AccreditationAudit(log: body.signer.verifier, lists: [list]).run(
          try LocalJournal(folder: journal))
      }
      // Published, but of other services than the register knows.
      let empty = TrustedList(
        schemeOperator: list.schemeOperator, schemes: list.schemes, sequence: 1,
        issued: list.issued, nextUpdate: list.nextUpdate, registerHead: list.registerHead,
        providers: [])
      try await body.add(
        .published(sequence: 1, sha256: empty.sha256, nextUpdate: body.clock))
      do {
        _ = try await AccreditationAudit(log: body.signer.verifier, lists: [empty]).run(
          try LocalJournal(folder: journal))
        Issue.record("not found")
      } catch { #expect("\(error)".contains("does not say what the register said"), "\(error)") }
      // A head by another key.
      let stranger = try LogSigner(name: "test/accreditation", key: FileKey.generate(.ed25519))
      await #expect(throws: LogError.badHeadSignature("test/accreditation")) {
        try await AccreditationAudit(log: stranger.verifier, lists: [empty]).run(
          try LocalJournal(folder: journal))
      }
    }
  }

  @Test("a record that the rules would not have taken is named")
  func illegal() async throws {
    try await withFolder { folder in
      let signer = try LogSigner(name: "a", key: FileKey.generate(.ed25519))
      do {
        let journal = try Journal(folder: folder.path)
        _ = try await journal.append(
          try AccreditationRecord(
            time: TestAuthority.now, actor: "a", reason: "b",
            step: .decision(
              AccreditationDecision(
                service: "x", kind: .accredited, from: AccreditingBody.day("2022-04-01")))
          ).encoded)
        _ = try await journal.append(Array("nonsense".utf8))
      }
      do {
        _ = try AccreditationRegister(folder: folder.path, signer: signer)
        Issue.record("opened")
      } catch { #expect("\(error)".hasPrefix("Record 0 of the register"), "\(error)") }
      await #expect(throws: AccreditationError.self) {
        try await AccreditationAudit(log: signer.verifier).run(
          try LocalJournal(folder: folder.path))
      }
    }
  }
}
