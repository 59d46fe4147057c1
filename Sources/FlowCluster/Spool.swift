import Foundation
import Synchronization

/// A batch on its way, as the spool's files have it.
struct SpooledBatch: Codable, Hashable, Sendable {
  /// By which the server's rows are known; random.
  var batch: UInt64
  /// The shard that it is for: its servers' text.
  var shard: String
  var rows: Int
  var day: UInt16
  var firstHour: UInt32
  var lastHour: UInt32
  /// Of the block, in its order.
  var columns: [String]

  var queryIdentifier: String { "noroshi-" + String(batch, radix: 16) }
}

/// Batches on the disk until a server has them. Every file is written, synced and then named, so that a
/// kill leaves whole ones; what was being sent when the process ended is asked for before it is sent again.
///
/// A file: the magic, the octets of the note (8), the note in JSON, the block, and a checksum (8) of the
/// block, numbers least octet first.
final class Spool: Sendable {
  struct Entry: Hashable, Sendable {
    let path: String
    let octets: Int
    let note: SpooledBatch
    /// Whether it may have reached a server already.
    var mayBeThere: Bool
  }

  private struct State {
    /// Waiting, the oldest first.
    var waiting: [Entry] = []
    var isTaken: Set<String> = []
    var octets = 0
    var sequence: UInt64 = 0
  }

  static let magic: [UInt8] = Array("NRSHSPL1".utf8)
  let folder: String
  /// Files that could not be read, left where they are.
  let unreadable: [String]
  private let state: Mutex<State>
  private let lock: Int32

