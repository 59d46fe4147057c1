import Glibc

/// A file that came with a form; it is held in memory and forgotten with the request.
struct UploadedFile: Sendable {
  /// The name that the visitor's machine gave it, without folders; it may be empty.
  let name: String
  let content: [UInt8]
}

/// A form with files (RFC 7578, the syntax of RFC 2046 §5.1.1).
struct MultipartForm: Sendable {
  private(set) var fields: [String: String] = [:]
  private(set) var files: [String: [UploadedFile]] = [:]

  /// A body that is no such form.
  struct Malformed: Error, Hashable { let reason: String }

  /// More are no form of ours.
  private static let largestPartCount = 32
  private static let longestHead = 4_096

  /// Reads a body whose Content-Type named the boundary.
  init(_ body: [UInt8], contentType: String) throws(Malformed) {
    guard let boundary = Self.boundary(contentType) else {
      throw Malformed(reason: "the type names no boundary")
    }
    let delimiter = Array("--\(boundary)".utf8)
    let separator = Array("\r\n".utf8) + delimiter
    guard body.starts(with: delimiter) else {
      throw Malformed(reason: "it does not begin with the boundary")
    }
    var place = delimiter.count
    var count = 0
    while true {
      if body[place...].starts(with: "--".utf8) { return }
      guard body[place...].starts(with: "\r\n".utf8) else {
        throw Malformed(reason: "a boundary is followed by something else")
      }
      place += 2
      count += 1
      guard count <= Self.largestPartCount else { throw Malformed(reason: "it has too many parts") }
      let headEnd = Self.find(
        Array("\r\n\r\n".utf8), in: body, from: place, to: place + Self.longestHead)
      guard let headEnd else { throw Malformed(reason: "a part has no head, or too long a one") }
      let start = headEnd + 4
      // An empty part's separator begins with the line end of its head.
      guard let end = Self.find(separator, in: body, from: start, to: body.count) else {
        throw Malformed(reason: "the last boundary is missing")
      }
      try take(head: body[place..<headEnd], content: body[start..<end])
      place = end + separator.count
    }
  }

  private mutating func take(head: ArraySlice<UInt8>, content: ArraySlice<UInt8>)
    throws(Malformed)
  {
    let lines = String(decoding: head, as: UTF8.self).split(separator: "\r\n")
    let disposition = lines.first { $0.lowercased().hasPrefix("content-disposition:") }
    guard let disposition, let name = Self.parameter("name", of: disposition) else {
      throw Malformed(reason: "a part has no name")
    }
    if let file = Self.parameter("filename", of: disposition) {
      // A field for a file that none was chosen for comes with neither name nor content.
      guard !file.isEmpty || !content.isEmpty else { return }
      let last = file.split(whereSeparator: { $0 == "/" || $0 == "\\" }).last.map(String.init) ?? ""
      files[name, default: []].append(
        UploadedFile(name: String(last.prefix(200)), content: Array(content)))
    } else {
      fields[name] = String(decoding: content, as: UTF8.self)
    }
  }

  /// RFC 2046 §5.1.1: 1 to 70 characters.
  private static func boundary(_ type: String) -> String? {
    guard type.lowercased().hasPrefix("multipart/form-data"),
      let text = parameter("boundary", of: type[...]), (1...70).contains(text.utf8.count)
    else { return nil }
    return text
  }

  /// The value of `; name=value` or `; name="value"`.
  private static func parameter(_ name: String, of field: Substring) -> String? {
    var rest = field
    while let mark = rest.firstIndex(of: ";") {
      rest = rest[rest.index(after: mark)...].drop { $0 == " " || $0 == "\t" }
      guard rest.lowercased().hasPrefix(name + "=") else {
        // Over a quoted value, which may hold a semicolon.
        if let equals = rest.firstIndex(where: { $0 == "=" || $0 == ";" }), rest[equals] == "=" {
          let value = rest.index(after: equals)
          if value < rest.endIndex, rest[value] == "\"",
            let end = rest[rest.index(after: value)...].firstIndex(of: "\"")
          {
            rest = rest[end...]
          }
        }
        continue
      }
      rest = rest.dropFirst(name.count + 1)
      guard rest.first == "\"" else { return String(rest.prefix { $0 != ";" && $0 != " " }) }
      return String(rest.dropFirst().prefix { $0 != "\"" })
    }
    return nil
  }

  private static func find(_ needle: [UInt8], in body: [UInt8], from start: Int, to limit: Int)
    -> Int?
  {
    let end = min(limit, body.count) - needle.count
    guard let first = needle.first, start <= end else { return nil }
    return body.withUnsafeBytes { octets -> Int? in
      guard let base = octets.baseAddress else { return nil }
      var place = start
      // Every needle begins with a carriage return, which is seldom: memchr does the work.
      while place <= end, let found = memchr(base + place, Int32(first), end - place + 1) {
        place = UnsafeRawPointer(found) - base
        if memcmp(found, needle, needle.count) == 0 { return place }
        place += 1
      }
      return nil
    }
  }
}
