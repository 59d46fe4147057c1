import NetworkTypes
import TrustServices

/// Certificates that came along, each believed in turn: path building has to end on any of them.
private func walk(_ certificates: [Certificate], _ evidence: RevocationEvidence) {
  let few = certificates.prefix(8)
  for anchor in few {
    guard let trusted = try? TrustAnchor(anchor) else { continue }
    let validator = CertificateValidator(
      anchors: [trusted], pool: CertificatePool(few), evidence: evidence)
    var parameters = PathParameters(moment: anchor.notBefore)
    parameters.acceptsLaterEvidence = true
    for certificate in few { _ = try? validator.validate(certificate, parameters: parameters) }
  }
}

private func check(_ message: SignedData) {
  for signer in message.signers.prefix(4) {
    _ = try? message.verify(signer)
    _ = try? message.verify(signer, content: .bytes([1]))
    _ = signer.signingTime
    for counter in ((try? signer.counterSignatures()) ?? []).prefix(4) {
      _ = try? message.verifyCounterSignature(counter, over: signer)
    }
  }
  walk(
    message.certificates,
    RevocationEvidence(crls: message.crls, ocsp: message.ocspResponses))
  // What is written can be read, and says the same.
  let written = message.encoded
  guard let again = try? SignedData(encoded: written) else { return }
  precondition(again.content == message.content)
  precondition(again.signers.count == message.signers.count)
  precondition(again.encoded == written)
}

private let fuzzedLog = LogVerifier(
  "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW")

/// Reads the input as everything that comes from outside, and uses what could be read.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzTrust(_ start: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
  guard let start, count > 0 else { return 0 }
  let input = Array(UnsafeBufferPointer(start: start, count: count))
  if let certificate = try? Certificate(derEncoded: input) {
    _ = certificate.description
    walk([certificate], .init())
  }
  if let list = try? CertificateRevocationList(derEncoded: input) {
    precondition(list.entries.count <= count)
  }
  if let response = try? OCSPResponse(derEncoded: input) {
    walk(response.certificates, .init(ocsp: [response]))
  }
  if let request = try? OCSPRequest(derEncoded: input) {
    precondition((try? OCSPRequest(derEncoded: request.encoded)) != nil)
  }
  if let message = try? SignedData(encoded: input) { check(message) }
  if let message = try? SignedData(padded: input) { _ = message.signers }
  if let request = try? TimeStampRequest(derEncoded: input) {
    // An INTEGER in more octets than it needs is written in as few as it needs.
    precondition((try? TimeStampRequest(derEncoded: request.encoded))?.encoded == request.encoded)
  }
  if let response = try? TimeStampResponse(encoded: input), let token = response.token {
    check(token.signedData)
    _ = try? token.verify(
      token.info.imprint, validator: CertificateValidator(anchors: []))
  }
  _ = try? FileKey(pkcs8: input)
  _ = try? PublicKey(derEncoded: input)
  var quick = KeyEncryptionParameters()
  quick.maximumRounds = 10
  _ = try? EncryptedPrivateKey.decrypt(input, passphrase: "x", parameters: quick)
  if let text = String(validating: input, as: UTF8.self) {
    _ = try? Certificate.list(pemEncoded: text)
    _ = try? PKCS11URI(text).description
    if let log = LogVerifier(text) { precondition(LogVerifier("\(log)") == log) }
    _ = fuzzedLog?.head(in: text)
    _ = CorporateNumber(text)
  }
  if let entry = TimeStampEntry(input) {
    // What was understood is written so that it is understood again.
    precondition(TimeStampEntry(entry.encoded) == entry)
  }
  return 0
}
