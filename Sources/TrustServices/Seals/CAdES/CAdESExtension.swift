import SwiftASN1

/// Extends signatures, anybody's, to a higher level (EN 319 122-1 6.3).
public struct CAdESExtension: Sendable {
  private let timeStamps: (any TimeStampSource)?
  private let material: ValidationMaterial

  /// An extension with its sources; `certificates` help to build chains, `anchors` end them.
  public init(
    timeStamps: (any TimeStampSource)?, revocation: (any RevocationInformationSource)? = nil,
    certificates: [Certificate] = [], anchors: [Certificate] = []
  ) {
    self.timeStamps = timeStamps
    material = ValidationMaterial(
      source: revocation, certificates: certificates, anchors: anchors)
  }

  /// Brings every signer of `message` to `level`.
  public func extend(_ message: SignedData, to level: SealLevel, content: ContentDigests? = nil)
    async throws -> SignedData
  {
    guard level >= .timeStamped else { return message }
    guard let timeStamps else { throw SealError.timeStampSourceNeeded(level) }
    var message = message
    for index in message.signers.indices {
      let signer = message.signers[index]
      guard signer.unsignedAttributes(CAdESIdentifiers.signatureTimeStamp).isEmpty else { continue }
      let token = try await timeStamps.timeStamp(
        MessageImprint(timeStamps.preferredHash, of: signer.signature))
      message.signers[index].unsignedAttributes.append(.signatureTimeStamp(token))
    }
    guard level >= .longTerm else { return message }
    try await addMaterial(to: &message)
    guard level >= .archive else { return message }
    let attached = message.content.map { ContentDigests($0) }
    guard let content = attached ?? content else { throw SealError.contentNeeded }
    for index in message.signers.indices {
      let attribute = try await ArchiveTimeStamp.make(
        over: message, signer: message.signers[index], content: content, from: timeStamps)
      message.signers[index].unsignedAttributes.append(attribute)
    }
    return message
  }

  /// Chains and revocation data of every signer and of every time stamp that is there.
  private func addMaterial(to message: inout SignedData) async throws {
    var wanted: [Certificate] = []
    var known = message.certificates
    for signer in message.signers {
      guard let own = known.first(where: { signer.identifier.matches($0) }) else {
        throw SealError.cannotRead("the certificate of a signer is not in it. Supply it.")
      }
      wanted.append(own)
      for token in try signer.timeStampTokens() {
        known += token.signedData.certificates
        guard
          let unit = token.signedData.certificates.first(where: {
            token.signer.identifier.matches($0)
          })
        else {
          throw SealError.cannotRead(
            "a time stamp is without its unit's certificate. Ask for one that holds it.")
        }
        wanted.append(unit)
      }
    }
    let found = try await material.collect(for: wanted, known: known)
    for certificate in found.certificates { message.add(certificate) }
    for information in found.revocation {
      switch information {
      case .crl(let crl): message.add(crl)
      case .ocsp(let response): message.add(response)
      }
    }
  }
}

extension SignerInfo {
  /// The tokens of all unsigned attributes that hold time stamps, as far as they can be read.
  func timeStampTokens() throws -> [TimeStampToken] {
    let types: Set<ASN1ObjectIdentifier> = [
      CAdESIdentifiers.signatureTimeStamp, CAdESIdentifiers.archiveTimeStampV3,
      CAdESIdentifiers.archiveTimeStampV2, CAdESIdentifiers.cadesCTimeStamp,
      CAdESIdentifiers.referencesTimeStamp,
    ]
    return try unsignedAttributes.filter { types.contains($0.type) }.flatMap(\.values).map {
      try TimeStampToken(encoded: $0)
    }
  }
}
