import Foundation
import GRDB
import Glibc
public import NetworkTypes
import Parquet
public import Store

/// Events: what a telescope sees is large, so they lie in the archive, and the database names its files.
extension TelescopeStore {
  /// Where the events' files are.
  public var eventDirectory: String { archive.directory }

  // MARK: Questions

  /// A page of events, those that are going on among them.
  ///
  /// - Throws: ``TelescopeError/storage(_:)`` for a page deeper than
  ///   ``EventArchiveParameters/deepestRow``, or when a file is missing or damaged.
  public func events(_ query: EventQuery) throws -> ListPage<TelescopeEvent> {
    try answering { files in
      var search = try EventSearch(query, in: archive)
      return try search.page(of: files)
    }
  }

  /// A page of events in the words of a list; see ``EventQuery/init(_:)``.
  public func events(
    _ list: ListQuery = ListQuery(), scope: TelescopeScope = .everything
  ) throws -> ListPage<TelescopeEvent> {
    var query = try EventQuery(list)
    if case .prefixes(let prefixes) = scope {
      query.holdings = .init(ranges: prefixes.map { $0.first.bits...$0.last.bits })
    }
    return try events(query)
  }

  /// Hands over every event that a question is about, the earliest hour first and those that are going
  /// on last; order and page of the question do not matter. Memory holds one row group.
  ///
  /// - Parameter progress: events looked at so far, and how many there are to look at.
  public func forEachEvent(
    _ query: EventQuery, progress: (Int, Int) -> Void = { _, _ in },
    _ body: (TelescopeEvent) throws -> Void
  ) throws {
    var conditions = EventConditions(query)
    // Of two reasons to begin anew, neither may hand an event over twice: all files are opened first.
    let readers = try answering { files in
      try files.reversed().filter { conditions.mayConcern($0) }.map { file in
        (file.rows, try ParquetReader(path: archive.path(of: file.name)))
      }
    }
    let total = readers.reduce(0) { $0 + $1.0 }
    var done = 0
    for (_, reader) in readers {
      for group in reader.rowGroups {
        var group = EventGroup(reader, group)
        let rows: [Int]
        switch try conditions.select(&group) {
        case .none: rows = []
        case .all: rows = Array(0..<group.rowCount)
        case .rows(let chosen): rows = chosen
        }
        if !rows.isEmpty {
          for event in try group.events(rows, withSamples: query.wantsSamples) { try body(event) }
        }
        done += group.rowCount
        progress(done, total)
      }
    }
  }

  /// Asks the files that the database names. One that went away meanwhile, because it was merged or
  /// forgotten, makes it ask those that are named now.
  private func answering<Answer>(_ ask: ([EventFile]) throws -> Answer) throws -> Answer {
    var attempts = 0
    while true {
      let files = try store.writer.read { try EventFile.all($0) }
      do {
        return try ask(files)
      } catch ParquetError.system(let operation, let path, let code) {
        attempts += 1
        guard code == ENOENT else {
          throw ParquetError.system(operation: operation, path: path, code: code)
        }
        guard attempts < 4 else {
          throw TelescopeError.storage(
            "\(path), which the database names, is missing; restore it from a backup")
        }
      }
    }
  }

  // MARK: Upkeep

  /// Removes files that no completed checkpoint names: what a crash left. For the one session that
  /// writes, before it does.
  func removeUnnamedEventFiles() throws {
    let names = try store.writer.read { try EventFile.all($0).map(\.name) }
    archive.removeAll(except: Set(names))
  }

  /// Merges the files of hours that have too many.
  func mergeEventFiles(generation: Int) throws {
    let crowded = archive.crowded(try store.writer.read { try EventFile.all($0) })
    for (hour, files) in crowded {
      let merged = try archive.merge(files, hour: hour, generation: generation)
      let isCurrent = try store.writer.write { database in
        // Another process may have forgotten the hour while its files were merged.
        let names = files.map(\.name)
        let marks = names.map { _ in "?" }.joined(separator: ",")
        let left = try EventFile.all(
          database, where: "name IN (\(marks))", StatementArguments(names))
        guard left.count == files.count else { return false }
        try EventFile.delete(files, database)
        try merged.insert(database)
        return true
      }
      if isCurrent { archive.supersedeAlso(files) } else { archive.remove([merged.name]) }
    }
  }

