import Foundation
import NetworkTypes
import Testing

@testable import TrustServices

/// Other people's signed documents, each judged an hour after its newest time, with its own self-signed
/// certificates as anchors.
@Suite("Validation of other people's PDF signatures", .enabled(if: Shared.isPresent))
struct PAdESVectorTests {
  private func report(_ name: String) throws -> ValidationReport {
    let bytes = try Shared.bytes(name)
    var validator = SealValidator(anchors: [], moment: TestAuthority.now)
    validator.revocation = .whenKnown
    if let document = try? PDFDocument(bytes), let form = try? PDFForm(document) {
      var certificates = (try? DocumentSecurityStore(document).readable.certificates) ?? []
      var times: [Timestamp] = []
      for signature in try PDFSignature.all(document, form) {
        if let date = signature.dictionary["M"]?.string.flatMap(PDFSignature.date) {
          times.append(date)
        }
        guard let message = try? SignedData(padded: signature.contents) else { continue }
        certificates += message.certificates
        if let token = try? TimeStampToken(message) { times.append(token.info.genTime) }
        for token in message.signers.flatMap({ (try? $0.timeStampTokens()) ?? [] }) {
          certificates += token.signedData.certificates
          times.append(token.info.genTime)
        }
      }
      validator.anchors = certificates.filter(\.isSelfIssued).compactMap { try? TrustAnchor($0) }
      if let newest = times.max() { validator.moment = newest.advanced(bySeconds: 3600) }
    }
    return validator.validate(file: bytes)
  }

  @Test(
    "good ones pass with their level and with what came after",
    arguments: [
      ("pades/Signature-P-HU_MIC-1.pdf", .timeStamped, []),
      ("pades/doc-firmado-T.pdf", .timeStamped, []),
      ("pades/doc-firmado.pdf", .archive, ["dss", "form-defaults", "document-stamp"]),
      ("pades/DSS-3226.pdf", .basic, ["signature"]),
      ("pades/dss-1376/DSS1376-rev_n-5.pdf", .basic, []),
      ("pades/dss-1376/DSS1376-rev_n-2.pdf", .basic, ["form-field", "form-field", "form-field"]),
      ("pdf/certified-with-indirect-refs-in-dir.pdf", .basic, []),
      ("pdf/pades-with-old-style-signing-cert-attr-issser.pdf", .basic, []),
      ("pdf/separate-annots-kids-indir.pdf", .basic, ["visible-signature"]),
      ("pdf/minimal-signed-twice-no-sig-type.pdf", .basic, ["information", "signature"]),
      ("pdf/sig-with-ski-sid.pdf", .basic, []),
    ] as [(String, SealLevel, [String])])
  func good(name: String, level: SealLevel, changes: [String]) throws {
    let report = try report(name)
    #expect(report.verdict == "TOTAL-PASSED", "\(ReportText(.english).render(report))")
    #expect(report.signatures.first?.level == level)
    #expect(report.signatures.first?.changesAfter.compactMap(\.kind) == changes)
  }

  @Test(
    "attacked and broken ones are refused for the right reason",
    arguments: [
      ("pades/dss-2236/replace.pdf", "TOTAL-FAILED HASH_FAILURE", "something else than its value"),
      ("pades/dss-2236/hide.pdf", "TOTAL-FAILED HASH_FAILURE", "content of page 1"),
      (
        "pades/pdf-structtreeroot-changes.pdf", "INDETERMINATE SIG_CONSTRAINTS_FAILURE",
        "StructTreeRoot"
      ),
      ("pades/siwa.pdf", "TOTAL-FAILED FORMAT_FAILURE", "not exactly the Contents"),
      ("pades/pades_infinite_loop.pdf", "TOTAL-FAILED FORMAT_FAILURE", "outside of the file"),
      (
        "pades/pades_opposite_infinite_loop.pdf", "TOTAL-FAILED FORMAT_FAILURE",
        "outside of the file"
      ),
      ("pdf/one-byterange.pdf", "TOTAL-FAILED FORMAT_FAILURE", "2 numbers instead of four"),
      ("pdf/weird-byterange.pdf", "TOTAL-FAILED FORMAT_FAILURE", "not exactly the Contents"),
      ("pdf/signature-gap-too-big.pdf", "TOTAL-FAILED FORMAT_FAILURE", "not exactly the Contents"),
      ("pdf/tail-uncovered.pdf", "TOTAL-FAILED FORMAT_FAILURE", "startxref is missing"),
      (
        "pdf/form-update-override-appearance-stream-sneaky.pdf",
        "INDETERMINATE SIG_CONSTRAINTS_FAILURE", "FooBar"
      ),
      (
        "pades/dss-1420/PAdES-BpB-att-SHA256-SHA3_224withRSA.pdf",
        "INDETERMINATE CRYPTO_CONSTRAINTS_FAILURE", "2.16.840.1.101.3.4.3.13"
      ),
      (
        "pades/DSS-1683.pdf", "INDETERMINATE CRYPTO_CONSTRAINTS_FAILURE_NO_POE", "SHA-1"
      ),
      (
        "pades/pkcs7-no-message-digest.pdf", "INDETERMINATE NO_CERTIFICATE_CHAIN_FOUND",
        "no trusted authority"
      ),
      (
        "pdf/ed448-disallowed-hash.pdf", "INDETERMINATE CRYPTO_CONSTRAINTS_FAILURE", "1.3.101.113"
      ),
    ])
  func bad(name: String, verdict: String, detail: String) throws {
    let report = try report(name)
    #expect(report.verdict == verdict)
    let found = report.conclusion.detail ?? ""
    #expect(found.contains(detail), "\(found)")
  }

  @Test("a document time stamp before the signature is judged by itself")
  func stamped() throws {
    let report = try report("pades/timestamped_and_signed.pdf")
    #expect(report.signatures.count == 2)
    #expect(report.signatures[1].timeStamps.map(\.kind) == [.document])
    #expect(
      report.signatures[1].changesAfter.compactMap(\.kind) == ["form-defaults", "signature"])
  }

  @Test("every document of the selection is judged, whatever is in it")
  func all() throws {
    var count = 0
    for folder in ["pades", "pdf"] {
      for case let file as URL in FileManager.default.enumerator(
        at: Shared.trust(folder), includingPropertiesForKeys: nil)
        ?? FileManager.DirectoryEnumerator()
      where file.pathExtension == "pdf" {
        let bytes = Array(try Data(contentsOf: file))
        let report = SealValidator(anchors: [], moment: TestAuthority.now).validate(file: bytes)
        #expect(report.conclusion.indication != .totalPassed)
        count += 1
      }
    }
    #expect(count > 80)
  }

  @Test("the project's own pyHanko seal passes")
  func own() throws {
    let anchor = try Certificate(
      pemEncoded: String(decoding: try Shared.bytes("tsp/own/ca.crt"), as: UTF8.self))
    let bytes = try Shared.bytes("seal/sealed.pdf")
    let document = try PDFDocument(bytes)
    let signature = try #require(try PDFSignature.all(document, PDFForm(document)).first)
    let date = try #require(signature.dictionary["M"]?.string.flatMap(PDFSignature.date))
    let report = SealValidator(
      anchors: [try TrustAnchor(anchor)], moment: date.advanced(bySeconds: 60)
    ).validate(file: bytes)
    #expect(report.verdict == "TOTAL-PASSED", "\(ReportText(.english).render(report))")
    #expect(report.signatures[0].holder?.organizationIdentifier?.hasPrefix("NTRJP-") == true)
  }
}
