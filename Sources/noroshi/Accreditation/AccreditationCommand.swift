import ArgumentParser

struct AccreditationCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "accreditation",
    abstract: "Keep the register of an accrediting body, and publish its trusted list (認定).",
    discussion: """
      Applications, assessments and decisions about time-stamp and e-seal services go into a journal \
      that cannot be rewritten; the sealed list that is made from it tells relying parties which \
      services were accredited when. See docs/accreditation.md.

      Examples:
        noroshi accreditation init --name-ja 総務省 --name-en "Ministry of Internal Affairs" \\
          --uri https://www.example.go.jp/ --reason "opened"
        noroshi accreditation scheme mic-146-2021 --reason "告示第146号"
        noroshi accreditation decide tsa-1 accredited --from 2022-04-01 --until 2024-03-31 \\
          --reason "認定第1号"
        noroshi accreditation list publish --key list.key --certificate list.pem
        noroshi accreditation audit --state seen.txt
      """,
    subcommands: [
      AccreditationInit.self, AccreditationSchemeCommand.self, AccreditationProvider.self,
      AccreditationApply.self, AccreditationAssess.self, AccreditationDecide.self,
      AccreditationIdentify.self, AccreditationServices.self, AccreditationHistory.self,
      AccreditationListCommand.self, AccreditationAuditCommand.self,
    ])
}
