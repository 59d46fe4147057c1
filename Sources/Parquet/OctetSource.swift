import Glibc

/// Where a file's octets come from: a descriptor, or memory.
final class OctetSource: Sendable {
  let count: UInt64
  private let path: String
  private let descriptor: Int32
  private let octets: [UInt8]

  /// - Parameter keepsOpen: whether the file stays open; otherwise it is opened again for each read,
  ///   so that thousands of sources take no descriptors.
  init(path: String, keepsOpen: Bool = true) throws(ParquetError) {
    let opened = try Self.open(path)
    var status = stat()
    guard fstat(opened, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
      let code = status.st_mode & S_IFMT == S_IFDIR ? EISDIR : EINVAL
      close(opened)
      throw .system(operation: "reading", path: path, code: code)
    }
    self.path = path
    descriptor = keepsOpen ? opened : Self.reopened
    octets = []
    count = UInt64(max(0, status.st_size))
    if !keepsOpen { close(opened) }
  }

  /// Instead of a descriptor: the file is opened for each read.
  private static let reopened: Int32 = -2

  private static func open(_ path: String) throws(ParquetError) -> Int32 {
    let opened = Glibc.open(path, O_RDONLY | O_CLOEXEC)
    guard opened >= 0 else { throw .system(operation: "opening", path: path, code: errno) }
    return opened
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
    guard descriptor != -1 else {
      return Array(octets[Int(offset)..<Int(offset) + length])
    }
    var failure: ParquetError?
    let result = [UInt8](unsafeUninitializedCapacity: length) { target, initialized in
      guard let base = target.baseAddress else { return }
      do throws(ParquetError) {
        try read(offset, length, into: base)
        initialized = length
      } catch { failure = error }
    }
    if let failure { throw failure }
    return result
  }

  /// The same into memory that has room for `length` octets.
  func read(
    _ offset: UInt64, _ length: Int, into target: UnsafeMutableRawPointer
  ) throws(ParquetError) {
    guard offset <= count, UInt64(length) <= count - offset else {
      throw .damaged(offset: offset, expected: "\(length) octets more in the file")
    }
    guard descriptor != -1 else {
      octets.withUnsafeBytes { source in
        // `offset` and `length` were checked above against the number of octets.
        target.copyMemory(
          from: UnsafeRawBufferPointer(rebasing: source[Int(offset)..<Int(offset) + length]))
      }
      return
    }
    let descriptor = descriptor == Self.reopened ? try Self.open(path) : descriptor
    defer { if self.descriptor == Self.reopened { close(descriptor) } }
    var done = 0
    while done < length {
      let taken = pread(descriptor, target + done, length - done, off_t(offset) + off_t(done))
      if taken > 0 {
        done += taken
      } else if taken == 0 {
        throw .damaged(offset: offset &+ UInt64(done), expected: "a file that does not shrink")
      } else if errno != EINTR {
        throw .system(operation: "reading", path: path, code: errno)
      }
    }
  }
}

extension UnsafeMutableRawPointer {
  fileprivate func copyMemory(from source: UnsafeRawBufferPointer) {
    if let base = source.baseAddress { copyMemory(from: base, byteCount: source.count) }
  }
}
