public import NetworkTypes
public import Store

/// What an event consists of, under the names of the archive's files, of exports and of the API.
public enum EventColumn: String, Sendable, CaseIterable {
  case source
  case port
  case trafficClass = "class"
  case firstSeen = "first_seen"
  case lastSeen = "last_seen"
  case packets
  case bytes
  case destinations
  case destinationBlocks = "destination_blocks"
  case rate = "rate_pps"
  case rateLower = "rate_lower"
  case rateUpper = "rate_upper"
  case country
  case asn
  case tools
  case isClosed = "closed"
  case samples

  enum Kind { case address, integer, moment, flag, real, word, list, octets }

  var kind: Kind {
    switch self {
    case .source: .address
    case .port, .packets, .bytes, .asn: .integer
    case .firstSeen, .lastSeen: .moment
    case .destinations, .destinationBlocks, .rate, .rateLower, .rateUpper: .real
    case .trafficClass, .country: .word
    case .tools: .list
    case .isClosed: .flag
    case .samples: .octets
    }
  }

  /// A column by its name here, or by that of the event's property.
  init?(listName name: String) {
    let renamed = [
      "firstSeen": "first_seen", "lastSeen": "last_seen", "rate": "rate_pps",
      "isClosed": "closed",
    ]
    self.init(rawValue: renamed[name] ?? name)
    if self == .samples { return nil }
  }
}

/// Which events, in which order, which page of them.
///
/// ```swift
/// var query = EventQuery()
/// query.require(.source, .addresses([prefix.first.bits...prefix.last.bits]))
/// query.restrict(since: yesterday, until: nil)
/// let page = try store.events(query)
/// ```
public struct EventQuery: Sendable {
  /// What a value must be. Several ranges or words are alternatives.
  public enum Test: Sendable, Hashable {
    case addresses([ClosedRange<UInt128>])
    /// Whole numbers, nanoseconds since 1970, and flags as 0 and 1.
    case integers([ClosedRange<Int64>])
    case reals([ClosedRange<Double>])
    case words(Set<String>)
    /// Holds one of these texts, in any case.
    case contains([String])
  }

  /// Whose sources: those in the ranges, and those of the systems outside of what is claimed.
  public struct Holdings: Sendable {
    let ranges: [ClosedRange<UInt128>]
    let systems: Set<UInt32>
    let claimed: [ClosedRange<UInt128>]

    /// - Parameters:
    ///   - ranges: addresses that are held, in any order.
    ///   - systems: systems whose addresses are held where no prefix claims them.
    ///   - claimed: addresses of which a prefix decides, and not their system.
    public init(
      ranges: [ClosedRange<UInt128>], systems: [ASN] = [], claimed: [ClosedRange<UInt128>] = []
    ) {
      self.ranges = Self.joined(ranges)
      self.systems = Set(systems.map(\.number))
      self.claimed = Self.joined(claimed)
    }

    /// Ascending and apart from each other, so that a binary search finds the one that matters.
    private static func joined(_ ranges: [ClosedRange<UInt128>]) -> [ClosedRange<UInt128>] {
      var result: [ClosedRange<UInt128>] = []
      for range in ranges.sorted(by: { $0.lowerBound < $1.lowerBound }) {
        if let last = result.last, last.upperBound >= range.lowerBound {
          result[result.count - 1] =
            last.lowerBound...max(last.upperBound, range.upperBound)
        } else {
          result.append(range)
        }
      }
      return result
    }

    func holds(_ address: UInt128, system: () -> UInt32) -> Bool {
      if Self.contains(ranges, address) { return true }
      guard !systems.isEmpty, !Self.contains(claimed, address) else { return false }
      return systems.contains(system())
    }

    private static func contains(_ ranges: [ClosedRange<UInt128>], _ address: UInt128) -> Bool {
      var low = 0
      var high = ranges.count
      while low < high {
        let middle = (low + high) / 2
        if ranges[middle].upperBound < address { low = middle + 1 } else { high = middle }
      }
      return low < ranges.count && ranges[low].contains(address)
    }
  }

  struct Condition: Sendable {
    let column: EventColumn
    let test: Test
  }

  private(set) var conditions: [Condition] = []
  /// Nil for whoever may see everything.
  public var holdings: Holdings?
  /// Ties are broken by source, port, class and first sighting, upwards.
  public var order = EventColumn.lastSeen
  public var isDescending = true
  /// Not negative.
  public var offset = 0
  /// At least 1.
  public var limit = 100
  /// Sampled packets take most of the time of a page; without them, events have none.
  public var wantsSamples = true

  public init() {}

