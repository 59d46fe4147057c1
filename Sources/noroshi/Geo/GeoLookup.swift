import ArgumentParser
import Foundation
import Geolocation
import NetworkTypes

struct GeoLookup: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "lookup",
    abstract: "Say which country and system addresses belong to.",
    discussion: """
      Examples:
        noroshi geo lookup 192.0.2.1 2001:db8::1
        noroshi geo lookup - --format csv < addresses.txt
      """)

  @OptionGroup var options: HouseOptions
  @OptionGroup var list: ListOutput

  @Argument(help: "Addresses; - reads one a line from standard input.")
  var addresses: [String]

  func run() throws {
    let house = try options.house()
    let database = try house.geo()
    if database.isEmpty {
      throw CommandFailure(
        "There is no geographic data yet", advice: "`noroshi geo import` takes it in.",
        status: .unavailable)
    }
    var texts = addresses
    if texts == ["-"] {
      texts = []
      while let line = readLine() {
        let text = line.trimmingCharacters(in: .whitespaces)
        if !text.isEmpty { texts.append(text) }
      }
    }
    let rows = try texts.map { text in
      guard let address = IPAddress(text) else {
        throw CommandFailure(
          "“\(text)” is no IP address", advice: "Expected 192.0.2.1 or 2001:db8::1.",
          status: .badData)
      }
      return (address, database.lookup(address))
    }
    try list.write(
      rows,
      columns: [
        ListColumn("address") { .text($0.0.description) },
        ListColumn("country") { $0.1.country == .unknown ? .none : .text("\($0.1.country)") },
        ListColumn("country_name", "COUNTRY NAME") {
          $0.1.country == .unknown ? .none : .text($0.1.country.name(in: .english))
        },
        ListColumn("asn", "AS") { $0.1.asn == .unknown ? .none : .text($0.1.asn.description) },
        ListColumn("as_name", "AS NAME") { .text(database.asnName($0.1.asn)) },
      ])
  }
}
