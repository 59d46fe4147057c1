import Foundation
import Logging
import Settings
import Synchronization

/// One installation: its configuration, its data directory, and its log. The systems are opened from
/// here, so that every command opens them alike.
struct House: Sendable {
  let configuration: NoroshiConfiguration
  let effective: EffectiveConfiguration
  let data: DataDirectory
  let logger: Logger

  init(_ effective: EffectiveConfiguration) {
    self.effective = effective
    configuration = effective.values
    data = DataDirectory(effective.values.dataDirectory.path)
    let level = Logger.Level(rawValue: configuration.logging.level.rawValue) ?? .info
    Self.bootstrap(level)
    logger = Logger(label: "noroshi")
  }

  /// - Throws: ``CommandFailure`` when there is no data directory yet, or no way into it.
  func requireData() throws {
    var isDirectory: ObjCBool = false
    guard FileManager.default.fileExists(atPath: data.path, isDirectory: &isDirectory) else {
      throw CommandFailure(
        "There is no data directory at \(data.path)",
        advice: "`noroshi init \(data.path)` makes one; `--data` or dataDirectory names another.",
        status: .noInput)
    }
    guard isDirectory.boolValue else {
      throw CommandFailure(
        "\(data.path) is a file, not a data directory",
        advice: "Name a directory with `--data`.", status: .noInput)
    }
    guard FileManager.default.isWritableFile(atPath: data.path) else {
      throw CommandFailure(
        "The data directory \(data.path) may not be written by this user",
        advice: "Run the command as the user who owns it (`ls -ld \(data.path)`).",
        status: .noPermission)
    }
  }

  private static let isBootstrapped = Mutex(false)

  /// Logs go to standard error; swift-log lets this be said only once in a process.
  private static func bootstrap(_ level: Logger.Level) {
    isBootstrapped.withLock { done in
      guard !done else { return }
      done = true
      LoggingSystem.bootstrap { label in
        var handler = StreamLogHandler.standardError(label: label)
        handler.logLevel = level
        return handler
      }
    }
  }
}
