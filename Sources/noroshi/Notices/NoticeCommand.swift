import ArgumentParser

struct NoticeCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "notice",
    abstract: "The notices: what organisations are told, and what came of it.",
    subcommands: [
      NoticePrepare.self, NoticeSend.self, NoticeList.self, NoticeShow.self, NoticeRetry.self,
      NoticeConfirm.self,
    ])
}
