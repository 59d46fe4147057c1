/// The three files of a journal, read.
struct JournalFiles: Sendable {
  let records: JournalFile
  let nodes: JournalFile
  let offsets: JournalFile
  let maximumRecordLength: Int

  func record(_ index: UInt64, size: UInt64) throws(JournalError) -> [UInt8] {
    guard index < size else { throw .noSuchRecord(index) }
    let place = try offsets.read(at: index * 8, count: 8)
    guard place.count == 8 else { throw .damaged(offsets.path, record: index) }
    let offset = JournalFormat.number(place[...])
    guard offset < UInt64(Int64.max) else { throw .damaged(offsets.path, record: index) }
    let header = try records.read(at: offset, count: JournalFormat.headerLength)
    guard let length = JournalFormat.length(header), length <= maximumRecordLength else {
      throw .damaged(records.path, record: index)
    }
    let record = try records.read(
      at: offset + UInt64(JournalFormat.headerLength), count: length)
    guard record.count == length, JournalFormat.matches(header, MerkleTree.leafHash(record)) else {
      throw .damaged(records.path, record: index)
    }
    return record
  }

  var prover: MerkleProver {
    MerkleProver { [nodes] position in try nodes.read(at: position * 32, count: 32) }
  }
}

/// A journal read from beside the process that writes it: nothing is locked and nothing repaired.
public final class JournalReader: Sendable {
  private let files: JournalFiles
  /// Records that were durable when the journal was opened here.
  public let size: UInt64

  /// Opens the journal in `folder`.
  public init(folder: String, parameters: JournalParameters = .init()) throws(JournalError) {
    files = JournalFiles(
      records: try JournalFile(folder + "/records", isReadOnly: true),
      nodes: try JournalFile(folder + "/nodes", isReadOnly: true),
      offsets: try JournalFile(folder + "/offsets", isReadOnly: true),
      maximumRecordLength: parameters.maximumRecordLength)
    size = try files.offsets.size() / 8
  }

  /// The record of a number.
  public func record(_ index: UInt64) throws(JournalError) -> [UInt8] {
    try files.record(index, size: size)
  }

  /// As ``Journal/inclusionProof(of:size:)``, over everything there is.
  public func inclusionProof(of index: UInt64) throws -> [[UInt8]] {
    guard index < size else { throw JournalError.noSuchRecord(index) }
    return try files.prover.inclusion(index, size: size)
  }

  /// As ``Journal/consistencyProof(from:to:)``.
  public func consistencyProof(from first: UInt64, to size: UInt64) throws -> [[UInt8]] {
    guard first <= size, size <= self.size else { throw JournalError.noSuchRecord(size) }
    return first == 0 || first == size ? [] : try files.prover.consistency(first, size: size)
  }

  /// The head by the stored tree; ``JournalAudit`` computes it from the records.
  public var head: JournalHead {
    get throws { JournalHead(size: size, root: try files.prover.root(size: size)) }
  }
}
