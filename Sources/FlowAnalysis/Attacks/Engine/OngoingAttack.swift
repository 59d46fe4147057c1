import NetworkTypes

/// An attack while it goes on.
final class OngoingAttack {
  let place: Int
  let id: String
  let target: IPPrefix
  let entity: Int32
  /// The other entities whose rates told of it.
  var aliases: [Int32] = []
  let isCarpet: Bool
  let network: IPPrefix?
  let start: Int64
  let detected: Timestamp
  var lastOver: Int64
  let trigger: AttackTrigger
  var peak = AttackRate()
  var peakSlot: Int64
  var series = RateSeries()
  /// The last second that is in the series.
  var seriesSecond: Int64
  var lastTold: Int64
  var profile: AttackProfile

  init(
    place: Int, target: IPPrefix, entity: Int32, isCarpet: Bool, network: IPPrefix?,
    startSlot: Int64, detected: Timestamp, lastOver: Int64, trigger: AttackTrigger,
    profile: AttackProfile
  ) {
    self.place = place
    self.target = target
    self.entity = entity
    self.isCarpet = isCarpet
    self.network = network
    start = startSlot * Spread.slotNanoseconds
    self.detected = detected
    self.lastOver = lastOver
    self.trigger = trigger
    self.profile = profile
    peakSlot = startSlot
    seriesSecond = (startSlot >> 1) - 1
    lastTold = (startSlot >> 1)
    id = Attack.identifier(start: Timestamp(nanoseconds: start), target: target)
  }
}

extension Attack {
  /// `20261125T114500Z-203.0.113.7`; for a prefix `20261125T114500Z-203.0.113.0-24`.
  static func identifier(start: Timestamp, target: IPPrefix) -> String {
    let moment = Timestamp(seconds: start.seconds).description
      .replacing("-", with: "").replacing(":", with: "")
    let isHost = target.length == target.address.bitWidth
    return "\(moment)-\(target.address)" + (isHost ? "" : "-\(target.length)")
  }
}
