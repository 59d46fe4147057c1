import NetworkTypes
import Parquet
import Store

/// Answers a question from files of the archive: which rows, the first of them in order, and how many
/// there are in all.
///
/// Each row group is decoded by the columns that the conditions need, and none that cannot hold what is
/// looked for. Of what is left only the order's column is read, and rows that cannot be on the page are
/// dropped at once; the page's events are read at the end.
struct EventSearch {
  /// A row that may be on the page.
  private struct Candidate {
    /// The order's column as a number of the same order; zero when it is the source.
    var rank: Int64
    var key: EventKey
    var file: Int32
    var group: Int32
    var row: Int32
  }

  private let archive: EventArchive
  private let query: EventQuery
  private var conditions: EventConditions
  private var best: [Candidate] = []
  /// Rows behind this one are not on the page.
  private var worst: Candidate?
  private let wanted: Int
  private var total = 0

  init(_ query: EventQuery, in archive: EventArchive) throws {
    self.archive = archive
    self.query = query
    conditions = EventConditions(query)
    let deepest = archive.parameters.deepestRow
    guard query.offset >= 0, query.limit >= 1, query.offset <= deepest - min(query.limit, deepest)
    else {
      throw TelescopeError.storage(
        "pages of events end at row \(deepest); narrow the question down by time or port, or write "
          + "all rows with `noroshi telescope export events`")
    }
    wanted = query.offset + min(query.limit, deepest)
  }

  mutating func page(of files: [EventFile]) throws -> ListPage<TelescopeEvent> {
    var files = files.filter { conditions.mayConcern($0) }
    if query.order == .lastSeen, !query.isDescending { files.reverse() }
    for (number, file) in files.enumerated() {
      if conditions.isEmpty {
        total += file.rows
        if isBehind(file) { continue }
      }
      let reader = try archive.reader(of: file.name)
      for group in reader.rowGroups {
        var group = EventGroup(reader, group)
        try examine(&group, file: Int32(clamping: number), place: group.number)
      }
    }
    prune(to: wanted)
    let chosen = Array(best.dropFirst(query.offset))
    return ListPage(rows: try events(of: chosen, files), total: total)
  }

  private mutating func examine(_ group: inout EventGroup, file: Int32, place: Int) throws {
    let selection = try conditions.select(&group)
    switch selection {
    case .none: return
    case .all:
      if !conditions.isEmpty { total += group.rowCount }
      guard !isBehind(group) else { return }
      try gather(0..<group.rowCount, &group, file, Int32(clamping: place))
    case .rows(let rows):
      total += rows.count
      guard !isBehind(group) else { return }
      try gather(rows, &group, file, Int32(clamping: place))
    }
  }

  // MARK: The page

  /// Whether no event of a file can be on the page, as far as the database tells.
  private func isBehind(_ file: EventFile) -> Bool {
    guard let worst, query.order == .lastSeen else { return false }
    return query.isDescending ? file.last < worst.rank : file.leastLast > worst.rank
  }

  private func isBehind(_ group: EventGroup) -> Bool {
    guard let worst else { return false }
    if query.order == .source {
      guard let bounds = group.addressBounds() else { return false }
      return query.isDescending
        ? bounds.upperBound < worst.key.source : bounds.lowerBound > worst.key.source
    }
    let bounds: ClosedRange<Int64>?
    switch query.order.kind {
    case .integer, .moment: bounds = group.bounds(query.order)
    case .real:
      bounds = group.realBounds(query.order).map {
        Self.rank($0.lowerBound)...max(Self.rank($0.lowerBound), Self.rank($0.upperBound))
      }
    default: bounds = nil
    }
    guard let bounds else { return false }
    return query.isDescending ? bounds.upperBound < worst.rank : bounds.lowerBound > worst.rank
  }

