import ArgumentParser
import Foundation
import Logging
import NetworkTypes
import Portal
import Settings
import TrustServices

struct TSAStatus: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "status",
    abstract: "Show the authority's clock, journal and certificate.",
    discussion: """
      Asks a running authority at --url, or looks at the one of this data directory and compares the \
      clock once. Exit code 2 while nothing can be stamped.
      """)

  @OptionGroup var options: HouseOptions

  @Option(name: .long, help: "The authority's address.")
  var url: String?

  @Flag(name: .long, help: "Write JSON.")
  var json = false

  func run() async throws {
    let house = try options.house()
    let status: TimeStampStatus
    if let url = try url ?? served(house) {
      let answer = try await HTTPTimeStamps.get(url + "/status")
      status = try JSONDecoder().decode(TimeStampStatus.self, from: Data(answer))
    } else {
      let (authority, _) = try house.timeStampAuthority()
      if authority.clock.isGuarding { await authority.clock.check() }
      status = TimeStampStatus(authority)
    }
    if json {
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
      Terminal.output.line(String(decoding: try encoder.encode(status), as: UTF8.self))
    } else {
      show(status)
    }
    guard status.state != ClockJudgement.State.stopped.rawValue else {
      throw CommandFailure(
        "Nothing is stamped: \(status.reasons.first ?? "the clock is stopped")",
        advice: "Set tsa.clock.sources, and see that they answer.", status: .negative)
    }
  }

  /// The address of this data directory's own server, where one runs.
  private func served(_ house: House) throws -> String? {
    do {
      _ = try Journal(folder: house.timeStampFiles.journal)
      return nil
    } catch JournalError.inUse {
      let tsa = house.configuration.tsa
      let portal = house.configuration.portal
      return tsa.enabled
        ? "http://\(portal.address):\(portal.port)/tsa"
        : "http://\(tsa.listen.configurationText)/tsa"
    }
  }

  private func show(_ status: TimeStampStatus) {
    var sheet = Sheet()
    let style: Terminal.Style =
      status.state == "ok" ? .green : status.state == "degraded" ? .yellow : .red
    sheet.add("clock", .text(status.state, style))
    for reason in status.reasons { sheet.add("", reason) }
    func seconds(_ value: Double?) -> String? {
      value.map { Quantity.decimal($0 * 1000, digits: 3) + " ms" }
    }
    sheet.add("offset", seconds(status.offset))
    sheet.add("error bound", seconds(status.errorBound))
    sheet.add("measured", status.measured)
    sheet.add("policy", status.policy)
    sheet.add("certificate", "valid to \(status.certificateEnd)")
    sheet.add("records", .count(status.records))
    sheet.add("granted", .count(status.granted))
    for (reason, count) in status.rejected.sorted(by: { $0.key < $1.key }) {
      sheet.add("rejected", "\(count) \(reason)")
    }
    sheet.add("log key", status.log)
    sheet.write()
  }
}
