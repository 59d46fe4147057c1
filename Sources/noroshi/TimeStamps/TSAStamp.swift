public import ArgumentParser
import Foundation
import Logging
import NetworkTypes
import Settings
import Store
import SwiftASN1
public import TrustServices

extension HashAlgorithm: ExpressibleByArgument {
  /// `sha256`, `sha3-256`; SHA-1 is not offered.
  public init?(argument: String) {
    let wanted = argument.lowercased().filter { $0.isLetter || $0.isNumber }
    guard
      let found = Self.allCases.first(where: {
        $0 != .sha1 && $0.rawValue.lowercased().filter { $0.isLetter || $0.isNumber } == wanted
      })
    else { return nil }
    self = found
  }

  public static var allValueStrings: [String] {
    ["sha256", "sha384", "sha512", "sha3-256", "sha3-384", "sha3-512"]
  }
}

/// What a stamp is asked for.
struct StampRequestOptions: ParsableArguments {
  @Argument(help: "The file to be stamped.", completion: .file())
  var file: String

  @Option(name: .customLong("hash"), help: "How the file is hashed.")
  var algorithm = HashAlgorithm.sha256

  @Option(name: .long, help: "The policy that is wanted.")
  var policy: String?

  func request() throws -> TimeStampRequest {
    var request = TimeStampRequest(
      MessageImprint(algorithm, digest: try Self.digest(of: file, algorithm)))
    if let policy {
      guard let identifier = ASN1ObjectIdentifier(dotted: policy) else {
        throw CommandFailure("--policy: \(policy) is no object identifier", status: .usage)
      }
      request.policy = identifier
    }
    return request
  }

  /// The digest of a file of any size, read in pieces.
  static func digest(of path: String, _ algorithm: HashAlgorithm) throws -> [UInt8] {
    guard let handle = FileHandle(forReadingAtPath: path) else {
      throw CommandFailure("\(path) cannot be read", status: .noInput)
    }
    defer { try? handle.close() }
    var hash = RunningHash(algorithm)
    while let piece = try handle.read(upToCount: 1 << 20), !piece.isEmpty { hash.update(piece) }
    return hash.finalize()
  }
}

struct TSAStamp: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "stamp",
    abstract: "Have a file time-stamped.",
    discussion: """
      Asks the authority of this data directory, or the one at --url, and writes its answer beside the \
      file as FILE.tsr, which `openssl ts -verify` reads.

      Examples:
        noroshi tsa stamp report.pdf
        noroshi tsa stamp report.pdf --url http://tsa.example/tsa --output report.tsr
      """)

  @OptionGroup var options: HouseOptions
  @OptionGroup var wanted: StampRequestOptions

  @Option(name: .long, help: "The authority's address.")
  var url: String?

  @Option(name: [.long, .customShort("o")], help: "Where to write the answer.")
  var output: String?

  func run() async throws {
    let house = try options.house()
    let source = try await house.timeStampSource(url: url)
    let token = try await source.timeStamp(try wanted.request())
    let path = output ?? wanted.file + ".tsr"
    try DurableFile.write(TimeStampResponse(token).encoded, to: path, mode: 0o644)
    Terminal.error.line(
      "\(path): \(token.info.genTime), serial number \(token.info.serialNumberText)")
  }
}

struct TSARequest: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "request",
    abstract: "Write a time-stamp request for a file, to be sent by other means.",
    discussion: """
      Example:
        noroshi tsa request report.pdf
        curl -H 'Content-Type: application/timestamp-query' --data-binary @report.pdf.tsq \
      http://tsa.example/tsa -o report.pdf.tsr
      """)

  @OptionGroup var wanted: StampRequestOptions

  @Option(name: [.long, .customShort("o")], help: "Where to write the request.")
  var output: String?

  func run() async throws {
    let path = output ?? wanted.file + ".tsq"
    try DurableFile.write(try wanted.request().encoded, to: path, mode: 0o644)
    Terminal.error.line("wrote \(path)")
  }
}
