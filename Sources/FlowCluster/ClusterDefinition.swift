/// The statements that make a cluster's tables.
///
/// One server has a `MergeTree` table; in a cluster each server has a `ReplicatedMergeTree` table
/// `…_local` and a `Distributed` one over them, which searches ask and the sink sees through.
public struct ClusterDefinition: Sendable {
  /// A server's version, as far as it decides what a statement may say.
  public struct Version: Comparable, Sendable, CustomStringConvertible {
    public let major: Int
    public let minor: Int

    public init(major: Int, minor: Int) {
      self.major = major
      self.minor = minor
    }

    /// `18.16.1`, `25.8.2.29-lts`.
    public init?(_ text: String) {
      let parts = text.split(separator: ".")
      guard parts.count >= 2, let major = Int(parts[0]), let minor = Int(parts[1]) else {
        return nil
      }
      self.init(major: major, minor: minor)
    }

    public static func < (left: Version, right: Version) -> Bool {
      (left.major, left.minor) < (right.major, right.minor)
    }

    public var description: String { "\(major).\(minor)" }

    /// The oldest version that is supported; what it accepts, all later ones accept.
    public static let oldest = Version(major: 18, minor: 16)
    /// From here on: codecs, tables that forget by themselves, and plain tables that recognise an insert
    /// that is made again (21.1).
    static let current = Version(major: 21, minor: 1)
    /// From here on an insert may name its token (`insert_deduplication_token`, 22.2).
    static let tokens = Version(major: 22, minor: 2)
    /// From here on a server has asynchronous inserts, which may be on by default (21.11).
    static let asynchronousInserts = Version(major: 21, minor: 11)
  }

  public var database: String
  public var table: String
  /// The cluster's name in the servers' `remote_servers`; nil for one server.
  public var cluster: String?
  /// Whether the local tables of a cluster are replicated by ZooKeeper or Keeper, with the servers' macros
  /// `{shard}` and `{replica}`.
  public var isReplicated = true
  /// Days after which the server forgets flows; nil for never. Servers before 21.1 are given
  /// ``forget(day:)`` by hand.
  public var retentionDays: Int?
  /// Of the servers that the statements are for.
  public var version = Version.oldest

  /// - Throws: ``ClusterError/address(_:)`` for a cluster's name with other signs than letters, digits, `_`
  ///   and `-`.
  public init(database: String, table: String, cluster: String? = nil) throws(ClusterError) {
    self.database = try ClusterAddress.name(database, "database")
    self.table = try ClusterAddress.name(table, "table")
    if let cluster {
      _ = try ClusterAddress.name(cluster.replacing("-", with: "_"), "cluster")
    }
    self.cluster = cluster
  }

  /// Inserts that a table remembers, to recognise one that comes again. Today's default of replicated
  /// tables is 10,000, that of 18.16 was 100; a collector has at most a few open per shard.
  static let rememberedInserts = 1_000

  var localTable: String { cluster == nil ? table : table + "_local" }

  /// The statements in order, to be run on every server. They leave alone what is there.
  public var statements: [String] {
    var all = [
      "CREATE DATABASE IF NOT EXISTS `\(database)`",
      localStatement,
    ]
    if let cluster {
      all.append(
        """
        CREATE TABLE IF NOT EXISTS `\(database)`.`\(table)` AS `\(database)`.`\(localTable)`
        ENGINE = Distributed('\(cluster)', '\(database)', '\(localTable)', rand())
        """)
    }
    return all
  }

  private var localStatement: String {
    let isCurrent = version >= .current
    let columns = ClusterTable.all.map { column in
      "  `\(column.name)` \(column.type)"
        + (isCurrent ? column.codec.map { " CODEC(\($0))" } ?? "" : "")
    }
    var engine = "MergeTree()"
    var settings = ["index_granularity = 8192"]
    if cluster != nil, isReplicated {
      engine =
        "ReplicatedMergeTree('/clickhouse/tables/{shard}/\(database)/\(localTable)', '{replica}')"
      settings.append("replicated_deduplication_window = \(Self.rememberedInserts)")
    } else if isCurrent {
      settings.append("non_replicated_deduplication_window = \(Self.rememberedInserts)")
    }
    var lines = [
      "CREATE TABLE IF NOT EXISTS `\(database)`.`\(localTable)` (",
      columns.joined(separator: ",\n"),
      ") ENGINE = \(engine)",
      "PARTITION BY day",
      "ORDER BY (irregular, hour, source_address, destination_address)",
    ]
    if isCurrent, let retentionDays {
      lines.append("TTL day + INTERVAL \(max(1, retentionDays)) DAY")
      settings.append("ttl_only_drop_parts = 1")
    }
    lines.append("SETTINGS " + settings.joined(separator: ", "))
    return lines.joined(separator: "\n")
  }

  /// The statement that forgets a day's flows on servers before 21.1, `2026-11-25`; nil for what is no day.
  public func forget(day: String) -> String? {
    let isDay =
      day.utf8.count == 10
      && day.utf8.enumerated().allSatisfy { index, octet in
        index == 4 || index == 7
          ? octet == UInt8(ascii: "-") : (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(octet)
      }
    return isDay ? "ALTER TABLE `\(database)`.`\(localTable)` DROP PARTITION '\(day)'" : nil
  }
}
