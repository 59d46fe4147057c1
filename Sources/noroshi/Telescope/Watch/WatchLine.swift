import NetworkTypes
import Telescope

/// A live capture as one line, for logs and pipes.
enum WatchLine {
  /// `2026-11-25T05:00:00Z eth1: 1,234 packets, 12 /s (syn-scan 10, udp-probe 2); …`.
  static func text(_ moment: WatchMoment) -> String {
    let classes = moment.rates.classes.filter { $0.value > 0 }
      .sorted { ($1.value, $0.key) < ($0.value, $1.key) }.prefix(3)
      .map { "\($0.key) \(Quantity.short($0.value, unit: ""))" }
    let time = moment.now.map { Timestamp(seconds: $0.seconds).description } ?? "no packet yet"
    var parts = [
      "\(time) \(moment.interface): \(Quantity.grouped(moment.counters.packets)) packets, "
        + "\(Quantity.short(moment.rates.packetsPerSecond, unit: ""))/s"
        + (classes.isEmpty ? "" : " (\(classes.joined(separator: ", ")))"),
      "dropped \(Quantity.grouped(moment.droppedBefore))",
      "outside \(Quantity.grouped(moment.counters.outsideDarkSpace))",
    ]
    for (count, what) in [
      (moment.glance.infectedCount, "infected"), (moment.glance.victimCount, "victims"),
      (moment.glance.alertCount, "alerts"),
    ] where count > 0 {
      parts.append("\(what) \(Quantity.grouped(count))")
    }
    return parts.joined(separator: "; ")
  }
}
