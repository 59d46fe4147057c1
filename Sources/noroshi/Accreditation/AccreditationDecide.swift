import ArgumentParser
import Foundation
import Logging
import NetworkTypes
import Settings
import TrustServices

struct AccreditationDecide: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "decide", abstract: "Decide about a service (認定、停止、取消し).",
    discussion: """
      accredited and renewed need --until and an assessment that was passed; suspended, resumed, \
      withdrawn keep the validity; expired closes a service whose validity has ended. Days are those \
      of JST, the first and the last included. What was decided for earlier days stays.

      Examples:
        noroshi accreditation decide tsa-1 accredited --from 2022-04-01 --until 2024-03-31 \\
          --reason "認定第1号"
        noroshi accreditation decide tsa-1 suspended --from 2023-02-01 --reason "時刻の逸脱"
        noroshi accreditation decide tsa-1 renewed --from 2024-04-01 --until 2026-03-31 \\
          --reason "更新"
      """)

  @OptionGroup var options: HouseOptions
  @OptionGroup var step: StepOptions

  @Argument(help: "The service's identifier.")
  var service: String
  @Argument(help: "accredited, refused, suspended, resumed, renewed, withdrawn or expired.")
  var decision: AccreditationDecision.Kind
  @Option(name: .long, help: "The first day of its effect, in JST. Default: today.")
  var from: JapaneseDay?
  @Option(name: .long, help: "The last day of the accreditation, in JST.")
  var until: JapaneseDay?

  func run() async throws {
    let decided = AccreditationDecision(
      service: service, kind: decision, from: from ?? JapaneseDay(of: House.now), until: until)
    try await options.house().accreditationStep(
      .decision(decided), decision.rawValue, service, step)
  }
}
