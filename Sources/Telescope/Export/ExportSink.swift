import Foundation
import Glibc
import NetworkTypes
import Parquet

/// Writes rows to a file or to standard output in one of the formats, in bounded memory.
///
/// A file appears under its name only when it is whole. Parquet for standard output is first written to
/// a temporary file, since its footer comes last and tells where all begins.
public final class ExportSink {
  private enum Form {
    case parquet(ParquetWriter)
    case csv
    case json
  }

  private let columns: [ExportColumn]
  private let path: String
  private let form: Form
  private var text: [UInt8] = []
  private var descriptor: Int32 = -1
  private var isFinished = false
  /// Rows written so far.
  public private(set) var rows = 0
  private static let bufferOctets = 1 << 18

  /// - Parameter path: the file to write; `-` is standard output.
  public init(_ columns: [ExportColumn], format: ExportFormat, path: String) throws {
    self.columns = columns
    self.path = path
    switch format {
    case .parquet:
      let file =
        path == "-" ? NSTemporaryDirectory() + "/noroshi-export-\(UUID().uuidString)" : path
      form = .parquet(try ParquetWriter(path: file, schema: columns.map(\.parquet)))
      return
    case .csv: form = .csv
    case .json: form = .json
    }
    if path == "-" {
      descriptor = STDOUT_FILENO
    } else {
      descriptor = open(part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
      guard descriptor >= 0 else { throw failure("be created") }
    }
    switch form {
    case .csv:
      text += columns.map(\.name).joined(separator: ",").utf8
      text += "\r\n".utf8
    case .json: text += "[".utf8
    case .parquet: break
    }
  }

  deinit {
    guard !isFinished, descriptor > STDERR_FILENO else { return }
    close(descriptor)
    unlink(part)
  }

  private var part: String { path + ".part" }

  private func failure(_ what: String) -> TelescopeError {
    .storage(
      "\(path == "-" ? "standard output" : part) cannot \(what): "
        + "\(String(cString: strerror(errno))); check the path, its permissions and the free space")
  }

  /// Writes a row: one value for each column, in their order.
  public func append(_ values: [ExportValue]) throws {
    guard values.count == columns.count else {
      throw TelescopeError.storage(
        "a row of \(values.count) values does not fit \(columns.count) columns; report this as a fault"
      )
    }
    switch form {
    case .parquet(let writer):
      for (place, value) in values.enumerated() { Self.append(value, to: writer.columns[place]) }
      try writer.endRow()
    case .csv:
      for (place, value) in values.enumerated() {
        if place > 0 { text.append(UInt8(ascii: ",")) }
        text += Self.csv(value).utf8
      }
      text += "\r\n".utf8
    case .json:
      text += (rows == 0 ? "\n{" : ",\n{").utf8
      for (place, value) in values.enumerated() {
        text += "\(place == 0 ? "" : ",")\"\(columns[place].name)\":".utf8
        text += Self.json(value).utf8
      }
      text.append(UInt8(ascii: "}"))
    }
    rows += 1
    if text.count >= Self.bufferOctets { try flush() }
  }

  /// Writes what is left and gives the file its name.
  public func finish() throws {
    switch form {
    case .parquet(let writer):
      try writer.finish()
      if path == "-" { try copy(writer.path) }
    case .csv: try flush()
    case .json:
      text += (rows == 0 ? "]\n" : "\n]\n").utf8
      try flush()
    }
    isFinished = true
    guard descriptor > STDERR_FILENO else { return }
    guard fsync(descriptor) == 0 || errno == EINVAL, close(descriptor) == 0,
      rename(part, path) == 0
    else { throw failure("be completed") }
  }

  private func flush() throws {
    try write(text)
    text.removeAll(keepingCapacity: true)
  }

  private func write(_ octets: [UInt8]) throws {
    var done = 0
    while done < octets.count {
      let written = octets.withUnsafeBytes {
        Glibc.write(descriptor, $0.baseAddress.map { $0 + done }, $0.count - done)
      }
      if written > 0 {
        done += written
      } else if errno != EINTR {
        throw failure("be written")
      }
    }
  }

  private func copy(_ file: String) throws {
    descriptor = STDOUT_FILENO
    guard let handle = FileHandle(forReadingAtPath: file) else { throw failure("be written") }
    // Whoever reads may go away, and that ends the process: the name goes first.
    unlink(file)
    defer { try? handle.close() }
    while let data = try handle.read(upToCount: Self.bufferOctets), !data.isEmpty {
      try write(Array(data))
    }
  }

  // MARK: Values

  private static func append(_ value: ExportValue, to column: ColumnBuilder) {
    switch value {
    case .missing: column.appendNull()
    case .text(let text): column.append(text)
    case .count(let number): column.append(number)
    case .real(let number): column.append(number)
    case .moment(let moment): column.append(moment.nanoseconds)
    case .flag(let flag): column.append(flag)
    case .address(let address): column.append(address.description)
    case .list(let parts): column.append(parts.joined(separator: ";"))
    }
  }

  private static func csv(_ value: ExportValue) -> String {
    switch value {
    case .missing: return ""
    case .count(let number): return String(number)
    case .real(let number): return "\(number)"
    case .moment(let moment): return moment.description
    case .flag(let flag): return flag ? "true" : "false"
    case .address(let address): return address.description
    case .text(let text): return quoted(text)
    case .list(let parts): return quoted(parts.joined(separator: ";"))
    }
  }

  private static func quoted(_ text: String) -> String {
    guard text.utf8.contains(where: { $0 == 0x22 || $0 == 0x2c || $0 == 0x0a || $0 == 0x0d }) else {
      return text
    }
    return "\"" + text.replacing("\"", with: "\"\"") + "\""
  }

  private static func json(_ value: ExportValue) -> String {
    switch value {
    case .missing: "null"
    case .count(let number): String(number)
    case .real(let number): number.isFinite ? "\(number)" : "null"
    case .moment(let moment): "\"\(moment.description)\""
    case .flag(let flag): flag ? "true" : "false"
    case .address(let address): "\"\(address.description)\""
    case .text(let text): jsonString(text)
    case .list(let parts): "[" + parts.map(jsonString).joined(separator: ",") + "]"
    }
  }

  private static func jsonString(_ text: String) -> String {
    var result = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": result += "\\\""
      case "\\": result += "\\\\"
      case "\n": result += "\\n"
      case "\r": result += "\\r"
      case "\t": result += "\\t"
      case _ where scalar.value < 0x20:
        let digits = String(scalar.value, radix: 16)
        result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result + "\""
  }
}
