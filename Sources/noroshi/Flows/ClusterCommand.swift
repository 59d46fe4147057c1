import ArgumentParser
import FlowCluster

/// `noroshi flows cluster`: a ClickHouse cluster for flows.
struct FlowsClusterCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "cluster", abstract: "Prepare a ClickHouse cluster for flows.",
    subcommands: [FlowsClusterDDLCommand.self])
}

struct FlowsClusterDDLCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "ddl",
    abstract: "Print the statements that make the tables for flows.",
    discussion: """
      Without --cluster, a table of one server; with it, on every server a ReplicatedMergeTree table \
      …_local and a Distributed one over the cluster of that name in the servers' remote_servers. The \
      servers' macros say {shard} and {replica}. See docs/scaling.md.

      Examples:
        noroshi flows cluster ddl | clickhouse-client --multiquery
        noroshi flows cluster ddl --cluster flows --retention-days 30 --version 25.8
      """)

  @OptionGroup var definition: ClusterDefinitionOptions

  @Option(name: .long, help: "The database.")
  var database = "noroshi"

  @Option(name: .long, help: "The table that searches ask.")
  var table = "flows"

  @Option(
    name: .long,
    help: ArgumentHelp(
      "The servers' version; codecs and retention are of 21.1 and later.", valueName: "version"))
  var version = "18.16"

  func validate() throws {
    guard let version = ClusterDefinition.Version(version), version >= .oldest else {
      throw ValidationError("--version is one such as 25.8, from 18.16 on.")
    }
  }

  func run() async throws {
    var definition = try definition.definition(database: database, table: table)
    definition.version = ClusterDefinition.Version(version) ?? .oldest
    for statement in definition.statements { print(statement + ";\n") }
    if definition.retentionDays != nil,
      definition.version < ClusterDefinition.Version(major: 21, minor: 1)
    {
      Terminal.error.line(
        "Servers of version \(definition.version) do not forget by themselves: drop the partitions of "
          + "old days, each by ALTER TABLE … DROP PARTITION 'YYYY-MM-DD'.")
    }
  }
}

/// How the tables of a cluster are made.
struct ClusterDefinitionOptions: ParsableArguments {
  @Option(name: .long, help: "The cluster's name in the servers' remote_servers.")
  var cluster: String?

  @Flag(
    name: .long, help: "Local tables of a cluster without ZooKeeper or Keeper, each on one server.")
  var unreplicated = false

  @Option(name: .long, help: "Days after which the servers forget flows.")
  var retentionDays: Int?

  func validate() throws {
    guard (1...36_500).contains(retentionDays ?? 1) else {
      throw ValidationError("--retention-days is 1 to 36500.")
    }
  }

  func definition(database: String, table: String) throws -> ClusterDefinition {
    var definition = try ClusterDefinition(database: database, table: table, cluster: cluster)
    definition.isReplicated = !unreplicated
    definition.retentionDays = retentionDays
    return definition
  }
}
