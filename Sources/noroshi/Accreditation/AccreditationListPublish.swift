import ArgumentParser
import Foundation
import Logging
import NetworkTypes
import Settings
import Store
import TrustServices

struct AccreditationListPublish: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "publish",
    abstract: "Seal the list of what the register says now, under the next number.",
    discussion: """
      The list is kept as accreditation/list.json of the data directory, where `noroshi serve` \
      publishes it at /trust and /trust/list.json, and under its number for good. Publish after each \
      decision, and before the next update that the last list promised.
      """)

  @OptionGroup var options: HouseOptions

  @Option(name: .long, help: "The private key of the seal, PEM.")
  var key: String
  @Option(name: .long, help: "The seal's certificate, PEM; certificates above it may follow.")
  var certificate: String
  @Option(name: .long, help: "A time-stamp authority for the seal (RFC 3161).")
  var tsa: String?
  @Option(name: .long, help: "Days until the next update: 1 to 184.")
  var days = 30
  @Flag(name: .long, help: "Close the list: no other will follow.")
  var close = false
  @Option(name: .long, help: "Why.")
  var reason = "publication"
  @Option(name: [.long, .customShort("o")], help: "Write a copy there.")
  var output: String?

  func validate() throws {
    guard (1...184).contains(days) else { throw ValidationError("--days: 1 to 184.") }
  }

  func run() async throws {
    let house = try options.house()
    var register = try house.accreditationRegister()
    let files = house.accreditationFiles
    try House.makePrivateFolder(files.lists)
    let now = House.now
    let sequence = (register.contents.publications.last?.sequence ?? 0) + 1
    let nextUpdate = now.advanced(bySeconds: Double(days) * 86_400)
    let list = try register.contents.list(
      sequence: sequence, issued: now, nextUpdate: close ? nil : nextUpdate,
      registerHead: try register.note())
    // Read again as others will read it.
    _ = try TrustedList(encoded: list.encoded)
    if FileManager.default.fileExists(atPath: files.list) {
      let last = try House.unverifiedList(files.list).list
      do { try list.checkSuccession(of: last) } catch {
        throw CommandFailure("\(error)", status: .badData)
      }
    }
    let chain = try SealFiles.certificates(certificate)
    let identity: SealingIdentity
    do {
      identity = try SealingIdentity(
        certificate: chain[0], key: try SealFiles.key(key), chain: Array(chain.dropFirst()))
    } catch let error as SealError { throw CommandFailure("\(error)", status: .badData) }
    let sealer = JAdESSealer(
      identity: identity, timeStamps: tsa.map { HTTPTimeStamps.source($0) })
    let sealed = try await SealedTrustedList(
      sealing: list, by: sealer, level: tsa == nil ? .basic : .timeStamped, at: now)
    try DurableFile.write(sealed.encoded, to: files.list(sequence), mode: 0o644)
    var step = StepOptions()
    step.reason = reason
    step.document = []
    step.by = nil
    _ = try await house.accreditationStep(
      .published(sequence: sequence, sha256: list.sha256, nextUpdate: nextUpdate), "published",
      "list \(sequence)", step, in: &register)
    try DurableFile.write(sealed.encoded, to: files.list, mode: 0o644)
    if let output { try DurableFile.write(sealed.encoded, to: output, mode: 0o644) }
    Terminal.output.line(
      "list \(sequence)  \(list.services.count) service(s), "
        + (list.nextUpdate.map { "next update \($0)" } ?? "closed"))
  }
}
