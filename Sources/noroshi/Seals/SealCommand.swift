import ArgumentParser
import Foundation
import NetworkTypes
import TrustServices

/// The forms of seals as the command line names them.
enum SealForm: String, CaseIterable, ExpressibleByArgument, Sendable {
  case cades, jades, asic, pades
}

/// The levels as the command line names them.
enum SealLevelName: String, CaseIterable, ExpressibleByArgument, Sendable {
  case basic = "b-b"
  case timeStamped = "b-t"
  case longTerm = "b-lt"
  case archive = "b-lta"

  var level: SealLevel {
    switch self {
    case .basic: .basic
    case .timeStamped: .timeStamped
    case .longTerm: .longTerm
    case .archive: .archive
    }
  }
}

struct SealCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "seal",
    abstract: "Seal files in the organisation's name (eシール).",
    discussion: """
      Writes one seal for each file, beside it: FILE.p7m or FILE.p7s (CAdES), FILE.jws (JAdES); with \
      --format asic one container of all files. A PDF gets its seal inside (PAdES), as NAME.sealed.pdf, \
      unless another --format or --detached is given. The key's passphrase is asked for, or taken from \
      NOROSHI_PASSPHRASE; a key on a token is named by a pkcs11: URI, and the passphrase is its PIN. \
      Detached files may have any size.

      Examples:
        noroshi seal report.pdf --visible --key seal.key --certificate seal.crt
        noroshi seal report.pdf --level b-lta --tsa http://127.0.0.1:3161/tsa --crl ca.crl \\
          --trust-anchors ca.crt --certificate seal.crt --key 'pkcs11:token=noroshi;object=seal'
        noroshi seal report.csv --detached --key seal.key --certificate seal.crt
        noroshi seal bundle.json --format jades --level b-t --tsa http://127.0.0.1:3161/tsa \\
          --key seal.key --certificate seal.crt
        noroshi seal a.csv b.csv --format asic --level b-lta --tsa http://127.0.0.1:3161/tsa \\
          --crl ca.crl --trust-anchors ca.crt --key seal.key --certificate seal.crt
        noroshi seal report.csv.p7s --extend --content report.csv --level b-lta \\
          --tsa http://127.0.0.1:3161/tsa --crl ca.crl --trust-anchors ca.crt -o archived.p7s
      """)

  @Argument(help: "The files to be sealed; with --extend the seal to be extended.")
  var files: [String]

  @Option(
    name: .customLong("format"),
    help: "The form: cades, jades, asic or pades. Default: pades for PDF files, else cades.")
  var chosenFormat: SealForm?

  @Option(name: .customLong("level"), help: "The level: b-b, b-t, b-lt or b-lta.")
  var levelName = SealLevelName.basic

  private var level: SealLevel { levelName.level }

  @Flag(name: .long, help: "Keep the content out of the seal.")
  var detached = false

  @OptionGroup var description: PDFSealOptions

  @Option(name: .long, help: "The private key: a PEM file, or a pkcs11: URI.")
  var key: String?

  @Option(
    name: .long, help: "The seal's certificate, PEM; certificates above it may follow.")
  var certificate: String?

  @OptionGroup var sources: SealSources

  @Flag(name: .long, help: "Bring an existing seal, anybody's, to --level.")
  var extend = false

  @Option(
    name: .long, parsing: .upToNextOption,
    help: "With --extend: the content of a detached seal.")
  var content: [String] = []

  @Option(name: .shortAndLong, help: "Where the seal is written; for one seal only.")
  var output: String?

  @Flag(name: .long, help: "Replace a file that exists.")
  var force = false

  private func isPDF(_ file: String) -> Bool { file.lowercased().hasSuffix(".pdf") }

  private func format(of file: String) -> SealForm {
    chosenFormat ?? (isPDF(file) && !detached ? .pades : .cades)
  }

  func validate() throws {
    guard !files.isEmpty else { throw ValidationError("Name the files to be sealed.") }
    if extend {
      guard files.count == 1, output != nil else {
        throw ValidationError("--extend takes one seal and --output.")
      }
      guard level >= .timeStamped else {
        throw ValidationError("--extend needs a --level above b-b, which every seal has.")
      }
    } else {
      guard key != nil, certificate != nil else {
        throw ValidationError("Sealing needs --key and --certificate.")
      }
      guard content.isEmpty else { throw ValidationError("--content belongs to --extend.") }
      guard output == nil || files.count == 1 || chosenFormat == .asic else {
        throw ValidationError("--output is for one seal; several files make several.")
      }
      guard !detached || (chosenFormat != .asic && chosenFormat != .pades) else {
        throw ValidationError(
          "A container and a PDF hold what is sealed; --detached does not go with them.")
      }
      guard !description.isGiven || files.allSatisfy({ format(of: $0) == .pades }) else {
        throw ValidationError("--visible, --page, --reason and --field are for PDF files.")
      }
    }
    if level >= .timeStamped, sources.tsa == nil {
      throw ValidationError("Level \(level.rawValue) needs --tsa.")
    }
  }

  func run() async throws {
    do {
      if extend { try await extendSeal() } else { try await seal() }
    } catch let error as SealError {
      throw CommandFailure("\(error)", status: .badData)
    } catch let error as TimeStampRejection {
      throw CommandFailure("\(error)", status: .unavailable)
    } catch let error as TimeStampError {
      throw CommandFailure(
        "The time-stamp authority's answer does not hold: \(error)",
        advice: "Ask another authority; nothing was written.", status: .unavailable)
    } catch let error as MalformedStructure {
      throw CommandFailure("\(error)", status: .badData)
    } catch let error as PDFError {
      throw CommandFailure("\(error)", status: .badData)
    }
  }

  private func identity() throws -> SealingIdentity {
    let chain = try SealFiles.certificates(certificate ?? "")
    return try SealingIdentity(
      certificate: chain[0], key: try SealFiles.key(key ?? ""), chain: Array(chain.dropFirst()))
  }

  private func cadesSealer(_ identity: SealingIdentity) throws -> CAdESSealer {
    var sealer = CAdESSealer(
      identity: identity, timeStamps: sources.stamps(),
      revocation: try sources.revocation(sealing: identity.certificate))
    sealer.anchors = try sources.anchors()
    sealer.certificates = sealer.anchors
    return sealer
  }

  private func jadesSealer(_ identity: SealingIdentity) throws -> JAdESSealer {
    var sealer = JAdESSealer(
      identity: identity, timeStamps: sources.stamps(),
      revocation: try sources.revocation(sealing: identity.certificate))
    sealer.anchors = try sources.anchors()
    sealer.certificates = sealer.anchors
    return sealer
  }

  private func padesSealer(_ identity: SealingIdentity) throws -> PAdESSealer {
    var sealer = PAdESSealer(
      identity: identity, timeStamps: sources.stamps(),
      revocation: try sources.revocation(sealing: identity.certificate))
    sealer.anchors = try sources.anchors()
    sealer.certificates = sealer.anchors
    return sealer
  }

  /// `report.sealed.pdf` beside `report.pdf`.
  private func sealedName(_ file: String) -> String {
    (isPDF(file) ? String(file.dropLast(4)) : file) + ".sealed.pdf"
  }

  private func seal() async throws {
    let identity = try identity()
    try sources.refuseRevoked(identity.certificate)
    let moment = currentMoment()
    if chosenFormat == .asic {
      let contents = try files.map {
        ASiCContainer.File(name: SealFiles.name($0), content: try SealFiles.read($0))
      }
      let container = try await ASiCContainer.seal(
        contents, with: try cadesSealer(identity), level: level, at: moment)
      try write(container, beside: files[0], ".asice")
      return
    }
    for file in files {
      let format = format(of: file)
      if format == .pades {
        let sealed = try await padesSealer(identity).seal(
          try SealFiles.read(file), level: level, description: description.description,
          at: moment)
        try write(sealed, of: file, to: output ?? sealedName(file))
        continue
      }
      // A file too large to hold is hashed while it is read once.
      let content = try SealFiles.content(file, hashes: [identity.contentHash, .sha256])
      guard detached || content.content.octets != nil else {
        throw CommandFailure(
          "\(file) is larger than \(SealFiles.heldSize >> 20) MB",
          advice: "Seal it with --detached.", status: .badData)
      }
      switch format {
      case .cades:
        let seal = try await cadesSealer(identity).seal(
          content.content, level: level, isDetached: detached, at: moment)
        try write(seal.encoded, beside: file, detached ? ".p7s" : ".p7m")
      case .jades:
        let sealer = try jadesSealer(identity)
        let seal =
          detached
          ? try await sealer.seal(detached: [content], level: level, at: moment)
          : try await sealer.seal(
            content.content.octets ?? [], contentType: file.hasSuffix(".json") ? "json" : nil,
            level: level, at: moment)
        try write(seal.encoded, beside: file, ".jws")
      case .asic, .pades: break
      }
    }
  }

  private func write(_ seal: [UInt8], beside file: String, _ suffix: String) throws {
    try write(seal, of: file, to: output ?? file + suffix)
  }

  private func write(_ seal: [UInt8], of file: String, to path: String) throws {
    try SealFiles.write(seal, to: path, replacing: force)
    Terminal.error.line("\(file) is sealed (\(level.rawValue)): \(path)")
  }

  private func extendSeal() async throws {
    let bytes = try SealFiles.read(files[0])
    let hashes = SealFile.hashes(bytes)
    let contents = try content.map { try SealFiles.content($0, hashes: hashes) }
    let anchors = try sources.anchors()
    let extended: [UInt8]
    switch SealFile(bytes) {
    case .cades:
      extended = try await CAdESExtension(
        timeStamps: sources.stamps(), revocation: try sources.revocation(), certificates: anchors,
        anchors: anchors
      ).extend(try SignedData(filed: bytes), to: level, content: contents.first?.content).encoded
    case .jades:
      extended = try await JAdESExtension(
        timeStamps: sources.stamps(), revocation: try sources.revocation(), certificates: anchors,
        anchors: anchors
      ).extend(try JSONWebSignature(encoded: bytes), to: level, contents: contents).encoded
    case .pdf:
      extended = try await PAdESExtension(
        timeStamps: sources.stamps(), revocation: try sources.revocation(), certificates: anchors,
        anchors: anchors
      ).extend(bytes, to: level)
    case .container, .timeStamp, nil:
      throw CommandFailure(
        "\(files[0]) is not a CAdES or JAdES seal and no sealed PDF",
        advice: "Only these are extended by this command.", status: .badData)
    }
    try write(extended, beside: files[0], "")
  }
}
