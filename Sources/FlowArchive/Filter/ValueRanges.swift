import NetworkTypes

/// A set of numbers as ranges that are ascending and do not touch.
struct ValueRanges<Value: FixedWidthInteger & UnsignedInteger & BitwiseCopyable & Sendable>:
  Sendable
{
  private(set) var lows: [Value] = []
  private(set) var highs: [Value] = []
  /// For several ranges within 16 bits, whether each number is in the set.
  private(set) var table: [UInt8] = []

  init(_ ranges: [ClosedRange<Value>]) {
    for range in ranges.sorted(by: { $0.lowerBound < $1.lowerBound }) {
      if let last = highs.last, last == .max || range.lowerBound <= last + 1 {
        highs[highs.count - 1] = max(last, range.upperBound)
      } else {
        lows.append(range.lowerBound)
        highs.append(range.upperBound)
      }
    }
    if lows.count > 1, let greatest = highs.last, greatest <= 0xffff {
      table = [UInt8](repeating: 0, count: 65_536)
      for (low, high) in zip(lows, highs) {
        for value in Int(low)...Int(high) { table[value] = 1 }
      }
    }
  }

  var isEmpty: Bool { lows.isEmpty }

  func contains(_ value: Value) -> Bool {
    if !table.isEmpty { return value <= 0xffff && table[Int(value)] == 1 }
    var low = 0
    var high = lows.count
    while low < high {
      let middle = (low + high) / 2
      if highs[middle] < value { low = middle + 1 } else { high = middle }
    }
    return low < lows.count && lows[low] <= value
  }

  /// Whether some, all or none of the numbers of a range are in the set.
  func outcome(_ range: ClosedRange<Value>?) -> PruneOutcome {
    guard let range else { return .some }
    var isSome = false
    for (low, high) in zip(lows, highs) where low <= range.upperBound && high >= range.lowerBound {
      if low <= range.lowerBound && high >= range.upperBound { return .all }
      isSome = true
    }
    return isSome ? .some : .none
  }
}

/// What is known of a filter's truth over a whole row group.
enum PruneOutcome: Sendable {
  case none, some, all

  var inverted: PruneOutcome {
    switch self {
    case .none: .all
    case .some: .some
    case .all: .none
    }
  }
}
