import ArgumentParser
import Foundation
import Logging
import NetworkTypes
import Settings
import TrustServices

struct AccreditationSchemeCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "scheme",
    abstract: "Add a scheme, or end one (認定制度).",
    discussion: """
      The Japanese schemes are known by their identifiers and need nothing more: mic-146-2021 (the \
      minister's, for time stamps), jadac-time-business (the association's, until 2023-07-29), \
      mic-e-seal-2025, e-seal-guideline-2021. --until ends a scheme: its accreditations do not count \
      after that day, whatever their own validity.

      Examples:
        noroshi accreditation scheme mic-146-2021 --reason "告示第146号"
        noroshi accreditation scheme jadac-time-business --until 2023-07-29 --reason "税制改正"
        noroshi accreditation scheme own-1 --name-ja 社内認定 --name-en "In-house" \\
          --authority-ja 情報統括部 --authority-en "CIO" --basis-ja 規程1 --basis-en "Rule 1" \\
          --from 2026-04-01 --reason "規程1"
      """)

  @OptionGroup var options: HouseOptions
  @OptionGroup var step: StepOptions

  @Argument(help: "The scheme's identifier.")
  var id: String

  @Option(name: .long, help: "The scheme's name in Japanese.")
  var nameJa: String?
  @Option(name: .long, help: "The scheme's name in English.")
  var nameEn: String?
  @Option(name: .long, help: "Who accredits, in Japanese.")
  var authorityJa: String?
  @Option(name: .long, help: "Who accredits, in English.")
  var authorityEn: String?
  @Option(name: .long, help: "The law, notice or rule, in Japanese.")
  var basisJa: String?
  @Option(name: .long, help: "The law, notice or rule, in English.")
  var basisEn: String?
  @Option(name: .long, help: "A page about it.")
  var uri: String?
  @Option(
    name: .long, help: "The e-seal levels that it accredits: 2025 or 2021. Without: time stamps.")
  var sealLevels: String?
  @Option(name: .long, help: "The first day on which its accreditations count, in JST.")
  var from: JapaneseDay?
  @Option(name: .long, help: "The last such day.")
  var until: JapaneseDay?

  func run() async throws {
    let house = try options.house()
    let present = try house.accreditationContents().contents.scheme(id)
    let start = present ?? AccreditationScheme.known.first { $0.id == id }
    func text(_ ja: String?, _ en: String?, _ known: BilingualText?, _ what: String) throws
      -> BilingualText
    {
      guard let ja = ja ?? known?.ja, let en = en ?? known?.en else {
        throw ValidationError("The scheme \(id) is new: give --\(what)-ja and --\(what)-en.")
      }
      return BilingualText(ja: ja, en: en)
    }
    guard let from = from ?? start?.from else {
      throw ValidationError("The scheme \(id) is new: give --from.")
    }
    var edition = start?.edition
    if let sealLevels {
      guard let named = SchemeLevel.Edition(rawValue: sealLevels) else {
        throw ValidationError("--seal-levels is 2025 or 2021.")
      }
      edition = named
    }
    let scheme = AccreditationScheme(
      id: id, name: try text(nameJa, nameEn, start?.name, "name"),
      authority: try text(authorityJa, authorityEn, start?.authority, "authority"),
      basis: try text(basisJa, basisEn, start?.basis, "basis"), uri: uri ?? start?.uri,
      edition: edition, from: from, until: until ?? start?.until)
    try await house.accreditationStep(.scheme(scheme), "scheme", id, step)
  }
}