  /// Deletes what was stored of longer ago, and returns how many rows that were. Events go by whole
  /// hours: those of an hour that ended before the bound.
  public func forget(eventsBefore events: Timestamp, seriesBefore series: Timestamp) throws -> Int {
    let (deleted, files) = try store.writer.write { database -> (Int, [EventFile]) in
      let hour = events.nanoseconds.quotientAndRemainder(
        dividingBy: EventFile.nanosecondsPerHour)
      let firstKept = hour.remainder < 0 ? hour.quotient - 1 : hour.quotient
      let files = try EventFile.all(database, where: "hour < ?", [firstKept])
      try EventFile.delete(files, database)
      var deleted = files.reduce(0) { $0 + $1.rows }
      for (table, column, bound) in [
        ("telescope_hosts", "lastSeen", events.nanoseconds),
        ("telescope_alerts", "lastSeen", events.nanoseconds),
        ("telescope_victims", "\"end\"", series.nanoseconds),
        ("telescope_campaigns", "lastSeen", series.nanoseconds),
        // Bins are counted in seconds.
        ("telescope_series", "start", series.seconds),
      ] {
        try database.execute(sql: "DELETE FROM \(table) WHERE \(column) < ?", arguments: [bound])
        deleted += database.changesCount
      }
      return (deleted, files)
    }
    archive.remove(files.map(\.name))
    return deleted
  }

  // MARK: Upgrade

  /// Moves the events of an older version's table to the archive, once, and drops the table.
  func moveEventsToArchive() throws {
    guard try store.writer.read({ try $0.tableExists(Self.formerTable) }) else { return }
    let moved = try store.writer.write { database -> Bool in
      guard try database.tableExists(Self.formerTable) else { return false }
      let generation =
        try Int.fetchOne(database, sql: "SELECT generation FROM telescope_progress") ?? 0
      var files: [EventFile] = []
      do {
        files = try archiveFormerTable(database, generation: generation)
        for file in files { try file.insert(database) }
        try database.execute(sql: "DROP TABLE \(Self.formerTable)")
      } catch {
        archive.remove(files.map(\.name))
        throw error
      }
      return true
    }
    // The table's pages go back to the file system; where another process is at work, later ones use
    // them.
    if moved { try? store.writer.vacuum() }
  }

  static let formerTable = "telescope_events"

  private func archiveFormerTable(_ database: Database, generation: Int) throws -> [EventFile] {
    var files: [EventFile] = []
    var writer: EventFileWriter?
    var hour: Int64?
    let ended = try Row.fetchCursor(
      database,
      sql: "SELECT * FROM \(Self.formerTable) WHERE isClosed "
        + "ORDER BY lastSeen / \(EventFile.nanosecondsPerHour), source, port, class, firstSeen")
    while let row = try ended.next() {
      let event = Self.formerEvent(row)
      let itsHour = EventFile.hour(of: event)
      if writer == nil || itsHour != hour {
        if let finished = try writer?.finish() { files.append(finished) }
        writer = try archive.begin(
          hour: itsHour, generation: generation, name: "u\(generation)-\(files.count).parquet")
        hour = itsHour
      }
      try writer?.append(event)
    }
    if let finished = try writer?.finish() { files.append(finished) }
    let going = try Row.fetchCursor(
      database,
      sql: "SELECT * FROM \(Self.formerTable) WHERE NOT isClosed "
        + "ORDER BY source, port, class, firstSeen")
    let open = try archive.write(
      open: { consume in while let row = try going.next() { try consume(Self.formerEvent(row)) } },
      generation: generation)
    return files + (open.map { [$0] } ?? [])
  }

  private static func formerEvent(_ row: Row) -> TelescopeEvent {
    TelescopeEvent(
      source: address(row["source"]), port: UInt16(clamping: row["port"] as Int64),
      trafficClass: TrafficClass(name: row["class"]) ?? .other,
      firstSeen: time(row["firstSeen"]), lastSeen: time(row["lastSeen"]),
      packets: UInt64(clamping: row["packets"] as Int64),
      bytes: UInt64(clamping: row["bytes"] as Int64), destinations: row["destinations"],
      destinationBlocks: row["blocks"],
      rate: RateEstimate(
        packetsPerSecond: row["rate"], lower: row["rateLower"], upper: row["rateUpper"]),
      country: CountryCode(row["country"] as String) ?? .unknown,
      asn: ASN(UInt32(clamping: row["asn"] as Int64)),
      tools: (row["tools"] as String).split(separator: "\n").map(String.init),
      samples: EventLayout.unpack(row["samples"] as Data), isClosed: row["isClosed"])
  }
}
