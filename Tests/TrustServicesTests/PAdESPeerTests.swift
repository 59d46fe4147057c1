import Foundation
import NetworkTypes
import SwiftASN1
import Testing

@testable import TrustServices

/// Other programs on what is made here, and the other way round.
@Suite("PAdES with other programs")
struct PAdESPeerTests {
  private static func check(_ name: String, _ arguments: [String], _ bytes: [UInt8]) throws
    -> OpenSSL.Outcome
  {
    try withFolder { folder in
      try folder.put("f.pdf", bytes)
      return try PDFTool.run(name, arguments, in: folder)
    }
  }

  private static func variants() -> [[UInt8]] {
    [
      PDFFixtures.table(PDFFixtures.objects(pages: 2, form: true)),
      PDFFixtures.stream(PDFFixtures.objects(pages: 2, form: true)),
    ]
  }

  @Test("qpdf finds nothing wrong at any level", .enabled(if: PDFTool.path("qpdf") != nil))
  func qpdf() async throws {
    let house = try SealHouse()
    var description = PAdESSealer.Description()
    description.appearance = SealAppearance()
    for original in Self.variants() {
      for level in SealLevel.allCases {
        let sealed = try await house.padesSealer().seal(
          original, level: level, description: description, at: TestAuthority.now)
        let outcome = try Self.check("qpdf", ["--check", "f.pdf"], sealed)
        #expect(outcome.status == 0, "\(outcome.output)")
        #expect(outcome.output.contains("No syntax or stream encoding errors"))
      }
    }
  }

