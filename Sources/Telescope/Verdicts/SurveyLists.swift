import Foundation
public import NetworkTypes

/// Who surveys the Internet openly: lists of addresses, prefixes and reverse names.
public struct SurveyLists: Sendable {
  private let prefixes: PrefixMap<String>
  /// Suffixes of reverse names, `census.example.org`, with the organisation.
  public let reverseNames: [(suffix: String, scanner: String)]
  public let entryCount: Int

  public static let none = SurveyLists(entries: [], reverseNames: [])

  public init(
    entries: [(prefix: IPPrefix, scanner: String)],
    reverseNames: [(suffix: String, scanner: String)]
  ) {
    prefixes = PrefixMap(entries.map { ($0.prefix, $0.scanner) })
    self.reverseNames = reverseNames
    entryCount = entries.count + reverseNames.count
  }

  /// Reads lists of any of these forms, told apart by content:
  /// - NICT's own (`nict-csl/survey-scanner`): a JSON array, or one object a line, of
  ///   `{"ip": …, "scanner": …, "last_seen": …}`;
  /// - text: `PREFIX [NAME]` a line; `*.suffix [NAME]` for reverse names; `#` begins a comment.
  ///
  /// - Throws: ``TelescopeError/list(file:line:_:)`` for the first entry that is neither.
  public init(files: [String]) throws {
    try self.init(
      texts: files.map { file in
        guard let data = FileManager.default.contents(atPath: file) else {
          throw TelescopeError.list(file: file, line: 1, "cannot be read; check that it exists")
        }
        return (file, data)
      })
  }

  /// Reads lists that are in memory, under the names of their files.
  init(texts: [(file: String, data: Data)]) throws {
    var entries: [(prefix: IPPrefix, scanner: String)] = []
    var names: [(suffix: String, scanner: String)] = []
    for (file, data) in texts {
      let text = String(decoding: data, as: UTF8.self)
      let start = text.first { !$0.isWhitespace }
      if start == "[" || start == "{" {
        entries += try Self.nict(text, data, file: file, isArray: start == "[")
      } else {
        try Self.plain(text, file: file, &entries, &names)
      }
    }
    self.init(entries: entries, reverseNames: names)
  }

  private struct NICTEntry: Decodable {
    let ip: String
    let scanner: String?
  }

  private static func nict(
    _ text: String, _ data: Data, file: String, isArray: Bool
  ) throws -> [(prefix: IPPrefix, scanner: String)] {
    func entry(_ item: NICTEntry, line: Int) throws -> (prefix: IPPrefix, scanner: String) {
      guard let prefix = IPPrefix(item.ip) else {
        throw TelescopeError.list(file: file, line: line, "\"\(item.ip)\" is not an IP address")
      }
      return (prefix, item.scanner ?? "")
    }
    if isArray {
      do {
        return try JSONDecoder().decode([NICTEntry].self, from: data).enumerated().map {
          try entry($1, line: $0 + 1)
        }
      } catch let error as DecodingError {
        throw TelescopeError.list(
          file: file, line: 1,
          "expected a JSON array of {\"ip\", \"scanner\", \"last_seen\"} objects (\(error))")
      }
    }
    return try text.split(whereSeparator: \.isNewline).enumerated().map { number, line in
      guard let item = try? JSONDecoder().decode(NICTEntry.self, from: Data(line.utf8)) else {
        throw TelescopeError.list(
          file: file, line: number + 1, "expected an object with \"ip\" and \"scanner\"")
      }
      return try entry(item, line: number + 1)
    }
  }

  private static func plain(
    _ text: String, file: String, _ entries: inout [(prefix: IPPrefix, scanner: String)],
    _ names: inout [(suffix: String, scanner: String)]
  ) throws {
    for (number, line) in text.split(
      omittingEmptySubsequences: false, whereSeparator: \.isNewline
    ).enumerated() {
      let words = line.prefix { $0 != "#" }.split(maxSplits: 1, whereSeparator: \.isWhitespace)
      guard let first = words.first else { continue }
      let scanner = words.count > 1 ? words[1].trimmingCharacters(in: .whitespaces) : ""
      if first.hasPrefix("*.") {
        names.append((first.dropFirst(1).lowercased(), scanner))
      } else if let prefix = IPPrefix(first) {
        entries.append((prefix, scanner))
      } else {
        throw TelescopeError.list(
          file: file, line: number + 1,
          "\"\(first)\" is neither an address, nor a prefix with its host bits zero, nor *.suffix")
      }
    }
  }

  /// The surveyor that an address belongs to; empty text when its list gives no name.
  public func scanner(of address: IPAddress) -> String? { prefixes[address] }

  /// The surveyor that a reverse name belongs to.
  public func scanner(reverseName: String) -> String? {
    let name = "." + reverseName.lowercased().trimmingCharacters(in: ["."])
    return reverseNames.first { name.hasSuffix($0.suffix) }?.scanner
  }
}
