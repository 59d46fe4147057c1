import ArgumentParser
import Foundation
import Logging
import NetworkTypes
import Settings
import TrustServices

/// A stamp in a file: the authority's answer, or the token alone.
enum StampFile {
  static func read(_ path: String) throws -> TimeStampToken {
    let octets = try House.octets(of: path)
    if let response = try? TimeStampResponse(encoded: octets) { return try response.granted() }
    do { return try TimeStampToken(encoded: octets) } catch {
      throw CommandFailure("\(path) is no time stamp: \(error)", status: .badData)
    }
  }
}

struct TSAVerify: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "verify",
    abstract: "Verify a time stamp of a file.",
    discussion: """
      Trusts the certificates of --anchors, or the certificate authority of this data directory. Exit \
      code 2 if the stamp does not hold.

      Example:
        noroshi tsa verify report.pdf --anchors ca.pem
      """)

  @OptionGroup var options: HouseOptions

  @Argument(help: "The file.", completion: .file())
  var file: String

  @Option(name: .long, help: "The stamp; FILE.tsr unless given.", completion: .file())
  var stamp: String?

  @Option(name: .long, help: "Certificates that are trusted, PEM.", completion: .file())
  var anchors: String?

  func run() async throws {
    let token = try StampFile.read(stamp ?? file + ".tsr")
    guard let hash = token.info.imprint.hashAlgorithm else {
      throw CommandFailure("The stamp's hash is not known here", status: .negative)
    }
    let validator = try options.house().anchors(anchors)
    let imprint = MessageImprint(hash, digest: try StampRequestOptions.digest(of: file, hash))
    let verified: VerifiedTimeStamp
    do {
      verified = try token.verify(imprint, validator: validator)
    } catch {
      throw CommandFailure("The stamp does not hold: \(error)", status: .negative)
    }
    var sheet = Sheet("The stamp holds")
    sheet.add("time", verified.moment.description)
    sheet.add(
      "accuracy",
      verified.token.info.accuracy.map { "±\(Double($0.microseconds) / 1e6) s" } ?? "not stated")
    sheet.add("unit", verified.signer.certificate.subject.description)
    sheet.add("policy", "\(verified.token.info.policy)")
    sheet.add("serial", verified.token.info.serialNumberText)
    sheet.add("hash", hash.rawValue)
    sheet.write()
  }
}

extension House {
  /// A validator that trusts the certificates of a file, or those of this data directory.
  func anchors(_ path: String?) throws -> CertificateValidator {
    var texts: [String] = []
    if let path {
      texts.append(try Self.text(of: path))
    } else {
      let own = certificateFiles.root
      guard FileManager.default.fileExists(atPath: own) else {
        throw CommandFailure(
          "Nothing says whom to trust", advice: "Give --anchors ca.pem.", status: .usage)
      }
      texts.append(try Self.text(of: own))
    }
    let certificates = try texts.flatMap { try Certificate.list(pemEncoded: $0) }
    return CertificateValidator(anchors: try certificates.map { try TrustAnchor($0) })
  }
}
