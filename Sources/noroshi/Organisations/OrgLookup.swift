import ArgumentParser
import Constituency
import Geolocation
import NetworkTypes

struct OrgLookup: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "lookup",
    abstract: "Say who is responsible for addresses, and why.",
    discussion: """
      The most specific prefix wins; where no prefix covers the address, the AS number from the \
      geographic data decides.

      Example:
        noroshi org lookup 203.0.113.9 2001:db8::1
      """)

  @OptionGroup var options: HouseOptions
  @OptionGroup var list: ListOutput

  @Argument(help: "The addresses.")
  var addresses: [String]

  func run() throws {
    let house = try options.house()
    let index = ConstituencyIndex(try house.constituency())
    let geo = try house.geo()
    let rows = try addresses.map { text -> (IPAddress, ASN, Responsibility) in
      guard let address = IPAddress(text) else {
        throw CommandFailure(
          "“\(text)” is no IP address", advice: "Expected 192.0.2.1 or 2001:db8::1.",
          status: .badData)
      }
      let asn = geo.lookup(address).asn
      return (address, asn, index.responsible(for: address, asn: asn == .unknown ? nil : asn))
    }
    try list.write(
      rows,
      columns: [
        ListColumn("address") { .text($0.0.description) },
        ListColumn("organisation") { row in
          switch row.2 {
          case .none: .text("nobody", .yellow)
          case .one(let organisation, _): .text(organisation, .plain)
          case .several(let claims): .text("contested: \(claims.joined(separator: ", "))", .yellow)
          }
        },
        ListColumn("by") { row in
          guard case .one(_, let via) = row.2 else { return .none }
          return switch via {
          case .prefix(let prefix): .text(prefix.description, .plain)
          case .asn(let asn): .text(asn.description, .plain)
          }
        },
        ListColumn("asn", "AS") { $0.1 == .unknown ? .none : .text($0.1.description) },
      ])
    if rows.allSatisfy({ $0.2.organisation == nil }) {
      throw ExitCode(ExitStatus.negative.rawValue)
    }
  }
}
