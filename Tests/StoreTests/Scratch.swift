import Foundation
import GRDB
import Store

/// A directory that is removed with the value.
final class ScratchDirectory: Sendable {
  let path: String

  init() throws {
    path =
      FileManager.default.temporaryDirectory
      .appendingPathComponent("noroshi-store-\(UUID().uuidString)").path
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  func file(_ name: String) -> String { path + "/" + name }
}

extension AuditEntry {
  static func step(_ number: Int, details: [String: String] = [:]) -> AuditEntry {
    AuditEntry(
      nanoseconds: 1_700_000_000_000_000_000 + Int64(number), actor: .user("hanako"),
      action: number.isMultiple(of: 2) ? "case.opened" : "case.closed", subject: "C-\(number)",
      details: details)
  }
}

extension DataStore {
  /// A trail with entries 1...count.
  func trail(_ count: Int) throws -> AuditTrail {
    try migrate(AuditTrail.migrations)
    let trail = AuditTrail(store: self)
    for number in stride(from: 1, through: count, by: 1) {
      try writer.write { _ = try trail.append(.step(number, details: ["n": "\(number)"]), in: $0) }
    }
    return trail
  }

  /// What somebody with the file and an SQLite shell can do.
  func tamper(_ sql: String) throws {
    try writer.write { database in
      try database.execute(
        sql: "DROP TRIGGER audit_trail_keeps_rows; DROP TRIGGER audit_trail_keeps_content")
      try database.execute(sql: sql)
    }
  }
}

extension AuditVerification {
  var brokenSequence: Int64? { if case .broken(let sequence, _) = self { sequence } else { nil } }
  var reason: String? { if case .broken(_, let reason) = self { reason } else { nil } }
}
