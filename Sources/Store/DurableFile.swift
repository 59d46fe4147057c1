import Foundation

/// Files that are either the old or the new, also after a power cut: written beside as `.part`,
/// synchronised, renamed.
public enum DurableFile {
  /// Replaces the file's content.
  ///
  /// - Throws: ``StoreError/cannotWrite(path:reason:)``.
  public static func write(_ bytes: some Sequence<UInt8>, to path: String, mode: UInt16 = 0o600)
    throws
  {
    let part = path + ".\(ProcessInfo.processInfo.processIdentifier).part"
    guard
      FileManager.default.createFile(
        atPath: part, contents: Data(bytes), attributes: [.posixPermissions: Int(mode)])
    else {
      throw StoreError.cannotWrite(path: part, reason: "it cannot be created")
    }
    do {
      try publish(part, as: path)
    } catch {
      try? FileManager.default.removeItem(atPath: part)
      throw error
    }
  }

  /// Synchronises a finished file and gives it its name, replacing what had it.
  public static func publish(_ part: String, as path: String) throws {
    try synchronise(part)
    guard rename(part, path) == 0 else {
      throw StoreError.cannotWrite(path: path, reason: String(cString: strerror(errno)))
    }
    let directory = (path as NSString).deletingLastPathComponent
    // The new name is durable once its directory is.
    try synchronise(directory.isEmpty ? "." : directory)
  }

  private static func synchronise(_ path: String) throws {
    let descriptor = open(path, O_RDONLY)
    guard descriptor >= 0 else {
      throw StoreError.cannotWrite(path: path, reason: String(cString: strerror(errno)))
    }
    defer { close(descriptor) }
    guard fsync(descriptor) == 0 else {
      throw StoreError.cannotWrite(path: path, reason: String(cString: strerror(errno)))
    }
  }
}
