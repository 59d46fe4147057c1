import ArgumentParser

struct CaseCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "case",
    abstract: "The cases: one for each host and organisation.",
    subcommands: [
      CaseList.self, CaseShow.self, CaseAcknowledge.self, CaseFixed.self, CaseClose.self,
      CaseReopen.self, CaseComment.self, CaseAssign.self, CaseReassign.self,
    ])
}
