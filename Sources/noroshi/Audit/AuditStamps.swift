import Foundation
import NetworkTypes
import Store
import TrustServices

/// An end of the audit trail that a time-stamp authority has seen.
struct AuditStamp: Sendable {
  let head: AuditHead
  let token: TimeStampToken
  /// The file of the answer; the text that is stamped lies beside it, with `.txt`.
  let path: String

  /// What is stamped.
  var text: [UInt8] { Self.text(head) }

  static func text(_ head: AuditHead) -> [UInt8] {
    Array("noroshi-audit-head-1\n\(head.sequence)\n\(head.hash)\n".utf8)
  }
}

/// The folder of stamped ends: for each two files, so that openssl alone can verify them:
/// `000000000042.txt` says place and hash of the entry, `000000000042.tsr` is the authority's answer.
struct AuditStamps: Sendable {
  let folder: String

  /// Has the end of the trail stamped, keeps the answer, and writes that into the trail.
  ///
  /// - Throws: what the authority or its way throws, and where the token is not over the head.
  func stamp(_ trail: AuditTrail, of house: House, by source: any TimeStampSource) async throws
    -> AuditStamp
  {
    let head = try trail.head()
    guard head.sequence > 0 else {
      throw CommandFailure("The audit trail is empty: there is nothing to stamp", status: .noInput)
    }
    let text = AuditStamp.text(head)
    let token = try await source.timeStamp(text)
    guard token.info.imprint.matches(MessageImprint(.sha256, of: text)) else {
      throw CommandFailure("The authority stamped something else", status: .badData)
    }
    try FileManager.default.createDirectory(
      atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o750])
    let digits = String(head.sequence)
    let name = String(repeating: "0", count: max(0, 12 - digits.count)) + digits
    // The text first: an answer without it would be one that nobody can verify.
    try DurableFile.write(text, to: "\(folder)/\(name).txt", mode: 0o640)
    try DurableFile.write(
      TimeStampResponse(token).encoded, to: "\(folder)/\(name).tsr", mode: 0o640)
    try house.record(
      "audit.stamped", subject: String(head.sequence),
      details: ["hash": head.hash, "time": token.info.genTime.description],
      by: .system("audit"), in: house.store())
    return AuditStamp(head: head, token: token, path: "\(folder)/\(name).tsr")
  }

  /// All stamps, the first one first.
  ///
  /// - Throws: a `CommandFailure` that names the file which is not what it should be.
  func list() throws -> [AuditStamp] {
    guard FileManager.default.fileExists(atPath: folder) else { return [] }
    return try FileManager.default.contentsOfDirectory(atPath: folder)
      .filter { $0.hasSuffix(".tsr") }.sorted().map { try read(folder + "/" + $0) }
  }

  private func read(_ path: String) throws -> AuditStamp {
    func refuse(_ reason: String) -> CommandFailure {
      CommandFailure(
        "\(path) \(reason)", advice: "Compare the folder with a copy of it.", status: .badData)
    }
    let textPath = path.dropLast(4) + ".txt"
    guard let answer = FileManager.default.contents(atPath: path),
      let token = (try? TimeStampResponse(encoded: Array(answer)))?.token
    else { throw refuse("is no answer of a time-stamp authority") }
    guard let text = FileManager.default.contents(atPath: String(textPath)) else {
      throw refuse("has no text beside it")
    }
    let lines = String(decoding: text, as: UTF8.self).split(separator: "\n")
    guard lines.count == 3, let sequence = Int64(lines[1]), sequence > 0 else {
      throw refuse("has a text beside it that names no entry")
    }
    let head = AuditHead(sequence: sequence, hash: String(lines[2]))
    guard Array(text) == AuditStamp.text(head),
      let hash = token.info.imprint.hashAlgorithm,
      token.info.imprint.matches(MessageImprint(hash, of: Array(text)))
    else { throw refuse("does not stamp the text beside it") }
    return AuditStamp(head: head, token: token, path: path)
  }
}

extension House {
  var auditStamps: AuditStamps { AuditStamps(folder: data.auditStamps) }
}
