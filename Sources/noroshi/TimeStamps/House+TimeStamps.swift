import AsyncHTTPClient
import Foundation
import Glibc
import NIOCore
import NIOHTTP1
import NetworkTypes
import Portal
import Settings
import Store
import SwiftASN1
import TrustServices

/// Where the time-stamp authority keeps its things.
struct TimeStampFiles: Sendable {
  let folder: String

  var certificate: String { folder + "/unit.pem" }
  var key: String { folder + "/unit.key" }
  var request: String { folder + "/unit.csr" }
  var journal: String { folder + "/journal" }
  /// The key that signs the journal's heads.
  var logKey: String { folder + "/log.key" }
}

extension House {
  var timeStampFiles: TimeStampFiles { TimeStampFiles(folder: data.path + "/tsa") }

  var timeStampCertificatePath: String {
    configuration.tsa.certificate?.path ?? timeStampFiles.certificate
  }

  /// The authority of this data directory; its journal is locked from here on.
  ///
  /// - Parameter isGuarded: whether the clock is compared with its sources; the setting where nil.
  func timeStampAuthority(isGuarded: Bool? = nil) throws -> (TimeStampAuthority, chain: String) {
    let settings = configuration.tsa
    let path = timeStampCertificatePath
    guard FileManager.default.fileExists(atPath: path) else {
      throw CommandFailure(
        "There is no time-stamp unit at \(path)",
        advice: "`noroshi tsa init` makes one.", status: .noInput)
    }
    let chain = try Certificate.list(pemEncoded: Self.text(of: path))
    guard let certificate = chain.first else {
      throw CommandFailure("\(path) holds no certificate", status: .badData)
    }
    let key = try openKey(
      settings.key?.text ?? timeStampFiles.key, passphraseFile: settings.passphraseFile,
      what: "time-stamp unit")
    let unit = try TimeStampUnit(
      certificate: certificate, key: key, parameters: try timeStampParameters(chain))
    let logKey = try FileKey(pem: try Self.text(of: timeStampFiles.logKey))
    var clock = ClockGuardParameters()
    clock.promisedSeconds = settings.accuracy.seconds
    clock.jumpSeconds = min(clock.jumpSeconds, settings.accuracy.seconds / 10)
    clock.requiredSources = settings.clock.required
    let authority = TimeStampAuthority(
      unit: unit, clockSources: .system(settings.clock.sources, parameters: clock),
      clockParameters: clock, isGuarding: isGuarded ?? settings.clock.guarded,
      journal: try Journal(folder: timeStampFiles.journal),
      signer: try LogSigner(name: configuration.node.name + "/tsa", key: logKey))
    return (authority, chain.map(\.pem).joined())
  }

  private func timeStampParameters(_ chain: [Certificate]) throws -> TimeStampUnitParameters {
    let settings = configuration.tsa
    func policy(_ text: String, _ key: String) throws -> ASN1ObjectIdentifier {
      guard let policy = ASN1ObjectIdentifier(dotted: text) else {
        throw CommandFailure(
          "\(key): \(text) is no object identifier", status: .badConfiguration)
      }
      return policy
    }
    var parameters = TimeStampUnitParameters(policy: try policy(settings.policy, "tsa.policy"))
    parameters.otherPolicies = Set(
      try settings.policies.map { try policy($0, "tsa.policies") })
    parameters.accuracy = TimeStampAccuracy(
      microseconds: UInt64((settings.accuracy.seconds * 1e6).rounded()))
    parameters.fractionDigits = settings.fractionDigits
    parameters.ordering = settings.ordering
    parameters.chain = Array(chain.dropFirst())
    return parameters
  }

  /// A key by its name; the passphrase is that of the file, of NOROSHI_PASSPHRASE, or asked for.
  func openKey(_ name: String, passphraseFile: FilePath?, what: String) throws -> any SigningKey {
    let environment = ProcessInfo.processInfo.environment
    var passphrase = try passphrase(passphraseFile)
    func open() throws -> any SigningKey {
      try NamedKey.open(name, passphrase: passphrase, environment: environment) {
        try Self.text(of: $0)
      }
    }
    do { return try open() } catch KeyError.passphraseNeeded {
      guard let typed = Terminal.secret(prompt: "Passphrase of the \(what)'s key: ") else {
        throw CommandFailure(
          "The key of the \(what) is encrypted",
          advice: "Set NOROSHI_PASSPHRASE, or a passphraseFile in the configuration.",
          status: .noPermission)
      }
      passphrase = typed
      return try open()
    }
  }

  /// What NOROSHI_PASSPHRASE or the configured file says; nil where neither does.
  func passphrase(_ file: FilePath?) throws -> String? {
    if let given = ProcessInfo.processInfo.environment["NOROSHI_PASSPHRASE"], !given.isEmpty {
      return given
    }
    guard let file else { return nil }
    guard let first = try Self.text(of: file.path).split(whereSeparator: \.isNewline).first else {
      throw CommandFailure("\(file.path) is empty", status: .badConfiguration)
    }
    return String(first)
  }

