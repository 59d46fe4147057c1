import Foundation

/// Held by the one process that delivers; the system takes it back when that process ends, however it
/// ends (`flock(2)`). So whoever holds it knows that what is "being sent" is not being sent any more.
public final class OutboxLock: Sendable {
  private let descriptor: Int32

  /// Why this process may not deliver.
  public enum Busy: Error, Hashable, Sendable, CustomStringConvertible {
    case heldElsewhere(path: String)
    case cannotOpen(path: String, reason: String)

    public var description: String {
      switch self {
      case .heldElsewhere(let path):
        "another process delivers (it holds \(path)); let it, or stop it first"
      case .cannotOpen(let path, let reason):
        "\(path) cannot be opened: \(reason); check the permissions of the data directory"
      }
    }
  }

  /// - Parameter database: the file of the database; nil locks nothing, for a database in memory.
  /// - Throws: ``Busy``.
  init(besideDatabase database: String?) throws(Busy) {
    guard let database else {
      descriptor = -1
      return
    }
    let folder = (database as NSString).deletingLastPathComponent
    let path = (folder.isEmpty ? "." : folder) + "/outbox.lock"
    let opened = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
    guard opened >= 0 else {
      throw .cannotOpen(path: path, reason: String(cString: strerror(errno)))
    }
    guard flock(opened, LOCK_EX | LOCK_NB) == 0 else {
      close(opened)
      throw .heldElsewhere(path: path)
    }
    descriptor = opened
  }

  func release() {
    guard descriptor >= 0 else { return }
    // Said outright: a child process that is just being started may hold a copy of the descriptor, and
    // with it the lock.
    flock(descriptor, LOCK_UN)
    close(descriptor)
  }
}
