import Dispatch
import Synchronization

/// Numbers of the journal.
public struct JournalParameters: Sendable {
  /// Largest record in octets, our own choice: a token's particulars take about 200.
  public var maximumRecordLength = 65_536
  /// Serial numbers taken from the disk at once.
  public var serialBlock: UInt64 = 1_000_000

  /// The values above.
  public init() {}
}

/// An append-only log of records, each durable before ``append(_:)`` returns, under a Merkle tree
/// that makes any later change evident (RFC 9162).
///
/// Three files in a folder: `records` holds the truth, each record with its length and a checksum;
/// `nodes` the hashes of the tree and `offsets` where each record begins, both written after the
/// records are synchronised and made anew where they lag. Records that arrive while the disk is
/// busy are written and synchronised together.
public final class Journal: Sendable {
  private struct Waiting {
    let frame: [UInt8]
    let leafHash: [UInt8]
    let result: CheckedContinuation<UInt64, any Error>
  }

  private struct State {
    var waiting: [Waiting] = []
    var isFlushing = false
    var frontier = MerkleFrontier()
    var end: UInt64 = 0
    var failure: JournalError?
    var nextSerial: UInt64 = 0
    var reservedSerial: UInt64 = 0
    var synchronisations: UInt64 = 0
  }

  private let files: JournalFiles
  private let serials: JournalFile
  private let parameters: JournalParameters
  private let state = Mutex(State())
  private let queue = DispatchQueue(label: "noroshi.journal")
  /// Octets of an unfinished last write that were cut off on opening; nobody was told that they
  /// were in the log.
  public let droppedOctets: UInt64

  /// Opens or makes the journal in `folder`, and checks every record that is in it.
  public init(folder: String, parameters: JournalParameters = .init()) throws(JournalError) {
    self.parameters = parameters
    try JournalFile.makeFolder(folder)
    let records = try JournalFile(folder + "/records")
    try records.lock()
    files = JournalFiles(
      records: records, nodes: try JournalFile(folder + "/nodes"),
      offsets: try JournalFile(folder + "/offsets"),
      maximumRecordLength: parameters.maximumRecordLength)
    serials = try JournalFile(folder + "/serials")
    try JournalFile.synchronise(folder: folder)
    var recovery = JournalRecovery(
      records: records, nodes: files.nodes, offsets: files.offsets,
      maximumRecordLength: parameters.maximumRecordLength)
    try recovery.run()
    droppedOctets = recovery.dropped
    let reserved = try serials.read(at: 0, count: 8)
    let next = reserved.count == 8 ? JournalFormat.number(reserved[...]) : 1
    state.withLock {
      $0.frontier = recovery.frontier
      $0.end = recovery.end
      $0.nextSerial = next
      $0.reservedSerial = next
    }
  }

  /// The head over everything that is on the disk.
  public var head: JournalHead {
    state.withLock { JournalHead(size: $0.frontier.size, root: $0.frontier.root) }
  }

  /// How often the disk was waited for: with many writers, far less often than records were added.
  public var synchronisations: UInt64 { state.withLock { $0.synchronisations } }

  /// A serial number that was never given before, not even in a process that was killed.
  public func nextSerialNumber() throws(JournalError) -> UInt64 {
    let file = serials
    let block = parameters.serialBlock
    let outcome = state.withLock { state -> Result<UInt64, JournalError> in
      if state.nextSerial == state.reservedSerial {
        let reserved = state.reservedSerial + block
        // Once in a block, so that waiting for the disk under the lock does not matter.
        do throws(JournalError) {
          try file.write(JournalFormat.octets(reserved), at: 0)
          try file.synchronise()
        } catch { return .failure(error) }
        state.reservedSerial = reserved
      }
      defer { state.nextSerial += 1 }
      return .success(state.nextSerial)
    }
    return try outcome.get()
  }

