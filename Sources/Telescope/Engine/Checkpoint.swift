import Crypto

/// Collects the octets of a checkpoint. The file that holds them is private to one build of Noroshi:
/// its header carries ``layoutVersion`` and the sizes of all entries, and another build refuses it.
struct CheckpointWriter {
  private(set) var bytes: [UInt8] = []

  mutating func write(_ value: UInt64) {
    withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
  }

  mutating func write(_ buffer: UnsafeRawBufferPointer) { bytes.append(contentsOf: buffer) }

  mutating func write(_ other: [UInt8]) {
    write(UInt64(other.count))
    bytes.append(contentsOf: other)
  }

  /// The octets with their SHA-256 behind them.
  consuming func sealed() -> [UInt8] {
    let digest = SHA256.hash(data: bytes)
    var result = bytes
    result.append(contentsOf: digest)
    return result
  }
}

/// Reads what ``CheckpointWriter`` wrote; a damaged or foreign file is an error, never a trap.
struct CheckpointReader {
  private let bytes: [UInt8]
  private let end: Int
  private var position = 0

  init(sealed bytes: [UInt8]) throws(TelescopeError) {
    guard bytes.count >= 32 else { throw .damagedCheckpoint("it is shorter than its checksum") }
    end = bytes.count - 32
    guard Array(SHA256.hash(data: bytes[..<end])) == Array(bytes[end...]) else {
      throw .damagedCheckpoint("its checksum does not fit its content")
    }
    self.bytes = bytes
  }

  mutating func readWord() throws(TelescopeError) -> UInt64 {
    guard end - position >= 8 else { throw .damagedCheckpoint("it ends early") }
    var value: UInt64 = 0
    for index in (0..<8).reversed() { value = value << 8 | UInt64(bytes[position + index]) }
    position += 8
    return value
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
    bytes.withUnsafeBytes {
      buffer.copyMemory(
        from: UnsafeRawBufferPointer(rebasing: $0[position..<position + buffer.count]))
    }
    position += buffer.count
  }

  mutating func readBytes() throws(TelescopeError) -> [UInt8] {
    let count = try readCount(stride: 1)
    defer { position += count }
    return Array(bytes[position..<position + count])
  }

  var isAtEnd: Bool { position == end }
}
