public import NetworkTypes
import SwiftASN1

/// BasicOCSPResponse (RFC 6960 4.2.1) inside an OCSPResponse.
public struct OCSPResponse: Hashable, Sendable {
  /// OCSPResponseStatus; everything but `successful` carries no answer.
  public enum Status: Int, Hashable, Sendable {
    case successful = 0
    case malformedRequest = 1
    case internalError = 2
    case tryLater = 3
    case sigRequired = 5
    case unauthorized = 6
  }

  /// CertStatus.
  public enum CertificateStatus: Hashable, Sendable {
    case good
    case revoked(at: Timestamp, reason: RevocationReason)
    case unknown
  }

  /// SingleResponse: what is said of one certificate.
  public struct Single: Hashable, Sendable {
    public let certificate: OCSPCertificateID
    public let status: CertificateStatus
    public let thisUpdate: Timestamp
    public let nextUpdate: Timestamp?

    /// An answer that holds from `thisUpdate` to `nextUpdate`.
    public init(
      certificate: OCSPCertificateID, status: CertificateStatus, thisUpdate: Timestamp,
      nextUpdate: Timestamp?
    ) {
      self.certificate = certificate
      self.status = status
      self.thisUpdate = thisUpdate
      self.nextUpdate = nextUpdate
    }
  }

  /// ResponderID.
  public enum Responder: Hashable, Sendable {
    case byName(DistinguishedName)
    case byKey([UInt8])

    /// Whether this is the holder of the certificate's name or key.
    public func isNamed(_ name: DistinguishedName, key: PublicKey) -> Bool {
      switch self {
      case .byName(let named): named == name
      case .byKey(let identifier): identifier == key.keyIdentifier
      }
    }
  }

  public let encoded: [UInt8]
  public let responder: Responder
  public let producedAt: Timestamp
  public let responses: [Single]
  public let nonce: [UInt8]?
  /// Certificates that came along, the responder's own among them.
  public let certificates: [Certificate]
  public let signatureAlgorithm: SignatureAlgorithm?
  private let toBeSigned: [UInt8]
  private let signature: [UInt8]
  private let hasUnknownCriticalExtension: Bool

  /// Reads an OCSPResponse; one that says it failed is thrown as ``Failure``.
  public init(derEncoded bytes: [UInt8]) throws {
    var outer = try ElementReader(der: bytes[...], as: "OCSPResponse")
    let code = try outer.any("responseStatus").smallInteger(
      "OCSPResponse", "responseStatus", tag: .enumerated)
    guard code == 0 else { throw Failure(status: Status(rawValue: code), code: code) }
    guard let body = try outer.optional(explicit: 0, "responseBytes") else {
      throw outer.wrong("responseBytes", "missing")
    }
    var wrapper = try ElementReader(body, as: "ResponseBytes")
    guard try wrapper.objectIdentifier("responseType") == OID.ocspBasic else {
      throw wrapper.wrong("responseType", "not id-pkix-ocsp-basic")
    }
    try self.init(
      basic: try ASN1Node.parse(der: try wrapper.octets("response"), as: "BasicOCSPResponse"),
      encoded: bytes)
  }

  /// Reads the BasicOCSPResponse alone, as CAdES carries it.
  public init(basicEncoded bytes: [UInt8]) throws {
    try self.init(
      basic: try ASN1Node.parse(der: bytes[...], as: "BasicOCSPResponse"),
      encoded: Self.wrap(bytes))
  }

  private init(basic node: ASN1Node, encoded: [UInt8]) throws {
    self.encoded = encoded
    var basic = try ElementReader(node, as: "BasicOCSPResponse")
    let dataNode = try basic.any("tbsResponseData")
    toBeSigned = Array(dataNode.encodedBytes)
    signatureAlgorithm = SignatureAlgorithm(
      try AlgorithmIdentifier(try basic.any("signatureAlgorithm")))
    signature = Array(try basic.bits("signature").bytes)
    if let list = try basic.optional(explicit: 0, "certs") {
      // One that cannot be read cannot have signed; the others may have.
      certificates = try list.children("BasicOCSPResponse", "certs").compactMap {
        try? Certificate(derEncoded: Array($0.encodedBytes))
      }
    } else {
      certificates = []
    }
    try basic.end()

    var data = try ElementReader(dataNode, as: "ResponseData")
    if let version = try data.optional(explicit: 0, "version") {
      guard try version.smallInteger("ResponseData", "version") == 0 else {
        throw data.wrong("version", "not 1")
      }
    }
    if let name = try data.optional(explicit: 1, "byName") {
      responder = .byName(try DistinguishedName(name))
    } else if let key = try data.optional(explicit: 2, "byKey") {
      responder = .byKey(Array(try key.octets("ResponseData", "byKey")))
    } else {
      throw data.wrong("responderID", "neither name nor key")
    }
    producedAt = try ASN1Time.read(try data.any("producedAt"), "ResponseData", "producedAt")
    var unknown = false
    var singles: [Single] = []
    for element in try data.any("responses").children("ResponseData", "responses") {
      // An answer about a certificate named with an unknown hash is not about ours.
      if let single = try Self.single(element, &unknown) { singles.append(single) }
    }
    responses = singles
    var nonce: [UInt8]?
    if let list = try data.optional(explicit: 1, "responseExtensions") {
      for one in try CertificateExtension.list(list, "ResponseData") {
        if one.identifier == OID.ocspNonce {
          // Before RFC 6960 some responders put the raw octets here.
          nonce =
            (try? ASN1Node.parse(der: one.value[...], as: "Nonce").octets("Nonce", "value"))
            .map(Array.init) ?? one.value
        } else if one.isCritical {
          unknown = true
        }
      }
    }
    self.nonce = nonce
    hasUnknownCriticalExtension = unknown
  }

