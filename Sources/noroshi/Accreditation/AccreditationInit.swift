import ArgumentParser
import Foundation
import Logging
import NetworkTypes
import Settings
import Store
import TrustServices

struct AccreditationInit: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "init",
    abstract: "Open a register: its operator, and the key that signs its heads.")

  @OptionGroup var options: HouseOptions
  @OptionGroup var step: StepOptions

  @Option(name: .long, help: "The operator's name in Japanese.")
  var nameJa: String

  @Option(name: .long, help: "The operator's name in English.")
  var nameEn: String

  @Option(name: .long, help: "The list's name in Japanese. Default: the operator's, and 一覧.")
  var listNameJa: String?

  @Option(name: .long, help: "The list's name in English.")
  var listNameEn: String?

  @Option(name: .long, help: "A page about the operator and its schemes.")
  var uri: String

  @Option(name: .long, help: "The territory, two letters.")
  var territory = "JP"

  func run() async throws {
    let house = try options.house()
    try house.requireData()
    let files = house.accreditationFiles
    try House.makePrivateFolder(files.folder)
    if !FileManager.default.fileExists(atPath: files.logKey) {
      let key = try FileKey.generate(.ed25519)
      try DurableFile.write(try key.pem(passphrase: nil).utf8, to: files.logKey)
    }
    let schemeOperator = SchemeOperator(
      name: BilingualText(ja: nameJa, en: nameEn),
      schemeName: BilingualText(
        ja: listNameJa ?? "\(territory):\(nameJa)が認定したトラストサービスの一覧",
        en: listNameEn ?? "\(territory):Trust services accredited by \(nameEn)"),
      uri: uri, territory: territory)
    try await house.accreditationStep(.opened(schemeOperator), "opened", nameEn, step)
    Terminal.output.line("log key   \(try house.accreditationSigner().verifier)")
  }
}
