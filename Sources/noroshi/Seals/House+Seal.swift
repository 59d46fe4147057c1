import Casework
import Crypto
import Foundation
import NetworkTypes
import Settings
import TrustServices

extension House {
  /// The organisation's seal as the keys below `seal` have it; its key is opened.
  func sealingIdentity() throws -> SealingIdentity {
    let seal = configuration.seal
    guard let certificate = seal.certificate, let key = seal.key else {
      throw CommandFailure(
        "There is no seal: seal.certificate and seal.key are not set",
        advice: "`noroshi ca issue seal` makes one for trials.", status: .badConfiguration)
    }
    let chain = try SealFiles.certificates(certificate.path)
    do {
      return try SealingIdentity(
        certificate: chain[0],
        key: try openKey(key.text, passphraseFile: seal.passphraseFile, what: "seal"),
        chain: Array(chain.dropFirst()))
    } catch let error as SealError {
      throw CommandFailure("\(certificate.path): \(error)", status: .badConfiguration)
    }
  }

  /// The authority of `seal.timeStamps`.
  func stampSource() throws -> any TimeStampSource {
    guard let address = configuration.seal.timeStamps else {
      throw CommandFailure(
        "There is no time-stamp authority: seal.timeStamps is not set",
        status: .badConfiguration)
    }
    return HTTPTimeStamps.source(address)
  }

  /// How notices are sealed; nil where they leave without.
  func noticeSealing() throws -> NoticeSealing? {
    guard configuration.notices.sealed else { return nil }
    let sealer = CAdESSealer(identity: try sealingIdentity(), timeStamps: try stampSource())
    return NoticeSealing { content in
      try await sealer.seal(
        ContentDigests(content),
        level: .timeStamped, isDetached: true, at: currentMoment()
      ).encoded
    }
  }

  /// What notices say of their seals; nil where they leave without.
  func noticeSealWords() throws -> NoticeSealWords? {
    let seal = configuration.seal
    guard configuration.notices.sealed, let path = seal.certificate, let anchorPath = seal.anchor
    else { return nil }
    let certificate = try SealFiles.certificates(path.path)[0]
    let anchor = try SealFiles.certificates(anchorPath.path)[0]
    return NoticeSealWords(
      organisation: SealHolder(certificate).organisation ?? certificate.subject.description,
      anchor: anchor.subject.description,
      fingerprint: SHA256.hash(data: anchor.encoded).map { String(format: "%02X", $0) }
        .joined(separator: ":"),
      address: seal.anchorURL)
  }
}
