import Constituency
import Foundation
import Geolocation
import Glibc
import Logging
import Synchronization

/// A file's content that follows the file: read again when it was replaced, and kept as it was while the
/// new one is wrong.
final class CurrentFile<Content: Sendable>: Sendable {
  private struct Stamp: Equatable {
    var inode: UInt64 = 0
    var seconds: Int = 0
    var nanoseconds: Int = 0
    var size: Int64 = 0
  }

  private struct State {
    var stamp: Stamp
    var content: Content
  }

  private let path: String
  private let load: @Sendable () throws -> Content
  private let logger: Logger
  private let state: Mutex<State>

  init(_ path: String, logger: Logger, load: @escaping @Sendable () throws -> Content) throws {
    self.path = path
    self.load = load
    self.logger = logger
    let stamp = Self.stamp(of: path)
    state = Mutex(State(stamp: stamp, content: try load()))
  }

  var content: Content {
    state.withLock { state in
      let stamp = Self.stamp(of: path)
      if stamp != state.stamp {
        state.stamp = stamp
        do {
          state.content = try load()
          logger.info("read again: \(path)")
        } catch {
          logger.error("\(path) was changed and is not used: \(error)")
        }
      }
      return state.content
    }
  }

  private static func stamp(of path: String) -> Stamp {
    var status = stat()
    guard stat(path, &status) == 0 else { return Stamp() }
    return Stamp(
      inode: UInt64(status.st_ino), seconds: status.st_mtim.tv_sec,
      nanoseconds: status.st_mtim.tv_nsec, size: Int64(status.st_size))
  }
}