  /// The passphrase of a new key: as above, or typed twice; nil leaves the key unencrypted.
  func newPassphrase(_ file: FilePath?, for what: String) throws -> String? {
    if let known = try passphrase(file) { return known }
    guard
      let first = Terminal.secret(prompt: "Passphrase for the \(what)'s key (empty: none): "),
      !first.isEmpty
    else { return nil }
    guard Terminal.secret(prompt: "The same again: ") == first else {
      throw CommandFailure(
        "The two passphrases differ", advice: "Run the command again.", status: .badData)
    }
    return first
  }

  static func text(of path: String) throws -> String {
    guard let data = FileManager.default.contents(atPath: path) else {
      throw CommandFailure(
        "\(path) cannot be read", advice: "Check that it is there and whose it is.",
        status: .noInput)
    }
    return String(decoding: data, as: UTF8.self)
  }

  static func octets(of path: String) throws -> [UInt8] {
    guard let data = FileManager.default.contents(atPath: path) else {
      throw CommandFailure(
        "\(path) cannot be read", advice: "Check that it is there and whose it is.",
        status: .noInput)
    }
    return Array(data)
  }

  /// Makes a folder that only this user enters.
  static func makePrivateFolder(_ path: String) throws {
    try FileManager.default.createDirectory(
      atPath: path, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
  }

  /// Where stamps for this installation's own seals and heads come from: a URL, or the authority of
  /// this data directory; where that one is being served, the server is asked.
  func timeStampSource(url: String? = nil) async throws -> any TimeStampSource {
    if let url { return HTTPTimeStamps.source(url) }
    do {
      let (authority, _) = try timeStampAuthority()
      if authority.clock.isGuarding { await authority.clock.check() }
      return authority
    } catch JournalError.inUse {
      let listen = configuration.tsa.listen.configurationText
      let portal = configuration.portal
      let host = portal.address.contains(":") ? "[\(portal.address)]" : portal.address
      return HTTPTimeStamps.source(
        configuration.tsa.enabled ? "http://\(host):\(portal.port)/tsa" : "http://\(listen)/tsa")
    }
  }
}

/// Time stamps and journals over HTTP.
enum HTTPTimeStamps {
  /// An answer larger than this is none: a chain of certificates has some kilobytes.
  static let responseLimit = 1 << 20

  /// The authority at a URL (RFC 3161 3.4).
  static func source(_ url: String) -> RemoteTimeStampSource {
    RemoteTimeStampSource { query in
      try await post(url, "application/timestamp-query", query)
    }
  }

  static func post(_ url: String, _ type: String, _ body: [UInt8]) async throws -> [UInt8] {
    var request = HTTPClientRequest(url: url)
    request.method = .POST
    request.headers.add(name: "content-type", value: type)
    request.body = .bytes(ByteBuffer(bytes: body))
    return try await execute(request, url)
  }

  static func get(_ url: String) async throws -> [UInt8] {
    try await execute(HTTPClientRequest(url: url), url)
  }

  private static func execute(_ request: HTTPClientRequest, _ url: String) async throws -> [UInt8] {
    guard url.hasPrefix("http://") || url.hasPrefix("https://") else {
      throw CommandFailure(
        "“\(url)” is no address such as http://127.0.0.1:3161/tsa", status: .usage)
    }
    let response: HTTPClientResponse
    do {
      response = try await HTTPClient.shared.execute(request, timeout: .seconds(30))
    } catch {
      throw CommandFailure(
        "\(url) cannot be reached: \(error)", advice: "Check the address and that it runs.",
        status: .unavailable)
    }
    let body: ByteBuffer
    do { body = try await response.body.collect(upTo: responseLimit) } catch {
      throw CommandFailure(
        "The answer of \(url) is too long, or broke off: \(error)", status: .unavailable)
    }
    guard response.status == .ok else {
      let said = String(buffer: body).prefix(300)
      throw CommandFailure(
        "\(url) answers \(response.status.code): \(said)", status: .unavailable)
    }
    return Array(buffer: body)
  }
}

/// A journal that is served over HTTP, its heads' signatures verified.
struct ServedJournal: AuditedJournal {
  /// The address of the authority, such as `http://127.0.0.1:3161/tsa`.
  let url: String
  let log: LogVerifier

  func head() async throws -> JournalHead {
    let note = String(decoding: try await HTTPTimeStamps.get(url + "/journal/head"), as: UTF8.self)
    guard let head = log.head(in: note) else { throw LogError.badHeadSignature(log.name) }
    return head
  }

  func entries(from: UInt64, to: UInt64) async throws -> [[UInt8]] {
    let lines = try await HTTPTimeStamps.get(
      url + "/journal/entries?from=\(from)&count=\(min(1000, to - from))")
    return lines.split(separator: 0x0A).map { Array($0) }
  }

  func consistencyProof(from: UInt64, to: UInt64) async throws -> [[UInt8]] {
    let answer = try await HTTPTimeStamps.get(
      url + "/journal/consistency?from=\(from)&to=\(to)")
    return try JSONDecoder().decode(ConsistencyProof.self, from: Data(answer)).hashes
  }
}
