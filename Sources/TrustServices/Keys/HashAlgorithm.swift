import Crypto
public import SwiftASN1

/// The hash functions that signatures and message imprints use here.
///
/// SHA-1 is read, because old signatures used it, and never written.
public enum HashAlgorithm: String, Hashable, Sendable, CaseIterable {
  case sha1 = "SHA-1"
  case sha256 = "SHA-256"
  case sha384 = "SHA-384"
  case sha512 = "SHA-512"
  case sha3Bits256 = "SHA3-256"
  case sha3Bits384 = "SHA3-384"
  case sha3Bits512 = "SHA3-512"

  /// The length of the digest in octets.
  public var byteCount: Int {
    switch self {
    case .sha1: 20
    case .sha256, .sha3Bits256: 32
    case .sha384, .sha3Bits384: 48
    case .sha512, .sha3Bits512: 64
    }
  }

  /// False where collisions are practical, so that a signature made today proves nothing
  /// (SHA-1: Stevens et al. 2017).
  public var isCollisionResistant: Bool { self != .sha1 }

  /// The OID (RFC 3279, RFC 5754; NIST CSOR for SHA-3).
  public var identifier: ASN1ObjectIdentifier {
    switch self {
    case .sha1: [1, 3, 14, 3, 2, 26]
    case .sha256: [2, 16, 840, 1, 101, 3, 4, 2, 1]
    case .sha384: [2, 16, 840, 1, 101, 3, 4, 2, 2]
    case .sha512: [2, 16, 840, 1, 101, 3, 4, 2, 3]
    case .sha3Bits256: [2, 16, 840, 1, 101, 3, 4, 2, 8]
    case .sha3Bits384: [2, 16, 840, 1, 101, 3, 4, 2, 9]
    case .sha3Bits512: [2, 16, 840, 1, 101, 3, 4, 2, 10]
    }
  }

  private static let byIdentifier = Dictionary(
    uniqueKeysWithValues: allCases.map { ($0.identifier, $0) })

  /// The algorithm of this OID; nil for one that is not read here, such as MD5.
  public init?(_ identifier: ASN1ObjectIdentifier) {
    guard let found = Self.byIdentifier[identifier] else { return nil }
    self = found
  }

  init?(_ identifier: AlgorithmIdentifier) { self.init(identifier.algorithm) }

  /// The algorithm identifier as CMS wants it, without parameters (RFC 5754 2).
  public var algorithmIdentifier: AlgorithmIdentifier { AlgorithmIdentifier(identifier) }

  /// The digest of `message`.
  public func hash(_ message: some Collection<UInt8>) -> [UInt8] {
    var running = RunningHash(self)
    running.update(message)
    return running.finalize()
  }
}

/// A digest over content that arrives in pieces, such as a file.
public struct RunningHash: Sendable {
  private enum State: Sendable {
    case sha1(Insecure.SHA1)
    case sha256(SHA256)
    case sha384(SHA384)
    case sha512(SHA512)
    case sha3Bits256(SHA3_256)
    case sha3Bits384(SHA3_384)
    case sha3Bits512(SHA3_512)
  }

  public let algorithm: HashAlgorithm
  private var state: State

  /// A digest over nothing yet.
  public init(_ algorithm: HashAlgorithm) {
    self.algorithm = algorithm
    state =
      switch algorithm {
      case .sha1: .sha1(.init())
      case .sha256: .sha256(.init())
      case .sha384: .sha384(.init())
      case .sha512: .sha512(.init())
      case .sha3Bits256: .sha3Bits256(.init())
      case .sha3Bits384: .sha3Bits384(.init())
      case .sha3Bits512: .sha3Bits512(.init())
      }
  }

  /// Adds the next piece.
  public mutating func update(_ piece: some Collection<UInt8>) {
    if piece.withContiguousStorageIfAvailable({ update(UnsafeRawBufferPointer($0)) }) == nil {
      Array(piece).withUnsafeBytes { update($0) }
    }
  }

  private mutating func update(_ bytes: UnsafeRawBufferPointer) {
    func fed<H: HashFunction>(_ hash: H) -> H {
      var hash = hash
      hash.update(bufferPointer: bytes)
      return hash
    }
    state =
      switch state {
      case .sha1(let hash): .sha1(fed(hash))
      case .sha256(let hash): .sha256(fed(hash))
      case .sha384(let hash): .sha384(fed(hash))
      case .sha512(let hash): .sha512(fed(hash))
      case .sha3Bits256(let hash): .sha3Bits256(fed(hash))
      case .sha3Bits384(let hash): .sha3Bits384(fed(hash))
      case .sha3Bits512(let hash): .sha3Bits512(fed(hash))
      }
  }

  /// The digest of everything added.
  public func finalize() -> [UInt8] {
    switch state {
    case .sha1(let hash): Array(hash.finalize())
    case .sha256(let hash): Array(hash.finalize())
    case .sha384(let hash): Array(hash.finalize())
    case .sha512(let hash): Array(hash.finalize())
    case .sha3Bits256(let hash): Array(hash.finalize())
    case .sha3Bits384(let hash): Array(hash.finalize())
    case .sha3Bits512(let hash): Array(hash.finalize())
    }
  }
}
