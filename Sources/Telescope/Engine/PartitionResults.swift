import NetworkTypes
import Sketches

/// What a partition has finished and the engine has not yet collected.
struct PartitionResults {
  var closedEvents: [TelescopeEvent] = []
  var closedVictims: [VictimEvent] = []
  var closedAlerts: [AlertRecord] = []
  /// Sources that were forgotten and about which there was something to say.
  var departed: [SourceSummary] = []
  var cells: SeriesCells
  var sources = HyperLogLog(precision: 14)
  var evictedEvents: UInt64 = 0
  var evictedSources: UInt64 = 0
  var evictedVictims: UInt64 = 0
  var evictedPackets: UInt64 = 0
  var unsampled: UInt64 = 0

  init(parameters: TelescopeParameters) {
    cells = SeriesCells(limit: parameters.seriesKeysPerPartition)
  }
}

struct AlertRecord {
  var member: UInt16
  var reach: MemberAlert.Reach
  var entry: AlertEntry
  var destinations: Double
  var isClosed: Bool
}
