import Foundation
import Testing
import TrustServices

@Suite("Journal and Merkle tree")
struct JournalTests {
  /// MTH of RFC 9162 2.1.1, word for word.
  static func naiveRoot(_ records: ArraySlice<[UInt8]>) -> [UInt8] {
    guard let first = records.first else { return HashAlgorithm.sha256.hash([]) }
    if records.count == 1 { return HashAlgorithm.sha256.hash([0] + first) }
    var half = 1
    while half * 2 < records.count { half *= 2 }
    let middle = records.startIndex + half
    return HashAlgorithm.sha256.hash(
      [1] + naiveRoot(records[..<middle]) + naiveRoot(records[middle...]))
  }

  func open(_ folder: URL) throws -> Journal { try Journal(folder: folder.path) }

  func withJournalFolder(_ body: (URL) async throws -> Void) async throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent(
      "noroshi-journal-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: folder) }
    try await body(folder)
  }

  @Test("every proof between any two sizes verifies, and no altered one does")
  func proofs() async throws {
    try await withJournalFolder { folder in
      let journal = try open(folder)
      #expect(journal.head.root == MerkleTree.emptyRoot)
      var records: [[UInt8]] = []
      var roots = [journal.head.root]
      for number in 0..<40 {
        records.append([UInt8(number), UInt8(number / 3)])
        #expect(try await journal.append(records[number]) == UInt64(number))
        #expect(journal.head.root == Self.naiveRoot(records[...]))
        roots.append(journal.head.root)
      }
      for size in 1...40 {
        #expect(try journal.head(size: UInt64(size)).root == roots[size])
        for index in 0..<size {
          let path = try journal.inclusionProof(of: UInt64(index), size: UInt64(size))
          func verify(_ hash: [UInt8], _ index: Int, _ size: Int, _ path: [[UInt8]]) -> Bool {
            MerkleTree.verifyInclusion(
              leafHash: hash, index: UInt64(index), size: UInt64(size), path: path,
              root: roots[size])
          }
          let hash = MerkleTree.leafHash(records[index])
          #expect(verify(hash, index, size, path))
          #expect(!verify(MerkleTree.leafHash([9, 9, 9]), index, size, path))
          #expect(!verify(hash, index, size, path + [hash]))
          if !path.isEmpty {
            #expect(!verify(hash, index, size, Array(path.dropLast())))
            #expect(!verify(hash, (index + 1) % size, size, path))
          }
        }
        for first in 0...size {
          let path = try journal.consistencyProof(from: UInt64(first), to: UInt64(size))
          func verify(_ firstRoot: [UInt8], _ path: [[UInt8]]) -> Bool {
            MerkleTree.verifyConsistency(
              firstSize: UInt64(first), firstRoot: firstRoot, secondSize: UInt64(size),
              secondRoot: roots[size], path: path)
          }
          #expect(verify(roots[first], path))
          #expect(!verify(Array(repeating: 7, count: 32), path))
          if first > 0 && first < size {
            #expect(!verify(roots[first], Array(path.dropLast())))
            #expect(!verify(roots[first], path + [roots[first]]))
          }
        }
      }
    }
  }

