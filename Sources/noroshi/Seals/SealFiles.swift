import Foundation
import TrustServices

/// Reading and writing what seals are made of.
enum SealFiles {
  /// Content up to this size is held in memory, so that any digest can be taken; larger files are
  /// read once in pieces.
  static let heldSize = 64 << 20
  /// Seals larger than this are not read: a container's files are inside it.
  static let largestSeal = 1 << 30
  private static let pieceSize = 1 << 20

  static func size(_ path: String) throws -> Int {
    let attributes = try FileManager.default.attributesOfItem(atPath: path)
    return (attributes[.size] as? NSNumber)?.intValue ?? 0
  }

  static func read(_ path: String, limit: Int = largestSeal) throws -> [UInt8] {
    try checkIsFile(path)
    let size = try size(path)
    guard size <= limit else {
      throw CommandFailure(
        "\(path) has \(size) octets, more than the \(limit) that are read here",
        advice: "Content may have any size where it is sealed detached (--detached).",
        status: .badData)
    }
    guard let handle = FileHandle(forReadingAtPath: path) else {
      throw CommandFailure(
        "\(path) cannot be read", advice: "Check whose it is, and its permissions.",
        status: .noInput)
    }
    defer { try? handle.close() }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(size)
    // A pipe has no size and ends when it ends.
    while let piece = try handle.read(upToCount: pieceSize), !piece.isEmpty {
      bytes += piece
      guard bytes.count <= limit else {
        throw CommandFailure(
          "\(path) has more than the \(limit) octets that are read here", status: .badData)
      }
    }
    return bytes
  }

  /// Refuses what is not there, and directories; a pipe (`<(…)`) is read like a file.
  private static func checkIsFile(_ path: String) throws {
    var isDirectory: ObjCBool = false
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory) else {
      throw CommandFailure("There is no file \(path)", status: .noInput)
    }
    guard !isDirectory.boolValue else {
      throw CommandFailure(
        "\(path) is a directory", advice: "Give a file.", status: .noInput)
    }
  }

  static func name(_ path: String) -> String { URL(fileURLWithPath: path).lastPathComponent }

  /// The content of a file, in memory where it is small, else its digests.
  static func content(_ path: String, hashes: Set<HashAlgorithm>) throws -> NamedContent {
    try checkIsFile(path)
    if try size(path) <= heldSize {
      return NamedContent(
        name: name(path), content: ContentDigests(try read(path, limit: heldSize)))
    }
    guard let handle = FileHandle(forReadingAtPath: path) else {
      throw CommandFailure("\(path) cannot be read", status: .noInput)
    }
    defer { try? handle.close() }
    var digester = ContentDigester(Array(hashes))
    while let piece = try handle.read(upToCount: pieceSize), !piece.isEmpty {
      digester.update(piece)
    }
    return NamedContent(name: name(path), content: digester.finalize())
  }

  static func write(_ bytes: [UInt8], to path: String, replacing: Bool) throws {
    guard replacing || !FileManager.default.fileExists(atPath: path) else {
      throw CommandFailure(
        "\(path) exists already", advice: "Give another --output, or --force to replace it.",
        status: .cannotCreate)
    }
    do {
      try Data(bytes).write(to: URL(fileURLWithPath: path), options: .atomic)
    } catch {
      throw CommandFailure(
        "\(path) cannot be written: \(error.localizedDescription)", status: .cannotCreate)
    }
  }

  static func text(_ path: String) throws -> String {
    String(decoding: try read(path, limit: 16 << 20), as: UTF8.self)
  }

  /// Certificates of a file, PEM or one in DER.
  static func certificates(_ path: String) throws -> [Certificate] {
    let bytes = try read(path, limit: 16 << 20)
    do {
      if bytes.first == 0x30 { return [try Certificate(derEncoded: bytes)] }
      let list = try Certificate.list(pemEncoded: String(decoding: bytes, as: UTF8.self))
      guard !list.isEmpty else {
        throw CommandFailure("\(path) holds no certificate", status: .badData)
      }
      return list
    } catch let failure as CommandFailure {
      throw failure
    } catch { throw CommandFailure("\(path): \(error)", status: .badData) }
  }

  /// The CRL of a file, PEM or DER.
  static func crl(_ path: String) throws -> CertificateRevocationList {
    let bytes = try read(path, limit: 256 << 20)
    do {
      return bytes.first == 0x30
        ? try CertificateRevocationList(derEncoded: bytes)
        : try CertificateRevocationList(pemEncoded: String(decoding: bytes, as: UTF8.self))
    } catch { throw CommandFailure("\(path): \(error)", status: .badData) }
  }

  static func ocsp(_ path: String) throws -> OCSPResponse {
    do { return try OCSPResponse(derEncoded: try read(path, limit: 16 << 20)) } catch {
      throw CommandFailure("\(path): \(error)", status: .badData)
    }
  }

  /// A private key, of a file or by a `pkcs11:` URI on a token, asking for its passphrase where it has
  /// one and `NOROSHI_PASSPHRASE` is not set.
  static func key(_ path: String) throws -> any SigningKey {
    let environment = ProcessInfo.processInfo.environment
    if path.hasPrefix("pkcs11:") { return try tokenKey(path, environment) }
    let pem = try text(path)
    do {
      do {
        return try FileKey(pem: pem, passphrase: environment["NOROSHI_PASSPHRASE"])
      } catch KeyError.passphraseNeeded {
        return try FileKey(
          pem: pem, passphrase: Terminal.secret(prompt: "Passphrase of \(path): ") ?? "")
      }
    } catch { throw CommandFailure("\(path): \(error)", status: .badData) }
  }

  /// The PIN is that of the URI's pin-source, of NOROSHI_PASSPHRASE, or asked for.
  private static func tokenKey(_ uri: String, _ environment: [String: String]) throws
    -> any SigningKey
  {
    do {
      var pin = environment["NOROSHI_PASSPHRASE"]
      if pin == nil, try PKCS11URI(uri).pin(environment: environment) == nil {
        pin = Terminal.secret(prompt: "PIN of \(uri): ")
      }
      return try NamedKey.open(uri, passphrase: pin, environment: environment) { try text($0) }
    } catch { throw CommandFailure("\(error)", status: .unavailable) }
  }
}
