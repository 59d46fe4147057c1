import Foundation
import Testing

/// The data folder beside the repository, or the one that NOROSHI_SHARED names.
enum Shared {
  static let root: URL = {
    if let path = ProcessInfo.processInfo.environment["NOROSHI_SHARED"] {
      return URL(fileURLWithPath: path)
    }
    return URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().deletingLastPathComponent().appendingPathComponent("shared")
  }()

  static func trust(_ path: String) -> URL { root.appendingPathComponent("data/trust/\(path)") }

  static func bytes(_ path: String) throws -> [UInt8] { Array(try Data(contentsOf: trust(path))) }

  static let isPresent = FileManager.default.fileExists(atPath: trust("MANIFEST.md").path)
}

/// The openssl command, a second opinion on everything made here.
enum OpenSSL {
  static let path: String? = {
    let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
    return folders.map { "\($0)/openssl" }.first {
      FileManager.default.isExecutableFile(atPath: $0)
    }
  }()

  static var isPresent: Bool { path != nil }

  struct Outcome {
    let status: Int32
    let output: String
  }

  @discardableResult
  static func run(_ arguments: String..., in folder: URL) throws -> Outcome {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: try #require(path))
    process.arguments = arguments
    process.currentDirectoryURL = folder
    process.standardInput = FileHandle.nullDevice
    let pipe = Pipe()
    process.standardOutput = pipe
    process.standardError = pipe
    try process.run()
    let output = pipe.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return Outcome(
      status: process.terminationStatus, output: String(decoding: output, as: UTF8.self))
  }
}

/// A folder that is gone when the test is over.
func withFolder<Result>(_ body: (URL) throws -> Result) throws -> Result {
  let folder = FileManager.default.temporaryDirectory.appendingPathComponent(
    "noroshi-trust-\(UUID().uuidString)")
  try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  defer { try? FileManager.default.removeItem(at: folder) }
  return try body(folder)
}

extension URL {
  /// Writes `bytes` into the file of this name in the folder.
  @discardableResult
  func put(_ name: String, _ bytes: some Sequence<UInt8>) throws -> URL {
    let file = appendingPathComponent(name)
    try Data(bytes).write(to: file)
    return file
  }

  func get(_ name: String) throws -> [UInt8] {
    Array(try Data(contentsOf: appendingPathComponent(name)))
  }
}
