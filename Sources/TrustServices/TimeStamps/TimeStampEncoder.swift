import NetworkTypes
import SwiftASN1

/// Writes tokens for one unit: what is the same in all of them is made once, the rest is written
/// straight into place, so that a stamp costs little more than its signature.
struct TimeStampEncoder: Sendable {
  private let key: any SigningKey
  private let algorithm: SignatureAlgorithm
  private let hash: HashAlgorithm
  /// The signed attributes as a SET OF, with room for the digest at `digestOffset`.
  private let attributes: [UInt8]
  private let digestOffset: Int
  /// version, digestAlgorithms and the eContentType.
  private let head: [UInt8]
  /// The certificates, ready for a request that wants them.
  private let certificates: [UInt8]
  /// version, sid and digestAlgorithm of the SignerInfo.
  private let signerHead: [UInt8]
  private let signatureAlgorithm: [UInt8]
  private let signedDataIdentifier: [UInt8]
  private let policies: [ASN1ObjectIdentifier: [UInt8]]
  /// accuracy and ordering.
  private let afterTime: [UInt8]
  private let name: [UInt8]
  private let fractionDigits: Int

  init(certificate: Certificate, signer: SignerTemplate, parameters: TimeStampUnitParameters) {
    key = signer.key
    algorithm = signer.algorithm ?? signer.key.preferredAlgorithm
    hash = algorithm.hash
    let digest = CMSAttribute.messageDigest([UInt8](repeating: 0, count: hash.byteCount))
    let all = [CMSAttribute.contentType(OID.tstInfo), digest] + signer.otherSignedAttributes
    // The order never depends on the digest: no two attributes have the same type.
    let sorted = all.map(\.encoded).sorted { $0.lexicographicallyPrecedes($1) }
    let set = der { $0.setOf(sorted) }
    var offset = set.count
    for one in sorted.reversed() {
      offset -= one.count
      if one == digest.encoded { break }
    }
    attributes = set
    digestOffset = offset + digest.encoded.count - hash.byteCount
    let digestAlgorithm = hash.algorithmIdentifier.encoded
    head =
      der { $0.integer(3) } + der { $0.setOf([digestAlgorithm]) }
    signedDataIdentifier = der { $0.objectIdentifier(OID.signedData) }
    var chain: [[UInt8]] = []
    for one in [certificate] + parameters.chain where !chain.contains(one.encoded) {
      chain.append(one.encoded)
    }
    certificates = der {
      $0.setOf(chain, tag: ASN1Identifier(tagWithNumber: 0, tagClass: .contextSpecific))
    }
    signerHead =
      der { $0.integer(1) }
      + der { coder in
        coder.sequence {
          $0.raw(certificate.issuer.encoded)
          $0.integer(octets: certificate.serialNumber)
        }
      } + digestAlgorithm
    signatureAlgorithm = algorithm.algorithmIdentifier.encoded
    policies = Dictionary(
      ([parameters.policy] + parameters.otherPolicies).map { policy in
        (policy, der { $0.objectIdentifier(policy) })
      }, uniquingKeysWith: { first, _ in first })
    afterTime = der { coder in
      parameters.accuracy?.write(&coder)
      if parameters.ordering { coder.boolean(true) }
    }
    name =
      parameters.includesName
      ? der { coder in
        coder.context(0) { GeneralName.directoryName(certificate.subject).write(&$0) }
      } : []
    fractionDigits = parameters.fractionDigits
  }