  /// Adds a condition; all must hold. A test of another kind than the column's never holds.
  public mutating func require(_ column: EventColumn, _ test: Test) {
    conditions.append(Condition(column: column, test: test))
  }

  /// Only events that went on in this time.
  ///
  /// - Parameters:
  ///   - since: events whose last packet came before are left out.
  ///   - until: events whose first packet came at or after it are left out.
  public mutating func restrict(since: Timestamp?, until: Timestamp?) {
    if let since { require(.lastSeen, .integers([since.nanoseconds...Int64.max])) }
    if let until, until.nanoseconds > .min {
      require(.firstSeen, .integers([Int64.min...until.nanoseconds - 1]))
    }
  }
}

extension EventQuery {
  /// The question of a list in the words of ``ListQuery``; its free text is looked for in the tools.
  ///
  /// - Throws: `ListQueryError` for a column that events have not, or a value that it cannot have.
  public init(_ list: ListQuery) throws {
    for (name, value) in list.filters.sorted(by: { $0.key < $1.key }) { try add(name, value) }
    if let search = list.search, !search.isEmpty { require(.tools, .contains([search])) }
    if let sort = list.sort {
      guard let column = EventColumn(listName: sort.column) else { throw Self.unknown(sort.column) }
      order = column
      isDescending = !sort.isAscending
    }
    offset = list.offset
    limit = list.limit
  }

  private static func unknown(_ name: String) -> ListQueryError {
    .unknownColumn(
      name, known: EventColumn.allCases.filter { $0 != .samples }.map(\.rawValue))
  }

  private mutating func add(_ name: String, _ value: String) throws {
    if let column = EventColumn(listName: name) {
      let parts = value.split(separator: "|", omittingEmptySubsequences: false).map(String.init)
      try require(column, Self.equal(column, parts, name))
      return
    }
    for suffix in ["_min", "_from", "_max", "_to", "_contains"] where name.hasSuffix(suffix) {
      guard let column = EventColumn(listName: String(name.dropLast(suffix.count))) else {
        continue
      }
      if suffix == "_contains" {
        require(column, .contains([value]))
      } else {
        require(
          column,
          try Self.bound(column, value, name, isLower: suffix == "_min" || suffix == "_from"))
      }
      return
    }
    throw Self.unknown(name)
  }

  private static func equal(_ column: EventColumn, _ values: [String], _ name: String) throws
    -> Test
  {
    switch column.kind {
    case .address:
      return .addresses(
        try values.map { text in
          guard let prefix = IPPrefix(text) else {
            throw ListQueryError.badValue(
              column: name, value: text, expected: "an address or a prefix")
          }
          return prefix.first.bits...prefix.last.bits
        })
    case .integer, .moment, .flag:
      return .integers(
        try values.map { text in
          let number = try whole(column, text, name)
          return number...number
        })
    case .real:
      return .reals(
        try values.map { text in
          let number = try real(text, name)
          return number...number
        })
    case .word, .octets: return .words(Set(values))
    case .list: return .contains(values)
    }
  }

  private static func bound(
    _ column: EventColumn, _ text: String, _ name: String, isLower: Bool
  ) throws -> Test {
    switch column.kind {
    case .integer, .moment, .flag:
      let number = try whole(column, text, name)
      return .integers([isLower ? number...Int64.max : Int64.min...number])
    case .real:
      let number = try real(text, name)
      return .reals([isLower ? number...Double.infinity : -Double.infinity...number])
    case .address:
      guard let prefix = IPPrefix(text) else {
        throw ListQueryError.badValue(column: name, value: text, expected: "an address or a prefix")
      }
      return .addresses([isLower ? prefix.first.bits...UInt128.max : 0...prefix.last.bits])
    case .word, .list, .octets: throw unknown(name)
    }
  }

  private static func real(_ text: String, _ name: String) throws -> Double {
    guard let number = Double(text), number.isFinite else {
      throw ListQueryError.badValue(column: name, value: text, expected: "a number")
    }
    return number
  }

  private static func whole(_ column: EventColumn, _ text: String, _ name: String) throws -> Int64 {
    let number: Int64?
    let expected: String
    switch column.kind {
    case .moment:
      number = Timestamp(text)?.nanoseconds ?? Int64(text)
      expected = "a time"
    case .flag:
      number = ["true": 1, "1": 1, "false": 0, "0": 0][text]
      expected = "true or false"
    default:
      number =
        column == .asn && text.uppercased().hasPrefix("AS")
        ? UInt32(text.dropFirst(2)).map(Int64.init) : Int64(text)
      expected = column == .asn ? "a system number" : "a whole number"
    }
    guard let number else {
      throw ListQueryError.badValue(column: name, value: text, expected: expected)
    }
    return number
  }
}
