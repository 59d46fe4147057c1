public import NetworkTypes
import SwiftASN1

/// What a CRL is to say; ``issue(issuer:key:algorithm:)`` signs it (RFC 5280 5).
public struct RevocationListTemplate: Sendable {
  /// One certificate to list.
  public struct Entry: Hashable, Sendable {
    public var serialNumber: [UInt8]
    public var revokedAt: Timestamp
    public var reason: RevocationReason
    public var invalidSince: Timestamp?

    /// A revocation at a moment for a reason.
    public init(
      serialNumber: [UInt8], revokedAt: Timestamp, reason: RevocationReason = .unspecified,
      invalidSince: Timestamp? = nil
    ) {
      self.serialNumber = serialNumber
      self.revokedAt = revokedAt
      self.reason = reason
      self.invalidSince = invalidSince
    }
  }

  public var number: UInt64
  public var thisUpdate: Timestamp
  public var nextUpdate: Timestamp
  public var entries: [Entry]
  /// The number of the complete list that this one continues; nil for a complete list.
  public var deltaBase: UInt64?

  /// A list with its number, which must grow with every list of the same issuer.
  public init(
    number: UInt64, thisUpdate: Timestamp, nextUpdate: Timestamp, entries: [Entry],
    deltaBase: UInt64? = nil
  ) {
    self.number = number
    self.thisUpdate = thisUpdate
    self.nextUpdate = nextUpdate
    self.entries = entries
    self.deltaBase = deltaBase
  }

  /// Signs the list in the name of `issuer` with its key.
  public func issue(
    issuer: Certificate, key: any SigningKey, algorithm: SignatureAlgorithm? = nil
  ) throws -> CertificateRevocationList {
    let algorithm = algorithm ?? key.preferredAlgorithm
    func big(_ value: UInt64) -> [UInt8] {
      [0] + (0..<8).map { UInt8(truncatingIfNeeded: value >> (56 - UInt64($0) * 8)) }
    }
    let keyIdentifier = issuer.extensions.subjectKeyIdentifier ?? key.publicKey.keyIdentifier
    var extensions = [
      CertificateExtension(
        OID.authorityKeyIdentifier,
        value: der { $0.sequence { $0.context(0, primitive: keyIdentifier) } }),
      CertificateExtension(OID.cRLNumber, value: der { $0.integer(octets: big(number)) }),
    ]
    if let deltaBase {
      extensions.append(
        CertificateExtension(
          OID.deltaCRLIndicator, isCritical: true, value: der { $0.integer(octets: big(deltaBase)) }
        ))
    }
    let toBeSigned = der { coder in
      coder.sequence { coder in
        coder.integer(1)
        algorithm.algorithmIdentifier.write(&coder)
        coder.raw(issuer.subject.encoded)
        coder.time(thisUpdate)
        coder.time(nextUpdate)
        // An empty list is left out, not written empty (RFC 5280 5.1.2.6).
        if !entries.isEmpty {
          coder.sequence { coder in for entry in entries { Self.write(entry, &coder) } }
        }
        coder.context(0) { $0.sequence { for one in extensions { one.write(&$0) } } }
      }
    }
    return try CertificateRevocationList(
      derEncoded: SignedStructure.encode(toBeSigned, key: key, algorithm: algorithm))
  }

  private static func write(_ entry: Entry, _ coder: inout DER.Serializer) {
    coder.sequence { coder in
      coder.integer(octets: entry.serialNumber)
      coder.time(entry.revokedAt)
      guard entry.reason != .unspecified || entry.invalidSince != nil else { return }
      coder.sequence { coder in
        if entry.reason != .unspecified {
          CertificateExtension(
            OID.reasonCode, value: der { $0.integer(entry.reason.rawValue, tag: .enumerated) }
          ).write(&coder)
        }
        if let invalidSince = entry.invalidSince {
          CertificateExtension(
            OID.invalidityDate, value: der { $0.generalizedTime(invalidSince) }
          ).write(&coder)
        }
      }
    }
  }
}
