import ArgumentParser
import Foundation
import Logging
import NetworkTypes
import Settings
import TrustServices

struct AccreditationHistory: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "history",
    abstract: "Show every step of the register, or those of a service: who, when, why.")

  @OptionGroup var options: HouseOptions
  @OptionGroup var list: ListOutput

  @Argument(help: "A service's identifier.")
  var service: String?

  func run() async throws {
    let (contents, records) = try options.house().accreditationContents()
    if let service, contents.service(service) == nil {
      throw CommandFailure("\(AccreditationError.unknownService(service))", status: .noInput)
    }
    let rows = records.enumerated().filter { service == nil || $0.element.service == service }
    try list.write(
      rows,
      columns: [
        ListColumn("record") { .count($0.offset) },
        ListColumn("time") { .time($0.element.time) },
        ListColumn("who") { .text($0.element.actor) },
        ListColumn("step") { .text(Self.describe($0.element.step)) },
        ListColumn("why") { .text($0.element.reason) },
        ListColumn("documents") { row in
          .list(row.element.documents.map { "\($0.name) \($0.sha256)" })
        },
      ], nothing: "The register is empty.")
  }

  private static func describe(_ step: AccreditationRecord.Step) -> String {
    switch step {
    case .opened(let schemeOperator): "opened by \(schemeOperator.name.en)"
    case .scheme(let scheme):
      "scheme \(scheme.id) from \(scheme.from)" + (scheme.until.map { " to \($0)" } ?? "")
    case .provider(let provider): "provider \(provider.id)"
    case .application(let application):
      "\(application.service) applies for \(application.kind) under \(application.scheme)"
    case .assessment(let assessment):
      "\(assessment.service) \(assessment.isPassed ? "passed" : "failed") on \(assessment.day), "
        + assessment.assessor
    case .decision(let decision):
      "\(decision.service) \(decision.kind.rawValue) from \(decision.from)"
        + (decision.until.map { " to \($0)" } ?? "")
    case .identity(let service, let certificates):
      "\(service) given \(certificates.count) certificate(s)"
    case .published(let sequence, let sha256, _): "list \(sequence) published, \(sha256)"
    }
  }
}