  /// Opens or makes a spool, with the batches that an earlier run left.
  ///
  /// - Throws: ``ClusterError/spool(operation:path:reason:)``.
  init(folder: String) throws(ClusterError) {
    self.folder = folder
    do {
      try FileManager.default.createDirectory(
        atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    } catch {
      throw .spool(operation: "mkdir", path: folder, reason: "\(error)")
    }
    let path = folder + "/.lock"
    lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
    guard lock >= 0 else { throw Self.failure("open", path) }
    guard flock(lock, LOCK_EX | LOCK_NB) == 0 else {
      close(lock)
      throw .spool(
        operation: "lock", path: folder, reason: "another process uses this spool; stop it first")
    }
    var state = State()
    var unreadable: [String] = []
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    for name in names.sorted() {
      let path = folder + "/" + name
      if name.hasSuffix(".part") { unlink(path) }
      guard name.hasSuffix(".batch") else { continue }
      if let number = UInt64(name.prefix { $0 != "." }) {
        state.sequence = max(state.sequence, number)
      }
      do {
        let (note, octets) = try Self.readNote(path)
        state.waiting.append(Entry(path: path, octets: octets, note: note, mayBeThere: true))
        state.octets += octets
      } catch {
        unreadable.append(path)
      }
    }
    self.unreadable = unreadable
    self.state = Mutex(state)
  }

  deinit { close(lock) }

  private static func failure(_ operation: String, _ path: String) -> ClusterError {
    .spool(operation: operation, path: path, reason: String(cString: strerror(errno)))
  }

  /// Octets on the disk, and batches.
  var extent: (octets: Int, batches: Int) {
    state.withLock { ($0.octets, $0.waiting.count) }
  }

  /// Octets that wait for a shard.
  func octets(for shard: String) -> Int {
    state.withLock { $0.waiting.reduce(0) { $0 + ($1.note.shard == shard ? $1.octets : 0) } }
  }

  /// Batches for shards that are not among these.
  func strays(_ shards: Set<String>) -> Int {
    state.withLock { $0.waiting.count { !shards.contains($0.note.shard) } }
  }

  // MARK: Writing

  /// Puts a block on the disk.
  func store(_ block: BlockBuilder, shard: String) throws(ClusterError) {
    let hours = block.hours ?? 0...0
    let note = SpooledBatch(
      batch: .random(in: 1 ... .max), shard: shard, rows: block.count, day: block.day,
      firstHour: hours.lowerBound, lastHour: hours.upperBound, columns: block.columns)
    let number = state.withLock { state in
      state.sequence += 1
      return state.sequence
    }
    let digits = String(number)
    let path =
      folder + "/" + String(repeating: "0", count: max(0, 20 - digits.count)) + digits + ".batch"
    let part = path + ".part"
    let octets = try write(block, note, to: part)
    guard rename(part, path) == 0 else {
      let failure = Self.failure("rename", part)
      unlink(part)
      throw failure
    }
    let directory = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    if directory >= 0 {
      fsync(directory)
      close(directory)
    }
    state.withLock { state in
      state.waiting.append(Entry(path: path, octets: octets, note: note, mayBeThere: false))
      state.octets += octets
    }
  }

  private func write(
    _ block: BlockBuilder, _ note: SpooledBatch, to path: String
  ) throws(ClusterError) -> Int {
    let file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
    guard file >= 0 else { throw Self.failure("open", path) }
    defer { close(file) }
    var octets = 0
    do {
      let text = try JSONEncoder().encode(note)
      func put(_ bytes: UnsafeRawBufferPointer) throws {
        var rest = bytes
        while !rest.isEmpty {
          let count = Foundation.write(file, rest.baseAddress, rest.count)
          if count < 0, errno == EINTR { continue }
          guard count > 0 else { throw Self.failure("write", path) }
          octets += count
          rest = UnsafeRawBufferPointer(rebasing: rest[count...])
        }
      }
      func put(_ number: UInt64) throws {
        try withUnsafeBytes(of: number.littleEndian) { try put($0) }
      }
      try Self.magic.withUnsafeBytes { try put($0) }
      try put(UInt64(text.count))
      try text.withUnsafeBytes { try put($0) }
      var checksum = Checksum()
      try block.forEachPiece(batch: note.batch) { piece in
        checksum.add(piece)
        try put(piece)
      }
      try put(checksum.value)
      guard fsync(file) == 0 else { throw Self.failure("fsync", path) }
      return octets
    } catch {
      unlink(path)
      throw error as? ClusterError
        ?? .spool(operation: "write", path: path, reason: "\(error)")
    }
  }

  // MARK: Reading

  /// The oldest batch for a shard that no one else is sending; it is given back by ``remove(_:)`` or
  /// ``release(_:)``.
  func take(for shard: String) -> Entry? {
    state.withLock { state in
      guard
        let entry = state.waiting.first(where: {
          $0.note.shard == shard && !state.isTaken.contains($0.path)
        })
      else { return nil }
      state.isTaken.insert(entry.path)
      return entry
    }
  }

  /// A server has it.
  func remove(_ entry: Entry) {
    unlink(entry.path)
    state.withLock { state in
      state.isTaken.remove(entry.path)
      state.octets -= entry.octets
      state.waiting.removeAll { $0.path == entry.path }
    }
  }

  /// It was not sent, or no one knows.
  func release(_ entry: Entry, mayBeThere: Bool) {
    state.withLock { state in
      state.isTaken.remove(entry.path)
      guard let place = state.waiting.firstIndex(where: { $0.path == entry.path }) else { return }
      if mayBeThere { state.waiting[place].mayBeThere = true }
    }
  }

  /// A damaged file is put aside, so that those behind it go on.
  func putAside(_ entry: Entry) {
    rename(entry.path, entry.path + ".damaged")
    state.withLock { state in
      state.isTaken.remove(entry.path)
      state.octets -= entry.octets
      state.waiting.removeAll { $0.path == entry.path }
    }
  }

  private static func readNote(_ path: String) throws -> (SpooledBatch, Int) {
    let file = try FileHandle(forReadingFrom: URL(fileURLWithPath: path))
    defer { try? file.close() }
    let size = try Int(file.seekToEnd())
    try file.seek(toOffset: 0)
    guard let head = try file.read(upToCount: 16), head.count == 16, Array(head.prefix(8)) == magic
    else { throw ClusterError.spool(operation: "read", path: path, reason: "it is no batch") }
    let length = head.dropFirst(8).reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    guard length <= 1 << 16, let text = try file.read(upToCount: Int(length)),
      text.count == Int(length), size >= 24 + text.count
    else { throw ClusterError.spool(operation: "read", path: path, reason: "it ends early") }
    return (try JSONDecoder().decode(SpooledBatch.self, from: text), size)
  }

  /// The block of an entry; nil when the file is damaged.
  static func block(_ entry: Entry) -> Data? {
    guard let data = try? Data(contentsOf: URL(fileURLWithPath: entry.path)), data.count >= 24,
      Array(data.prefix(8)) == magic
    else { return nil }
    let length = data[8..<16].reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    guard length <= UInt64(data.count - 24) else { return nil }
    let block = data[(16 + Int(length))..<(data.count - 8)]
    let stored = data.suffix(8).reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    // Summed in pieces of any size, so the whole has the same sum as its parts.
    var checksum = Checksum()
    block.withUnsafeBytes { checksum.add($0) }
    return checksum.value == stored ? block : nil
  }
}

/// FNV-1a over words of 64 bits, least octet first, and the count of octets: against a disk's errors, not
/// against people.
struct Checksum {
  private var hash: UInt64 = 0xcbf2_9ce4_8422_2325
  private var pending: UInt64 = 0
  private var count: UInt64 = 0

  mutating func add(_ bytes: UnsafeRawBufferPointer) {
    var index = 0
    while index < bytes.count, count & 7 != 0 { step(bytes[index], &index) }
    // Eight octets at a time, all of them inside.
    while index &+ 8 <= bytes.count {
      mix(UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self)))
      index &+= 8
      count &+= 8
    }
    while index < bytes.count { step(bytes[index], &index) }
  }

  private mutating func step(_ octet: UInt8, _ index: inout Int) {
    pending |= UInt64(octet) << (8 * (count & 7))
    count &+= 1
    index &+= 1
    if count & 7 == 0 {
      mix(pending)
      pending = 0
    }
  }

  private mutating func mix(_ word: UInt64) {
    hash = (hash ^ word) &* 0x0000_0100_0000_01b3
    // The product's upper bits would otherwise never come down again.
    hash ^= hash >> 29
  }

  var value: UInt64 {
    var copy = self
    copy.mix(pending)
    copy.mix(count)
    return copy.hash
  }
}
