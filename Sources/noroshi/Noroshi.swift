import ArgumentParser

/// The whole command: `noroshi NOUN VERB`, one folder per noun and one file per verb.
struct Noroshi: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "noroshi",
    abstract: "Sees attacks in unused address space, and tells those who can stop them.",
    discussion: """
      Noroshi (狼煙, beacon fire) reads the traffic that reaches a darknet, finds infected hosts, \
      scanners, campaigns and victims of denial-of-service attacks, opens a case at the responsible \
      organisation for each infected host, and sends notices.

      First steps:
        noroshi init ./data            make a data directory
        noroshi doctor                 see what is missing on this machine
        noroshi telescope read x.pcap  read a capture of a darknet
        noroshi serve                  start the portal

      Exit codes: 0 done, 1 failed, 2 the answer is no, 3 it cannot be said, 64 wrong command line, 65 wrong data, \
      66 no input, 69 something needed is missing, 73 cannot create, 74 reading or writing failed, \
      77 not permitted, 78 wrong configuration.
      """,
    version: version,
    groupedSubcommands: [
      CommandGroup(
        name: "House",
        subcommands: [
          InitCommand.self, ServeCommand.self, DoctorCommand.self, ConfigCommand.self,
          UserCommand.self, AuditCommand.self, BackupCommand.self, ForgetCommand.self,
        ]),
      CommandGroup(
        name: "Watching",
        subcommands: [
          TelescopeCommand.self, FlowsCommand.self, DDoSCommand.self, GeoCommand.self,
          AnonymiseCommand.self,
        ]),
      CommandGroup(
        name: "Telling", subcommands: [OrgCommand.self, CaseCommand.self, NoticeCommand.self]),
      CommandGroup(
        name: "Trust",
        subcommands: [
          SealCommand.self, VerifyCommand.self, TSACommand.self, CACommand.self,
          AccreditationCommand.self,
        ]),
      CommandGroup(
        name: "Shell", subcommands: [CompletionsCommand.self, VersionCommand.self]),
    ])

  /// The version of this program, as CHANGELOG.md lists it.
  static let version = "0.1.0"
}

@main
enum Main {
  static func main() async {
    var command: any ParsableCommand
    do {
      command = try Noroshi.parseAsRoot()
    } catch {
      Noroshi.exit(withError: error)
    }
    do {
      if var asynchronous = command as? any AsyncParsableCommand {
        try await asynchronous.run()
      } else {
        try command.run()
      }
    } catch {
      Noroshi.exit(withError: ExitCode(code(of: error, from: type(of: command))))
    }
  }

  /// Argument-parser ends the process itself for its own errors (help, wrong options), with the usage
  /// of the command that they are about.
  private static func code(of error: any Error, from command: any ParsableCommand.Type) -> Int32 {
    guard Noroshi.exitCode(for: error) == .failure else { command.exit(withError: error) }
    return Failures.report(error)
  }
}
