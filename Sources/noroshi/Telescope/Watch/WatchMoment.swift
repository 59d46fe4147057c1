import NetworkTypes
import PacketCapture
import Telescope

/// What a live view shows at one moment.
struct WatchMoment {
  var interface: String
  var space: DarkSpace
  /// The time of the last packet; nil before the first.
  var now: Timestamp?
  var elapsedSeconds: Double
  var counters = TelescopeCounters()
  var rates = WatchRates()
  var statistics = LiveCapture.Statistics()
  var glance = TelescopeGlance()
  var secondsSinceSave: Double?

  /// `198.51.100.0/24 and 2 more`.
  var spaceText: String {
    let first = space.networks.first?.prefix.description ?? ""
    let more = space.networks.count - 1
    return more > 0 ? "\(first) and \(more) more" : first
  }

  /// Packets that a full buffer or the driver lost before we saw them.
  var droppedBefore: Int { statistics.droppedByKernel + statistics.droppedByInterface }

  /// Packets that could not be decoded.
  var undecoded: UInt64 { counters.undecoded.values.reduce(0, +) }

  /// Events, sources and victims that were forgotten under the memory limit.
  var forgotten: UInt64 {
    counters.evictedEvents + counters.evictedSources + counters.evictedVictims
  }
}

/// How fast the counters of a live capture grow.
struct WatchRates {
  private(set) var packetsPerSecond = 0.0
  private(set) var bitsPerSecond = 0.0
  /// By class.
  private(set) var classes: [String: Double] = [:]
  private var last: (counters: TelescopeCounters, at: Double)?

  /// Takes in the counters at a moment, in seconds since the start of the view.
  mutating func update(_ counters: TelescopeCounters, at seconds: Double) {
    defer { last = (counters, seconds) }
    guard let last, seconds > last.at else { return }
    let interval = seconds - last.at
    func rate(_ new: UInt64, _ old: UInt64) -> Double {
      new >= old ? Double(new - old) / interval : 0
    }
    packetsPerSecond = rate(counters.packets, last.counters.packets)
    bitsPerSecond = 8 * rate(counters.bytes, last.counters.bytes)
    classes = [:]
    for (name, count) in counters.byClass {
      classes[name] = rate(count, last.counters.byClass[name] ?? 0)
    }
  }
}
