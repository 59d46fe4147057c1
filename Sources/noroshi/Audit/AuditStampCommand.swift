import ArgumentParser
import Store
import TrustServices

struct AuditStampCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "stamp",
    abstract: "Have the end of the audit trail time-stamped.",
    discussion: """
      Keeps the answer of the authority in audit-stamps of the data directory. Whoever rewrites the \
      trail later, with all its hashes, cannot make a stamp of that time anew: `noroshi audit verify` \
      compares. With audit.stamped, `noroshi serve` does this once a day.

      Examples:
        noroshi audit stamp --tsa http://127.0.0.1:3161/tsa
        noroshi audit verify --trust-anchors ca.crt
      """)

  @OptionGroup var options: HouseOptions

  @Option(name: .long, help: "The time-stamp authority's address (seal.timeStamps).")
  var tsa: String?

  func run() async throws {
    let house = try options.house()
    let source = try tsa.map { HTTPTimeStamps.source($0) } ?? house.stampSource()
    let stamp = try await house.auditStamps.stamp(
      AuditTrail(store: try house.store()), of: house, by: source)
    Terminal.output.line(
      "Entry \(Quantity.grouped(stamp.head.sequence)) was the last one at "
        + "\(stamp.token.info.genTime): \(stamp.path)")
  }
}
