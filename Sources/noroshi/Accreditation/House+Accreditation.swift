public import ArgumentParser
import Foundation
import Logging
import NetworkTypes
import Settings
import Store
public import TrustServices

/// Where an accrediting body keeps its things.
struct AccreditationFiles: Sendable {
  let folder: String

  var journal: String { folder + "/journal" }
  /// The key that signs the journal's heads.
  var logKey: String { folder + "/log.key" }
  /// The sealed list that is in force.
  var list: String { folder + "/list.json" }
  /// Every list that was published, by its number.
  var lists: String { folder + "/lists" }

  func list(_ sequence: UInt64) -> String { lists + "/\(sequence).json" }
}

extension House {
  var accreditationFiles: AccreditationFiles {
    AccreditationFiles(folder: data.path + "/accreditation")
  }

  private func requireAccreditation() throws {
    guard FileManager.default.fileExists(atPath: accreditationFiles.logKey) else {
      throw CommandFailure(
        "There is no accreditation register in \(accreditationFiles.folder)",
        advice: "`noroshi accreditation init` opens one.", status: .noInput)
    }
  }

  func accreditationSigner() throws -> LogSigner {
    try requireAccreditation()
    return try LogSigner(
      name: configuration.node.name + "/accreditation",
      key: try FileKey(pem: try Self.text(of: accreditationFiles.logKey)))
  }

  /// The register, for writing: locked from here on.
  func accreditationRegister() throws -> AccreditationRegister {
    try AccreditationRegister(
      folder: accreditationFiles.journal, signer: try accreditationSigner())
  }

  /// What the register says, read beside whoever writes it.
  func accreditationContents() throws -> (
    contents: AccreditationContents, records: [AccreditationRecord]
  ) {
    try requireAccreditation()
    return try AccreditationRegister.contents(folder: accreditationFiles.journal)
  }

  /// Takes a step into the register and into the audit trail; `subject` is what it is about.
  func accreditationStep(
    _ step: AccreditationRecord.Step, _ action: String, _ subject: String, _ options: StepOptions
  ) async throws {
    var register = try accreditationRegister()
    let index = try await accreditationStep(step, action, subject, options, in: &register)
    Terminal.output.line("record \(index)  \(action) \(subject)")
  }

  func accreditationStep(
    _ step: AccreditationRecord.Step, _ action: String, _ subject: String, _ options: StepOptions,
    in register: inout AccreditationRegister
  ) async throws -> UInt64 {
    let record = AccreditationRecord(
      time: Self.now, actor: options.by ?? Self.operator.text, reason: options.reason,
      documents: try options.documents(), step: step)
    do {
      let index = try await register.append(record)
      try audit("accreditation.\(action)", subject, ["record": "\(index)"])
      return index
    } catch let error as AccreditationError {
      throw CommandFailure("\(error)", status: .badData)
    }
  }

  /// The sealed list of a file, not verified: one's own, or to be shown.
  static func unverifiedList(_ path: String) throws -> SealedTrustedList {
    do {
      return try SealedTrustedList(unverified: try octets(of: path))
    } catch let error as TrustedListError {
      throw CommandFailure("\(path): \(error)", status: .badData)
    }
  }
}

/// What every step says of itself.
struct StepOptions: ParsableArguments {
  @Option(name: .long, help: "Why: the number of the ruling, or a sentence.")
  var reason: String

  @Option(
    name: .long,
    help:
      "A document that it rests on; its SHA-256 is kept, not its content. Several may be given.",
    completion: .file())
  var document: [String] = []

  @Option(name: .long, help: "Who took the step, where it is not whoever types it.")
  var by: String?

  func documents() throws -> [RegisteredDocument] {
    try document.map {
      RegisteredDocument(
        name: URL(fileURLWithPath: $0).lastPathComponent, content: try House.octets(of: $0))
    }
  }
}

extension TrustServiceKind: ExpressibleByArgument {
  public init?(argument: String) { self.init(argument) }
  public static var allValueStrings: [String] { all.map(\.description) }
}

extension JapaneseDay: ExpressibleByArgument {
  public init?(argument: String) { self.init(argument) }
}

extension AccreditationDecision.Kind: ExpressibleByArgument {}

extension House {
  /// The list in force for the portal, read again when another was published; nil while there is
  /// none, or none that can be read.
  func publishedTrustedList() throws -> @Sendable () throws -> SealedTrustedList? {
    let path = accreditationFiles.list
    let logger = logger
    let list = try CurrentFile(path, logger: logger) { () -> SealedTrustedList? in
      guard FileManager.default.fileExists(atPath: path) else { return nil }
      do { return try Self.unverifiedList(path) } catch {
        logger.error("\(path) is not published: \(error)")
        return nil
      }
    }
    return { list.content }
  }
}
