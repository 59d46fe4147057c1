import NetworkTypes

/// Reads a whole register again and believes nothing: that it continues what was seen before, that
/// its records give its head, that each is a step the rules allow, and that its lists were made from
/// what it said at their time.
public struct AccreditationAudit: Sendable {
  /// What an audit found.
  public struct Report: Sendable {
    public let head: JournalHead
    public let contents: AccreditationContents
  }

  public let log: LogVerifier
  /// Heads seen before: kept by an earlier audit, or taken out of published lists.
  public var known: [JournalHead]
  /// Published lists that are at hand, each to be held against what the register says.
  public var lists: [TrustedList]

  /// An audit of the log of this name and key.
  public init(log: LogVerifier, known: [JournalHead] = [], lists: [TrustedList] = []) {
    self.log = log
    self.known = known
    self.lists = lists
  }

  /// Runs the audit.
  ///
  /// Throws ``LogError`` where the journal was cut, changed or rewritten, ``AccreditationError`` where
  /// a record breaks the rules.
  public func run(_ journal: some AuditedJournal) async throws -> Report {
    let head = try await journal.head()
    var heads = known
    for list in lists {
      guard let said = list.registerHead else { continue }
      guard let earlier = log.head(in: said) else { throw LogError.badHeadSignature(log.name) }
      heads.append(earlier)
    }
    for earlier in heads { try await journal.checkContinuation(of: earlier, by: head) }
    var frontier = MerkleFrontier()
    var contents = AccreditationContents()
    // What each list has to say, by the number under which the register has it.
    var published: [UInt64: (before: AccreditationContents, index: UInt64)] = [:]
    while frontier.size < head.size {
      let entries = try await journal.entries(from: frontier.size, to: head.size)
      guard !entries.isEmpty else {
        throw LogError.truncated(known: head.size, now: frontier.size)
      }
      for entry in entries where frontier.size < head.size {
        let index = frontier.size
        _ = frontier.append(MerkleTree.leafHash(entry))
        let before = contents
        let record = try AccreditationRegister.read(entry, index, into: &contents)
        if case .published(let sequence, _, _) = record.step {
          published[sequence] = (before, index)
        }
      }
    }
    guard frontier.root == head.root else { throw LogError.edited(size: head.size) }
    for list in lists { try check(list, published[list.sequence], contents) }
    return Report(head: head, contents: contents)
  }

  private func check(
    _ list: TrustedList, _ found: (before: AccreditationContents, index: UInt64)?,
    _ contents: AccreditationContents
  ) throws(AccreditationError) {
    guard let found, let made = contents.publications.first(where: { $0.sequence == list.sequence })
    else {
      throw .wrong("the list \(list.sequence)", "the register did not publish it")
    }
    guard made.sha256 == list.sha256 else {
      throw .brokenRecord(
        found.index, "The list \(list.sequence) that was published differs from it.")
    }
    let again = try found.before.list(
      sequence: list.sequence, issued: list.issued, nextUpdate: list.nextUpdate,
      registerHead: list.registerHead)
    guard again == list else {
      throw .brokenRecord(
        found.index, "The list \(list.sequence) does not say what the register said before it.")
    }
  }
}
