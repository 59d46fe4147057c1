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
    let report = validator.validate(file: input, contents: contents)
    precondition(report.signatures.count <= 200)
    precondition(
      report.conclusion.indication != .totalPassed
        || report.signatures.allSatisfy { $0.conclusion.indication == .totalPassed })
    for language in ReportLanguage.allCases {
      precondition(!ReportText(language).render(report).unicodeScalars.contains("\u{1B}"))
    }
  }
}

/// Reads the input as a PDF: its objects, its signatures, what came after each, and a place for one
/// more signature, which leaves every octet and the earlier signatures as they were.
private func readPDF(_ input: [UInt8]) {
  var limits = PDFLimits()
  limits.maximumStreamSize = 1 << 16
  limits.maximumUnpackedSize = 1 << 18
  limits.maximumObjects = 1 << 12
  limits.maximumPages = 256
  limits.maximumFields = 256
  guard let document = try? PDFDocument(input, limits: limits) else { return }
  var certificates: [Certificate] = []
  let form = try? PDFForm(document)
  let signatures = form.flatMap { try? PDFSignature.all(document, $0) } ?? []
  for signature in signatures.prefix(4) {
    certificates += (try? SignedData(padded: signature.contents))?.certificates ?? []
    if let range = try? signature.range(in: document) {
      precondition(range.gapStart < range.gapEnd && range.end <= input.count)
      precondition(input[range.gapStart] == UInt8(ascii: "<"))
      precondition(input[range.gapEnd - 1] == UInt8(ascii: ">"))
    }
  }
  var validator = SealValidator(
    anchors: certificates.prefix(6).compactMap { try? TrustAnchor($0) }, moment: moment)
  validator.limits.maximumSignatureChecks = 40
  validator.parameters.maximumSignatures = 3
  validator.parameters.maximumTimeStamps = 4
  let report = validator.validate(pdf: input, limits: limits)
  for signature in report.signatures where signature.conclusion.indication == .totalPassed {
    precondition(!signature.changesAfter.contains { !$0.isAllowed })
  }
  // The same document has not changed.
  precondition((try? PDFComparison.changes(from: document, to: document)).map(\.isEmpty) ?? true)
  let writer = PDFSignatureWriter(
    document: document, entries: ["Type": .name("Sig")], fieldPrefix: "Seal")
  guard let prepared = try? writer.prepare(room: 8) else { return }
  precondition(prepared.bytes.starts(with: input))
  guard let again = try? PDFDocument(prepared.bytes, limits: limits) else { return }
  _ = try? PDFComparison.changes(from: document, to: again)
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
  if SealFile(input) == .pdf { readPDF(input) }
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
