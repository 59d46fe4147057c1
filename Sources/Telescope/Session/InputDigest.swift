import Crypto
import Foundation

/// Recognises a capture file that has been read before, whatever it is called.
///
/// SHA-256 over the size, the first and last MiB and 256 blocks of 4 KiB evenly between them: the whole
/// of small files, and of large ones enough to tell captures apart without reading them twice.
struct InputDigest {
  private static let edge = 1 << 20
  private static let block = 4_096
  private static let blocks = 256

  static func of(path: String) throws -> String {
    guard let handle = FileHandle(forReadingAtPath: path) else {
      throw TelescopeError.storage("\(path) cannot be opened; check that it exists and is readable")
    }
    defer { try? handle.close() }
    let size = Int(try handle.seekToEnd())
    var hash = SHA256()
    withUnsafeBytes(of: UInt64(size).littleEndian) { hash.update(bufferPointer: $0) }
    func add(offset: Int, count: Int) throws {
      try handle.seek(toOffset: UInt64(offset))
      if let data = try handle.read(upToCount: count) { hash.update(data: data) }
    }
    if size <= 4 * edge {
      try add(offset: 0, count: size)
    } else {
      try add(offset: 0, count: edge)
      let step = (size - 2 * edge) / blocks
      for index in 0..<blocks { try add(offset: edge + index * step, count: min(block, step)) }
      try add(offset: size - edge, count: edge)
    }
    return hash.finalize().map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
  }
}
