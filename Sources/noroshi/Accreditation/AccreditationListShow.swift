import ArgumentParser
import Foundation
import Logging
import NetworkTypes
import Settings
import Store
import TrustServices

struct AccreditationListShow: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "show",
    abstract: "Show the services of a list, with every status they had. Nothing is verified.")

  @OptionGroup var options: HouseOptions
  @OptionGroup var list: ListOutput

  @Argument(help: "The list. Default: the one in force of this data directory.")
  var file: String?

  func run() async throws {
    let path = try file ?? options.house().accreditationFiles.list
    guard FileManager.default.fileExists(atPath: path) else {
      throw CommandFailure(
        "There is no list at \(path)", advice: "`noroshi accreditation list publish` makes one.",
        status: .noInput)
    }
    let trusted = try House.unverifiedList(path).list
    if list.format == .table { TrustedListFiles.sheet(trusted, nil).write() }
    let rows = trusted.services.flatMap { entry in
      entry.service.periods.map { (entry.provider, entry.service, $0) }
    }
    try list.write(
      rows,
      columns: [
        ListColumn("provider") { .text($0.0.name.ja) },
        ListColumn("provider_en", extra: true) { .text($0.0.name.en) },
        ListColumn("service") { .text($0.1.id) },
        ListColumn("name", extra: true) { .text($0.1.name.ja) },
        ListColumn("kind") { .text($0.1.kind.description) },
        ListColumn("scheme") { .text($0.1.scheme) },
        ListColumn("status") { .text($0.2.status.rawValue) },
        ListColumn("since") { .time($0.2.since) },
        ListColumn("from") { .text($0.2.validFrom.description) },
        ListColumn("until") { .text($0.2.validUntil.description) },
      ], nothing: "The list names no service.")
  }
}
