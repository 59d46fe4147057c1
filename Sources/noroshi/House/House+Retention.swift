import NetworkTypes
import Settings
import Store
import Telescope

extension House {
  /// Deletes what the telescope stored of longer ago than `telescope.retention` says, events by whole
  /// hours, and returns how many rows that were. Findings and cases stay: they are people's work.
  ///
  /// - Parameter moment: the end of the time that is counted back from.
  @discardableResult
  func forgetOldObservations(asOf moment: Timestamp, in store: DataStore) throws -> Int {
    let retention = configuration.telescope.retention
    return try TelescopeStore(store).forget(
      eventsBefore: moment.advanced(bySeconds: -Double(retention.eventDays) * 86_400),
      seriesBefore: moment.advanced(bySeconds: -Double(retention.seriesDays) * 86_400))
  }
}
