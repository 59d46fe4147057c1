import Foundation

/// Where a ClickHouse cluster is, and the table on it.
///
/// ```
/// clickhouse://noroshi@db1:8123/noroshi/flows          one server
/// clickhouse://db1a+db1b,db2a+db2b/noroshi/flows       two shards of two replicas each
/// clickhouses://db1.example.net/noroshi/flows          TLS, port 8443
/// ```
///
/// Commas separate shards, `+` the replicas of a shard. User and password are percent-encoded; a
/// password may as well be in the environment variable ``passwordVariable``, where `ps` does not show it.
public struct ClusterAddress: Hashable, Sendable, CustomStringConvertible {
  /// One server's HTTP port.
  public struct Server: Hashable, Sendable, CustomStringConvertible {
    /// A name or an address, IPv6 without brackets.
    public let host: String
    public let port: Int

    public var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
  }

  /// Whose value is the password when the address has a user and no password.
  public static let passwordVariable = "NOROSHI_CLICKHOUSE_PASSWORD"

  /// The replicas of each shard, at least one of each.
  public let shards: [[Server]]
  public let isEncrypted: Bool
  public let user: String?
  let password: String?
  /// Letters, digits and underscores.
  public let database: String
  /// Letters, digits and underscores.
  public let table: String

  /// Whether a text is meant to be such an address: it begins with its scheme.
  public static func isAddress(_ text: String) -> Bool {
    text.hasPrefix("clickhouse://") || text.hasPrefix("clickhouses://")
  }

  /// - Parameters:
  ///   - text: as above; the database is `noroshi` and the table `flows` where they are left out.
  ///   - environment: where the password may be; the process's own unless given.
  /// - Throws: ``ClusterError/address(_:)``.
  public init(
    _ text: String, environment: [String: String]? = nil
  ) throws(ClusterError) {
    guard Self.isAddress(text), let start = text.range(of: "://") else {
      throw .address("an address of a cluster begins with clickhouse:// or clickhouses://")
    }
    isEncrypted = text.hasPrefix("clickhouses:")
    var rest = text[start.upperBound...]
    var path: [Substring] = []
    if let slash = rest.firstIndex(of: "/") {
      path = rest[rest.index(after: slash)...].split(separator: "/")
      rest = rest[..<slash]
    }
    guard path.count <= 2 else {
      throw .address("behind the servers come at most a database and a table: /noroshi/flows")
    }
    database = try Self.name(path.first.map(String.init) ?? "noroshi", "database")
    table = try Self.name(path.count == 2 ? String(path[1]) : "flows", "table")
    if let at = rest.lastIndex(of: "@") {
      let parts = rest[..<at].split(
        separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
      guard let name = parts[0].removingPercentEncoding, !name.isEmpty,
        let secret = parts.count == 2
          ? parts[1].removingPercentEncoding
          : (environment ?? ProcessInfo.processInfo.environment)[Self.passwordVariable] ?? ""
      else { throw .address("user and password before @ are percent-encoded: user:p%40ss@") }
      guard !(name + secret).unicodeScalars.contains(where: { $0.value < 32 }) else {
        throw .address("user and password have no control characters")
      }
      user = name
      password = secret
      rest = rest[rest.index(after: at)...]
    } else {
      user = nil
      password = nil
    }
    var shards: [[Server]] = []
    for shard in rest.split(separator: ",", omittingEmptySubsequences: false) {
      var replicas: [Server] = []
      for server in shard.split(separator: "+", omittingEmptySubsequences: false) {
        replicas.append(try Self.server(server, port: isEncrypted ? 8_443 : 8_123))
      }
      shards.append(replicas)
    }
    guard shards.count <= 1_024 else { throw .address("a cluster has at most 1,024 shards") }
    let all = shards.joined()
    guard Set(all).count == all.count else {
      throw .address("a server is named twice; every shard and replica is one of its own")
    }
    self.shards = shards
  }

  private static func server(_ text: Substring, port: Int) throws(ClusterError) -> Server {
    var host = text
    var number = port
    let isBracketed = text.hasPrefix("[")
    let colon = isBracketed ? text.range(of: "]:")?.upperBound : nil
    if let end = isBracketed ? colon : text.firstIndex(of: ":").map({ text.index(after: $0) }) {
      guard let given = UInt16(text[end...]), given > 0 else {
        throw .address("\(text): a port is a number from 1 to 65535")
      }
      number = Int(given)
      host = text[..<text.index(before: end)]
    }
    if isBracketed {
      guard host.hasSuffix("]") else { throw .address("\(text): an IPv6 address is in brackets") }
      host = host.dropFirst().dropLast()
    }
    let isPlain = host.utf8.allSatisfy { octet in
      switch octet {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "-"),
        UInt8(ascii: "_"):
        true
      case UInt8(ascii: ":"): isBracketed
      default: false
      }
    }
    guard isPlain, !host.isEmpty else {
      throw .address("“\(text)” is no server such as db1.example.net:8123 or [2001:db8::1]:8123")
    }
    return Server(host: String(host), port: number)
  }

  /// A name that stands in SQL: nothing in it could end the quotes around it.
  static func name(_ text: String, _ what: String) throws(ClusterError) -> String {
    let isPlain = text.utf8.allSatisfy { octet in
      switch octet {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"):
        true
      default: false
      }
    }
    guard isPlain, let first = text.first, !first.isNumber, text.utf8.count <= 64 else {
      throw .address(
        "“\(text)” is no name of a \(what) here: letters, digits and _, up to 64, no digit first")
    }
    return text
  }

  /// The address without the password.
  public var description: String {
    let servers = shards.map { $0.map(\.description).joined(separator: "+") }
      .joined(separator: ",")
    let who = user.map { name in
      (name.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? "") + "@"
    }
    return (isEncrypted ? "clickhouses://" : "clickhouse://") + (who ?? "")
      + "\(servers)/\(database)/\(table)"
  }
}
