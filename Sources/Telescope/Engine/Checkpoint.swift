import Crypto

/// Collects the octets of a checkpoint. The file that holds them is private to one build of Noroshi:
/// its header carries ``layoutVersion`` and the sizes of all entries, and another build refuses it.
///
/// They are handed on a mebibyte at a time: the tables are as large as the memory limit lets them be, and a
/// copy of them would double it.
struct CheckpointWriter {
  private static let portion = 1 << 20

  private var bytes: [UInt8] = []
  private var digest = SHA256()
  private let consume: (UnsafeRawBufferPointer) -> Void

  init(_ consume: @escaping (UnsafeRawBufferPointer) -> Void) {
    self.consume = consume
    bytes.reserveCapacity(Self.portion)
  }

  mutating func write(_ value: UInt64) {
    withUnsafeBytes(of: value.littleEndian) { write($0) }
  }

  mutating func write(_ buffer: UnsafeRawBufferPointer) {
    bytes.append(contentsOf: buffer)
    if bytes.count >= Self.portion { handOn() }
  }

  mutating func write(_ other: [UInt8]) {
    write(UInt64(other.count))
    other.withUnsafeBytes { write($0) }
  }

  private mutating func handOn() {
    bytes.withUnsafeBytes {
      digest.update(bufferPointer: $0)
      consume($0)
    }
    bytes.removeAll(keepingCapacity: true)
  }

  /// Hands on what is left, and the SHA-256 of everything behind it.
  consuming func seal() {
    handOn()
    Array(digest.finalize()).withUnsafeBytes { consume($0) }
  }
}

/// Reads what ``CheckpointWriter`` wrote; a damaged or foreign file is an error, never a trap.
struct CheckpointReader {
  /// Memory that outlives the reader: a mapped file, so that it need not fit beside the tables.
  private let bytes: UnsafeRawBufferPointer
  private let end: Int
  private var position = 0

  init(sealed bytes: UnsafeRawBufferPointer) throws(TelescopeError) {
    guard bytes.count >= 32 else { throw .damagedCheckpoint("it is shorter than its checksum") }
    end = bytes.count - 32
    var digest = SHA256()
    digest.update(bufferPointer: UnsafeRawBufferPointer(rebasing: bytes[..<end]))
    guard Array(digest.finalize()) == Array(bytes[end...]) else {
      throw .damagedCheckpoint("its checksum does not fit its content")
    }
    self.bytes = bytes
  }

  mutating func readWord() throws(TelescopeError) -> UInt64 {
    guard end - position >= 8 else { throw .damagedCheckpoint("it ends early") }
    defer { position += 8 }
    return UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: position, as: UInt64.self))
  }

  /// A number of items that must still fit into the file.
  mutating func readCount(stride: Int) throws(TelescopeError) -> Int {
    let value = try readWord()
    guard value <= UInt64((end - position) / max(1, stride)) else {
      throw .damagedCheckpoint("it announces more entries than it holds")
    }
    return Int(value)
  }

  mutating func read(into buffer: UnsafeMutableRawBufferPointer) throws(TelescopeError) {
    guard end - position >= buffer.count else { throw .damagedCheckpoint("it ends early") }
    buffer.copyMemory(
      from: UnsafeRawBufferPointer(rebasing: bytes[position..<position + buffer.count]))
    position += buffer.count
  }

  mutating func readBytes() throws(TelescopeError) -> [UInt8] {
    let count = try readCount(stride: 1)
    defer { position += count }
    return Array(bytes[position..<position + count])
  }

  var isAtEnd: Bool { position == end }
}
