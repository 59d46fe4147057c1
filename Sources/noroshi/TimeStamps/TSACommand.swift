import ArgumentParser

struct TSACommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "tsa",
    abstract: "Time stamps (RFC 3161): give them, ask for them, verify them, prove them.",
    discussion: """
      The authority's clock is compared with sources of its own, and every stamp is in a journal \
      that cannot be rewritten unseen. See docs/time-stamps.md.
      """,
    subcommands: [
      TSAInit.self, TSAServe.self, TSAStamp.self, TSARequest.self, TSAVerify.self, TSAProve.self,
      TSAAudit.self, TSAStatus.self,
    ])
}
