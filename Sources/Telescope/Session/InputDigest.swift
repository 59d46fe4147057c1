import Crypto
import Foundation
import PacketCapture

/// Recognises a capture that has been read before, whatever it is called and however it comes.
///
/// SHA-256 over the first MiB, then blocks of 4 KiB whose distance begins with 1 MiB and doubles after
/// every 256 of them, the last MiB, and the length: the whole of small captures, and of large ones
/// enough to tell them apart without reading them twice. None of it needs the length beforehand, so a
/// pipe has the digest of the file that is poured into it.
struct InputDigest {
  private static let edge = 1 << 20
  private static let block = 4_096
  private static let blocksPerDistance = 256

  private var hash = SHA256()
  private var length = 0
  /// Where the next octet to be hashed lies, and how many follow it.
  private var sample = 0
  private var sampleLeft = InputDigest.edge
  private var distance = InputDigest.edge
  private var blocks = 0
  /// The last MiB as a ring, which begins at `length % edge` once it is full.
  private var tail = [UInt8](repeating: 0, count: InputDigest.edge)

  init() {}

  /// Takes in the octets that follow.
  mutating func add(_ bytes: UnsafeRawBufferPointer) {
    let end = length + bytes.count
    while sample < end {
      let count = min(sampleLeft, end - sample)
      hash.update(bufferPointer: .init(rebasing: bytes[sample - length..<sample - length + count]))
      advance(count)
    }
    let kept = UnsafeRawBufferPointer(rebasing: bytes.suffix(Self.edge))
    var place = (end - kept.count) % Self.edge
    var rest = kept
    while !rest.isEmpty {
      let count = min(rest.count, Self.edge - place)
      tail.withUnsafeMutableBytes {
        UnsafeMutableRawBufferPointer(rebasing: $0[place..<place + count])
          .copyMemory(from: .init(rebasing: rest[..<count]))
      }
      rest = .init(rebasing: rest[count...])
      place = 0
    }
    length = end
  }

  /// The sampled place lies `count` octets further on, or at the next block.
  private mutating func advance(_ count: Int) {
    sample += count
    sampleLeft -= count
    guard sampleLeft == 0 else { return }
    if blocks == Self.blocksPerDistance {
      distance *= 2
      blocks = 0
    }
    sample += distance - Self.block
    sampleLeft = Self.block
    blocks += 1
  }

  /// The digest in hexadecimal.
  consuming func finish() -> String {
    let place = length % Self.edge
    if length >= Self.edge { hash.update(data: tail[place...]) }
    hash.update(data: tail[..<place])
    withUnsafeBytes(of: UInt64(length).littleEndian) { hash.update(bufferPointer: $0) }
    return hash.finalize().map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
  }

  /// The digest of a regular file, of which only the sampled octets are read.
  static func of(path: String) throws -> String {
    guard let handle = FileHandle(forReadingAtPath: path) else {
      throw TelescopeError.storage("\(path) cannot be opened; check that it exists and is readable")
    }
    defer { try? handle.close() }
    let size = Int(try handle.seekToEnd())
    var digest = InputDigest()
    while digest.sample < size {
      let wanted = min(digest.sampleLeft, size - digest.sample)
      try handle.seek(toOffset: UInt64(digest.sample))
      guard let data = try handle.read(upToCount: wanted), data.count == wanted else {
        throw TelescopeError.storage("\(path) was shortened while it was read; read it again")
      }
      digest.hash.update(data: data)
      digest.advance(wanted)
    }
    let start = max(0, size - edge)
    digest.length = start
    digest.sample = .max
    try handle.seek(toOffset: UInt64(start))
    let last = try handle.read(upToCount: edge) ?? Data()
    last.withUnsafeBytes { digest.add($0) }
    return digest.finish()
  }
}
