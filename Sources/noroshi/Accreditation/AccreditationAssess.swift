import ArgumentParser
import Foundation
import Logging
import NetworkTypes
import Settings
import TrustServices

struct AccreditationAssess: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "assess", abstract: "Record the result of an assessment (調査).")

  @OptionGroup var options: HouseOptions
  @OptionGroup var step: StepOptions

  @Argument(help: "The service's identifier.")
  var service: String
  @Flag(inversion: .prefixedNo, help: "Whether the service meets the requirements.")
  var passed: Bool
  @Option(name: .long, help: "Who assessed it.")
  var assessor: String
  @Option(name: .long, help: "The day on which the assessment ended, in JST.")
  var day: JapaneseDay

  func run() async throws {
    let assessment = ServiceAssessment(
      service: service, isPassed: passed, assessor: assessor, day: day)
    try await options.house().accreditationStep(
      .assessment(assessment), "assessment", service, step)
  }
}
