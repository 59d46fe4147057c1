import Glibc

/// How a flow's packets lie over half-second slots: evenly between its first and last moment.
struct Spread {
  /// Nanoseconds of a slot. Half a second, so that a second's window begins at most a quarter of a
  /// second from where it would catch most.
  static let slotNanoseconds: Int64 = 500_000_000

  let first: Int64
  let last: Int64
  /// Share of the flow in the first, in each of the middle, and in the last slot.
  let firstShare: Float
  let middleShare: Float
  let lastShare: Float

  static func slot(_ nanoseconds: Int64) -> Int64 {
    // Times are after 1970 here, so division rounds towards the past.
    nanoseconds / slotNanoseconds
  }

  /// Only slots from `oldest` on are in it.
  init(_ flow: AttackFlow, oldest: Int64) {
    let last = Self.slot(flow.end)
    let start = max(0, flow.start)
    let first = Self.slot(start)
    self.last = last
    guard first < last else {
      self.first = last
      firstShare = 1
      middleShare = 0
      lastShare = 1
      return
    }
    let duration = Float(flow.end &- start)
    let slot = Float(Self.slotNanoseconds)
    middleShare = slot / duration
    lastShare = Float(flow.end &- last &* Self.slotNanoseconds) / duration
    if first >= oldest {
      self.first = first
      firstShare = Float((first &+ 1) &* Self.slotNanoseconds &- start) / duration
    } else {
      self.first = min(oldest, last)
      firstShare = self.first == last ? lastShare : middleShare
    }
  }
}

/// The rates of one class of traffic to one host, block or prefix, and what is normal of them.
struct Meter {
  var latest = Int64.min
  var kind = TrafficKind.all
  var isInUse = false
  /// The greatest sampling rate of its flows.
  var samplingRate: Float = 1
  /// What the configuration says.
  var fixed = SIMD4<Float>(repeating: .infinity)
  /// What a learned limit is at least.
  var floor = SIMD4<Float>(repeating: .infinity)
  /// The lesser of what the configuration says and what was learned.
  var limit = SIMD4<Float>(repeating: .infinity)
  /// The greatest second of the running minute.
  var minutePeak = SIMD4<Float>(repeating: 0)
  /// Of the logarithms of minutes' greatest seconds: mean and mean absolute deviation.
  var mean = SIMD4<Float>(repeating: 0)
  var deviation = SIMD4<Float>(repeating: 0)
  var samples: UInt32 = 0
}

/// Flat memory for many meters: a ring of half-second slots for each, every slot holding packets,
/// bits and flows.
struct MeterBank {
  /// How far a window of one second is above the limits.
  enum Level: Int {
    case below
    /// Above the part of the limit at which an attack goes on.
    case going
    case above
  }

  let slots: Int
  private let mask: Int64
  private var cells: [SIMD4<Float>]
  var meters: [Meter]
  private var free: [Int32] = []
  private var used = 0
  private let capacity: Int
  private let endShare: Float
  private let deviations: Float
  /// The last slot of the latest addition whose window was above the part of the limit at which an
  /// attack goes on.
  private(set) var goingSlot: Int64 = 0
  /// The same for the whole limit, and the window's sums.
  private(set) var aboveSlot: Int64 = 0
  private(set) var aboveValue = SIMD4<Float>(repeating: 0)

  init(_ parameters: AttackParameters) {
    var slots = 8
    while slots < min(max(parameters.horizonSeconds, 4), 1_024) * 2 { slots *= 2 }
    self.slots = slots
    mask = Int64(slots - 1)
    capacity = max(64, parameters.largestMeterCount)
    cells = []
    meters = []
    endShare = Float(min(max(parameters.endShare, 0), 1))
    deviations = Float(max(0, parameters.samplingDeviations))
  }

  /// A meter with these limits; nil when all are taken.
  mutating func make(
    _ kind: TrafficKind, fixed: SIMD4<Float>, floor: SIMD4<Float>
  ) -> Int32? {
    let index: Int
    if let again = free.popLast() {
      index = Int(again)
    } else {
      guard used < capacity else { return nil }
      index = used
      used += 1
      meters.append(Meter())
      cells.append(contentsOf: repeatElement(.zero, count: slots))
    }
    meters[index] = Meter()
    meters[index].kind = kind
    meters[index].isInUse = true
    meters[index].fixed = fixed
    meters[index].limit = fixed
    meters[index].floor = floor
    for slot in 0..<slots { cells[index &* slots &+ slot] = .zero }
    return Int32(index)
  }

