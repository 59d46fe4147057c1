import Foundation
import NetworkTypes

/// Servers that others have named: lists from files, STIX bundles, members.
///
/// Forms, told apart line by line: one address or prefix a line, with or without a port and further
/// columns (ipsum, CSV); maltrail's `# comment`, `192.0.2.1:1234`, domains passed over; and STIX 2.1
/// bundles with indicators such as `[ipv4-addr:value = '192.0.2.1']`.
public struct ThreatList: Sendable {
  /// An entry that matched.
  public struct Match: Hashable, Sendable, Codable {
    public let list: String
    /// The entry's port, where it has one.
    public let port: UInt16?

    public init(list: String, port: UInt16?) {
      self.list = list
      self.port = port
    }
  }

  private var hosts: [IPAddress: [Match]] = [:]
  private var prefixes: [(IPPrefix, Match)] = []
  private var map = PrefixMap<Match>([])
  /// Entries that are addresses or prefixes.
  public private(set) var entryCount = 0
  /// Lines that are something else: domains, paths.
  public private(set) var passedOver = 0

  public init() {}

  /// Reads files; each list is called by its file's name without the ending.
  ///
  /// - Throws: ``LabelledFlowError`` where a file cannot be read.
  public init(files: [String]) throws {
    for file in files {
      let name = URL(fileURLWithPath: file).deletingPathExtension().lastPathComponent
      try add(file: file, name: name)
    }
  }

  public mutating func add(file: String, name: String) throws {
    var lines = try LineSource(path: file)
    var isJSON: Bool?
    var text: [UInt8] = []
    while let line = try lines.next() {
      if isJSON == nil, let first = FieldText.trimmed(line).first { isJSON = first == 123 }
      if isJSON == true {
        // 256 MB are more than any bundle.
        if text.count < 256 << 20 { text += line }
      } else {
        add(line: FieldText.string(line), name: name)
      }
    }
    if isJSON == true { add(bundle: text, name: name) }
    map = PrefixMap(prefixes.map { ($0.0, $0.1) })
  }

  /// Reads lists that are in memory, line by line.
  public mutating func add(text: String, name: String) {
    if text.drop(while: \.isWhitespace).first == "{" {
      add(bundle: Array(text.utf8), name: name)
    } else {
      for line in text.split(whereSeparator: \.isNewline) { add(line: String(line), name: name) }
    }
    map = PrefixMap(prefixes.map { ($0.0, $0.1) })
  }

  private mutating func add(line: String, name: String) {
    let body = line.prefix { $0 != "#" && $0 != ";" }
    guard
      let field = body.split(whereSeparator: { $0 == "," || $0.isWhitespace }).first
    else { return }
    let text = field.replacing("\"", with: "")
    if let service = Service(text: String(text)) {
      insert(service.address, port: service.port, name: name)
    } else if let address = IPAddress(text) {
      insert(address, port: nil, name: name)
    } else if let prefix = IPPrefix(text), prefix.length >= 8 {
      entryCount += 1
      prefixes.append((prefix, Match(list: name, port: nil)))
    } else {
      passedOver += 1
    }
  }

  private mutating func insert(_ address: IPAddress, port: UInt16?, name: String) {
    entryCount += 1
    let match = Match(list: name, port: port)
    if hosts[address]?.contains(match) != true { hosts[address, default: []].append(match) }
  }

  /// STIX 2.1 §4.7 indicators with a STIX pattern (§9) of addresses; other patterns are passed over.
  private mutating func add(bundle: [UInt8], name: String) {
    guard let object = try? JSONSerialization.jsonObject(with: Data(bundle)) as? [String: Any],
      let members = object["objects"] as? [[String: Any]]
    else {
      passedOver += 1
      return
    }
    for member in members where member["type"] as? String == "indicator" {
      guard let pattern = member["pattern"] as? String, member["revoked"] as? Bool != true else {
        passedOver += 1
        continue
      }
      let port = Self.values(of: ["dst_port", "src_port"], in: pattern).first.flatMap {
        UInt16($0)
      }
      var found = false
      for value in Self.values(of: ["value"], in: pattern) {
        if let address = IPAddress(value) {
          insert(address, port: port, name: name)
          found = true
        } else if let prefix = IPPrefix(value), prefix.length >= 8 {
          entryCount += 1
          prefixes.append((prefix, Match(list: name, port: port)))
          found = true
        }
      }
      if !found { passedOver += 1 }
    }
  }

  /// What stands right of `name =` in a pattern.
  private static func values(of names: [String], in pattern: String) -> [String] {
    var values: [String] = []
    for name in names {
      for part in pattern.components(separatedBy: name).dropFirst() {
        let rest = part.drop { $0.isWhitespace }
        guard rest.first == "=" else { continue }
        let value = rest.dropFirst().drop { $0.isWhitespace }
        values.append(
          value.first == "'"
            ? String(value.dropFirst().prefix { $0 != "'" })
            : String(value.prefix { $0.isNumber }))
      }
    }
    return values
  }

  /// What lists say about a service: entries without a port, or with its port.
  public func matches(_ service: Service) -> [Match] {
    var matches = (hosts[service.address] ?? []).filter {
      $0.port == nil || $0.port == service.port
    }
    if let match = map[service.address], match.port == nil || match.port == service.port {
      matches.append(match)
    }
    return matches
  }
}
