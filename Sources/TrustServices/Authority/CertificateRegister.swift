import FoundationEssentials
public import NetworkTypes

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// What an authority did: one file of lines, each beginning with the SHA-256 of the line before it,
/// so that a changed or missing line is found out. A line is on the disk before anybody sees what it
/// speaks of; an unfinished last line is as if it had never been begun.
///
/// Many processes may read and write: writers lock the file for the moment of writing.
public struct CertificateRegister: Sendable {
  /// One line.
  public struct Event: Hashable, Sendable, Codable {
    /// What happened.
    public enum Kind: String, Hashable, Sendable, Codable {
      case issued, revoked, crl
    }

    public let kind: Kind
    public let time: Timestamp
    /// Hexadecimal digits; of the certificate.
    public var serial: String?
    public var profile: CertificateProfile?
    /// The DER in Base64.
    public var certificate: String?
    /// CRLReason's number.
    public var reason: Int?
    /// The CRL's number.
    public var number: UInt64?
  }

  /// One certificate and what became of it.
  public struct Entry: Sendable {
    public let certificate: Certificate
    public let profile: CertificateProfile
    public let issuedAt: Timestamp
    public internal(set) var revocation: (at: Timestamp, reason: RevocationReason)?
  }

  /// Everything the register says.
  public struct Contents: Sendable {
    /// In the order of issue.
    public internal(set) var entries: [Entry] = []
    public internal(set) var lastCRLNumber: UInt64 = 0
    var bySerial: [[UInt8]: Int] = [:]

    /// The certificate of a serial number.
    public subscript(serialNumber: [UInt8]) -> Entry? {
      bySerial[serialNumber].map { entries[$0] }
    }

    mutating func apply(_ event: Event) throws {
      switch event.kind {
      case .issued:
        guard let data = event.certificate.flatMap({ Data(base64Encoded: $0) }),
          let profile = event.profile
        else {
          throw CertificateAuthorityError.unknownSerial("none")
        }
        let certificate = try Certificate(derEncoded: Array(data))
        bySerial[certificate.serialNumber] = entries.count
        entries.append(Entry(certificate: certificate, profile: profile, issuedAt: event.time))
      case .revoked:
        guard let serial = event.serial.flatMap({ Hexadecimal.octets($0) }),
          let index = bySerial[serial]
        else { throw CertificateAuthorityError.unknownSerial(event.serial ?? "none") }
        entries[index].revocation = (
          event.time, event.reason.flatMap { RevocationReason(rawValue: $0) } ?? .unspecified
        )
      case .crl: lastCRLNumber = max(lastCRLNumber, event.number ?? 0)
      }
    }
  }

  let path: String

  /// The register in a file, which need not exist yet.
  public init(path: String) { self.path = path }

  /// Reads everything; an unfinished last line is left out.
  public func contents() throws -> Contents {
    guard FileManager.default.fileExists(atPath: path) else { return Contents() }
    guard let data = FileManager.default.contents(atPath: path) else {
      throw CertificateAuthorityError.system(path, "it cannot be read")
    }
    return try parse(Array(data)).contents
  }

  private func parse(_ octets: [UInt8]) throws -> (contents: Contents, end: Int, last: String) {
    var contents = Contents()
    var last = Self.origin
    var start = 0
    var line = 1
    while let stop = octets[start...].firstIndex(of: 0x0A) {
      let text = octets[start..<stop]
      guard text.count > 65, String(decoding: text.prefix(64), as: UTF8.self) == last,
        let event = try? JSONDecoder().decode(Event.self, from: Data(text.dropFirst(65))),
        (try? contents.apply(event)) != nil
      else { throw CertificateAuthorityError.damagedRegister(path, line: line) }
      last = Hexadecimal.text(HashAlgorithm.sha256.hash(text))
      start = stop + 1
      line += 1
    }
    return (contents, start, last)
  }

  private static let origin = String(repeating: "0", count: 64)

  /// Adds what `decide` makes of the present contents; on the disk when this returns.
  func append(_ decide: (Contents) throws -> Event) throws {
    let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw failure() }
    defer { close(descriptor) }
    guard flock(descriptor, LOCK_EX) == 0 else { throw failure() }
    defer { flock(descriptor, LOCK_UN) }
    let isNew = lseek(descriptor, 0, SEEK_END) == 0
    guard let data = FileManager.default.contents(atPath: path) else {
      throw CertificateAuthorityError.system(path, "it cannot be read")
    }
    let (contents, end, last) = try parse(Array(data))
    let event = try decide(contents)
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    let line = Array("\(last) ".utf8) + Array(try encoder.encode(event)) + [0x0A]
    guard ftruncate(descriptor, off_t(end)) == 0 else { throw failure() }
    var done = 0
    while done < line.count {
      // The pointer is that of `line` moved by `done`; at most the rest is written.
      let put = line.withUnsafeBytes {
        pwrite(descriptor, $0.baseAddress.map { $0 + done }, line.count - done, off_t(end + done))
      }
      if put < 0, errno == EINTR { continue }
      guard put > 0 else { throw failure() }
      done += put
    }
    guard fsync(descriptor) == 0 else { throw failure() }
    if isNew { try synchroniseFolder() }
  }

  private func synchroniseFolder() throws {
    let folder = URL(fileURLWithPath: path).deletingLastPathComponent().path
    do { try JournalFile.synchronise(folder: folder) } catch {
      throw CertificateAuthorityError.system(folder, "\(error)")
    }
  }

  private func failure() -> CertificateAuthorityError {
    .system(path, String(cString: strerror(errno)))
  }
}
