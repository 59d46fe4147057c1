import ArgumentParser

/// `noroshi flows`: what routers tell of the traffic, collected, kept and searched.
struct FlowsCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "flows",
    abstract: "Collect, keep, search and judge flow records: NetFlow, IPFIX, sFlow.",
    discussion: """
      Examples:
        noroshi flows collect                         receive on the configured ports
        noroshi flows query --purpose "case 17" 'dst port 23'
        noroshi flows query --purpose capacity -s srcip/bytes
        noroshi flows exporters                       who exports, and what was lost
        noroshi flows detect                          servers that command infected hosts
      """,
    subcommands: [
      FlowsCollectCommand.self, FlowsExportersCommand.self, FlowsQueryCommand.self,
      FlowsVerifyCommand.self, FlowsImportCommand.self, FlowsGenerateCommand.self,
      FlowsReplayCommand.self, FlowsClusterCommand.self, FlowsDetectCommand.self,
      FlowsServersCommand.self, FlowsVerdictCommand.self, FlowsEvaluateCommand.self,
      FlowsFitCommand.self,
    ])
}
