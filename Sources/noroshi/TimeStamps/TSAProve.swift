import ArgumentParser
import Foundation
import Logging
import NetworkTypes
import Settings
import TrustServices

/// Which log, and where it is.
struct LogOptions: ParsableArguments {
  @Option(
    name: .long,
    help: "The authority's address; without, the journal of this data directory is read.")
  var url: String?

  @Option(
    name: .long,
    help: ArgumentHelp(
      "The key of the log's heads, as the authority published it (name+hash+key), or a file with it.",
      valueName: "key"))
  var logKey: String?

  /// The key that was given, or that of this data directory; never the one that a server names.
  func verifier(_ house: House) throws -> LogVerifier {
    if let logKey {
      let text =
        FileManager.default.fileExists(atPath: logKey) ? try House.text(of: logKey) : logKey
      guard let verifier = LogVerifier(text.trimmingCharacters(in: .whitespacesAndNewlines)) else {
        throw CommandFailure("--log-key: expected name+hash+key", status: .usage)
      }
      return verifier
    }
    guard FileManager.default.fileExists(atPath: house.timeStampFiles.logKey) else {
      throw CommandFailure(
        "Nothing says whose log it is",
        advice:
          "Give --log-key; the authority shows it at /tsa/journal/key. Keep it yourself: a key "
          + "from the same place as the log proves little.", status: .usage)
    }
    let key = try FileKey(pem: try House.text(of: house.timeStampFiles.logKey))
    return try LogSigner(name: house.configuration.node.name + "/tsa", key: key).verifier
  }
}

struct TSAProve: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "prove",
    abstract: "Prove that a time stamp is in the authority's journal.",
    discussion: """
      Fetches the record, the path to the signed head, and verifies both. Exit code 2 if the journal \
      does not hold the stamp.

      Examples:
        noroshi tsa prove report.pdf.tsr
        noroshi tsa prove report.pdf.tsr --url http://tsa.example/tsa --log-key tsa.key
      """)

  @OptionGroup var options: HouseOptions
  @OptionGroup var log: LogOptions

  @Argument(help: "The stamp.", completion: .file())
  var stamp: String

  @Option(name: [.long, .customShort("o")], help: "Also write the proof (JSON) to a file.")
  var output: String?

  func run() async throws {
    let house = try options.house()
    let verifier = try log.verifier(house)
    let token = try StampFile.read(stamp)
    let serial = token.info.serialNumberText
    let proof: InclusionProof
    if let url = log.url {
      let answer = try await HTTPTimeStamps.get(url + "/journal/proof?serial=\(serial)")
      do { proof = try JSONDecoder().decode(InclusionProof.self, from: Data(answer)) } catch {
        throw CommandFailure("\(url) gives no proof: \(error)", status: .badData)
      }
    } else {
      let (authority, _) = try house.timeStampAuthority(isGuarded: false)
      do { proof = try authority.inclusionProof(serialNumber: token.info.serialNumber) } catch {
        throw CommandFailure("\(error)", status: .negative)
      }
    }
    do {
      let head = try proof.verify(token, log: verifier)
      if let output {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
        try encoder.encode(proof).write(to: URL(fileURLWithPath: output))
      }
      Terminal.output.line(
        "The stamp of \(token.info.genTime) is record \(proof.index) of \(head.size).")
      Terminal.output.line(proof.entry)
    } catch {
      throw CommandFailure("\(error)", status: .negative)
    }
  }
}
