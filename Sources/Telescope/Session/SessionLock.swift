import Glibc

/// Lets one process at a time read captures into a directory: two would overwrite each other's state.
///
/// The system lets go of it when the process ends, however it ends.
final class SessionLock {
  private let descriptor: Int32

  /// - Throws: ``TelescopeError/storage(_:)`` while another session holds it.
  init(directory: String) throws(TelescopeError) {
    let path = directory + "/lock"
    descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else {
      throw .storage(
        "\(path) cannot be made (\(String(cString: strerror(errno)))); check the data directory's "
          + "permissions")
    }
    guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
      close(descriptor)
      throw .storage(
        "another process reads captures into \(directory); wait until it has ended, or stop it")
    }
  }

  deinit {
    // Said outright: a child process that is just being started may hold a copy of the descriptor.
    flock(descriptor, LOCK_UN)
    close(descriptor)
  }
}
