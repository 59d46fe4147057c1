import GRDB
import NetworkTypes
import Settings
import Store

extension House {
  /// Deletes what the telescope stored of longer ago than `telescope.retention` says, and returns how
  /// many rows that were. Findings and cases stay: they are people's work.
  ///
  /// - Parameter moment: the end of the time that is counted back from.
  @discardableResult
  func forgetOldObservations(asOf moment: Timestamp, in store: DataStore) throws -> Int {
    let retention = configuration.telescope.retention
    let events = moment.advanced(bySeconds: -Double(retention.eventDays) * 86_400)
    let series = moment.advanced(bySeconds: -Double(retention.seriesDays) * 86_400)
    return try store.writer.write { database in
      // A house that never read a capture has no such tables yet.
      guard try database.tableExists("telescope_events") else { return 0 }
      var deleted = 0
      for (table, column, bound) in [
        ("telescope_events", "lastSeen", events.nanoseconds),
        ("telescope_hosts", "lastSeen", events.nanoseconds),
        ("telescope_alerts", "lastSeen", events.nanoseconds),
        ("telescope_victims", "\"end\"", series.nanoseconds),
        ("telescope_campaigns", "lastSeen", series.nanoseconds),
        // Bins are counted in seconds.
        ("telescope_series", "start", series.seconds),
      ] {
        try database.execute(
          sql: "DELETE FROM \(table) WHERE \(column) < ?", arguments: [bound])
        deleted += database.changesCount
      }
      return deleted
    }
  }
}