  private mutating func gather(
    _ rows: some Sequence<Int>, _ group: inout EventGroup, _ file: Int32, _ place: Int32
  ) throws {
    let ranks = try ranks(&group)
    let isDescending = query.isDescending
    var passing: [Int] = []
    for row in rows {
      if let worst, let ranks,
        isDescending ? ranks[row] < worst.rank : ranks[row] > worst.rank
      {
        continue
      }
      passing.append(row)
    }
    guard !passing.isEmpty else { return }
    let addresses = try group.addresses()
    if let worst, ranks == nil {
      passing.removeAll { row in
        isDescending ? addresses[row] < worst.key.source : addresses[row] > worst.key.source
      }
      guard !passing.isEmpty else { return }
    }
    let ports = try group.integers(.port)
    let classes = try group.octets(.trafficClass)
    let first = try group.integers(.firstSeen)
    for row in passing {
      let candidate = Candidate(
        rank: ranks?[row] ?? 0,
        key: EventKey(
          source: addresses[row], port: UInt16(clamping: ports[row]),
          classRank: EventLayout.ranksByName[classes.text(row)] ?? 255, firstSeen: first[row]),
        file: file, group: place, row: Int32(clamping: row))
      if let worst,
        !Self.precedes(candidate, worst, isDescending: isDescending, bySource: ranks == nil)
      {
        continue
      }
      best.append(candidate)
      if best.count >= 2 * wanted + 4_096 { prune(to: wanted) }
    }
  }

  /// Only the order's column goes by its direction; ties go upwards by source, port, class and first
  /// sighting.
  private static func precedes(
    _ left: Candidate, _ right: Candidate, isDescending: Bool, bySource: Bool
  ) -> Bool {
    if left.rank != right.rank {
      return isDescending ? left.rank > right.rank : left.rank < right.rank
    }
    if bySource, isDescending, left.key.source != right.key.source {
      return left.key.source > right.key.source
    }
    return left.key < right.key
  }

  private mutating func prune(to count: Int) {
    let isDescending = query.isDescending
    let bySource = query.order == .source
    best.sort { Self.precedes($0, $1, isDescending: isDescending, bySource: bySource) }
    guard best.count >= count else { return }
    best.removeSubrange(count...)
    worst = best.last
  }

  // MARK: Orders

  /// A number of the same order as the real number.
  private static func rank(_ value: Double) -> Int64 {
    let bits = Int64(bitPattern: (value == 0 ? 0 : value).bitPattern)
    return bits >= 0 ? bits : bits ^ Int64.max
  }

  /// Of each row, its place in the order; nil when the source itself is the order.
  private func ranks(_ group: inout EventGroup) throws -> [Int64]? {
    switch query.order.kind {
    case .address: return nil
    case .integer, .moment, .flag: return try group.integers(query.order)
    case .real: return try group.reals(query.order).map(Self.rank)
    case .word, .list, .octets:
      let texts = try group.octets(query.order)
      return (0..<texts.count).map { row in
        if query.order == .trafficClass {
          return Int64(EventLayout.ranksByName[texts.text(row)] ?? 255)
        }
        // Country codes have two octets; of longer texts the first eight decide.
        let octets = texts[row].prefix(8)
        let word =
          octets.reduce(UInt64(0)) { $0 << 8 | UInt64($1) } << UInt64(8 * (8 - octets.count))
        return Int64(bitPattern: word ^ (1 << 63))
      }
    }
  }

  // MARK: Events

  private func events(of chosen: [Candidate], _ files: [EventFile]) throws -> [TelescopeEvent] {
    var places: [Int64: [Int]] = [:]
    for (place, candidate) in chosen.enumerated() {
      places[Int64(candidate.file) << 32 | Int64(candidate.group), default: []].append(place)
    }
    var result = [TelescopeEvent?](repeating: nil, count: chosen.count)
    for (address, members) in places {
      let reader = try archive.reader(of: files[Int(address >> 32)].name)
      var group = EventGroup(reader, reader.rowGroups[Int(address & 0xffff_ffff)])
      let events = try group.events(
        members.map { Int(chosen[$0].row) }, withSamples: query.wantsSamples)
      for (place, event) in zip(members, events) { result[place] = event }
    }
    return result.compactMap { $0 }
  }
}
