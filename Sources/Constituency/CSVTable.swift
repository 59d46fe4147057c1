/// A table in the form of RFC 4180, with the line on which each record begins.
struct CSVTable {
  struct Record {
    let line: Int
    let fields: [String]
  }

  let header: [String]
  let records: [Record]

  /// - Throws: ``ConstituencyError`` for an empty table, an open quotation, or a line that has
  /// more or
  ///   fewer fields than the first.
  init(_ text: String, file: String?) throws {
    var records = try Self.records(Array(text.utf8), file: file)[...]
    guard let first = records.popFirst() else {
      throw ConstituencyError(
        "the table is empty; expected a first line of column names", file: file)
    }
    header = first.fields.map { $0.lowercased() }
    for record in records where record.fields.count != header.count {
      throw ConstituencyError(
        "expected \(header.count) fields as in the first line, found \(record.fields.count)",
        file: file, line: record.line)
    }
    self.records = Array(records)
  }

  private static func records(_ bytes: [UInt8], file: String?) throws -> [Record] {
    var records: [Record] = []
    var fields: [String] = []
    var field: [UInt8] = []
    var line = 1
    var start = 1
    var position = bytes.starts(with: [0xef, 0xbb, 0xbf]) ? 3 : 0
    var isQuoted = false
    func endField() {
      fields.append(String(decoding: field, as: UTF8.self))
      field.removeAll(keepingCapacity: true)
    }
    func endRecord() {
      endField()
      // An empty line is no record.
      if fields != [""] { records.append(Record(line: start, fields: fields)) }
      fields.removeAll()
    }
    while position < bytes.count {
      let byte = bytes[position]
      position += 1
      if byte == 10 { line += 1 }
      if isQuoted {
        if byte == 34 {
          if position < bytes.count, bytes[position] == 34 {
            field.append(34)
            position += 1
          } else {
            isQuoted = false
          }
        } else {
          field.append(byte)
        }
        continue
      }
      switch byte {
      case 34 where field.isEmpty: isQuoted = true
      case 44: endField()
      case 13 where position < bytes.count && bytes[position] == 10: continue
      case 10:
        endRecord()
        start = line
      default: field.append(byte)
      }
    }
    if isQuoted {
      throw ConstituencyError(
        "a quotation that begins in this record does not end; close it with \"", file: file,
        line: start)
    }
    if !field.isEmpty || !fields.isEmpty { endRecord() }
    return records
  }
}