  /// Adds a record and returns its number when it is on the disk.
  public func append(_ record: [UInt8]) async throws -> UInt64 {
    guard record.count <= parameters.maximumRecordLength else {
      throw JournalError.recordTooLarge(record.count)
    }
    let leafHash = MerkleTree.leafHash(record)
    let frame = JournalFormat.frame(record, leafHash: leafHash)
    return try await withCheckedThrowingContinuation { continuation in
      let (isRefused, isFirst) = state.withLock { state in
        guard state.failure == nil else { return (true, false) }
        state.waiting.append(Waiting(frame: frame, leafHash: leafHash, result: continuation))
        defer { state.isFlushing = true }
        return (false, !state.isFlushing)
      }
      if isRefused { continuation.resume(throwing: JournalError.stopped) }
      if isFirst { queue.async { self.flush() } }
    }
  }

  /// Writes whatever has gathered, again and again until nothing has.
  private func flush() {
    while true {
      let (batch, end) = state.withLock { state in
        let batch = state.waiting
        state.waiting = []
        if batch.isEmpty { state.isFlushing = false }
        return (batch, state.end)
      }
      guard !batch.isEmpty else { return }
      do throws(JournalError) {
        var octets: [UInt8] = []
        octets.reserveCapacity(batch.reduce(0) { $0 + $1.frame.count })
        for one in batch { octets += one.frame }
        try files.records.write(octets, at: end)
        try files.records.synchronise()
        let first = try settle(batch, from: end)
        for (index, one) in batch.enumerated() {
          one.result.resume(returning: first + UInt64(index))
        }
      } catch {
        let others = state.withLock { state in
          state.failure = error
          state.isFlushing = false
          defer { state.waiting = [] }
          return state.waiting
        }
        for one in batch { one.result.resume(throwing: error) }
        for one in others { one.result.resume(throwing: JournalError.stopped) }
        return
      }
    }
  }

  /// Brings tree, offsets and state up to what is on the disk; the number of the first record.
  private func settle(_ batch: [Waiting], from start: UInt64) throws(JournalError) -> UInt64 {
    // Nobody else changes the frontier: this runs on the one queue.
    var frontier = state.withLock { $0.frontier }
    let first = frontier.size
    let nodePosition = MerkleProver.position(ofLeaf: first)
    var newNodes: [UInt8] = []
    var newOffsets: [UInt8] = []
    var end = start
    for one in batch {
      newOffsets += JournalFormat.octets(end)
      end += UInt64(one.frame.count)
      for node in frontier.append(one.leafHash) { newNodes += node }
    }
    try files.nodes.write(newNodes, at: nodePosition * 32)
    try files.offsets.write(newOffsets, at: first * 8)
    state.withLock {
      $0.frontier = frontier
      $0.end = end
      $0.synchronisations += 1
    }
    return first
  }

  /// The record of a number.
  public func record(_ index: UInt64) throws(JournalError) -> [UInt8] {
    try files.record(index, size: head.size)
  }

  /// The proof that record `index` is among the first `size`, for
  /// ``MerkleTree/verifyInclusion(leafHash:index:size:path:root:)``.
  public func inclusionProof(of index: UInt64, size: UInt64) throws -> [[UInt8]] {
    guard index < size, size <= head.size else { throw JournalError.noSuchRecord(index) }
    return try files.prover.inclusion(index, size: size)
  }

  /// The proof that the first `first` records are the beginning of the first `size`, for
  /// ``MerkleTree/verifyConsistency(firstSize:firstRoot:secondSize:secondRoot:path:)``.
  public func consistencyProof(from first: UInt64, to size: UInt64) throws -> [[UInt8]] {
    guard first <= size, size <= head.size else { throw JournalError.noSuchRecord(size) }
    return first == 0 || first == size ? [] : try files.prover.consistency(first, size: size)
  }

  /// The head as it was when the log had `size` records.
  public func head(size: UInt64) throws -> JournalHead {
    guard size <= head.size else { throw JournalError.noSuchRecord(size) }
    return JournalHead(size: size, root: try files.prover.root(size: size))
  }
}
