import ArgumentParser

struct CACommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "ca",
    abstract: "A small certificate authority, for tests and private deployments.",
    discussion: """
      One level: a root that certifies time-stamp units, e-seals, servers and clients. It is not \
      accredited by anybody. See docs/certificate-authority.md.
      """,
    subcommands: [
      CAInit.self, CAIssue.self, CARevoke.self, CACRL.self, CAList.self, CAOCSP.self,
    ])
}
