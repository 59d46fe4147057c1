import Foundation
import GRDB
import NetworkTypes
import Store
import Testing

@testable import Telescope

@Suite("The archive of events")
struct EventArchiveTests {
  /// A small generator, so that every run sees the same events.
  struct Dice {
    var state: UInt64
    mutating func next(_ bound: UInt64) -> UInt64 {
      state ^= state << 13
      state ^= state >> 7
      state ^= state << 17
      return state % bound
    }
  }

  static let start: Int64 = 1_760_000_400 * 1_000_000_000

  static func events(_ count: Int, seed: UInt64 = 7, hours: UInt64 = 3) -> [TelescopeEvent] {
    var dice = Dice(state: seed)
    let tools = [[], ["Mirai"], ["ZMap ≥ 4.1"], ["masscan", "nmap"]]
    let countries = ["JP", "US", "CN", "BR"]
    return (0..<count).map { number in
      let source =
        number % 10 == 9
        ? IPAddress(high: 0xfe80_0db8_0000_0000, low: dice.next(1 << 20))
        : IPAddress(v4: 0x1401_0000 &+ UInt32(dice.next(1 << 14)))
      let last = start + Int64(dice.next(hours * 3_600)) * 1_000_000_000
      let packets = 1 + dice.next(400)
      return TelescopeEvent(
        source: source, port: UInt16([23, 80, 445, 2_323][Int(dice.next(4))]),
        trafficClass: [.synScan, .udpProbe, .synAckBackscatter][Int(dice.next(3))],
        // The number makes keys unique.
        firstSeen: Timestamp(nanoseconds: last - 600_000_000_000 + Int64(number)),
        lastSeen: Timestamp(nanoseconds: last), packets: packets, bytes: packets * 54,
        destinations: Double(packets) / 2, destinationBlocks: 2.5,
        rate: RateEstimate(
          packetsPerSecond: Double(packets) * 0.75, lower: Double(packets) / 2,
          upper: Double(packets) * 2),
        country: CountryCode(countries[Int(dice.next(4))]) ?? .unknown,
        asn: ASN(UInt32(64_500 + dice.next(5))), tools: tools[Int(dice.next(4))],
        samples: number % 5 == 0 ? [[1, 2, 3], [], [UInt8(number & 255)]] : [], isClosed: true)
    }
  }

  private func record(
    _ store: TelescopeStore, _ events: [TelescopeEvent], open: [TelescopeEvent] = [],
    generation: Int
  ) throws {
    var results = TelescopeResults()
    results.events = events
    try store.record(results, inputs: [], generation: generation, now: nil) { consume in
      for event in open { try consume(event) }
    }
  }

  private static let tiny: EventArchiveParameters = {
    var parameters = EventArchiveParameters()
    parameters.rowsPerGroup = 64
    parameters.filesPerHour = 3
    parameters.rowsPerRun = 100
    return parameters
  }()

  private static func key(_ event: TelescopeEvent) -> EventKey { EventKey(event) }

  private func files(in store: TelescopeStore) -> Set<String> {
    let names = FileManager.default.enumerator(atPath: store.eventDirectory)?.compactMap {
      $0 as? String
    }
    return Set((names ?? []).filter { $0.contains(".parquet") })
  }

  @Test("gives back every property of every event, those that are going on too")
  func roundTrip() throws {
    let store = try TelescopeStore(DataStore.inMemory(), parameters: Self.tiny)
    let events = Self.events(1_000)
    let open = Self.events(300, seed: 99).map { event in
      var event = event
      event.isClosed = false
      return event
    }
    try record(store, events, open: open, generation: 1)
    var query = EventQuery()
    query.order = .source
    query.isDescending = false
    query.limit = 5_000
    let page = try store.events(query)
    #expect(page.total == 1_300)
    #expect(page.rows == (events + open).sorted { Self.key($0) < Self.key($1) })
  }

