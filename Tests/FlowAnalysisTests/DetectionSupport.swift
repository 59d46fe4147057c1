import FlowAnalysis
import Foundation
import NetworkTypes

enum SharedFlows {
  /// The shared test data: NOROSHI_SHARED, or `shared` beside the package.
  static let root: String = {
    if let named = ProcessInfo.processInfo.environment["NOROSHI_SHARED"] { return named }
    return URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().deletingLastPathComponent().appendingPathComponent("shared").path
  }()

  static func path(_ name: String) -> String { root + "/data/flows/" + name }

  static func exists(_ name: String) -> Bool {
    FileManager.default.fileExists(atPath: path(name))
  }

  static let scenario6 = "ctu13/capture20110816.binetflow.xz"

  /// The hourly logs of RITA's three days.
  static var missingHost: [String] {
    let folder = path("rita/missing_host")
    let names = FileManager.default.enumerator(atPath: folder)?.allObjects as? [String] ?? []
    return names.filter { ($0.split(separator: "/").last ?? "").hasPrefix("conn.") }.sorted()
      .map { folder + "/" + $0 }
  }
}

/// A contact at a second, for tests.
func contact(
  _ second: Double, _ client: String, _ server: String, port: UInt16 = 4_444,
  clientPort: UInt16 = 0, transport: UInt8 = 6, answered: Bool = true, bytes: UInt64 = 400,
  seconds: Double = 0.3
) throws -> Contact {
  guard let from = IPAddress(client), let to = IPAddress(server) else { throw TestError.address }
  return Contact(
    start: Int64(second * 1e9), end: Int64((second + seconds) * 1e9), client: from, server: to,
    clientPort: clientPort, serverPort: port, transport: transport, isAnswered: answered,
    packetsOut: 5, packetsIn: answered ? 4 : 0, bytesOut: bytes, bytesIn: answered ? 300 : 0)
}

enum TestError: Error { case address }

func temporaryFile(_ name: String, _ text: String) throws -> String {
  let folder = FileManager.default.temporaryDirectory.appendingPathComponent(
    "detection-\(UUID().uuidString)")
  try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  let file = folder.appendingPathComponent(name)
  try Data(text.utf8).write(to: file)
  return file.path
}

func removeTemporary(_ path: String) {
  try? FileManager.default.removeItem(
    at: URL(fileURLWithPath: path).deletingLastPathComponent())
}
