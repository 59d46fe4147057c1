/// How a record lies in the file: its length, the first octets of its hash, the record.
enum JournalFormat {
  static let headerLength = 12

  static func octets(_ value: UInt64) -> [UInt8] {
    (0..<8).map { UInt8(truncatingIfNeeded: value >> (UInt64($0) * 8)) }
  }

  static func number(_ octets: ArraySlice<UInt8>) -> UInt64 {
    octets.prefix(8).reversed().reduce(0) { $0 << 8 | UInt64($1) }
  }

  static func frame(_ record: [UInt8], leafHash: [UInt8]) -> [UInt8] {
    var frame: [UInt8] = []
    frame.reserveCapacity(headerLength + record.count)
    for index in 0..<4 { frame.append(UInt8(truncatingIfNeeded: record.count >> (index * 8))) }
    frame += leafHash.prefix(8)
    frame += record
    return frame
  }

  /// The record's length; nil where the header is cut off.
  static func length(_ header: [UInt8]) -> Int? {
    guard header.count == headerLength else { return nil }
    return Int(number(header[0..<4]))
  }

  static func matches(_ header: [UInt8], _ leafHash: [UInt8]) -> Bool {
    header[4..<12].elementsEqual(leafHash.prefix(8))
  }
}

/// Reads the journal from its beginning, checks every record against its checksum and the stored
/// tree, cuts off an unfinished last write, and completes the files that are derived.
struct JournalRecovery {
  let records: JournalFile
  let nodes: JournalFile
  let offsets: JournalFile
  let maximumRecordLength: Int

  private(set) var frontier = MerkleFrontier()
  private(set) var end: UInt64 = 0
  private(set) var dropped: UInt64 = 0

  private var newNodes: [UInt8] = []
  private var newOffsets: [UInt8] = []
  private var checkedRecords: UInt64 = 0
  private var checkedNodes: UInt64 = 0

  init(
    records: JournalFile, nodes: JournalFile, offsets: JournalFile, maximumRecordLength: Int
  ) {
    self.records = records
    self.nodes = nodes
    self.offsets = offsets
    self.maximumRecordLength = maximumRecordLength
  }

  mutating func run() throws(JournalError) {
    let size = try records.size()
    // Written after the records were synchronised, so never more than there were.
    let known = try offsets.size() / 8
    var buffer: [UInt8] = []
    var bufferStart: UInt64 = 0
    while end < size {
      func available(_ count: Int) throws(JournalError) -> ArraySlice<UInt8>? {
        if end + UInt64(count) > size { return nil }
        if end < bufferStart || end + UInt64(count) > bufferStart + UInt64(buffer.count) {
          buffer = try records.read(
            at: end, count: max(count, Int(min(size - end, 1 << 20))))
          bufferStart = end
        }
        let start = Int(end - bufferStart)
        guard start + count <= buffer.count else { return nil }
        return buffer[start..<start + count]
      }
      guard let header = try available(JournalFormat.headerLength),
        let length = JournalFormat.length(Array(header)), length <= maximumRecordLength,
        let frame = try available(JournalFormat.headerLength + length)
      else { break }
      let leafHash = MerkleTree.leafHash(frame.dropFirst(JournalFormat.headerLength))
      guard JournalFormat.matches(Array(header), leafHash) else { break }
      newOffsets += JournalFormat.octets(end)
      for node in frontier.append(leafHash) { newNodes += node }
      end += UInt64(frame.count)
      if newNodes.count >= 1 << 20 { try compare() }
    }
    try compare()
    guard frontier.size >= known else {
      throw .damaged(records.path, record: frontier.size)
    }
    dropped = size - end
    if dropped > 0 {
      try records.truncate(to: end)
      try records.synchronise()
    }
  }

  /// Compares what was computed with what is stored, and stores what is missing.
  private mutating func compare() throws(JournalError) {
    try Self.complete(nodes, with: newNodes, at: checkedNodes * 32, unit: 32, checkedRecords)
    try Self.complete(offsets, with: newOffsets, at: checkedRecords * 8, unit: 8, checkedRecords)
    checkedNodes += UInt64(newNodes.count / 32)
    checkedRecords += UInt64(newOffsets.count / 8)
    newNodes = []
    newOffsets = []
  }

  private static func complete(
    _ file: JournalFile, with computed: [UInt8], at position: UInt64, unit: Int, _ record: UInt64
  ) throws(JournalError) {
    let stored = try file.read(at: position, count: computed.count)
    if stored == computed { return }
    for start in stride(from: 0, to: stored.count / unit * unit, by: unit) {
      let one = stored[start..<start + unit]
      // A power failure may leave the file longer than what was written to it: zeros.
      guard one.elementsEqual(computed[start..<start + unit]) || one.allSatisfy({ $0 == 0 }) else {
        throw .damaged(file.path, record: record + UInt64(unit == 8 ? start / 8 : 0))
      }
    }
    try file.write(computed, at: position)
  }
}
