import Foundation
import GRDB
import Portal
import Store

/// What lies in the database and the constituency.
enum StoreChecks {
  static func run(_ house: House) async -> [Diagnosis] {
    guard FileManager.default.fileExists(atPath: house.data.database) else { return [] }
    do {
      let store = try DataStore(path: house.data.database)
      try store.migrate(House.migrations)
      try store.checkIntegrity()
      var diagnoses = [Diagnosis.ok("database", "\(house.data.database) is sound")]
      let isCurrent = try await store.writer.read { try $0.tableExists("portal_accounts") }
      if isCurrent, try await house.accounts(store).all().isEmpty {
        diagnoses.append(
          .note(
            "accounts", "nobody can sign in to the portal",
            "`noroshi user add NAME --role administrator`"))
      }
      return diagnoses
    } catch {
      return [.fault("database", "\(error)", "see docs/troubleshooting.md, “The database”")]
    }
  }
}
