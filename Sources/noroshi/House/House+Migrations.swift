import Casework
import FlowAnalysis
import Portal
import Store
import Telescope

extension House {
  /// Every step in the life of the database, of every system.
  static let migrations: [StoreMigration] =
    AuditTrail.migrations + CaseRegister.migrations + Outbox.migrations
    + TelescopeStore.migrations + Accounts.migrations + ServerRegister.migrations
    + AttackStore.migrations
}
