import Foundation
import Glibc
import NetworkTypes
import Parquet
import Synchronization

/// The events that have ended, in Parquet files by the hour in which they ended, and those that are
/// going on, in one file of the last checkpoint.
///
/// `events/YYYY/MM/DD/HH/gGENERATION-NUMBER.parquet` and `events/open/gGENERATION.parquet`. Files are
/// written whole, synced, and then named in the database by the transaction that stores the checkpoint
/// they belong to. A file that is not named there was left by a crash: nobody reads it, and the next
/// session removes it. Files never change; those that were merged or replaced stay until the next
/// checkpoint, so that whoever reads them may finish.
final class EventArchive: Sendable {
  let directory: String
  let parameters: EventArchiveParameters
  private let isTemporary: Bool
  private let state = Mutex(State())

  private struct State {
    var readers: [String: (reader: ParquetReader, used: Int)] = [:]
    var clock = 0
    var superseded: [String] = []
  }

  /// - Parameter directory: made when the first file is written.
  init(directory: String, parameters: EventArchiveParameters, isTemporary: Bool = false) {
    self.directory = directory
    self.parameters = parameters
    self.isTemporary = isTemporary
  }

  deinit {
    if isTemporary { try? FileManager.default.removeItem(atPath: directory) }
  }

  func path(of name: String) -> String { directory + "/" + name }

  static func size(_ path: String) -> Int {
    var status = stat()
    return stat(path, &status) == 0 ? Int(status.st_size) : 0
  }

  // MARK: Writing

  /// Writes events that have ended, a file for each hour.
  func write(closed events: [TelescopeEvent], generation: Int) throws -> [EventFile] {
    let places = events.indices.map { place in
      (hour: EventFile.hour(of: events[place]), key: EventKey(events[place]), place: place)
    }.sorted { ($0.hour, $0.key, $0.place) < ($1.hour, $1.key, $1.place) }
    var files: [EventFile] = []
    var start = 0
    do {
      while start < places.count {
        let hour = places[start].hour
        let writer = try begin(
          hour: hour, generation: generation, name: Self.name(generation, files.count))
        let end = places[start...].firstIndex { $0.hour != hour } ?? places.count
        try writer.append(events, at: places[start..<end].map(\.place))
        start = end
        files.append(try writer.finish())
      }
    } catch {
      remove(files.map(\.name))
      throw error
    }
    return files
  }

  /// Writes events that are going on, in sorted runs, each while the next one is gathered.
  ///
  /// - Parameter source: calls its consumer for each event.
  /// - Returns: nil where there are none.
  func write(
    open source: ((TelescopeEvent) throws -> Void) throws -> Void, generation: Int
  ) throws -> EventFile? {
    var run: [TelescopeEvent] = []
    let runs = EventRuns {
      try self.begin(hour: nil, generation: generation, name: Self.name(generation))
    }
    defer { runs.wait() }
    try source { event in
      run.append(event)
      if run.count >= parameters.rowsPerRun {
        try runs.write(run)
        run = []
        run.reserveCapacity(parameters.rowsPerRun)
      }
    }
    if !run.isEmpty { try runs.write(run) }
    return try runs.finish()
  }

  private static func name(_ generation: Int, _ number: Int? = nil) -> String {
    func padded(_ value: Int, _ width: Int) -> String {
      let text = String(value)
      return String(repeating: "0", count: max(0, width - text.count)) + text
    }
    return "g" + padded(generation, 6) + (number.map { "-" + padded($0, 2) } ?? "") + ".parquet"
  }

  /// Starts a file; for events of an hour, or for those that are going on.
  func begin(hour: Int64?, generation: Int, name: String) throws -> EventFileWriter {
    let folder = hour.map(EventFile.directory(hour:)) ?? "open"
    try makeDirectory(folder)
    let file = EventFile(
      name: folder + "/" + name, hour: hour, generation: generation, rows: 0, bytes: 0, first: 0,
      leastLast: 0, last: 0)
    return try EventFileWriter(file, path: path(of: file.name), parameters: parameters)
  }

  /// Makes a directory and those above it; each new name survives a power failure.
  private func makeDirectory(_ folder: String) throws {
    guard !FileManager.default.fileExists(atPath: path(of: folder)) else { return }
    try FileManager.default.createDirectory(
      atPath: path(of: folder), withIntermediateDirectories: true)
    var parent = (path(of: folder) as NSString).deletingLastPathComponent
    while parent.count >= directory.count, !parent.isEmpty {
      Self.sync(directory: parent)
      parent = (parent as NSString).deletingLastPathComponent
    }
    Self.sync(directory: parent.isEmpty ? "." : parent)
  }

