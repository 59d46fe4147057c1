import Foundation
import Glibc

/// The file that templates are kept in: JSON, replaced as a whole.
struct StateFile {
  let path: String

  /// What was kept; nil when there is no file yet.
  func read() throws -> RememberedExporters? {
    guard FileManager.default.fileExists(atPath: path) else { return nil }
    let octets = try Data(contentsOf: URL(fileURLWithPath: path))
    return try JSONDecoder().decode(RememberedExporters.self, from: octets)
  }

  /// Writes beside the file, waits until it is on the disk, and renames, so that a crash leaves the
  /// old file or the new one.
  func write(_ remembered: RememberedExporters) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys]
    let octets = try encoder.encode(remembered)
    let part = path + ".part"
    try octets.write(to: URL(fileURLWithPath: part))
    let handle = try FileHandle(forWritingTo: URL(fileURLWithPath: part))
    try handle.synchronize()
    try handle.close()
    guard rename(part, path) == 0 else {
      throw CollectorError.invalid(
        "\(path): rename: \(String(cString: strerror(errno))); check the directory's permissions")
    }
  }
}
