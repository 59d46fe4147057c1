import GRDB
import NetworkTypes
import Settings
import Store

extension House {
  /// Deletes what the telescope stored longer ago than `telescope.retention` says. Findings and cases
  /// stay: they are people's work.
  ///
  /// - Parameter moment: the time of the data, so that a replay deletes what the live run did.
  func forgetOldObservations(asOf moment: Timestamp, in store: DataStore) throws {
    let retention = configuration.telescope.retention
    let events = moment.advanced(bySeconds: -Double(retention.eventDays) * 86_400).nanoseconds
    let oldest = moment.advanced(bySeconds: -Double(retention.seriesDays) * 86_400)
    try store.writer.write { database in
      // A house that never read a capture has no such tables yet.
      guard try database.tableExists("telescope_events") else { return }
      for (table, column, bound) in [
        ("telescope_events", "lastSeen", events), ("telescope_hosts", "lastSeen", events),
        ("telescope_alerts", "lastSeen", events),
        ("telescope_victims", "\"end\"", oldest.nanoseconds),
        ("telescope_campaigns", "lastSeen", oldest.nanoseconds),
        // Bins are counted in whole seconds.
        ("telescope_series", "start", oldest.seconds),
      ] {
        try database.execute(
          sql: "DELETE FROM \(table) WHERE \(column) < ?", arguments: [bound])
      }
    }
  }
}
