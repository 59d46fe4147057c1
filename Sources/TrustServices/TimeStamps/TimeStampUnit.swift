public import NetworkTypes
public import SwiftASN1

/// What a time-stamp unit stamps, and how.
public struct TimeStampUnitParameters: Sendable {
  /// The policy used where the request names none; always accepted.
  public var policy: ASN1ObjectIdentifier
  /// Further policies that a request may name.
  public var otherPolicies: Set<ASN1ObjectIdentifier> = []
  /// Hashes that are stamped; SHA-1 is refused unless somebody adds it.
  public var hashes: Set<HashAlgorithm> = [
    .sha256, .sha384, .sha512, .sha3Bits256, .sha3Bits384, .sha3Bits512,
  ]
  /// What each stamp promises: 1 s, the bound of EN 319 421 and of the Japanese accreditation.
  public var accuracy: TimeStampAccuracy? = TimeStampAccuracy(microseconds: 1_000_000)
  /// Decimals of the second in genTime, 0 to 9.
  public var fractionDigits = 3
  public var ordering = false
  /// Whether the unit's name goes into each stamp.
  public var includesName = true
  /// Whether a request may ask for the unit's certificate.
  public var givesCertificate = true
  /// Certificates above the unit's that go with it when a certificate is asked for.
  public var chain: [Certificate] = []

  /// One policy, everything else as above.
  public init(policy: ASN1ObjectIdentifier) { self.policy = policy }
}

/// Why a certificate and key cannot be a time-stamp unit's.
public enum TimeStampUnitError: Error, Hashable, Sendable, CustomStringConvertible {
  case keyMismatch
  case notATimeStampUnit
  case keyUsage
  case malformedCertificate

  public var description: String {
    switch self {
    case .keyMismatch: "The key does not belong to the certificate. Give the right pair."
    case .notATimeStampUnit:
      "The certificate's key purpose is not time-stamping, alone and critical. Issue another."
    case .keyUsage:
      "The certificate's key usage is not for signing alone. Issue another."
    case .malformedCertificate:
      "The certificate has an extension that is broken or critical and unknown. Issue another."
    }
  }
}

/// A time-stamp unit (RFC 3161, RFC 5816): checks requests and signs stamps.
///
/// It has no clock, no counter and no memory: whoever runs it gives the time that the clock guard
/// allows and a serial number that is in the journal before the stamp leaves.
public struct TimeStampUnit: Sendable {
  public let certificate: Certificate
  public let parameters: TimeStampUnitParameters
  private let encoder: TimeStampEncoder

  /// A unit with its certificate and key; refused unless the certificate is fit for it.
  public init(
    certificate: Certificate, key: any SigningKey, algorithm: SignatureAlgorithm? = nil,
    parameters: TimeStampUnitParameters
  ) throws(TimeStampUnitError) {
    guard certificate.publicKey == key.publicKey else { throw .keyMismatch }
    guard certificate.extensions.malformed.isEmpty,
      certificate.extensions.unknownCritical.isEmpty
    else { throw .malformedCertificate }
    guard TimeStampToken.isTimeStampUnit(certificate) else { throw .notATimeStampUnit }
    if let usage = certificate.extensions.keyUsage {
      let signing: KeyUsage = [.digitalSignature, .nonRepudiation]
      guard !usage.isDisjoint(with: signing), usage.isSubset(of: signing) else { throw .keyUsage }
    }
    self.certificate = certificate
    self.parameters = parameters
    var signer = SignerTemplate(certificate: certificate, key: key)
    signer.algorithm = algorithm
    // Made once here, because it is the same in every stamp.
    signer.fixesCertificate = false
    signer.otherSignedAttributes = [
      SigningCertificateReference.attribute([SigningCertificateReference(certificate)])
    ]
    encoder = TimeStampEncoder(
      certificate: certificate, signer: signer, parameters: parameters)
  }

  /// When the unit may sign: its certificate's validity and the key's usage period.
  public func isUsable(at moment: Timestamp) -> Bool {
    let period = certificate.extensions.privateKeyUsagePeriod
    return certificate.notBefore <= moment && moment <= certificate.notAfter
      && (period?.notBefore.map { $0 <= moment } ?? true)
      && (period?.notAfter.map { moment <= $0 } ?? true)
  }

  /// Reads a request, so that what cannot be read is rejected as RFC 3161 says.
  public func read(_ bytes: [UInt8]) throws(TimeStampRejection) -> TimeStampRequest {
    do { return try TimeStampRequest(derEncoded: bytes) } catch {
      // Well-formed, but of a version that does not exist: not a matter of format.
      let isVersion = error.structure == "TimeStampReq" && error.field == "version"
      throw TimeStampRejection(isVersion ? .badRequest : .badDataFormat, "\(error)")
    }
  }

  /// Refuses what this unit does not stamp (RFC 3161 2.4.2).
  public func check(_ request: TimeStampRequest) throws(TimeStampRejection) {
    guard let hash = request.imprint.hashAlgorithm, parameters.hashes.contains(hash) else {
      throw TimeStampRejection(
        .badAlg, "The hash \(request.imprint.algorithm.algorithm) is not accepted. Use SHA-256.")
    }
    let given = request.imprint.algorithm.parameters
    guard given == nil || given == AlgorithmIdentifier.null else {
      throw TimeStampRejection(.badAlg, "The hash has parameters. Leave them out.")
    }
    guard request.imprint.digest.count == hash.byteCount else {
      throw TimeStampRejection(
        .badDataFormat,
        "A \(hash.rawValue) digest has \(hash.byteCount) octets, not \(request.imprint.digest.count)."
      )
    }
    if let policy = request.policy, policy != parameters.policy,
      !parameters.otherPolicies.contains(policy)
    {
      throw TimeStampRejection(.unacceptedPolicy, "The policy \(policy) is not offered.")
    }
    if request.wantsCertificate, !parameters.givesCertificate {
      throw TimeStampRejection(
        .addInfoNotAvailable, "The unit's certificate is not given. Ask without certReq.")
    }
    if let unknown = request.extensions.first {
      throw TimeStampRejection(
        .unacceptedExtension, "The extension \(unknown.identifier) is not known.")
    }
  }

  /// Makes the stamp for a request that ``check(_:)`` let pass.
  ///
  /// `serialNumber` is positive, big end first, and never used before.
  public func stamp(_ request: TimeStampRequest, serialNumber: [UInt8], genTime: Timestamp) throws
    -> TimeStampToken
  {
    try TimeStampToken(
      encoded: encodedStamp(request, serialNumber: serialNumber, genTime: genTime))
  }

  /// The same, not read back: what an authority under load sends.
  public func encodedStamp(
    _ request: TimeStampRequest, serialNumber: [UInt8], genTime: Timestamp
  ) throws -> [UInt8] {
    guard isUsable(at: genTime) else {
      throw TimeStampRejection(
        .timeNotAvailable, "The unit's certificate or key is outside its period.")
    }
    return try encoder.token(
      request, policy: request.policy ?? parameters.policy, serialNumber: serialNumber,
      genTime: genTime)
  }
}
