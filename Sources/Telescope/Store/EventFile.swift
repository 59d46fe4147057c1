import GRDB
import NetworkTypes
import Parquet

/// A file of the archive, as the database names it. A file that the database does not name is none.
struct EventFile: Sendable, Hashable {
  /// Below the archive's directory: `2026/11/25/05/g000012-00.parquet`.
  var name: String
  /// Hours since 1970 in which its events ended; nil for the events that are going on.
  var hour: Int64?
  /// The checkpoint that wrote it.
  var generation: Int
  var rows: Int
  /// Its size in octets.
  var bytes: Int
  /// The earliest first packet, and the earliest and latest last packet, in ns since 1970.
  var first: Int64
  var leastLast: Int64
  var last: Int64

  static let nanosecondsPerHour: Int64 = 3_600_000_000_000

  /// The hour in which an event ended, also before 1970.
  static func hour(of event: TelescopeEvent) -> Int64 {
    let nanoseconds = event.lastSeen.nanoseconds
    let hour = nanoseconds / nanosecondsPerHour
    return nanoseconds % nanosecondsPerHour < 0 ? hour - 1 : hour
  }

  /// `2026/11/25/05`.
  static func directory(hour: Int64) -> String {
    let text = Timestamp(seconds: hour * 3_600).description
    return String(text.prefix(13).map { "T-".contains($0) ? "/" : $0 })
  }

  // MARK: In the database

  static let tableSQL = """
    CREATE TABLE telescope_event_files (
      name TEXT PRIMARY KEY, hour INTEGER, generation INTEGER NOT NULL, rows INTEGER NOT NULL,
      bytes INTEGER NOT NULL, first INTEGER NOT NULL, leastLast INTEGER NOT NULL,
      last INTEGER NOT NULL
    ) WITHOUT ROWID;
    CREATE INDEX telescope_event_files_by_hour ON telescope_event_files (hour);
    """

  init(
    name: String, hour: Int64?, generation: Int, rows: Int, bytes: Int, first: Int64,
    leastLast: Int64, last: Int64
  ) {
    self.name = name
    self.hour = hour
    self.generation = generation
    self.rows = rows
    self.bytes = bytes
    self.first = first
    self.leastLast = leastLast
    self.last = last
  }

  init(_ row: Row) {
    name = row["name"]
    hour = row["hour"]
    generation = row["generation"]
    rows = row["rows"]
    bytes = row["bytes"]
    first = row["first"]
    leastLast = row["leastLast"]
    last = row["last"]
  }

  func insert(_ database: Database) throws {
    try database.execute(
      sql: "INSERT INTO telescope_event_files VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
      arguments: [name, hour, generation, rows, bytes, first, leastLast, last])
  }

  /// Those that fit a condition on the table, the newest hour first and what is going on before it.
  static func all(
    _ database: Database, where condition: String = "1", _ arguments: StatementArguments = []
  ) throws -> [EventFile] {
    try Row.fetchAll(
      database,
      sql: "SELECT * FROM telescope_event_files WHERE \(condition) "
        + "ORDER BY hour IS NOT NULL, hour DESC, name", arguments: arguments
    ).map(EventFile.init)
  }

  static func delete(_ files: [EventFile], _ database: Database) throws {
    for file in files {
      try database.execute(
        sql: "DELETE FROM telescope_event_files WHERE name = ?", arguments: [file.name])
    }
  }
}

/// Writes one file of the archive.
final class EventFileWriter {
  private let writer: ParquetWriter
  private let rowsPerGroup: Int
  private var file: EventFile

  /// - Parameter path: where it is to be; its directory must exist.
  init(_ file: EventFile, path: String, parameters: EventArchiveParameters) throws {
    rowsPerGroup = max(1, parameters.rowsPerGroup)
    var writing = ParquetWriterParameters()
    writing.rowsPerGroup = parameters.rowsPerGroup
    writing.rowsPerPage = parameters.rowsPerGroup
    writer = try ParquetWriter(path: path, schema: EventLayout.schema, parameters: writing)
    self.file = file
    self.file.rows = 0
    self.file.first = .max
    self.file.leastLast = .max
    self.file.last = .min
  }

  /// Events should come in the order of their keys.
  func append(_ event: TelescopeEvent) throws { try append([event], at: [0]) }

  /// Appends the events at these places, which should rise by their keys.
  func append(_ events: [TelescopeEvent], at places: [Int]) throws {
    for start in stride(from: 0, to: places.count, by: rowsPerGroup) {
      let portion = places[start..<min(places.count, start + rowsPerGroup)]
      try EventLayout.append(events, at: portion, to: writer)
    }
    file.rows += places.count
    for place in places {
      file.first = min(file.first, events[place].firstSeen.nanoseconds)
      file.leastLast = min(file.leastLast, events[place].lastSeen.nanoseconds)
      file.last = max(file.last, events[place].lastSeen.nanoseconds)
    }
  }

  /// Syncs the file and gives it its name.
  func finish() throws -> EventFile {
    try writer.finish()
    file.bytes = EventArchive.size(writer.path)
    return file
  }
}