  private static func sync(directory: String) {
    let handle = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard handle >= 0 else { return }
    // Where a file system cannot sync directories, names are as safe as it makes them.
    fsync(handle)
    close(handle)
  }

  // MARK: Merging

  /// The hours that have too many small files, of the files given.
  func crowded(_ files: [EventFile]) -> [(hour: Int64, files: [EventFile])] {
    var hours: [Int64: [EventFile]] = [:]
    for file in files where file.rows <= parameters.rowsPerMerge {
      if let hour = file.hour { hours[hour, default: []].append(file) }
    }
    return hours.filter { $0.value.count > parameters.filesPerHour }
      .sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
  }

  /// Merges sorted files of one hour into one, a row group of each at a time.
  func merge(_ files: [EventFile], hour: Int64, generation: Int) throws -> EventFile {
    var cursors = try files.map { try EventCursor(reader(of: $0.name)) }.filter { !$0.isAtEnd }
    let writer = try begin(
      hour: hour, generation: generation, name: "m" + Self.name(generation))
    while !cursors.isEmpty {
      var least = 0
      for place in cursors.indices where cursors[place].key < cursors[least].key { least = place }
      try writer.append(cursors[least].event)
      try cursors[least].advance()
      if cursors[least].isAtEnd { cursors.remove(at: least) }
    }
    return try writer.finish()
  }

  // MARK: Reading

  /// A reader of a file; the most recently used ones stay open.
  func reader(of name: String) throws -> ParquetReader {
    let known = state.withLock { state -> ParquetReader? in
      state.clock += 1
      guard let reader = state.readers[name]?.reader else { return nil }
      state.readers[name]?.used = state.clock
      return reader
    }
    if let known { return known }
    let reader = try ParquetReader(path: path(of: name))
    state.withLock { state in
      if state.readers.count >= parameters.openFiles,
        let oldest = state.readers.min(by: { $0.value.used < $1.value.used })
      {
        state.readers[oldest.key] = nil
      }
      state.readers[name] = (reader, state.clock)
    }
    return reader
  }

  // MARK: Removing

  /// Removes what was superseded before, and keeps these files for the next time.
  func supersede(_ files: [EventFile]) {
    let old = state.withLock { state in
      let old = state.superseded
      state.superseded = files.map(\.name)
      return old
    }
    remove(old)
  }

  /// Adds to what the next checkpoint removes.
  func supersedeAlso(_ files: [EventFile]) {
    state.withLock { $0.superseded += files.map(\.name) }
  }

  /// Removes files, and directories that are empty then.
  func remove(_ names: [String]) {
    for name in names {
      state.withLock { $0.readers[name] = nil }
      unlink(path(of: name))
      var folder = (name as NSString).deletingLastPathComponent
      while !folder.isEmpty, rmdir(path(of: folder)) == 0 {
        folder = (folder as NSString).deletingLastPathComponent
      }
    }
  }

  /// Removes every file that is not named: the leavings of a crash.
  func removeAll(except named: Set<String>) {
    guard let walk = FileManager.default.enumerator(atPath: directory) else { return }
    var strangers: [String] = []
    while let name = walk.nextObject() as? String {
      let isOurs = name.hasSuffix(".parquet") || name.hasSuffix(".parquet.part")
      if isOurs, !named.contains(name) { strangers.append(name) }
    }
    remove(strangers)
  }
}

/// Goes through a file of the archive, event by event.
struct EventCursor {
  private let reader: ParquetReader
  private var group = 0
  private var row = 0
  private var events: [TelescopeEvent] = []
  private(set) var key = EventKey(source: 0, port: 0, classRank: 0, firstSeen: 0)

  init(_ reader: ParquetReader) throws {
    self.reader = reader
    try load()
  }

  var isAtEnd: Bool { row >= events.count }

  /// The event at hand. There must be one.
  var event: TelescopeEvent { events[row] }

  mutating func advance() throws {
    row += 1
    if row >= events.count { try load() } else { key = EventKey(events[row]) }
  }

  private mutating func load() throws {
    events = []
    row = 0
    while events.isEmpty, group < reader.rowGroups.count {
      var next = EventGroup(reader, reader.rowGroups[group])
      events = try next.events(0..<next.rowCount, withSamples: true)
      group += 1
    }
    if let first = events.first { key = EventKey(first) }
  }
}
