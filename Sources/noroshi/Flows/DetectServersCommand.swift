import ArgumentParser
import FlowAnalysis
import Foundation
import NetworkTypes

struct FlowsServersCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "servers",
    abstract: "List the C&C servers of the register, with verdicts and expiry.",
    discussion: """
      A server leaves the list 30 days after it was last seen; its history stays.

      Examples:
        noroshi flows servers
        noroshi flows servers --expired --format csv
      """)

  @OptionGroup var options: HouseOptions
  @OptionGroup var output: ListOutput

  @Flag(name: .long, help: "Expired ones as well.")
  var expired = false

  func run() async throws {
    let house = try options.house()
    let register = try ServerRegister(opening: house.store())
    let now = House.now
    let entries = expired ? try register.history() : try register.current(at: now)
    try output.write(
      entries,
      columns: [
        ListColumn("server") { .text($0.server.service.description) },
        ListColumn("probability") { .percent($0.server.probability * 100) },
        ListColumn("grade") { .text($0.server.grade.rawValue, DetectTable.style($0.server.grade)) },
        ListColumn("verdict") { .text($0.verdict?.verdict.rawValue) },
        ListColumn("clients") { .count($0.server.clientCount) },
        ListColumn("first_seen") { .time($0.firstSeen) },
        ListColumn("last_seen") { .time($0.lastSeen) },
        ListColumn("expires") { .time($0.expires) },
        ListColumn("expired", extra: true) { .flag($0.isExpired(at: now)) },
        ListColumn("highest", extra: true) { .percent($0.highest * 100) },
        ListColumn("verdict_by", extra: true) { .text($0.verdict?.actor) },
        ListColumn("verdict_reason", extra: true) { .text($0.verdict?.reason) },
      ], nothing: "The register is empty; `noroshi flows detect` fills it.")
  }
}
