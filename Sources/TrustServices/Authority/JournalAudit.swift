public import NetworkTypes

/// A journal as an auditor reaches it: in a folder, or over the network.
public protocol AuditedJournal: Sendable {
  /// The head it publishes now.
  func head() async throws -> JournalHead
  /// Some records from a number on; at least one where there is one.
  func entries(from: UInt64, to: UInt64) async throws -> [[UInt8]]
  /// See ``Journal/consistencyProof(from:to:)``.
  func consistencyProof(from: UInt64, to: UInt64) async throws -> [[UInt8]]
}

extension AuditedJournal {
  /// Proves that what it has now begins with what it had; else ``LogError/truncated(known:now:)`` or
  /// ``LogError/forked(known:now:)``.
  func checkContinuation(of earlier: JournalHead, by head: JournalHead) async throws {
    guard earlier.size <= head.size else {
      throw LogError.truncated(known: earlier.size, now: head.size)
    }
    let path = try await consistencyProof(from: earlier.size, to: head.size)
    guard
      MerkleTree.verifyConsistency(
        firstSize: earlier.size, firstRoot: earlier.root, secondSize: head.size,
        secondRoot: head.root, path: path)
    else { throw LogError.forked(known: earlier.size, now: head.size) }
  }
}

/// The journal in a folder of this machine, which another process may be writing.
public struct LocalJournal: AuditedJournal {
  private let reader: JournalReader

  /// Opens the journal in `folder`.
  public init(folder: String) throws { reader = try JournalReader(folder: folder) }

  public func head() async throws -> JournalHead { try reader.head }

  public func entries(from: UInt64, to: UInt64) async throws -> [[UInt8]] {
    try (from..<min(to, from + 1000)).map { try reader.record($0) }
  }

  public func consistencyProof(from: UInt64, to: UInt64) async throws -> [[UInt8]] {
    try reader.consistencyProof(from: from, to: to)
  }
}

/// What an audit found.
public struct AuditReport: Sendable {
  public let head: JournalHead
  public var stamps: UInt64 = 0
  public var clockRecords: UInt64 = 0
  public var anchors: UInt64 = 0
  public var first: Timestamp?
  public var last: Timestamp?
}

/// Reads a whole journal again and believes nothing: that it continues what was seen before, that its
/// records give its head, that no serial number is there twice, that each stamp rests on a clock
/// record, and that its own anchors hold.
public struct JournalAudit: Sendable {
  public let log: LogVerifier
  /// Heads seen before, such as the one that the last audit kept.
  public var known: [JournalHead]
  /// Verifies the anchors' stamps up to a trusted certificate; nil checks their signatures alone.
  public var validator: CertificateValidator?

  /// An audit of the log of this name and key.
  public init(log: LogVerifier, known: [JournalHead] = [], validator: CertificateValidator? = nil) {
    self.log = log
    self.known = known
    self.validator = validator
  }

  /// Runs the audit; `progress` is told how many records were read.
  public func run(
    _ journal: some AuditedJournal, progress: (UInt64, UInt64) -> Void = { _, _ in }
  ) async throws -> AuditReport {
    let head = try await journal.head()
    for earlier in known { try await journal.checkContinuation(of: earlier, by: head) }

    var report = AuditReport(head: head)
    var frontier = MerkleFrontier()
    var serials: Set<[UInt8]> = []
    // Which records are clock records that allow stamping.
    var clocks: Set<UInt64> = []
    var claims: [(UInt64, JournalHead)] = []
    while frontier.size < head.size {
      let entries = try await journal.entries(from: frontier.size, to: head.size)
      guard !entries.isEmpty else {
        throw LogError.truncated(known: head.size, now: frontier.size)
      }
      for entry in entries where frontier.size < head.size {
        let index = frontier.size
        _ = frontier.append(MerkleTree.leafHash(entry))
        switch TimeStampEntry(entry) {
        case .stamp(let serial, let time, _, let clock):
          guard serials.insert(serial).inserted else {
            throw LogError.serialTwice(Hexadecimal.text(serial), index)
          }
          if let clock, !clocks.contains(clock) { throw LogError.untraceable(index) }
          report.stamps += 1
          if report.first == nil { report.first = time }
          report.last = max(report.last ?? time, time)
        case .clock(let record):
          report.clockRecords += 1
          if record.state != ClockJudgement.State.stopped.rawValue { clocks.insert(index) }
        case .anchor(let token, let note):
          claims.append((index, try anchored(token, note, index)))
          report.anchors += 1
        case nil: throw LogError.malformedEntry(index)
        }
      }
      progress(frontier.size, head.size)
    }
    guard frontier.root == head.root else { throw LogError.edited(size: head.size) }
    for (index, claim) in claims {
      do { try await journal.checkContinuation(of: claim, by: head) } catch let error as LogError {
        throw LogError.badAnchor(index, "\(error)")
      }
    }
    return report
  }

  /// The head that an anchor's stamp is over.
  private func anchored(_ encoded: [UInt8], _ note: String, _ index: UInt64) throws -> JournalHead {
    guard let head = log.head(in: note) else {
      throw LogError.badAnchor(index, "its head is not signed by this log")
    }
    guard head.size <= index else {
      throw LogError.badAnchor(index, "its head is of records that came later")
    }
    do {
      let token = try TimeStampToken(encoded: encoded)
      let imprint = MessageImprint(.sha256, of: Array(note.utf8))
      guard token.info.imprint.matches(imprint) else { throw TimeStampError.imprintMismatch }
      if let validator {
        _ = try token.verify(imprint, validator: validator)
      } else {
        _ = try token.signedData.verify(token.signer)
      }
    } catch { throw LogError.badAnchor(index, "\(error)") }
    return head
  }
}
