import Synchronization

/// Certificates that were read lately: the same few come with message after message, and reading one
/// costs as much as checking its signature. A certificate never changes, so one copy serves all.
final class CertificateMemory: Sendable {
  static let shared = CertificateMemory()

  /// Most certificates kept, and the longest of them: 4 MB in all, our own bounds.
  static let maximumCount = 1024
  static let maximumSize = 4096

  private let known = Mutex<[[UInt8]: Certificate]>([:])

  /// The certificate of this encoding, read anew where it is not remembered.
  func certificate(_ encoded: [UInt8]) throws -> Certificate {
    guard encoded.count <= Self.maximumSize else { return try Certificate(derEncoded: encoded) }
    if let found = known.withLock({ $0[encoded] }) { return found }
    let new = try Certificate(derEncoded: encoded)
    known.withLock {
      // Emptied rather than sorted by age: whoever floods it makes it useless, not large.
      if $0.count >= Self.maximumCount { $0.removeAll(keepingCapacity: true) }
      $0[encoded] = new
    }
    return new
  }
}
