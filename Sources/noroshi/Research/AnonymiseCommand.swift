import Anonymisation
import ArgumentParser
import Foundation
import PacketCapture

struct AnonymiseCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "anonymise",
    abstract: "Make a capture that can be given away: prefix-preserving addresses, no payload.",
    discussion: """
      Every address, those inside quoted packets and in Mirai's sequence numbers too, is replaced by \
      its pseudonym after Crypto-PAn: addresses of one network stay in one network. Link-layer \
      headers and payload are left out, options that hold addresses are blanked, checksums are kept \
      right. The key undoes it: keep it, or let it be a random one that nobody keeps.

      Examples:
        noroshi anonymise day.pcap.gz --output day-anonymous.pcap
        noroshi anonymise day.pcap --output out.pcap --key study.key   same key, same pseudonyms
        noroshi anonymise --make-key study.key
      """)

  @Argument(help: "The capture, - for standard input.", completion: .file())
  var file: String?

  @Option(name: .shortAndLong, help: "The pcap file to write; - is standard output.")
  var output: String?

  @Option(
    name: .long,
    help: ArgumentHelp("A key file of --make-key. Default: a random key.", valueName: "file"))
  var key: String?

  @Option(
    name: .long, help: ArgumentHelp("Write a new key to this file.", valueName: "file"))
  var makeKey: String?

  @Option(
    name: .long,
    help: ArgumentHelp(
      "Octets of payload to keep. It may hold names and addresses.", valueName: "octets"))
  var payload = 0

  @Flag(name: .long, help: "Replace the output file if it exists.")
  var force = false

  func validate() throws {
    if makeKey == nil {
      guard file != nil else { throw ValidationError("Name the capture to anonymise.") }
      guard output != nil else { throw ValidationError("Name the file to write with --output.") }
    }
    guard (0...65_535).contains(payload) else {
      throw ValidationError("--payload must be 0 to 65535.")
    }
  }

  func run() async throws {
    if let makeKey {
      try AnonymisationKey.random().save(to: makeKey)
      Terminal.error.line("A new key is in \(makeKey). Whoever has it can undo the anonymisation.")
    }
    guard let file, let output else { return }
    if output != "-", !force, FileManager.default.fileExists(atPath: output) {
      throw CommandFailure(
        "\(output) exists already", advice: "Name another file, or replace it with --force.",
        status: .cannotCreate)
    }
    let secret =
      try (key ?? makeKey).map { try AnonymisationKey(contentsOf: $0) } ?? AnonymisationKey.random()
    var anonymiser = CaptureAnonymiser(key: secret, payloadOctets: payload)
    let counts = try anonymiser.run(from: file, to: output)
    Terminal.error.line(
      "\(Quantity.grouped(counts.written)) packets written, \(Quantity.grouped(counts.leftOut)) "
        + "left out (not IP, or damaged headers).")
    if case .broken = counts.ending {
      throw CommandFailure("\(file) is \(counts.ending)", status: .badData)
    }
  }
}
