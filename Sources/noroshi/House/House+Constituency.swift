import Constituency
import GRDB
import NetworkTypes
import Store

extension House {
  var constituencyFile: ConstituencyFile { ConstituencyFile(path: data.constituency) }

  /// The organisations; none where there is no file yet.
  func constituency() throws -> Constituency { try constituencyFile.load() }

  /// - Throws: ``CommandFailure`` when there is no organisation of this identifier.
  @discardableResult
  func requireOrganisation(_ id: String) throws -> Organisation {
    let constituency = try constituency()
    guard let organisation = constituency[id] else {
      let known = constituency.organisations.map(\.id)
      throw CommandFailure(
        "There is no organisation \(id)",
        advice: known.isEmpty
          ? "`noroshi org add` adds one."
          : "There are: \(known.prefix(20).joined(separator: ", ")).",
        status: .badData)
    }
    return organisation
  }

  /// Changes the constituency and says so in the audit trail.
  func editConstituency(
    action: String, subject: String, details: [String: String] = [:],
    _ change: (inout Constituency) throws -> Void
  ) throws {
    let store = try store()
    try constituencyFile.edit(change)
    try record(action, subject: subject, details: details, in: store)
  }

  /// Writes what the person at the terminal did, or a part of Noroshi itself, into the audit trail.
  func record(
    _ action: String, subject: String, details: [String: String] = [:],
    by actor: AuditEntry.Actor = Self.operator, in store: DataStore
  ) throws {
    let trail = AuditTrail(store: store)
    try store.writer.write { database in
      _ = try trail.append(
        AuditEntry(
          nanoseconds: Self.now.nanoseconds, actor: actor, action: action, subject: subject,
          details: details), in: database)
    }
  }
}
