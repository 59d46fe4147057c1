import Parquet

/// Which rows of a group a question is about.
enum EventSelection {
  case none
  case all
  case rows([Int])
}

/// The conditions of a question, held against row groups: by their bounds first, then by their rows.
struct EventConditions {
  private let conditions: [EventQuery.Condition]
  private let holdings: EventQuery.Holdings?
  /// Whether a text that was met holds what a condition looks for: tools repeat.
  private var known: [[String: Bool]]

  /// Whether every event is meant.
  var isEmpty: Bool { conditions.isEmpty && holdings == nil }

  init(_ query: EventQuery) {
    // What is read fastest and leaves out most comes first.
    conditions = query.conditions.enumerated().sorted {
      (Self.cost($0.element.test), $0.offset) < (Self.cost($1.element.test), $1.offset)
    }.map(\.element)
    holdings = query.holdings
    known = conditions.map { _ in [:] }
  }

  private static func cost(_ test: EventQuery.Test) -> Int {
    switch test {
    case .addresses: 0
    case .integers: 1
    case .reals: 2
    case .words: 3
    case .contains: 4
    }
  }

  /// Whether a file can hold an event that is meant, by what the database says of it.
  func mayConcern(_ file: EventFile) -> Bool {
    conditions.allSatisfy { condition in
      guard case .integers(let ranges) = condition.test else { return true }
      switch condition.column {
      case .lastSeen: return ranges.contains { $0.overlaps(file.leastLast...file.last) }
      case .firstSeen: return ranges.contains { $0.overlaps(file.first...file.last) }
      default: return true
      }
    }
  }

  private enum Verdict { case never, always, unknown }

  private static func verdict<Bound>(
    _ bounds: ClosedRange<Bound>?, _ ranges: [ClosedRange<Bound>]
  ) -> Verdict {
    guard let bounds else { return .unknown }
    if !ranges.contains(where: { $0.overlaps(bounds) }) { return .never }
    return ranges.contains {
      $0.lowerBound <= bounds.lowerBound && $0.upperBound >= bounds.upperBound
    } ? .always : .unknown
  }

  private static func verdict(_ condition: EventQuery.Condition, _ group: EventGroup) -> Verdict {
    switch (condition.test, condition.column.kind) {
    case (.addresses(let ranges), .address): verdict(group.addressBounds(), ranges)
    case (.integers(let ranges), .integer), (.integers(let ranges), .moment):
      verdict(group.bounds(condition.column), ranges)
    case (.integers, .flag): .unknown
    case (.reals(let ranges), .real): verdict(group.realBounds(condition.column), ranges)
    case (.words, .word), (.contains, .word), (.contains, .list): .unknown
    default: .never
    }
  }

  /// The rows of a group that are meant, in their order.
  mutating func select(_ group: inout EventGroup) throws -> EventSelection {
    var rows: [Int]?
    for (place, condition) in conditions.enumerated() {
      switch Self.verdict(condition, group) {
      case .never: return .none
      case .always: continue
      case .unknown: break
      }
      let candidates = rows ?? Array(0..<group.rowCount)
      let chosen: [Int]
      switch condition.test {
      case .addresses(let ranges):
        let values = try group.addresses()
        chosen = candidates.filter { row in ranges.contains { $0.contains(values[row]) } }
      case .integers(let ranges):
        let values = try group.integers(condition.column)
        chosen = candidates.filter { row in ranges.contains { $0.contains(values[row]) } }
      case .reals(let ranges):
        let values = try group.reals(condition.column)
        chosen = candidates.filter { row in ranges.contains { $0.contains(values[row]) } }
      case .words(let words):
        let values = try group.octets(condition.column)
        chosen = candidates.filter { words.contains(values.text($0)) }
      case .contains(let parts):
        let values = try group.octets(condition.column)
        let parts = parts.map { $0.lowercased() }
        chosen = candidates.filter { row in
          let text = values.text(row)
          if let answer = known[place][text] { return answer }
          let lowered = text.lowercased()
          let answer = parts.contains { $0.isEmpty || lowered.contains($0) }
          // A hostile mix of texts must not fill the memory.
          if known[place].count < 65_536 { known[place][text] = answer }
          return answer
        }
      }
      if chosen.isEmpty { return .none }
      rows = chosen
    }
    if let holdings {
      let values = try group.addresses()
      let systems = holdings.systems.isEmpty ? [] : try group.integers(.asn)
      let chosen = (rows ?? Array(0..<group.rowCount)).filter { row in
        holdings.holds(values[row]) { UInt32(clamping: systems[row]) }
      }
      if chosen.isEmpty { return .none }
      rows = chosen
    }
    guard let rows else { return .all }
    return rows.count == group.rowCount ? .all : .rows(rows)
  }
}
