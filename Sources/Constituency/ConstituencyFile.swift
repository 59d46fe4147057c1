import Foundation
import Glibc

/// The file `constituency.yaml` in the data directory.
///
/// ```yaml
/// organisations:
///   - id: isp-kaede
///     name: Kaede Net
///     nameJa: 楓ネット
///     roles: [isp]                      # institute isp isac member csirt peer trainer
///     prefixes: [192.0.2.0/24, "2001:db8::/32"]
///     asns: [64496]
///     parent: upper-net                 # whose service it sells on
///     language: ja
///     memberAlerts: true
///     contacts:
///       - {name: Abuse desk, email: abuse@example.net, role: abuse, language: ja}
///     delivery: {formats: [mail, csv, xarf], channels: [smtp], interval: 86400,
///       aggregateBy: kind, minimumConfidence: 50, maximumMarking: "TLP:AMBER",
///       doNotNotify: false}
/// ```
///
/// Editing from the command line writes the whole file anew, atomically; comments that a person
/// wrote into it are not kept.
public struct ConstituencyFile: Sendable {
  public let path: String

  public init(path: String) { self.path = path }

  /// The constituency in the file; an empty one where there is no file.
  ///
  /// - Throws: ``ConstituencyError`` with the file, the line and the path of what is wrong.
  public func load() throws -> Constituency {
    guard FileManager.default.fileExists(atPath: path) else { return Constituency() }
    return try Self.read(try Self.text(path), file: path)
  }

  /// Reads the YAML of a constituency.
  ///
  /// - Parameter file: the name that errors carry.
  public static func read(_ text: String, file: String? = nil) throws
    -> Constituency
  {
    try ConstituencyYAML(file: file).read(text)
  }

  /// The YAML of a constituency, as ``save(_:)`` writes it.
  public static func text(of constituency: Constituency) throws -> String {
    try ConstituencyYAML(file: nil).text(constituency)
  }

  /// Writes the file beside, syncs it and renames it: a crash leaves the old file or the new one.
  public func save(_ constituency: Constituency) throws {
    try write(Array(Self.text(of: constituency).utf8))
  }

  /// Loads, changes, saves, under a lock against another command doing the same.
  public func edit(_ change: (inout Constituency) throws -> Void) throws {
    let lock = open(path + ".lock", O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
    guard lock >= 0 else { throw failure("lock") }
    defer { close(lock) }
    guard flock(lock, LOCK_EX) == 0 else { throw failure("lock") }
    var constituency = try load()
    try change(&constituency)
    try save(constituency)
  }

  static func text(_ path: String) throws -> String {
    do {
      let data = try Data(contentsOf: URL(fileURLWithPath: path))
      guard let text = String(validating: data, as: UTF8.self) else {
        throw ConstituencyError("the file is not UTF-8; convert it first", file: path)
      }
      return text
    } catch let error as ConstituencyError {
      throw error
    } catch {
      throw ConstituencyError(
        "the file cannot be read (\(error.localizedDescription)); check the path and its permissions",
        file: path)
    }
  }

  private func failure(_ step: String) -> ConstituencyError {
    ConstituencyError(
      "cannot be written (\(step): \(String(cString: strerror(errno)))); check space and permissions",
      file: path)
  }

  private func write(_ bytes: [UInt8]) throws {
    let part = path + ".part"
    let descriptor = open(part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw failure("open") }
    var rest = bytes[...]
    while !rest.isEmpty {
      let written = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
      if written < 0 {
        if errno == EINTR { continue }
        let error = failure("write")
        close(descriptor)
        unlink(part)
        throw error
      }
      rest = rest.dropFirst(written)
    }
    let synced = fsync(descriptor)
    guard close(descriptor) == 0, synced == 0 else { throw failure("sync") }
    guard rename(part, path) == 0 else { throw failure("rename") }
    let parent = (path as NSString).deletingLastPathComponent
    let directory = open(parent.isEmpty ? "." : parent, O_RDONLY | O_DIRECTORY)
    if directory >= 0 {
      fsync(directory)
      close(directory)
    }
  }
}
