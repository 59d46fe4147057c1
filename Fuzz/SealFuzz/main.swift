import NetworkTypes

@testable import TrustServices

private let moment = Timestamp("2026-11-25T09:00:00Z") ?? .distantPast

/// Judges whatever signatures the input holds, believing every certificate that came along: each
/// path through validation has to end, and a report has to be written and to survive.
private func judge(_ input: [UInt8], _ certificates: [Certificate]) {
  var validator = SealValidator(
    anchors: certificates.prefix(6).compactMap { try? TrustAnchor($0) }, moment: moment)
  validator.limits.maximumSignatureChecks = 40
  validator.parameters.maximumSignatures = 3
  validator.parameters.maximumTimeStamps = 4
  let contents = [NamedContent(name: "a", content: ContentDigests([1, 2, 3]))]
  for contents in [[], contents] {
    guard let report = validator.validate(file: input, contents: contents) else { continue }
    precondition(report.signatures.count <= 200)
    precondition(
      report.conclusion.indication != .totalPassed
        || report.signatures.allSatisfy { $0.conclusion.indication == .totalPassed })
    for language in ReportLanguage.allCases {
      precondition(!ReportText(language).render(report).unicodeScalars.contains("\u{1B}"))
    }
  }
}

/// Reads the input as everything that seals are made of.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzSeal(_ start: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
  guard let start, count > 0 else { return 0 }
  let input = Array(UnsafeBufferPointer(start: start, count: count))
  _ = SealFile.hashes(input)
  var certificates: [Certificate] = []
  if let message = try? SignedData(filed: input) { certificates = message.certificates }
  if let message = try? JSONWebSignature(encoded: input) {
    for signer in message.signers {
      certificates += (try? JAdESReader.certificates(signer.protected)) ?? []
    }
    // What is written can be read, and says the same.
    let again = try? JSONWebSignature(encoded: message.encoded)
    precondition(again?.payload == message.payload)
    precondition(again?.signers == message.signers)
  }
  judge(input, certificates)
  if let value = try? JSONValue(parsing: input, as: "fuzz") {
    let again = try? JSONValue(parsing: value.encoded, as: "fuzz")
    precondition(again == value)
  }
  var limits = ZipLimits()
  limits.maximumEntrySize = 1 << 16
  limits.maximumTotalSize = 1 << 18
  if let archive = try? ZipArchive(reading: input, limits: limits) {
    precondition(archive.entries.reduce(0) { $0 + $1.content.count } <= limits.maximumTotalSize)
    for entry in archive.entries {
      precondition(!entry.name.contains("..") || !entry.name.contains("../"))
    }
    let written = try? archive.encoded()
    precondition((try? ZipArchive(reading: written ?? []))?.entries == archive.entries)
  }
  if let output = try? Inflate.unpack(input[...], limit: 1 << 16) {
    precondition(output.count <= 1 << 16)
  }
  if let manifest = try? ASiCManifest(reading: input) {
    precondition((try? ASiCManifest(reading: manifest.encoded))?.references == manifest.references)
  }
  if let octets = Base64URL.decode(input) { precondition(Base64URL.encode(octets) == input) }
  return 0
}