  private static func single(_ node: ASN1Node, _ unknown: inout Bool) throws -> Single? {
    var reader = try ElementReader(node, as: "SingleResponse")
    let identifier = try? OCSPCertificateID(try reader.any("certID"))
    let statusNode = try reader.any("certStatus")
    let status: CertificateStatus
    switch statusNode.identifier.tagNumber {
    case 0: status = .good
    case 1:
      var info = try ElementReader(
        statusNode, as: "RevokedInfo", tag: statusNode.identifier)
      let date = try ASN1Time.read(try info.any("revocationTime"), "RevokedInfo", "time")
      let reason = try info.optional(explicit: 0, "revocationReason").flatMap {
        RevocationReason(rawValue: try $0.smallInteger("RevokedInfo", "reason", tag: .enumerated))
      }
      status = .revoked(at: date, reason: reason ?? .unspecified)
    case 2: status = .unknown
    default: throw reader.wrong("certStatus", "not 0, 1 or 2")
    }
    let thisUpdate = try ASN1Time.read(
      try reader.any("thisUpdate"), "SingleResponse", "thisUpdate")
    let nextUpdate = try reader.optional(explicit: 0, "nextUpdate").map {
      try ASN1Time.read($0, "SingleResponse", "nextUpdate")
    }
    if let list = try reader.optional(explicit: 1, "singleExtensions") {
      for one in try CertificateExtension.list(list, "SingleResponse") where one.isCritical {
        unknown = true
      }
    }
    try reader.end()
    return identifier.map {
      Single(certificate: $0, status: status, thisUpdate: thisUpdate, nextUpdate: nextUpdate)
    }
  }

  /// A response that carries no answer.
  public struct Failure: Error, Hashable, Sendable, CustomStringConvertible {
    public let status: Status?
    public let code: Int
    public var description: String {
      "The OCSP responder answered \(status.map { "\($0)" } ?? "status \(code)"). Ask its operator."
    }
  }

  /// Whether `key` made the signature and nothing critical in it is unknown.
  public func isSigned(by key: PublicKey) -> Bool {
    guard let signatureAlgorithm, !hasUnknownCriticalExtension else { return false }
    return key.isValidSignature(signature, for: toBeSigned, algorithm: signatureAlgorithm)
  }

  private static func wrap(_ basic: [UInt8]) -> [UInt8] {
    der { coder in
      coder.sequence { coder in
        coder.integer(0, tag: .enumerated)
        coder.context(0) { coder in
          coder.sequence {
            $0.objectIdentifier(OID.ocspBasic)
            $0.octets(basic)
          }
        }
      }
    }
  }

  /// The response that says only why there is no answer.
  public static func failure(_ status: Status) -> [UInt8] {
    der { $0.sequence { $0.integer(status.rawValue, tag: .enumerated) } }
  }

  /// Signs answers in the name of `responder`, which is the CA or has its id-kp-OCSPSigning.
  public static func issue(
    _ responses: [Single], producedAt: Timestamp, nonce: [UInt8]?, responder: Certificate,
    key: any SigningKey, algorithm: SignatureAlgorithm? = nil, includesCertificate: Bool = true
  ) throws -> OCSPResponse {
    let algorithm = algorithm ?? key.preferredAlgorithm
    let data = der { coder in
      coder.sequence { coder in
        coder.context(2) { $0.octets(key.publicKey.keyIdentifier) }
        coder.generalizedTime(producedAt)
        coder.sequence { coder in for one in responses { write(one, &coder) } }
        if let nonce {
          coder.context(1) {
            $0.sequence {
              CertificateExtension(OID.ocspNonce, value: der { $0.octets(nonce) }).write(&$0)
            }
          }
        }
      }
    }
    let signature = try key.signature(for: data, algorithm: algorithm)
    return try OCSPResponse(
      basicEncoded: der { coder in
        coder.sequence { coder in
          coder.raw(data)
          algorithm.algorithmIdentifier.write(&coder)
          coder.bits(signature)
          if includesCertificate { coder.context(0) { $0.sequence { $0.raw(responder.encoded) } } }
        }
      })
  }

  private static func write(_ single: Single, _ coder: inout DER.Serializer) {
    coder.sequence { coder in
      single.certificate.write(&coder)
      switch single.status {
      case .good: coder.context(0, primitive: [])
      case .revoked(let date, let reason):
        coder.context(1) { coder in
          coder.generalizedTime(date)
          if reason != .unspecified {
            coder.context(0) { $0.integer(reason.rawValue, tag: .enumerated) }
          }
        }
      case .unknown: coder.context(2, primitive: [])
      }
      coder.generalizedTime(single.thisUpdate)
      if let nextUpdate = single.nextUpdate { coder.context(0) { $0.generalizedTime(nextUpdate) } }
    }
  }
}
