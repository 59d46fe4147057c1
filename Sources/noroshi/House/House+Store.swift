import Foundation
import GRDB
import Glibc
import Logging
import NetworkTypes
import Portal
import Settings
import Store

extension House {
  /// The database, brought up to date.
  ///
  /// - Throws: ``CommandFailure`` without a data directory, `StoreError` for a database that is of a
  ///   newer version or cannot be opened.
  func store() throws -> DataStore {
    try requireData()
    return try openStore()
  }

  /// The same where the data directory was just made.
  func openStore() throws -> DataStore {
    let isNew = !FileManager.default.fileExists(atPath: data.database)
    let store = try DataStore(path: data.database)
    if isNew { chmod(data.database, 0o600) }
    try store.migrate(Self.migrations)
    return store
  }

  /// The accounts of the portal; what is done to them is in the audit trail.
  func accounts(_ store: DataStore) throws -> Accounts {
    try Accounts(
      store: store, trail: AuditTrail(store: store), parameters: portalParameters,
      now: { House.now })
  }

  var portalParameters: PortalParameters {
    var parameters = PortalParameters()
    parameters.sessionSeconds = Int64(configuration.portal.sessionHours) * 3_600
    parameters.sessionIdleSeconds = min(parameters.sessionIdleSeconds, parameters.sessionSeconds)
    return parameters
  }

  /// Who sits at the terminal; behind sudo, the person and not root.
  static var `operator`: AuditEntry.Actor {
    let environment = ProcessInfo.processInfo.environment
    if geteuid() == 0, let name = environment["SUDO_USER"], !name.isEmpty {
      return .commandLine(name)
    }
    if let entry = getpwuid(getuid()) {
      return .commandLine(String(cString: entry.pointee.pw_name))
    }
    return .commandLine(String(getuid()))
  }
}
