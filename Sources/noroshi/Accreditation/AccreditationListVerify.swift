import ArgumentParser
import Foundation
import Logging
import NetworkTypes
import Settings
import Store
import TrustServices

struct AccreditationListVerify: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "verify",
    abstract: "Verify a list against its operator's certificate, and against earlier lists.",
    discussion: """
      --state keeps what was seen: an older list, or another one of the same number, is refused. \
      --after names earlier lists, of which nothing may have been taken back. Exit code 2 if the \
      list is not to be believed, 3 if it is past its next update.

      Example:
        noroshi accreditation list verify list.json --operator operator.pem --state seen.json
      """)

  @Argument(help: "The sealed list.", completion: .file())
  var file: String
  @Option(
    name: .long, parsing: .upToNextOption,
    help: "The operator's certificates, or those above them, PEM or DER.")
  var `operator`: [String]
  @Option(name: .long, parsing: .upToNextOption, help: "CRLs for the operator's certificate.")
  var crl: [String] = []
  @Option(name: .long, help: "A file with what was seen last; written anew.")
  var state: String?
  @Option(name: .long, parsing: .upToNextOption, help: "Earlier lists of the same operator.")
  var after: [String] = []

  func run() async throws {
    let sealed: SealedTrustedList
    let validator = try TrustedListFiles.validator(self.operator, crl: crl)
    do {
      sealed = try SealedTrustedList(verifying: try SealFiles.read(file), by: validator)
      if let state, FileManager.default.fileExists(atPath: state) {
        let seen: TrustedListMemory
        do {
          seen = try JSONDecoder().decode(
            TrustedListMemory.self, from: Data(try House.octets(of: state)))
        } catch {
          throw CommandFailure("\(state) is not what an earlier check kept", status: .badData)
        }
        try seen.check(sealed.list)
      }
      for path in after {
        try sealed.list.checkSuccession(
          of: SealedTrustedList(verifying: try SealFiles.read(path), by: validator).list)
      }
    } catch let error as TrustedListError {
      throw CommandFailure("\(file): \(error)", status: .negative)
    }
    let list = sealed.list
    if let state {
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
      try DurableFile.write(try encoder.encode(TrustedListMemory(list)), to: state)
    }
    TrustedListFiles.sheet(list, "The list is its operator's").write()
    guard !list.isOutdated(at: House.now) else {
      Terminal.error.line("The list is past its next update. Get the current one.")
      throw ExitCode(3)
    }
  }
}
