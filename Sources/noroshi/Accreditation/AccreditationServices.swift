import ArgumentParser
import Foundation
import Logging
import NetworkTypes
import Settings
import TrustServices

struct AccreditationServices: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "services", abstract: "List the services of the register, and where they stand.")

  @OptionGroup var options: HouseOptions
  @OptionGroup var list: ListOutput

  func run() async throws {
    let contents = try options.house().accreditationContents().contents
    let now = House.now
    try list.write(
      contents.services,
      columns: [
        ListColumn("service") { .text($0.id) },
        ListColumn("name") { .text($0.name.ja) },
        ListColumn("name_en", extra: true) { .text($0.name.en) },
        ListColumn("provider") { .text($0.provider) },
        ListColumn("kind") { .text($0.kind.description) },
        ListColumn("scheme") { .text($0.scheme) },
        ListColumn("stage") { Self.cell(contents.stage(of: $0, at: now)) },
        ListColumn("since") { .time(contents.periods(of: $0, at: now).last?.since) },
        ListColumn("from") {
          .text(contents.periods(of: $0, at: now).last?.validFrom.description)
        },
        ListColumn("until") {
          .text(contents.periods(of: $0, at: now).last?.validUntil.description)
        },
        ListColumn("certificates", extra: true) { .list($0.certificates.map(\.description)) },
        ListColumn("policies", extra: true) { .list($0.policies) },
      ], nothing: "No service has applied.")
  }

  private static func cell(_ stage: AccreditedService.Stage) -> ListCell {
    switch stage {
    case .accredited: .text(stage.rawValue, .green)
    case .applied: .text(stage.rawValue)
    case .suspended: .text(stage.rawValue, .yellow)
    case .withdrawn, .refused: .text(stage.rawValue, .red)
    case .expired: .text(stage.rawValue, .faint)
    }
  }
}
