import FoundationEssentials

/// What ties a token to the published head of the journal.
public struct InclusionProof: Hashable, Sendable, Codable {
  /// The record's number.
  public let index: UInt64
  /// The record: a line as ``TimeStampEntry`` writes it.
  public let entry: String
  /// The hashes of RFC 9162 2.1.3, lowest first, in Base64.
  public let path: [String]
  /// The signed head.
  public let head: String

  /// Verifies that the entry is about `token` and lies under the head that `log` signed.
  @discardableResult
  public func verify(_ token: TimeStampToken, log: LogVerifier) throws(LogError) -> JournalHead {
    guard let head = log.head(in: head) else { throw .badHeadSignature(log.name) }
    guard
      MerkleTree.verifyInclusion(
        leafHash: MerkleTree.leafHash(Array(entry.utf8)), index: index, size: head.size,
        path: path.map(HashText.octets), root: head.root)
    else { throw .notIncluded }
    guard case .stamp(let serial, let time, let hash, _)? = TimeStampEntry(Array(entry.utf8)) else {
      throw .malformedEntry(index)
    }
    guard serial == token.info.serialNumber, time == token.info.genTime,
      hash == HashAlgorithm.sha256.hash(token.encoded)
    else { throw .otherToken }
    return head
  }
}

/// The hashes that show that an earlier head's log is the beginning of a later one's.
public struct ConsistencyProof: Hashable, Sendable, Codable {
  public let from: UInt64
  public let to: UInt64
  /// The hashes of RFC 9162 2.1.4, in Base64.
  public let path: [String]

  /// The hashes; a broken one becomes empty, which proves nothing.
  public var hashes: [[UInt8]] { path.map(HashText.octets) }
}

/// Hashes in Base64, as JSON carries them.
enum HashText {
  static func text(_ hash: [UInt8]) -> String { Data(hash).base64EncodedString() }
  static func octets(_ text: String) -> [UInt8] {
    Data(base64Encoded: text).map { Array($0) } ?? []
  }
}

/// Why a journal, or a proof from it, is not to be believed.
public enum LogError: Error, Hashable, Sendable, CustomStringConvertible {
  case badHeadSignature(String)
  case notIncluded
  case otherToken
  case malformedEntry(UInt64)
  case notFound(String)
  /// It is shorter than it was.
  case truncated(known: UInt64, now: UInt64)
  /// What it says now is no continuation of what it said before.
  case forked(known: UInt64, now: UInt64)
  /// The records do not give the head.
  case edited(size: UInt64)
  case serialTwice(String, UInt64)
  /// A stamp names a clock record that is none, comes later, or says that the clock was stopped.
  case untraceable(UInt64)
  case badAnchor(UInt64, String)

  public var description: String {
    switch self {
    case .badHeadSignature(let name):
      "The head is not signed by the log \(name). Check the key (`noroshi tsa status` shows it)."
    case .notIncluded:
      "The proof does not lead to the head: the journal does not hold this token. Ask the authority."
    case .otherToken: "The journal's record is about another token. Ask the authority."
    case .malformedEntry(let index):
      "Record \(index) of the journal cannot be read. Keep a copy and ask the authority."
    case .notFound(let serial): "The journal has no stamp with the serial number \(serial)."
    case .truncated(let known, let now):
      "The journal had \(known) records and has \(now) now: its end was cut off."
    case .forked(let known, let now):
      "The journal of \(now) records does not continue the one of \(known) that was seen before: "
        + "it was rewritten, or shows different people different histories."
    case .edited(let size):
      "The first \(size) records do not give the head that is published: one was changed."
    case .serialTwice(let serial, let index):
      "Record \(index) gives the serial number \(serial) a second time."
    case .untraceable(let index): "The stamp of record \(index) rests on no valid clock record."
    case .badAnchor(let index, let reason): "The anchor of record \(index) is wrong: \(reason)."
    }
  }
}

extension TimeStampAuthority {
  /// The proof for the stamp of a serial number, under the published head or an older one.
  public func inclusionProof(serialNumber: [UInt8]) throws -> InclusionProof {
    var (note, head) = try head()
    guard let (index, entry) = try find(serialNumber, size: journal.head.size) else {
      throw LogError.notFound(Hexadecimal.text(serialNumber))
    }
    if index >= head.size {
      // Made within the last second: sign a head that has it.
      head = journal.head
      note = try signer.note(head)
    }
    return InclusionProof(
      index: index, entry: String(decoding: entry, as: UTF8.self),
      path: try journal.inclusionProof(of: index, size: head.size).map(HashText.text), head: note)
  }

  /// The proof between two sizes.
  public func consistencyProof(from: UInt64, to: UInt64) throws -> ConsistencyProof {
    ConsistencyProof(
      from: from, to: to,
      path: try journal.consistencyProof(from: from, to: to).map(HashText.text))
  }

  /// Records from a number on, at most ``TimeStampAuthorityParameters/maximumEntries``.
  public func entries(from: UInt64, count: Int) throws -> [[UInt8]] {
    let size = journal.head.size
    guard from < size else { return [] }
    let count = UInt64(min(max(0, count), parameters.maximumEntries))
    return try (from..<min(size, from + count)).map { try journal.record($0) }
  }

  /// Whose signature the heads carry.
  public var logVerifier: LogVerifier { signer.verifier }

  /// The record of a serial number. The numbers' second half grows in the order in which stamps are
  /// begun, and no more than ``TimeStampAuthorityParameters/maximumWaiting`` are under way at once:
  /// so the place is found by halving, and then looked for nearby.
  private func find(_ serialNumber: [UInt8], size: UInt64) throws -> (UInt64, [UInt8])? {
    guard serialNumber.count == 16, size > 0 else { return nil }
    func counter(_ serial: [UInt8]) -> UInt64 {
      serial.suffix(8).reduce(0) { $0 << 8 | UInt64($1) }
    }
    let wanted = counter(serialNumber)
    var low: UInt64 = 0
    var high = size
    while low < high {
      let middle = low + (high - low) / 2
      // The first stamp from there on; clock records and anchors are few.
      var index = middle
      var found: UInt64?
      while index < high, found == nil {
        if case .stamp(let serial, _, _, _)? = TimeStampEntry(try journal.record(index)) {
          found = counter(serial)
        }
        index += 1
      }
      guard let found else {
        high = middle
        continue
      }
      if found < wanted { low = index } else { high = middle }
    }
    let reach = UInt64(parameters.maximumWaiting)
    func isIt(_ index: UInt64) throws -> [UInt8]? {
      let record = try journal.record(index)
      guard case .stamp(serialNumber, _, _, _)? = TimeStampEntry(record) else { return nil }
      return record
    }
    // Nearest first: almost always it is the first or second.
    for distance in 0...reach {
      if low + distance < size, let entry = try isIt(low + distance) {
        return (low + distance, entry)
      }
      if distance > 0, distance <= low, let entry = try isIt(low - distance) {
        return (low - distance, entry)
      }
    }
    return nil
  }
}
