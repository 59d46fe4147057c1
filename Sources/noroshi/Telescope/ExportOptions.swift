import Anonymisation
public import ArgumentParser
import Foundation
public import Telescope

extension ExportFormat: ExpressibleByArgument {}

/// Where an export goes, in which form, and whether anonymised.
struct ExportOptions: ParsableArguments {
  @Option(
    name: [.long, .customLong("output"), .customShort("o")],
    help: ArgumentHelp("The file to write; - is standard output.", valueName: "file"),
    completion: .file())
  var out: String

  @Option(
    name: .long,
    help: "parquet, csv or json. Default: what the file's name ends in, else parquet.")
  var format: ExportFormat?

  @Option(
    name: [.long, .customLong("anonymize")],
    help: ArgumentHelp(
      "Replace addresses by pseudonyms that keep prefixes (Crypto-PAn), with the key of `noroshi "
        + "anonymise --make-key`.", valueName: "keyfile"), completion: .file())
  var anonymise: String?

  @Flag(name: .long, help: "Replace the file if it exists.")
  var force = false

  func check() throws {
    if out != "-", !force, FileManager.default.fileExists(atPath: out) {
      throw CommandFailure(
        "\(out) exists already", advice: "Name another file, or replace it with --force.",
        status: .cannotCreate)
    }
  }

  var chosenFormat: ExportFormat {
    format ?? ExportFormat(rawValue: (out as NSString).pathExtension.lowercased()) ?? .parquet
  }

  func key() throws -> AnonymisationKey? {
    try anonymise.map { try AnonymisationKey(contentsOf: $0) }
  }

  /// Says what was written, on standard error.
  func report(_ count: Int, _ what: String) {
    Terminal.error.line(
      "\(Quantity.grouped(count)) \(what) written"
        + (out == "-" ? "." : " to \(out) (\(chosenFormat.rawValue))."))
  }
}
