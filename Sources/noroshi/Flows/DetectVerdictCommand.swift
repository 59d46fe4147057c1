import ArgumentParser
import Casework
import FlowAnalysis
import Foundation
import NetworkTypes

/// What can be said of a server on the command line.
enum VerdictWord: String, CaseIterable, ExpressibleByArgument, Sendable {
  case confirmed, wrong, watch
  /// Take a verdict back.
  case none

  var verdict: ServerVerdict? { ServerVerdict(rawValue: rawValue) }
}

struct FlowsVerdictCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "verdict",
    abstract: "Say that a server is a C&C server, is not, or is to be watched.",
    discussion: """
      The verdict is written into the audit trail and counts in the next ranking: clients of a \
      confirmed server are known as infected from then on, a wrong one leaves the list.

      Example:
        noroshi flows verdict 91.212.135.158:5678 confirmed --reason "malware configuration, case 41"
      """)

  @OptionGroup var options: HouseOptions

  @Argument(help: "The server, as address:port or address:port/udp.")
  var server: String

  @Argument(help: "confirmed, wrong, watch, or none to take it back.")
  var verdict: VerdictWord

  @Option(name: .long, help: "What the verdict rests on.")
  var reason: String

  func validate() throws {
    guard Service(text: server) != nil else {
      throw ValidationError("“\(server)” is no service such as 192.0.2.1:6667.")
    }
    guard !reason.allSatisfy(\.isWhitespace) else {
      throw ValidationError("--reason must say what the verdict rests on.")
    }
  }

  func run() async throws {
    guard let service = Service(text: server) else { return }
    let house = try options.house()
    let register = try ServerRegister(opening: house.store())
    try register.judge(
      service, verdict.verdict, by: House.operator, reason: reason, at: House.now)
    Terminal.error.line("\(service): \(verdict.rawValue).")
    guard verdict.verdict == .wrong else { return }
    let closed = try house.caseRegister(house.store()).closeCases(
      restingOn: service.description, by: House.operator, reason: reason, at: House.now)
    if !closed.isEmpty {
      Terminal.error.line("Closed, as they rest on it alone: \(closed.joined(separator: ", ")).")
    }
  }
}
