import ArgumentParser
import Foundation
import Logging
import NetworkTypes
import Settings
import TrustServices

struct AccreditationIdentify: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "identify",
    abstract: "Add certificates by which a service is recognised, such as those of new units.")

  @OptionGroup var options: HouseOptions
  @OptionGroup var step: StepOptions

  @Argument(help: "The service's identifier.")
  var service: String
  @Option(
    name: .long, help: "The certificates, PEM or DER. Several may be given.", completion: .file())
  var certificate: [String]

  func run() async throws {
    let texts = try certificate.flatMap(SealFiles.certificates).map {
      Data($0.encoded).base64EncodedString()
    }
    guard !texts.isEmpty else { throw ValidationError("Give --certificate.") }
    try await options.house().accreditationStep(
      .identity(service: service, certificates: texts), "identity", service, step)
  }
}