  @Test("many writers share the disk's waits, and all records survive reopening")
  func groupCommit() async throws {
    try await withJournalFolder { folder in
      var head: JournalHead
      do {
        let journal = try open(folder)
        let indexes = try await withThrowingTaskGroup(of: (UInt64, Int).self) { group in
          for number in 0..<500 {
            group.addTask {
              (try await journal.append(Array("record \(number)".utf8)), number)
            }
          }
          var all: [UInt64: Int] = [:]
          for try await (index, number) in group { all[index] = number }
          return all
        }
        #expect(indexes.count == 500)
        for (index, number) in indexes {
          #expect(try journal.record(index) == Array("record \(number)".utf8))
        }
        #expect(journal.synchronisations <= 500)
        head = journal.head
        #expect(throws: JournalError.self) { try open(folder) }
        await #expect(throws: JournalError.self) {
          try await journal.append([UInt8](repeating: 0, count: 70_000))
        }
      }
      let again = try open(folder)
      #expect(again.head == head)
      #expect(again.droppedOctets == 0)
      #expect(try await again.append([1]) == 500)
    }
  }

  @Test("a serial number is never given twice, whoever was killed in between")
  func serials() async throws {
    try await withJournalFolder { folder in
      var seen: Set<UInt64> = []
      for _ in 0..<3 {
        var parameters = JournalParameters()
        parameters.serialBlock = 10
        let journal = try Journal(folder: folder.path, parameters: parameters)
        for _ in 0..<25 { #expect(seen.insert(try journal.nextSerialNumber()).inserted) }
      }
    }
  }

  @Test("a write cut off at any octet loses that record alone")
  func tornWrites() async throws {
    try await withJournalFolder { folder in
      do {
        let journal = try open(folder)
        for number in 0..<5 { _ = try await journal.append([UInt8](repeating: 7, count: number)) }
      }
      let file = folder.appendingPathComponent("records")
      let names = ["nodes", "offsets"].map { folder.appendingPathComponent($0) }
      let whole = try Data(contentsOf: file)
      let derived = try names.map { try Data(contentsOf: $0) }
      // As if killed in the sixth write, before its hash and offset were written.
      let six = whole + Data([3, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 1, 2, 3])
      for end in whole.count...six.count {
        try six.prefix(end).write(to: file)
        for (name, data) in zip(names, derived) { try data.write(to: name) }
        let journal = try open(folder)
        #expect(journal.head.size == 5)
        #expect(journal.droppedOctets == UInt64(end - whole.count))
        #expect(try await journal.append([1]) == 5)
      }
      // Derived files that lag are completed; a power failure may leave zeros behind what was
      // written, from the beginning of a page on.
      for (lag, zeros) in [(0, 0), (1, 0), (9, 0), (31, 0), (33, 0), (0, 40), (32, 8), (32, 64)] {
        try whole.write(to: file)
        for (name, data) in zip(names, derived) {
          let kept = data.prefix(min(lag, data.count))
          try (kept + Data(count: min(zeros, data.count - kept.count))).write(to: name)
        }
        let journal = try open(folder)
        #expect(journal.head.size == 5)
        #expect(try journal.record(4) == [7, 7, 7, 7])
        let path = try journal.inclusionProof(of: 2, size: 5)
        #expect(
          MerkleTree.verifyInclusion(
            leafHash: MerkleTree.leafHash([7, 7]), index: 2, size: 5, path: path,
            root: journal.head.root))
      }
    }
  }

  @Test("an edited, shortened or forked log is found out")
  func tampering() async throws {
    try await withJournalFolder { folder in
      var head: JournalHead
      do {
        let journal = try open(folder)
        for number in 0..<20 { _ = try await journal.append(Array("entry \(number)".utf8)) }
        head = journal.head
      }
      let file = folder.appendingPathComponent("records")
      let whole = try Data(contentsOf: file)
      for position in stride(from: 0, to: whole.count, by: 3) {
        var edited = whole
        edited[position] ^= 0x20
        try edited.write(to: file)
        #expect(throws: JournalError.self, "octet \(position)") { try open(folder) }
      }
      try whole.dropLast(5).write(to: file)
      #expect(throws: JournalError.self) { try open(folder) }
      // Someone who rewrites everything, hashes too, is betrayed by the head that was published.
      try FileManager.default.removeItem(at: folder)
      let forged = try open(folder)
      for number in 0..<25 {
        _ = try await forged.append(Array("entry \(number == 3 ? 99 : number)".utf8))
      }
      let path = try forged.consistencyProof(from: head.size, to: 25)
      #expect(
        !MerkleTree.verifyConsistency(
          firstSize: head.size, firstRoot: head.root, secondSize: 25,
          secondRoot: forged.head.root, path: path))
      #expect(try forged.head(size: head.size) != head)
    }
  }

  @Test("a head's text is read back, and only under its own log's name")
  func checkpoints() {
    let head = JournalHead(size: 42, root: MerkleTree.leafHash([1]))
    let text = head.checkpoint(origin: "tsa.example/1")
    #expect(text.hasPrefix("tsa.example/1\n42\n"))
    #expect(JournalHead(checkpoint: text, origin: "tsa.example/1") == head)
    #expect(JournalHead(checkpoint: text, origin: "tsa.example/2") == nil)
    for broken in [text + "x", String(text.dropLast()), "tsa.example/1\n042\nAAAA\n", ""] {
      #expect(JournalHead(checkpoint: broken, origin: "tsa.example/1") == nil)
    }
  }
}
