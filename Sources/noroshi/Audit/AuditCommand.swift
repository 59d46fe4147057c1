import ArgumentParser

struct AuditCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "audit",
    abstract: "The record of everything that was done, which cannot be changed unseen.",
    subcommands: [AuditList.self, AuditVerify.self, AuditStampCommand.self])
}