  @Test("pdfsig finds the seal valid", .enabled(if: PDFTool.path("pdfsig") != nil))
  func pdfsig() async throws {
    let house = try SealHouse()
    for original in Self.variants() {
      for level in SealLevel.allCases {
        let sealed = try await house.padesSealer().seal(
          original, level: level, at: TestAuthority.now)
        let outcome = try Self.check("pdfsig", ["-nocert", "f.pdf"], sealed)
        #expect(outcome.output.contains("Signature Validation: Signature is Valid."))
        #expect(outcome.output.contains("ETSI.CAdES.detached"))
        #expect(!outcome.output.contains("Invalid"), "\(outcome.output)")
        #expect(
          outcome.output.contains("Total document signed") || level >= .longTerm,
          "\(outcome.output)")
      }
    }
  }

  @Test(
    "pdftotext and pdfinfo read a visibly sealed document as before",
    .enabled(if: PDFTool.path("pdftotext") != nil))
  func text() async throws {
    let house = try SealHouse()
    var description = PAdESSealer.Description()
    description.appearance = SealAppearance()
    let sealed = try await house.padesSealer().seal(
      PDFFixtures.table(), description: description, at: TestAuthority.now)
    let outcome = try Self.check("pdftotext", ["f.pdf", "-"], sealed)
    #expect(outcome.status == 0)
    #expect(outcome.output.contains("The flow report"))
  }

  private static let context = """
    import datetime, sys
    from asn1crypto import x509, crl
    from pyhanko_certvalidator import ValidationContext
    from pyhanko.pdf_utils.reader import PdfFileReader
    from pyhanko.sign.validation import validate_pdf_signature, validate_pdf_timestamp
    from pyhanko.sign.validation.dss import DocumentSecurityStore
    from pyhanko.sign.validation.ades import ades_lta_validation
    from pyhanko.sign.validation.policy_decl import (
      PdfSignatureValidationSpec, SignatureValidationSpec)
    from pyhanko_certvalidator.context import CertValidationPolicySpec, ValidationTimingInfo
    from pyhanko_certvalidator.policy_decl import CertRevTrustPolicy, REQUIRE_REVINFO
    from pyhanko_certvalidator.registry import SimpleTrustManager
    import asyncio
    root = x509.Certificate.load(open('ca.der','rb').read())
    moment = datetime.datetime.fromtimestamp(\(TestAuthority.now.seconds), datetime.timezone.utc)
    def context(**more):
      return ValidationContext(trust_roots=[root], moment=moment, **more)
    def long_term(s):
      spec = PdfSignatureValidationSpec(SignatureValidationSpec(CertValidationPolicySpec(
        trust_manager=SimpleTrustManager.build(trust_roots=[root]),
        revinfo_policy=CertRevTrustPolicy(REQUIRE_REVINFO))))
      later = moment + datetime.timedelta(minutes=1)
      timing = ValidationTimingInfo(validation_time=later, best_signature_time=later,
        point_in_time_validation=True)
      return asyncio.run(ades_lta_validation(s, spec, timing_info=timing))

    """

  @Test(
    "pyHanko validates every level, long-term ones by what they hold",
    .enabled(if: Python.has("pyhanko")))
  func pyhanko() async throws {
    let house = try SealHouse()
    for original in Self.variants() {
      for level in SealLevel.allCases {
        let sealed = try await house.padesSealer().seal(
          original, level: level, at: TestAuthority.now)
        try withFolder { folder in
          try folder.put("f.pdf", sealed)
          try folder.put("ca.der", house.root.certificate.encoded)
          try folder.put("ca.crl", house.crl.encoded)
          let outcome = try Python.run(
            Self.context + """
              r = PdfFileReader(open('f.pdf','rb'))
              s = r.embedded_regular_signatures[0]
              status = validate_pdf_signature(s, signer_validation_context=context(
                crls=[crl.CertificateList.load(open('ca.crl','rb').read())],
                revocation_mode='hard-fail'))
              stamp = status.timestamp_validity
              print(status.intact, status.valid, status.trusted, status.bottom_line,
                status.coverage.name, status.modification_level.name,
                stamp is None or (stamp.valid and stamp.intact and stamp.trusted))
              """, in: folder)
          let coverage =
            level < .longTerm
            ? "ENTIRE_FILE NONE" : "ENTIRE_REVISION LTA_UPDATES"
          #expect(
            outcome.output.hasSuffix("True True True True \(coverage) True\n"),
            "\(level): \(outcome.output)")
          guard level >= .longTerm else { return }
          let longTerm = try Python.run(
            Self.context + """
              r = PdfFileReader(open('f.pdf','rb'))
              s = r.embedded_regular_signatures[0]
              kept = DocumentSecurityStore.read_dss(r).as_validation_context(dict(
                trust_roots=[root], moment=moment, revocation_mode='hard-fail',
                allow_fetching=False))
              status = validate_pdf_signature(s, signer_validation_context=kept)
              print(status.bottom_line)
              if \(level == .archive ? "True" : "False"):
                result = long_term(s)
                print(result.ades_subindic, result.api_status and result.api_status.bottom_line)
              for t in r.embedded_timestamp_signatures:
                v = validate_pdf_timestamp(t, context(
                  crls=[crl.CertificateList.load(open('ca.crl','rb').read())]))
                print('stamp', v.valid, v.intact, v.trusted)
              """, in: folder)
          let wanted =
            "True\n" + (level == .archive ? "AdESPassed.OK True\nstamp True True True\n" : "")
          #expect(longTerm.output.hasSuffix(wanted), "\(level): \(longTerm.output)")
        }
      }
    }
  }

  @Test(
    "what pyHanko seals is validated here at every level, and found out when changed",
    .enabled(if: Python.has("pyhanko")))
  func fromPyHanko() async throws {
    let house = try SealHouse()
    try withFolder { folder in
      try folder.put("in.pdf", PDFFixtures.stream(PDFFixtures.objects(pages: 2, form: true)))
      try folder.put("ca.der", house.root.certificate.encoded)
      try folder.put("ca.crl", house.crl.encoded)
      try folder.put("seal.pem", Array(house.seal.certificate.pem.utf8))
      try folder.put("seal.key", Array(try house.seal.key.pem(passphrase: nil).utf8))
      // pyHanko's own time-stamp unit for tests signs with RSA alone.
      let unit = try house.root.issue(
        "TSU RSA", kind: .rsa(bits: 2048), purpose: OID.timeStamping, isCritical: true
      ) { $0.crlDistributionPoints = [SealHouse.point] }
      try folder.put("unit.pem", Array(unit.certificate.pem.utf8))
      try folder.put("unit.key", Array(try unit.key.pem(passphrase: nil).utf8))
      try folder.put("ca.pem", Array(house.root.certificate.pem.utf8))
      let outcome = try Python.run(
        Self.context + """
          from pyhanko.sign import signers, timestamps
          from pyhanko.sign.fields import SigSeedSubFilter, SigFieldSpec
          from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
          from pyhanko_certvalidator.registry import SimpleCertificateStore
          from asn1crypto import keys, pem
          def key(name):
            return keys.PrivateKeyInfo.load(pem.unarmor(open(name,'rb').read())[2])
          def cert(name):
            return x509.Certificate.load(pem.unarmor(open(name,'rb').read())[2])
          chain = SimpleCertificateStore(); chain.register(root)
          signer = signers.SimpleSigner(signing_cert=cert('seal.pem'), signing_key=key('seal.key'),
            cert_registry=chain)
          tsa = timestamps.DummyTimeStamper(tsa_cert=cert('unit.pem'), tsa_key=key('unit.key'),
            certs_to_embed=chain, fixed_dt=moment)
          lists = [crl.CertificateList.load(open('ca.crl','rb').read())]
          for level in ('B', 'T', 'LT', 'LTA'):
            w = IncrementalPdfFileWriter(open('in.pdf','rb'))
            meta = signers.PdfSignatureMetadata(field_name='Sig1', subfilter=SigSeedSubFilter.PADES,
              md_algorithm='sha256', embed_validation_info=level in ('LT','LTA'),
              use_pades_lta=level == 'LTA',
              validation_context=context(crls=lists) if level in ('LT','LTA') else None)
            out = signers.PdfSigner(meta, signer=signer,
              timestamper=None if level == 'B' else tsa,
              new_field_spec=SigFieldSpec('Sig1', box=(50,50,200,100))).sign_pdf(w)
            open(level + '.pdf','wb').write(out.getbuffer())
          w = IncrementalPdfFileWriter(open('LTA.pdf','rb'))
          meta = signers.PdfSignatureMetadata(field_name='Sig2', md_algorithm='sha256')
          out = signers.PdfSigner(meta, signer=signer).sign_pdf(w)
          open('old.pdf','wb').write(out.getbuffer())
          print('made')
          """, in: folder)
      try #require(outcome.output.hasSuffix("made\n"), "\(outcome.output)")
      let expected: [(String, SealLevel, [String])] = [
        ("B", .basic, []), ("T", .timeStamped, []), ("LT", .longTerm, ["dss"]),
        ("LTA", .archive, ["dss", "document-stamp"]),
      ]
      for (name, level, changes) in expected {
        let bytes = try folder.get("\(name).pdf")
        let report = try house.validator(crls: level < .longTerm ? [house.crl] : [])
          .validate(file: bytes)
        #expect(report.verdict == "TOTAL-PASSED", "\(ReportText(.english).render(report))")
        #expect(report.signatures.map(\.level) == [level])
        #expect(
          Set(report.signatures[0].changesAfter.compactMap(\.kind)).subtracting([
            "version", "information",
          ])
            == Set(changes))
        let changed = PDFFixtures.replace(bytes, "The flow report", "The flaw report")
        #expect(
          try house.validator(crls: [house.crl]).validate(file: changed).verdict
            == "TOTAL-FAILED HASH_FAILURE")
      }
      let old = try house.validator(crls: [house.crl]).validate(file: try folder.get("old.pdf"))
      #expect(old.verdict == "TOTAL-PASSED", "\(ReportText(.english).render(old))")
      #expect(old.signatures.count == 2)
    }
  }

  @Test(
    "anybody's signature that is extended here stands for pyHanko too",
    .enabled(if: Python.has("pyhanko")))
  func extended() async throws {
    let house = try SealHouse()
    let basic = try await house.padesSealer().seal(
      PDFFixtures.table(), level: .timeStamped, at: TestAuthority.now)
    let extended = try await house.padesExtension().extend(basic, to: .archive)
    let renewed = try await house.padesExtension().extend(extended, to: .archive)
    try withFolder { folder in
      try folder.put("f.pdf", renewed)
      try folder.put("ca.der", house.root.certificate.encoded)
      let outcome = try Python.run(
        Self.context + """
          s = PdfFileReader(open('f.pdf','rb')).embedded_regular_signatures[0]
          result = long_term(s)
          print(result.ades_subindic, result.api_status and result.api_status.bottom_line)
          """, in: folder)
      #expect(outcome.output.hasSuffix("AdESPassed.OK True\n"), "\(outcome.output)")
    }
  }
}
