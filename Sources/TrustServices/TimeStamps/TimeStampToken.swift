public import NetworkTypes
public import SwiftASN1

/// TimeStampToken (RFC 3161 2.4.2): SignedData over a ``TimeStampInfo``.
public struct TimeStampToken: Hashable, Sendable {
  public let signedData: SignedData
  public let info: TimeStampInfo
  /// The encoding as it was received or made; what other signatures cover.
  public let encoded: [UInt8]

  /// Reads a token on its own, as signatures carry it.
  public init(encoded bytes: [UInt8]) throws {
    try self.init(try SignedData(encoded: bytes), encoded: bytes)
  }

  init(_ signedData: SignedData, encoded: [UInt8]? = nil) throws {
    guard signedData.contentType == OID.tstInfo, let content = signedData.content else {
      throw MalformedStructure("TimeStampToken", "eContentType", "not id-ct-TSTInfo, or detached")
    }
    guard signedData.signers.count == 1 else {
      throw MalformedStructure(
        "TimeStampToken", "signerInfos", "\(signedData.signers.count) signers instead of one")
    }
    self.signedData = signedData
    info = try TimeStampInfo(encoded: content)
    self.encoded = encoded ?? signedData.encoded
  }

  /// The only signer.
  public var signer: SignerInfo {
    // Proof: the initialiser refuses any other number than one.
    signedData.signers[0]
  }
}

/// A stamp that stands: its signature, its unit's certificate and the path to an anchor.
public struct VerifiedTimeStamp: Sendable {
  public let token: TimeStampToken
  public let signer: VerifiedSigner
  public let path: ValidatedPath

  /// The moment that is proven: the content existed then, give or take the accuracy.
  public var moment: Timestamp { token.info.genTime }
}

/// Why a time stamp proves nothing.
public enum TimeStampError: Error, Sendable, CustomStringConvertible {
  case imprintMismatch
  case unknownHash(ASN1ObjectIdentifier)
  case nonceMismatch
  case policyMismatch(ASN1ObjectIdentifier)
  /// RFC 3161 2.4.2 wants ESSCertID or ESSCertIDv2.
  case certificateNotFixed
  /// RFC 3161 2.3: the key purpose has to be time-stamping, alone and critical.
  case notATimeStampUnit
  /// Revoked since, for a reason that casts doubt on every earlier stamp (RFC 3161 4.1).
  case unitCompromised(at: Timestamp, RevocationReason)
  case criticalExtension(ASN1ObjectIdentifier)
  case signature(CMSError)
  case path(PathError)

  public var description: String {
    switch self {
    case .imprintMismatch:
      "The time stamp is over other content. Check that the file is the right one and unchanged."
    case .unknownHash(let identifier):
      "The time stamp's hash \(identifier) is not known here. Ask for a stamp with SHA-256."
    case .nonceMismatch: "The time stamp answers another request. Ask again."
    case .policyMismatch(let policy):
      "The time stamp was made under policy \(policy), not the one asked for. Ask again."
    case .certificateNotFixed:
      "The time stamp does not fix its unit's certificate. Do not rely on it."
    case .notATimeStampUnit:
      "The time stamp's signer is no time-stamp unit. Do not rely on it."
    case .unitCompromised(let date, let reason):
      "The time-stamp unit was revoked at \(date) (\(reason)). Its stamps prove nothing any more."
    case .criticalExtension(let identifier):
      "The time stamp has the critical extension \(identifier), unknown here. Ask its authority."
    case .signature(let error): "\(error)"
    case .path(let error): "\(error)"
    }
  }
}
