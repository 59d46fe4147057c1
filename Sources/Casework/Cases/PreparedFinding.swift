import Findings
import Foundation
import Store
import Synchronization

/// A finding with what the tables need of it: its identifier and its document take as long to make as
/// the rest of its way, and depend on nothing, so they are made on another core.
struct PreparedFinding: Sendable {
  let finding: Finding
  let id: String
  let document: String

  /// How many are made while as many are taken: our own choice, a few milliseconds' work.
  private static let portion = 1_024

  /// Hands findings over in their order, each portion made while the one before is taken.
  static func forEach(
    of findings: [Finding], _ body: (PreparedFinding) throws -> Void
  ) throws {
    var next = Portion(findings[..<min(portion, findings.count)])
    var start = next.findings.endIndex
    while true {
      let current = next
      let isLast = start >= findings.count
      if !isLast {
        next = Portion(findings[start..<min(start + portion, findings.count)])
        start = next.findings.endIndex
      }
      for prepared in try current.wait() { try body(prepared) }
      if isLast { return }
    }
  }

  /// Findings on their way through another thread.
  private final class Portion: Sendable {
    let findings: ArraySlice<Finding>
    private let group = DispatchGroup()
    private let made = Mutex<Result<[PreparedFinding], any Error>?>(nil)

    init(_ findings: ArraySlice<Finding>) {
      self.findings = findings
      DispatchQueue.global(qos: .userInitiated).async(group: group) { [self] in
        let encoder = DocumentEncoder()
        let result = Result {
          try findings.map { finding in
            PreparedFinding(
              finding: finding, id: finding.id, document: try encoder.text(of: finding))
          }
        }
        made.withLock { $0 = result }
      }
    }

    func wait() throws -> [PreparedFinding] {
      group.wait()
      return try made.withLock { $0 }?.get() ?? []
    }
  }
}