  mutating func release(_ meter: Int32) {
    meters[Int(meter)].isInUse = false
    free.append(meter)
  }

  /// Adds a flow's packets, bits and (in its last slot) flows, and says where the touched windows
  /// are.
  mutating func add(
    _ number: Int32, _ spread: Spread, amount: SIMD4<Float>, samplingRate: Float
  ) -> Level {
    let index = Int(number)
    let latest = meters[index].latest
    if spread.last > latest { clear(index, from: latest, to: spread.last) }
    let newest = meters[index].latest
    let oldest = newest &- Int64(slots) &+ 2
    if samplingRate > meters[index].samplingRate { meters[index].samplingRate = samplingRate }
    let base = index &* slots
    var perSlot = amount
    perSlot[2] = 0
    var slot = max(spread.first, oldest)
    guard slot <= spread.last else { return .below }
    let begin = slot
    while slot <= spread.last {
      var part: SIMD4<Float>
      if slot == spread.last {
        part = perSlot * spread.lastShare
        part[2] = amount[2]
      } else {
        part = perSlot * (slot == spread.first ? spread.firstShare : spread.middleShare)
      }
      cells[base &+ Int(slot & mask)] += part
      slot &+= 1
    }
    // Windows of a second that hold a touched slot.
    var level = Level.below
    let end = min(spread.last &+ 1, newest)
    var before = cells[base &+ Int((begin &- 1) & mask)]
    var peak = meters[index].minutePeak
    let limit = meters[index].limit
    slot = begin
    while slot <= end {
      let cell = cells[base &+ Int(slot & mask)]
      let window = before + cell
      before = cell
      slot &+= 1
      peak.replace(with: window, where: window .> peak)
      let going = window .>= limit * endShare
      guard any(going) else { continue }
      if level == .below { level = .going }
      goingSlot = slot &- 1
      guard any(window .>= limit), isSignificant(window, limit, meters[index].samplingRate) else {
        continue
      }
      level = .above
      aboveSlot = slot &- 1
      aboveValue = window
    }
    meters[index].minutePeak = peak
    return level
  }

  /// Whether what sampling leaves open does not matter: sampled packets are counted like rare
  /// events, with a variance of their number.
  private func isSignificant(
    _ window: SIMD4<Float>, _ limit: SIMD4<Float>, _ rate: Float
  ) -> Bool {
    // Flows are not scaled.
    if window[2] >= limit[2] { return true }
    guard rate > 1 else { return true }
    // Of n sampled packets the standard error is √n, relative 1/√n; for bits the same.
    let sampled = window[0] / rate
    guard sampled >= 1 else { return false }
    let relative = deviations / sampled.squareRoot()
    return window[0] * (1 - relative) >= limit[0] || window[1] * (1 - relative) >= limit[1]
  }

  private mutating func clear(_ index: Int, from latest: Int64, to last: Int64) {
    let base = index &* slots
    if latest == Int64.min || last &- latest >= Int64(slots) {
      for slot in 0..<slots { cells[base &+ slot] = .zero }
    } else {
      var slot = latest &+ 1
      while slot <= last {
        cells[base &+ Int(slot & mask)] = .zero
        slot &+= 1
      }
    }
    meters[index].latest = last
  }

  /// Packets, bits and flows of the second that ends with a slot; zero where it is not kept.
  func window(_ number: Int32, endingAt slot: Int64) -> SIMD4<Float> {
    cell(number, slot) + cell(number, slot &- 1)
  }

  private func cell(_ number: Int32, _ slot: Int64) -> SIMD4<Float> {
    let index = Int(number)
    let latest = meters[index].latest
    guard slot <= latest, slot > latest &- Int64(slots) else { return .zero }
    return cells[index &* slots &+ Int(slot & mask)]
  }

  /// The first slot of the stretch up to `slot` whose windows stay above the part of the limit at
  /// which an attack goes on, in the unit that was exceeded.
  func beginning(_ number: Int32, from slot: Int64, unit: Int) -> Int64 {
    let limit = meters[Int(number)].limit[unit] * endShare
    var first = slot
    while slot - first < Int64(slots) - 2, window(number, endingAt: first &- 1)[unit] >= limit {
      first &-= 1
    }
    // The window's second begins a slot before; take that where it holds anything.
    return cell(number, first &- 1)[unit] > 0 ? first &- 1 : first
  }
}
