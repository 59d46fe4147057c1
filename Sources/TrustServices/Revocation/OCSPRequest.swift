import SwiftASN1

/// OCSPRequest (RFC 6960 4.1), unsigned as almost all are.
public struct OCSPRequest: Hashable, Sendable {
  public let certificates: [OCSPCertificateID]
  /// What the answer has to repeat (RFC 8954: 1 to 32 octets); nil where none was sent.
  public let nonce: [UInt8]?

  /// A question about certificates.
  public init(_ certificates: [OCSPCertificateID], nonce: [UInt8]? = nil) {
    self.certificates = certificates
    self.nonce = nonce
  }

  /// Reads a request, at most 100 certificates (our own bound; clients ask about one).
  public init(derEncoded bytes: [UInt8]) throws {
    var outer = try ElementReader(der: bytes[...], as: "OCSPRequest")
    var tbs = try ElementReader(try outer.any("tbsRequest"), as: "TBSRequest")
    if let version = try tbs.optional(explicit: 0, "version") {
      guard try version.smallInteger("TBSRequest", "version") == 0 else {
        throw tbs.wrong("version", "not 1")
      }
    }
    _ = tbs.optional(context: 1)
    var list: [OCSPCertificateID] = []
    for element in try tbs.any("requestList").children("TBSRequest", "requestList") {
      guard list.count < 100 else { throw tbs.wrong("requestList", "more than 100 requests") }
      var request = try ElementReader(element, as: "Request")
      list.append(try OCSPCertificateID(try request.any("reqCert")))
    }
    certificates = list
    var nonce: [UInt8]?
    if let node = try tbs.optional(explicit: 2, "requestExtensions") {
      for one in try CertificateExtension.list(node, "TBSRequest") {
        if one.identifier == OID.ocspNonce {
          nonce = Array(
            try ASN1Node.parse(der: one.value[...], as: "Nonce").octets("Nonce", "value"))
        } else if one.isCritical {
          throw tbs.wrong("requestExtensions", "critical \(one.identifier) is not known here")
        }
      }
    }
    self.nonce = nonce
  }

  /// The DER to be sent as `application/ocsp-request`.
  public var encoded: [UInt8] {
    der { coder in
      coder.sequence { coder in
        coder.sequence { coder in
          coder.sequence { coder in
            for certificate in certificates { coder.sequence { certificate.write(&$0) } }
          }
          if let nonce {
            coder.context(2) {
              $0.sequence {
                CertificateExtension(OID.ocspNonce, value: der { $0.octets(nonce) }).write(&$0)
              }
            }
          }
        }
      }
    }
  }
}