  /// The token, DER.
  func token(
    _ request: TimeStampRequest, policy: ASN1ObjectIdentifier, serialNumber: [UInt8],
    genTime: Timestamp
  ) throws -> [UInt8] {
    let info = info(request, policy: policy, serialNumber: serialNumber, genTime: genTime)
    var signed = attributes
    let digest = hash.hash(info)
    for index in 0..<digest.count { signed[digestOffset + index] = digest[index] }
    let signature = try key.signature(for: signed, algorithm: algorithm)

    let infoLength = Self.length(info.count)
    let contentLength = Self.length(infoLength)
    let encapsulated = Self.tstInfo.count + contentLength
    let certificates = request.wantsCertificate ? certificates : []
    let signer =
      signerHead.count + signed.count + signatureAlgorithm.count + Self.length(signature.count)
    let signerLength = Self.length(signer)
    let data =
      head.count + Self.length(encapsulated) + certificates.count + Self.length(signerLength)
    let dataLength = Self.length(data)
    let content = signedDataIdentifier.count + Self.length(dataLength)

    var out: [UInt8] = []
    out.reserveCapacity(content + 8)
    Self.begin(0x30, content, &out)
    out += signedDataIdentifier
    Self.begin(0xA0, dataLength, &out)
    Self.begin(0x30, data, &out)
    out += head
    Self.begin(0x30, encapsulated, &out)
    out += Self.tstInfo
    Self.begin(0xA0, infoLength, &out)
    Self.begin(0x04, info.count, &out)
    out += info
    out += certificates
    Self.begin(0x31, signerLength, &out)
    Self.begin(0x30, signer, &out)
    out += signerHead
    let start = out.count
    out += signed
    // IMPLICIT hides the SET OF that was signed (RFC 5652 5.4).
    out[start] = 0xA0
    out += signatureAlgorithm
    Self.begin(0x04, signature.count, &out)
    out += signature
    return out
  }

  private static let tstInfo = der { $0.objectIdentifier(OID.tstInfo) }

  private func info(
    _ request: TimeStampRequest, policy: ASN1ObjectIdentifier, serialNumber: [UInt8],
    genTime: Timestamp
  ) -> [UInt8] {
    var body: [UInt8] = []
    body.reserveCapacity(256 + name.count)
    body += [2, 1, 1]
    body += policies[policy] ?? der { $0.objectIdentifier(policy) }
    let imprint = request.imprint
    let identifier = imprint.algorithm.encoded
    Self.begin(0x30, identifier.count + Self.length(imprint.digest.count), &body)
    body += identifier
    Self.begin(0x04, imprint.digest.count, &body)
    body += imprint.digest
    Self.integer(serialNumber, &body)
    let time = ASN1Time.format(genTime, fractionDigits: fractionDigits, twoDigitYear: false)
    Self.begin(0x18, time.count, &body)
    body += time
    body += afterTime
    if let nonce = request.nonce { Self.integer(nonce, &body) }
    body += name
    var out: [UInt8] = []
    out.reserveCapacity(body.count + 4)
    Self.begin(0x30, body.count, &out)
    out += body
    return out
  }

  /// An INTEGER from two's complement octets, in as few as it needs.
  private static func integer(_ octets: [UInt8], _ out: inout [UInt8]) {
    var content = octets[...]
    while content.count > 1, let first = content.first {
      let second = content[content.startIndex + 1]
      guard (first == 0 && second & 0x80 == 0) || (first == 0xFF && second & 0x80 != 0) else {
        break
      }
      content = content.dropFirst()
    }
    begin(0x02, max(1, content.count), &out)
    if content.isEmpty { out.append(0) } else { out += content }
  }

  /// Tag and length, DER.
  static func begin(_ tag: UInt8, _ count: Int, _ out: inout [UInt8]) {
    out.append(tag)
    if count < 0x80 {
      out.append(UInt8(count))
    } else {
      let octets = (Int.bitWidth - count.leadingZeroBitCount + 7) / 8
      out.append(0x80 | UInt8(octets))
      for index in (0..<octets).reversed() {
        out.append(UInt8(truncatingIfNeeded: count >> (index * 8)))
      }
    }
  }

  /// How many octets an element with `count` octets of content takes.
  static func length(_ count: Int) -> Int {
    count < 0x80
      ? count + 2 : count + 2 + (Int.bitWidth - count.leadingZeroBitCount + 7) / 8
  }
}
