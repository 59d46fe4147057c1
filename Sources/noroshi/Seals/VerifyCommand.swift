import ArgumentParser
import Foundation
import NetworkTypes
import TrustServices

/// How a validation report is written.
enum ReportForm: String, CaseIterable, ExpressibleByArgument, Sendable {
  case text, json
}

/// The languages as the command line names them.
enum ReportLanguageName: String, CaseIterable, ExpressibleByArgument, Sendable {
  case ja, en

  var language: ReportLanguage { self == .ja ? .japanese : .english }
}

struct VerifyCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "verify",
    abstract: "Verify seals, signatures and time stamps: PDF, CAdES, JAdES, ASiC, RFC 3161.",
    discussion: """
      Says by EN 319 102-1 who sealed or signed, what is covered, when at the latest, and why it is \
      or is not valid. The content of a detached seal is --content, or the file of the same name \
      without its last ending. Nothing is fetched from the network.

      Ends with 0 when every signature is TOTAL-PASSED, 2 when one is TOTAL-FAILED, 3 when one is \
      INDETERMINATE.

      Examples:
        noroshi verify report.pdf --trust-anchors ca.crt
        noroshi verify report.csv.p7s --trust-anchors ca.crt --crl ca.crl
        noroshi verify seal.p7s --content report.csv --trust-anchors ca.crt --language ja
        noroshi verify evidence.asice --trust-anchors ca.crt --at 2026-11-01T00:00:00Z
        noroshi verify bundle.json.jws --trust-anchors ca.crt --format json
        noroshi verify report.pdf.tsr --trusted-list list.json --list-operator operator.crt \\
          --require-accreditation
      """)

  @Argument(help: "The files that hold seals, signatures or time stamps.")
  var files: [String]

  @Option(
    name: .long, parsing: .upToNextOption, help: "The content that detached seals are about.")
  var content: [String] = []

  @Option(
    name: .long, parsing: .upToNextOption, help: "Certificates of authorities that are trusted.")
  var trustAnchors: [String] = []

  @Option(
    name: .long, parsing: .upToNextOption,
    help: "Authorities trusted for time stamps. Default: those of --trust-anchors.")
  var timeStampAnchors: [String] = []

  @Option(
    name: .long, parsing: .upToNextOption, help: "Further certificates that chains may need.")
  var certificates: [String] = []

  @Option(name: .long, parsing: .upToNextOption, help: "CRLs, PEM or DER.")
  var crl: [String] = []

  @Option(name: .long, parsing: .upToNextOption, help: "OCSP answers, DER.")
  var ocsp: [String] = []

  @Option(name: .long, help: "The report's form: text or json.")
  var format = ReportForm.text

  @Option(name: .long, help: "The report's language: ja or en. Default: that of LANG.")
  var language: ReportLanguageName?

  @Option(
    name: .long, help: "Validate as of this moment instead of now, such as 2026-11-25T09:00:00Z.")
  var at: String?

  @Option(
    name: .long, parsing: .upToNextOption,
    help: """
      Certificate policies of e-seal authorities and their level, as OID=LEVEL; 2021:OID=LEVEL for \
      the superseded levels.
      """)
  var sealPolicy: [String] = []

  @Option(
    name: .long, parsing: .upToNextOption,
    help: """
      Trusted lists: which services were accredited when. Their services are trusted for as long as \
      they were.
      """)
  var trustedList: [String] = []

  @Option(
    name: .long, parsing: .upToNextOption,
    help: "Certificates of the lists' operators, or those above them.")
  var listOperator: [String] = []

  @Flag(name: .long, help: "Accept only what an accredited service sealed, certified or stamped.")
  var requireAccreditation = false

  func validate() throws {
    guard trustedList.isEmpty || !listOperator.isEmpty else {
      throw ValidationError("--trusted-list needs --list-operator: who may seal the lists.")
    }
  }

  func run() async throws {
    var validator = SealValidator(anchors: try anchors(trustAnchors), moment: try moment())
    if !timeStampAnchors.isEmpty { validator.timeStampAnchors = try anchors(timeStampAnchors) }
    validator.certificates = try certificates.flatMap(SealFiles.certificates)
    validator.evidence = RevocationEvidence(
      crls: try crl.map(SealFiles.crl), ocsp: try ocsp.map(SealFiles.ocsp))
    validator.scheme = try scheme()
    validator.trustedLists = try lists()
    validator.requiresAccreditation = requireAccreditation
    var reports: [(name: String, report: ValidationReport)] = []
    for file in files { reports.append((file, try report(file, validator))) }
    try write(reports)
    let indications = reports.map(\.report.conclusion.indication)
    if indications.contains(.totalFailed) { throw ExitCode(ExitStatus.negative.rawValue) }
    // Neither yes nor no.
    if indications.contains(.indeterminate) { throw ExitCode(3) }
  }

  private func report(_ file: String, _ validator: SealValidator) throws -> ValidationReport {
    let bytes = try SealFiles.read(file)
    let hashes = SealFile.hashes(bytes)
    var contents = try content.map { try SealFiles.content($0, hashes: hashes) }
    let kept = URL(fileURLWithPath: file).deletingPathExtension().path
    if contents.isEmpty, kept != file, FileManager.default.fileExists(atPath: kept),
      SealFile(bytes) != .container, SealFile(bytes) != .pdf, !Self.isEnclosed(bytes)
    {
      contents = [try SealFiles.content(kept, hashes: hashes)]
    }
    return validator.validate(file: bytes, contents: contents)
  }

  /// Whether the seal holds its content, so that no file beside it is asked for.
  private static func isEnclosed(_ bytes: [UInt8]) -> Bool {
    switch SealFile(bytes) {
    case .cades: (try? SignedData(filed: bytes))?.content != nil
    case .jades: (try? JSONWebSignature(encoded: bytes))?.payload != nil
    default: false
    }
  }

  private func anchors(_ paths: [String]) throws -> [TrustAnchor] {
    try paths.flatMap(SealFiles.certificates).map { certificate in
      do { return try TrustAnchor(certificate) } catch {
        throw CommandFailure("\(certificate.subject): \(error)", status: .badData)
      }
    }
  }

  private func lists() throws -> TrustedLists {
    let validator = try TrustedListFiles.validator(listOperator, crl: crl)
    var sealed: [SealedTrustedList] = []
    for path in trustedList {
      do {
        sealed.append(try SealedTrustedList(verifying: try SealFiles.read(path), by: validator))
      } catch let error as TrustedListError {
        throw CommandFailure("\(path): \(error)", status: .badData)
      }
    }
    do throws(TrustedListError) { return try TrustedLists(sealed) } catch {
      throw CommandFailure("\(error)", status: .badData)
    }
  }

  private func moment() throws -> Timestamp {
    guard let at else { return currentMoment() }
    guard let moment = Timestamp(at) else {
      throw ValidationError("--at \(at) is not a time such as 2026-11-25T09:00:00Z.")
    }
    return moment
  }

  private func scheme() throws -> SealScheme {
    var scheme = SealScheme()
    for text in sealPolicy {
      let isLegacy = text.hasPrefix("2021:")
      let parts = text.dropFirst(isLegacy ? 5 : 0).split(separator: "=")
      guard parts.count == 2, let level = Int(parts[1]),
        scheme.assign(
          dotted: String(parts[0]), level: level,
          edition: isLegacy ? .guideline2021 : .accreditation2025)
      else {
        throw ValidationError("--seal-policy \(text) is not OID=LEVEL with a level of 1 or 2.")
      }
    }
    return scheme
  }

  private func write(_ reports: [(name: String, report: ValidationReport)]) throws {
    switch format {
    case .json:
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
      // One file is one object, so that scripts need not unpack a list.
      let data =
        reports.count == 1
        ? try encoder.encode(reports[0].report)
        : try encoder.encode(Dictionary(reports.map { ($0.name, $0.report) }) { $1 })
      Terminal.output.write(String(decoding: data, as: UTF8.self) + "\n")
    case .text:
      let environment = ProcessInfo.processInfo.environment
      let locale = environment["LC_ALL"] ?? environment["LANG"] ?? ""
      let writer = ReportText(
        language?.language ?? (locale.hasPrefix("ja") ? .japanese : .english))
      Terminal.output.write(
        reports.map { writer.render($0.report, name: $0.name) }.joined(separator: "\n"))
    }
  }
}
