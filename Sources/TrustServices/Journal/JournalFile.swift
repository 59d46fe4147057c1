#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// A file of the journal: positioned reads, appends, synchronisation. The only place here that
/// hands pointers to the system.
final class JournalFile: Sendable {
  let path: String
  private let descriptor: Int32

  init(_ path: String, isReadOnly: Bool = false) throws(JournalError) {
    self.path = path
    descriptor =
      isReadOnly
      ? open(path, O_RDONLY | O_CLOEXEC) : open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw .system("open", path, errno) }
  }

  deinit {
    // Said outright: a child process of this moment may still hold a copy of the descriptor, and with
    // it the lock.
    flock(descriptor, LOCK_UN)
    close(descriptor)
  }

  /// Takes the file for this process alone.
  func lock() throws(JournalError) {
    guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
      throw errno == EWOULDBLOCK ? .inUse(path) : .system("lock", path, errno)
    }
  }

  func size() throws(JournalError) -> UInt64 {
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw .system("stat", path, errno) }
    return UInt64(status.st_size)
  }

  func truncate(to size: UInt64) throws(JournalError) {
    guard ftruncate(descriptor, off_t(size)) == 0 else { throw .system("truncate", path, errno) }
  }

  /// Reads up to `count` octets; fewer only at the end of the file.
  func read(at offset: UInt64, count: Int) throws(JournalError) -> [UInt8] {
    var buffer = [UInt8](repeating: 0, count: count)
    var done = 0
    while done < count {
      // The pointer is that of `buffer` moved by `done`, and at most `count - done` are read.
      let got = buffer.withUnsafeMutableBytes {
        pread(
          descriptor, $0.baseAddress.map { $0 + done }, count - done, off_t(offset) + off_t(done))
      }
      if got < 0 {
        if errno == EINTR { continue }
        throw .system("read", path, errno)
      }
      if got == 0 { break }
      done += got
    }
    buffer.removeLast(count - done)
    return buffer
  }

  func write(_ bytes: [UInt8], at offset: UInt64) throws(JournalError) {
    var done = 0
    while done < bytes.count {
      // As above, for writing.
      let put = bytes.withUnsafeBytes {
        pwrite(
          descriptor, $0.baseAddress.map { $0 + done }, bytes.count - done,
          off_t(offset) + off_t(done))
      }
      if put < 0 {
        if errno == EINTR { continue }
        throw .system("write", path, errno)
      }
      done += put
    }
  }

  /// Returns when the octets are on the disk.
  func synchronise() throws(JournalError) {
    guard fdatasync(descriptor) == 0 else { throw .system("sync", path, errno) }
  }

  /// Makes the names of new files in `folder` durable.
  static func synchronise(folder: String) throws(JournalError) {
    let descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { throw .system("open", folder, errno) }
    defer { close(descriptor) }
    guard fsync(descriptor) == 0 else { throw .system("sync", folder, errno) }
  }

  static func makeFolder(_ path: String) throws(JournalError) {
    guard mkdir(path, 0o700) == 0 || errno == EEXIST else { throw .system("mkdir", path, errno) }
  }
}

/// Why the journal cannot go on.
public enum JournalError: Error, Hashable, Sendable, CustomStringConvertible {
  case system(String, String, Int32)
  case inUse(String)
  /// A record that was there before is changed or gone.
  case damaged(String, record: UInt64)
  case recordTooLarge(Int)
  case noSuchRecord(UInt64)
  case stopped

  public var description: String {
    switch self {
    case .system(let call, let path, let code):
      "\(call) of \(path) failed: \(String(cString: strerror(code))). Check the disk and its rights."
    case .inUse(let path): "\(path) is in use by another process. Stop that one first."
    case .damaged(let path, let record):
      "\(path): record \(record) is not what was written. Keep the files and restore a backup."
    case .recordTooLarge(let count): "A record of \(count) octets is too large for the journal."
    case .noSuchRecord(let index): "The journal has no record \(index). Check the number."
    case .stopped:
      "The journal stopped after a failed write and takes no records. See the first error."
    }
  }
}
