import Glibc

/// Where a file's octets come from: a descriptor, or memory.
final class OctetSource: Sendable {
  let count: UInt64
  private let path: String
  private let descriptor: Int32
  private let octets: [UInt8]

  init(path: String) throws(ParquetError) {
    let opened = open(path, O_RDONLY | O_CLOEXEC)
    guard opened >= 0 else { throw .system(operation: "opening", path: path, code: errno) }
    var status = stat()
    guard fstat(opened, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
      let code = status.st_mode & S_IFMT == S_IFDIR ? EISDIR : EINVAL
      close(opened)
      throw .system(operation: "reading", path: path, code: code)
    }
    self.path = path
    descriptor = opened
    octets = []
    count = UInt64(max(0, status.st_size))
  }

  init(octets: [UInt8]) {
    path = "memory"
    descriptor = -1
    self.octets = octets
    count = UInt64(octets.count)
  }

  deinit { if descriptor >= 0 { close(descriptor) } }

  /// Octets that must lie inside the file, as the caller has checked against ``count``.
  func read(_ offset: UInt64, _ length: Int) throws(ParquetError) -> [UInt8] {
    guard offset <= count, UInt64(length) <= count - offset else {
      throw .damaged(offset: offset, expected: "\(length) octets more in the file")
    }
    guard descriptor >= 0 else {
      return Array(octets[Int(offset)..<Int(offset) + length])
    }
    var code: Int32 = 0
    var done = 0
    let result = [UInt8](unsafeUninitializedCapacity: length) { target, initialized in
      while done < length, let base = target.baseAddress {
        let taken = pread(descriptor, base + done, length - done, off_t(offset) + off_t(done))
        if taken > 0 {
          done += taken
        } else if taken == 0 || errno != EINTR {
          code = taken == 0 ? 0 : errno
          break
        }
      }
      initialized = done
    }
    guard code == 0 else { throw .system(operation: "reading", path: path, code: code) }
    guard done == length else {
      throw .damaged(offset: offset &+ UInt64(done), expected: "a file that does not shrink")
    }
    return result
  }
}
