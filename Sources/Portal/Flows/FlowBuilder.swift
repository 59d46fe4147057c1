import NetworkTypes

/// The fields that build a filter for those who do not know the language: an address, a port, a protocol,
/// each with its side.
enum FlowBuilder {
  static let names: Set<String> = ["address", "side", "port", "portside", "protocol"]
  /// `either` is what the language means when it says nothing.
  static let sides = ["either", "source", "destination"]
  static let protocols = ["tcp", "udp", "icmp", "icmp6", "gre", "esp", "sctp"]

  /// The condition that the fields of a visit say; empty when they are untouched.
  ///
  /// - Throws: ``Problem`` 400 that names the field.
  static func condition(_ visit: Visit) throws -> String {
    var parts: [String] = []
    if let text = field("address", visit) {
      guard let prefix = IPPrefix(text) else { throw Problem.field("address", "address") }
      let word = try side("side", visit)
      parts.append(
        prefix.first == prefix.last
          ? "\(word)ip \(prefix.first)" : "\(word)net \(prefix)")
    }
    if let text = field("port", visit) {
      guard let port = UInt16(text) else {
        throw Problem.field("port", "whole", ["from": "0", "to": "65535"])
      }
      parts.append("\(try side("portside", visit))port \(port)")
    }
    if let text = field("protocol", visit) {
      guard protocols.contains(text) || UInt8(text) != nil else {
        throw Problem.field("protocol", "choice", ["words": protocols.joined(separator: ", ")])
      }
      parts.append("proto \(text)")
    }
    return parts.joined(separator: " and ")
  }

  private static func field(_ name: String, _ visit: Visit) -> String? {
    let text = visit.query(name)?.trimmingWhitespace ?? ""
    return text.isEmpty ? nil : text
  }

  private static func side(_ name: String, _ visit: Visit) throws -> String {
    switch visit.query(name) {
    case nil, "", "either": return ""
    case "source": return "src "
    case "destination": return "dst "
    default: throw Problem.field(name, "choice", ["words": sides.joined(separator: ", ")])
    }
  }

  /// Both conditions, in parentheses where they would otherwise bind differently.
  static func both(_ left: String, _ right: String) -> String {
    let left = left.trimmingWhitespace
    if left.isEmpty || right.isEmpty { return left.isEmpty ? right : left }
    let words = left.lowercased().split { $0.isWhitespace || $0 == "(" || $0 == ")" }
    // A comment would swallow what comes behind it.
    if left.contains("#") { return "(\(left)\n) and \(right)" }
    return words.contains("or") || left.contains("||")
      ? "(\(left)) and \(right)" : "\(left) and \(right)"
  }
}
