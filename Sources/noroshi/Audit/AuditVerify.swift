import ArgumentParser
import Settings
import Store
import TrustServices

struct AuditVerify: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "verify",
    abstract: "Prove that nothing of the audit trail was changed, taken out or cut off.",
    discussion: """
      Computes the hash of every line again, and compares the end with the anchor kept beside the \
      database and with every end that was time-stamped (`noroshi audit stamp`). Exit code 2 if \
      something was changed. Keep the printed head elsewhere (on paper, in another system): a later \
      run must still contain it.

      Examples:
        noroshi audit verify
        noroshi audit verify --trust-anchors ca.crt
      """)

  @OptionGroup var options: HouseOptions

  @Option(
    name: .long, parsing: .upToNextOption,
    help: "Certificates of authorities whose time stamps are believed (seal.anchor).")
  var trustAnchors: [String] = []

  func run() async throws {
    let house = try options.house()
    let trail = AuditTrail(store: try house.store())
    let stamps = try house.auditStamps.list()
    let believed = try believe(stamps, of: house)
    let bar = ProgressBar("Verifying the audit trail", unit: "lines")
    let verification = try trail.verify(against: stamps.map(\.head)) { read, total in
      bar.update(
        UInt64(clamping: read), fraction: total > 0 ? Double(read) / Double(total) : nil)
    }
    bar.finish()
    switch verification {
    case .intact(let head):
      Terminal.output.line(
        "All \(Quantity.grouped(head.sequence)) entries stand as they were written; head \(head.hash)"
      )
      if let last = stamps.last {
        Terminal.output.line(
          "\(Quantity.grouped(stamps.count)) time stamps agree, the last of \(last.token.info.genTime)"
            + (believed
              ? "; their signatures are valid."
              : "; --trust-anchors verifies their signatures as well."))
      }
    case .broken(let sequence, let reason):
      throw CommandFailure(
        "The audit trail is not intact at entry \(sequence): \(reason)",
        advice:
          "Copy the data directory before anything else, then compare it with the last backup.",
        status: .negative)
    }
  }

  /// Whether the signatures of the stamps are valid; false where nobody is trusted.
  private func believe(_ stamps: [AuditStamp], of house: House) throws -> Bool {
    var paths = trustAnchors
    if paths.isEmpty, let anchor = house.configuration.seal.anchor { paths = [anchor.path] }
    guard !paths.isEmpty, !stamps.isEmpty else { return false }
    let anchors = try paths.flatMap(SealFiles.certificates).map { try TrustAnchor($0) }
    let validator = CertificateValidator(anchors: anchors)
    for stamp in stamps {
      do {
        _ = try stamp.token.verify(content: stamp.text, validator: validator)
      } catch {
        throw CommandFailure(
          "\(stamp.path) is not to be believed: \(error)",
          advice: "It was made by somebody else, or changed.", status: .negative)
      }
    }
    return true
  }
}