  @Test(
    "answers filters, orders and pages as a filter and a sort of all events does",
    arguments: [
      "", "source=20.1.0.0/20", "source=fe80:db8::/64", "source=20.1.2.3", "port=23|80",
      "class=syn-scan", "packets_min=390", "packets_max=5", "tools_contains=mirai",
      "tools_contains=MASS", "country=JP", "asn=AS64503", "closed=false", "rate_pps_min=290.5",
      "last_seen_from=2025-10-09T10:30:00Z", "last_seen_to=2025-10-09T09:30:00Z",
      "first_seen_from=2025-10-09T10:00:00Z", "destinations_min=199.5",
    ])
  func questions(filter: String) throws {
    let store = try TelescopeStore(DataStore.inMemory(), parameters: Self.tiny)
    let open = Self.events(120, seed: 3).map { event in
      var event = event
      event.isClosed = false
      return event
    }
    let events = Self.events(900)
    for batch in 0..<6 {
      try record(
        store, events.indices.filter { $0 % 6 == batch }.map { events[$0] }, open: open,
        generation: batch + 1)
    }
    let parts = filter.split(separator: "=", maxSplits: 1).map(String.init)
    let holds = try Self.predicate(parts)
    let orders: [EventColumn] =
      filter.isEmpty
      ? EventColumn.allCases.filter { ![.tools, .samples].contains($0) }
      : [.lastSeen, .source, .packets]
    for order in orders {
      for isDescending in [false, true] {
        let expected = (events + open).filter(holds).sorted { left, right in
          let (first, second) = isDescending ? (right, left) : (left, right)
          if order == .source, left.source != right.source { return first.source < second.source }
          let (one, other) = (Self.rank(first, order), Self.rank(second, order))
          return one != other ? one < other : Self.key(left) < Self.key(right)
        }
        var query = try EventQuery(
          ListQuery(filters: parts.count == 2 ? [parts[0]: parts[1]] : [:]))
        query.order = order
        query.isDescending = isDescending
        for (offset, limit) in [(0, 7), (40, 25), (0, 5_000)] {
          query.offset = offset
          query.limit = limit
          let page = try store.events(query)
          #expect(page.total == expected.count)
          #expect(
            page.rows == Array(expected.dropFirst(offset).prefix(limit)), "\(filter) \(order)")
        }
      }
    }
  }

  private static func rank(_ event: TelescopeEvent, _ column: EventColumn) -> Double {
    switch column {
    case .source, .tools, .samples: 0
    case .port: Double(event.port)
    case .trafficClass:
      Double(TrafficClass.allCases.map(\.name).sorted().firstIndex(of: event.trafficClass.name)!)
    case .firstSeen: Double(event.firstSeen.nanoseconds - start)
    case .lastSeen: Double(event.lastSeen.nanoseconds - start)
    case .packets: Double(event.packets)
    case .bytes: Double(event.bytes)
    case .destinations: event.destinations
    case .destinationBlocks: event.destinationBlocks
    case .rate: event.rate.packetsPerSecond
    case .rateLower: event.rate.lower
    case .rateUpper: event.rate.upper
    case .country: event.country.description.utf8.reduce(0) { $0 * 256 + Double($1) }
    case .asn: Double(event.asn.number)
    case .isClosed: event.isClosed ? 1 : 0
    }
  }

  private static func predicate(_ parts: [String]) throws -> (TelescopeEvent) -> Bool {
    guard parts.count == 2 else { return { _ in true } }
    let value = parts[1]
    switch parts[0] {
    case "source":
      let prefix = try #require(IPPrefix(value))
      return { prefix.contains($0.source) }
    case "port": return { value.split(separator: "|").contains("\($0.port)") }
    case "class": return { $0.trafficClass.name == value }
    case "packets_min": return { $0.packets >= UInt64(value)! }
    case "packets_max": return { $0.packets <= UInt64(value)! }
    case "tools_contains":
      return { event in event.tools.contains { $0.lowercased().contains(value.lowercased()) } }
    case "country": return { $0.country.description == value }
    case "asn": return { $0.asn.description == value }
    case "closed": return { "\($0.isClosed)" == value }
    case "rate_pps_min": return { $0.rate.packetsPerSecond >= Double(value)! }
    case "destinations_min": return { $0.destinations >= Double(value)! }
    case "last_seen_from":
      let moment = try #require(Timestamp(value))
      return { $0.lastSeen >= moment }
    case "last_seen_to":
      let moment = try #require(Timestamp(value))
      return { $0.lastSeen <= moment }
    default:
      let moment = try #require(Timestamp(value))
      return { $0.firstSeen >= moment }
    }
  }

  @Test("a question about what events have not, or cannot have, is refused by name")
  func refused() throws {
    for filters in [["colour": "red"], ["port": "many"], ["source": "example"], ["samples": "1"]] {
      #expect(throws: ListQueryError.self) { try EventQuery(ListQuery(filters: filters)) }
    }
    let store = try TelescopeStore(DataStore.inMemory())
    var query = EventQuery()
    query.offset = .max
    #expect(throws: TelescopeError.self) { try store.events(query) }
  }

  @Test("whoever sees only what an organisation holds is shown nothing else")
  func holdings() throws {
    let store = try TelescopeStore(DataStore.inMemory(), parameters: Self.tiny)
    let events = Self.events(2_000)
    try record(store, events, generation: 1)
    let held = try #require(IPPrefix("20.1.0.0/24"))
    let claimed = try #require(IPPrefix("20.1.0.0/20"))
    var query = EventQuery()
    query.limit = 5_000
    query.holdings = .init(
      ranges: [held.first.bits...held.last.bits], systems: [ASN(64_501)],
      claimed: [claimed.first.bits...claimed.last.bits])
    let expected = events.filter {
      held.contains($0.source) || $0.asn == ASN(64_501) && !claimed.contains($0.source)
    }
    let page = try store.events(query)
    #expect(!expected.isEmpty && page.total == expected.count)
    #expect(Set(page.rows) == Set(expected))
    query.holdings = .init(ranges: [])
    #expect(try store.events(query).total == 0)
  }

  @Test("the files of an hour are merged, and nothing is lost or doubled by it")
  func merged() throws {
    let store = try TelescopeStore(DataStore.inMemory(), parameters: Self.tiny)
    let events = Self.events(3_000, hours: 2)
    for batch in 0..<20 {
      try record(
        store, events.indices.filter { $0 % 20 == batch }.map { events[$0] }, generation: batch + 1)
    }
    try record(store, [], generation: 21)
    let names = files(in: store)
    #expect(names.count <= 2 * 3 + 2, "\(names)")
    var all: [TelescopeEvent] = []
    try store.forEachEvent(EventQuery()) { all.append($0) }
    #expect(all.count == events.count)
    #expect(Set(all) == Set(events))
  }

  @Test("files that no completed checkpoint names are not read, and go at the next start")
  func crash() throws {
    let folder = try TestFolder()
    let database = folder.path + "/noroshi.sqlite"
    let events = Self.events(200)
    try record(try TelescopeStore(DataStore(path: database)), events, generation: 1)
    let store = try TelescopeStore(DataStore(path: database))
    let named = files(in: store)
    // What a kill between the files and the transaction leaves, and one in the middle of a file.
    let lost = try store.archive.write(closed: Self.events(50, seed: 5), generation: 2)
    let half = store.eventDirectory + "/open/g000002.parquet.part"
    try FileManager.default.createDirectory(
      atPath: store.eventDirectory + "/open", withIntermediateDirectories: true)
    try Data([1, 2, 3]).write(to: URL(filePath: half))
    #expect(files(in: store).count == named.count + lost.count + 1)
    #expect(try store.events(EventQuery()).total == 200)
    try store.removeUnnamedEventFiles()
    #expect(files(in: store) == named)
    try record(store, Self.events(50, seed: 5), generation: 2)
    #expect(try store.events(EventQuery()).total == 250)
    // A checkpoint that was stored by somebody else meanwhile leaves no files either.
    let before = files(in: store)
    #expect(throws: TelescopeError.self) {
      try record(store, Self.events(10, seed: 8), generation: 2)
    }
    #expect(files(in: store).isSubset(of: before))
  }

  @Test("a checkpoint that is stopped on the way leaves neither files nor conclusions")
  func stopped() throws {
    struct Stop: Error {}
    let folder = try TestFolder()
    let store = try TelescopeStore(
      DataStore(path: folder.path + "/noroshi.sqlite"), parameters: Self.tiny)
    try record(store, Self.events(50), open: Self.events(250, seed: 9), generation: 1)
    let before = files(in: store)
    var results = TelescopeResults()
    results.events = Self.events(20, seed: 5)
    // After some runs were written, and before any.
    for count in [250, 30] {
      #expect(throws: Stop.self) {
        try store.record(results, inputs: [], generation: 2, now: nil) { consume in
          for event in Self.events(count, seed: 5) { try consume(event) }
          throw Stop()
        }
      }
      #expect(files(in: store) == before)
      #expect(try store.generation() == 1)
      #expect(try store.events(EventQuery()).total == 300)
    }
    // The transaction fails while the events are walked.
    #expect(throws: TelescopeError.self) {
      try record(store, [], open: Self.events(350, seed: 7), generation: 0)
    }
    #expect(files(in: store) == before)
    try record(store, [], open: Self.events(350, seed: 7), generation: 2)
    #expect(try store.events(EventQuery()).total == 400)
  }

  @Test("whole hours are forgotten, and their rows counted")
  func forgotten() throws {
    let folder = try TestFolder()
    let store = try TelescopeStore(DataStore(path: folder.path + "/noroshi.sqlite"))
    let events = Self.events(900, hours: 3)
    try record(store, events, open: Self.events(10, seed: 4), generation: 1)
    // In the middle of an hour: that hour stays whole.
    let bound = Timestamp(nanoseconds: Self.start + 5_400_000_000_000)
    let hour = EventFile.nanosecondsPerHour
    let kept = events.filter {
      $0.lastSeen.nanoseconds / hour >= bound.nanoseconds / hour
    }
    let deleted = try store.forget(eventsBefore: bound, seriesBefore: bound)
    #expect(deleted == events.count - kept.count)
    #expect(deleted > 0)
    var query = EventQuery()
    query.limit = 2_000
    #expect(Set(try store.events(query).rows).isSuperset(of: kept))
    #expect(try store.events(query).total == kept.count + 10)
    let hours = Set(kept.map { EventFile.directory(hour: EventFile.hour(of: $0)) })
    #expect(
      Set(files(in: store).map { ($0 as NSString).deletingLastPathComponent })
        == hours.union(["open"]))
    #expect(try store.forget(eventsBefore: bound, seriesBefore: bound) == 0)
  }

  @Test("an older database's events are moved to the archive once, and its table goes")
  func upgraded() throws {
    let folder = try TestFolder()
    let database = folder.path + "/noroshi.sqlite"
    let events = Self.events(500)
    let old = try DataStore(path: database)
    try old.migrate([TelescopeStore.migrations[0]])
    try old.writer.write { db in
      try db.execute(
        sql: "INSERT INTO telescope_progress VALUES (1, 4, '{}', NULL)")
      for (number, event) in events.enumerated() {
        try db.execute(
          sql: "INSERT INTO telescope_events VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
          arguments: [
            TelescopeStore.blob(event.source), Int64(event.port), event.trafficClass.name,
            event.firstSeen.nanoseconds, event.lastSeen.nanoseconds, Int64(event.packets),
            Int64(event.bytes), event.destinations, event.destinationBlocks,
            event.rate.packetsPerSecond, event.rate.lower, event.rate.upper,
            event.country.description, Int64(event.asn.number),
            event.tools.joined(separator: "\n"), Data(EventLayout.pack(event.samples)),
            number % 7 != 0,
          ])
      }
    }
    let expected = events.enumerated().map { number, event in
      var event = event
      event.isClosed = number % 7 != 0
      return event
    }
    for _ in 0..<2 {
      let store = try TelescopeStore(DataStore(path: database))
      var query = EventQuery()
      query.limit = 1_000
      let page = try store.events(query)
      #expect(page.total == 500)
      #expect(Set(page.rows) == Set(expected))
      #expect(try store.store.writer.read { try !$0.tableExists("telescope_events") })
    }
    let store = try TelescopeStore(DataStore(path: database))
    try record(store, [], generation: 5)
    // What was going on belongs to the checkpoint before.
    #expect(try store.events(EventQuery()).total == expected.filter(\.isClosed).count)
  }

  @Test("a file that is missing is named, with what to do")
  func missing() throws {
    let folder = try TestFolder()
    let store = try TelescopeStore(DataStore(path: folder.path + "/noroshi.sqlite"))
    try record(store, Self.events(10), generation: 1)
    for name in files(in: store) {
      try FileManager.default.removeItem(atPath: store.eventDirectory + "/" + name)
    }
    let error = #expect(throws: TelescopeError.self) { try store.events(EventQuery()) }
    #expect("\(try #require(error))".hasSuffix("is missing; restore it from a backup"))
  }
}
