import ArgumentParser
import Foundation
import Logging
import NetworkTypes
import Settings
import TrustServices

struct AccreditationApply: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "apply", abstract: "Take a service's application (申請).",
    discussion: """
      A time-stamp service is recognised by the certificates of its units or of the authority above \
      them, an e-seal service by its authority's. --policy limits the accreditation to certificate \
      policies, or to policies of stamps.

      Examples:
        noroshi accreditation apply tsa-1 --provider example --scheme mic-146-2021 \\
          --name-ja 時刻認証1 --name-en "TSA 1" --certificate tsa-ca.pem --reason "申請第1号" \\
          --document 申請書.pdf
        noroshi accreditation apply seal-2 --provider example --scheme mic-e-seal-2025 \\
          --kind e-seal-2025-2 --name-ja eシール --name-en "e-Seal" --certificate seal-ca.pem \\
          --policy 1.2.392.200000.9 --reason "申請第2号"
      """)

  @OptionGroup var options: HouseOptions
  @OptionGroup var step: StepOptions

  @Argument(help: "The service's identifier: a-z, 0-9, - and .")
  var service: String
  @Option(name: .long, help: "Whose it is.")
  var provider: String
  @Option(name: .long, help: "Under which scheme.")
  var scheme: String
  @Option(
    name: .long,
    help: "What it is: time-stamp, e-seal-2025-1, e-seal-2025-2, e-seal-2021-1 to e-seal-2021-3.")
  var kind = TrustServiceKind.timeStamp
  @Option(name: .long, help: "The name in Japanese.")
  var nameJa: String
  @Option(name: .long, help: "The name in English.")
  var nameEn: String
  @Option(
    name: .long, help: "Certificates by which it is recognised, PEM or DER. Several may be given.",
    completion: .file())
  var certificate: [String]
  @Option(name: .long, help: "A policy that is applied for, OID. Several may be given.")
  var policy: [String] = []

  func run() async throws {
    let application = ServiceApplication(
      service: service, provider: provider, scheme: scheme, kind: kind,
      name: BilingualText(ja: nameJa, en: nameEn),
      certificates: try certificate.flatMap(SealFiles.certificates), policies: policy)
    try await options.house().accreditationStep(
      .application(application), "application", service, step)
  }
}
