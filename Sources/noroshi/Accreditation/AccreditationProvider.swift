import ArgumentParser
import Foundation
import Logging
import NetworkTypes
import Settings
import TrustServices

struct AccreditationProvider: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "provider", abstract: "Add a provider, or give its new particulars (事業者).")

  @OptionGroup var options: HouseOptions
  @OptionGroup var step: StepOptions

  @Argument(help: "The provider's identifier: a-z, 0-9, - and .")
  var id: String
  @Option(name: .long, help: "The name in Japanese.")
  var nameJa: String
  @Option(name: .long, help: "The name in English.")
  var nameEn: String
  @Option(name: .long, help: "The corporate number (法人番号), 13 digits.")
  var corporateNumber: String?
  @Option(name: .long, help: "A page about it.")
  var uri: String

  func run() async throws {
    let provider = TrustServiceProvider(
      id: id, name: BilingualText(ja: nameJa, en: nameEn),
      organizationIdentifier: corporateNumber.map { "NTRJP-\($0)" }, uri: uri)
    try await options.house().accreditationStep(.provider(provider), "provider", id, step)
  }
}
