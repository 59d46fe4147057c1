import ArgumentParser

/// `noroshi ddos`: denial-of-service attacks in flows, their sources, and what comes before them.
struct DDoSCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "ddos",
    abstract: "Find denial-of-service attacks in flows, their sources, and what precedes them.",
    discussion: """
      Examples:
        noroshi ddos watch --protect 203.0.113.0/24     collect flows and tell of attacks at once
        noroshi ddos detect --protect 203.0.113.0/24 nfcapd.202611250905
        noroshi ddos attacks                            what was found
        noroshi ddos sources latest --by organisation   whom it came from
        noroshi ddos mitigate latest --as nftables      what to do against it
      """,
    subcommands: [
      DDoSWatch.self, DDoSDetect.self, DDoSAttacks.self, DDoSShow.self, DDoSSources.self,
      DDoSFingerprint.self, DDoSCompare.self, DDoSMitigate.self, DDoSScanners.self,
      DDoSReflectors.self,
    ])
}
