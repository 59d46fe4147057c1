import Foundation
import NetworkTypes
import SwiftASN1
import Testing
import TrustServices

@Suite("CMS SignedData")
struct SignedDataTests {
  let root: TestAuthority
  let content = Array("通知: 192.0.2.7 はボットに感染しています。\r\n".utf8)

  init() throws { root = try TestAuthority() }

  func signer(
    _ kind: FileKey.Kind = .p256, _ change: (inout SignerTemplate) -> Void = { _ in }
  ) throws -> SignerTemplate {
    let (certificate, key) = try root.issue("seal", kind: kind, purpose: OID.emailProtection)
    var signer = SignerTemplate(certificate: certificate, key: key)
    signer.signingTime = TestAuthority.now
    change(&signer)
    return signer
  }

  @Test("several signers, attached and detached, by serial number or key identifier")
  func roundTrip() throws {
    let signers = [
      try signer(), try signer(.ed25519) { $0.usesKeyIdentifier = true },
      try signer(.rsa(bits: 2048)) { $0.algorithm = .rsaPSS(.sha384) },
      try signer(.p521) { $0.fixesCertificate = false },
    ]
    for isDetached in [false, true] {
      let message = try SignedData.sign(
        .bytes(content), isDetached: isDetached, signers: signers,
        certificates: [root.certificate])
      let read = try SignedData(encoded: message.encoded)
      #expect(read.signers.count == 4)
      #expect(read.content == (isDetached ? nil : content))
      #expect(read.certificates.count == 5)
      #expect(read.encoded == message.encoded, "DER has one form only")
      for (info, template) in zip(
        read.signers.sorted { $0.signature.count < $1.signature.count },
        read.signers.sorted { $0.signature.count < $1.signature.count })
      { #expect(info == template) }
      for info in read.signers {
        let verified = try read.verify(info, content: isDetached ? .bytes(content) : .attached)
        #expect(signers.contains { $0.certificate == verified.certificate })
        #expect(info.signingTime == TestAuthority.now)
        #expect(verified.isCertificateSigned == (verified.certificate != signers[3].certificate))
        if isDetached {
          #expect(throws: CMSError.contentMissing) { try read.verify(info) }
          let hash = verified.digestAlgorithm
          _ = try read.verify(info, content: .digest(hash, hash.hash(content)))
        }
        #expect(throws: CMSError.digestMismatch) {
          try read.verify(info, content: .bytes(content + [0]))
        }
      }
    }
  }

  @Test("each thing that is wrong is called by its name")
  func refusals() throws {
    let template = try signer()
    let other = try signer()
    let message = try SignedData.sign(.bytes(content), signers: [template])
    var info = try #require(message.signers.first)
    // Another certificate under the same issuer and serial number.
    let twin = try root.issue("twin") {
      $0.serialNumber = template.certificate.serialNumber
      $0.publicKey = template.key.publicKey
    }
    let bare = try SignedData.sign(
      .bytes(content), signers: [template], certificates: [twin.certificate])
    _ = try bare.verify(try #require(bare.signers.first))
    #expect(throws: CMSError.signingCertificateMismatch) {
      let stripped = try SignedData(
        encoded: Self.replacing(
          message.encoded, template.certificate.encoded, with: twin.certificate.encoded))
      _ = try stripped.verify(info)
    }
    #expect(throws: CMSError.certificateMissing) {
      let stripped = try SignedData(
        encoded: Self.replacing(
          message.encoded, template.certificate.encoded, with: other.certificate.encoded))
      _ = try stripped.verify(info)
    }
    info = try #require(
      try SignedData(
        encoded: Self.flipping(message.encoded, inside: info.signature)
      ).signers.first)
    #expect(throws: CMSError.badSignature) { try message.verify(info) }
    let stamp = try SignedData.sign(.bytes(content), type: OID.tstInfo, signers: [template])
    #expect(throws: CMSError.contentTypeMismatch) {
      try message.verify(try #require(stamp.signers.first))
    }
    #expect(throws: MalformedStructure.self) {
      try SignedData(encoded: Array(message.encoded.dropLast()))
    }
  }

  /// Replaces a part of an encoding by another of the same length or, re-encoding, of any.
  static func replacing(_ bytes: [UInt8], _ part: [UInt8], with other: [UInt8]) throws -> [UInt8] {
    let message = try SignedData(encoded: bytes)
    let kept = message.certificates.filter { $0.encoded != part }
    return try SignedDataEditor.rebuild(
      message, certificates: kept.map(\.encoded) + [other],
      signerEncodings: message.signers.map(\.encoded))
  }

  static func flipping(_ bytes: [UInt8], inside part: [UInt8]) throws -> [UInt8] {
    let range = try #require(bytes.firstRange(of: part))
    var copy = bytes
    copy[range.upperBound - 1] ^= 1
    return copy
  }

  @Test("signed attributes are not taken for content")
  func attributesAsContent() throws {
    let template = try signer()
    let message = try SignedData.sign(.bytes(content), signers: [template])
    let info = try #require(message.signers.first)
    // The attributes as the content of a message whose signer has none: the signature fits.
    var attributes = info.signedAttributes?.map(\.encoded) ?? []
    attributes.sort { $0.lexicographicallyPrecedes($1) }
    var coder = DER.Serializer()
    coder.appendConstructedNode(identifier: .set) {
      for one in attributes { $0.serializeRawBytes(one) }
    }
    let set = coder.serializedBytes
    #expect(
      template.key.publicKey.isValidSignature(info.signature, for: set, algorithm: .ecdsa(.sha256)))
    let hidden = [0xA0] + set.dropFirst()
    let start = try #require(info.encoded.firstRange(of: hidden))
    var bare = info.encoded
    bare.removeSubrange(start)
    // The length octets of the SEQUENCE, which had two for its length.
    let length = bare.count - 4
    #expect(bare[1] == 0x82)
    bare[2] = UInt8(length >> 8)
    bare[3] = UInt8(length & 0xFF)
    let forged = try SignedData(
      encoded: SignedDataEditor.rebuild(
        message, certificates: [template.certificate.encoded], signerEncodings: [bare]))
    #expect(forged.signers[0].signedAttributes == nil)
    #expect(throws: CMSError.self) { try forged.verify(forged.signers[0], content: .bytes(set)) }
  }

  @Test("certificates, CRLs, OCSP answers and unsigned attributes are added without harm")
  func additions() throws {
    let template = try signer()
    var message = try SignedData.sign(.bytes(content), signers: [template])
    let now = TestAuthority.now
    let crl = try RevocationListTemplate(
      number: 1, thisUpdate: now, nextUpdate: now.advanced(bySeconds: 86_400), entries: []
    ).issue(issuer: root.certificate, key: root.key)
    let answer = try OCSPResponse.issue(
      [
        .init(
          certificate: .init(template.certificate, issuerKey: root.key.publicKey), status: .good,
          thisUpdate: now, nextUpdate: nil)
      ], producedAt: now, nonce: nil, responder: root.certificate, key: root.key)
    message.add(root.certificate)
    message.add(root.certificate)
    message.add(crl)
    message.add(answer)
    message.signers[0].unsignedAttributes.append(
      CMSAttribute([1, 2, 392, 200_000], value: [5, 0]))
    let read = try SignedData(encoded: message.encoded)
    #expect(read.version == 5)
    #expect(read.certificates.count == 2)
    #expect(read.crls == [crl])
    #expect(read.ocspResponses == [answer])
    #expect(read.signers[0].unsignedAttributes.count == 1)
    _ = try read.verify(read.signers[0])
    let padded = try SignedData(padded: message.encoded + [UInt8](repeating: 0, count: 5000))
    #expect(padded.encoded == message.encoded)
  }

  @Test("openssl verifies what is signed here", .enabled(if: OpenSSL.isPresent))
  func opensslVerifies() throws {
    let signers = [
      try signer(), try signer(.p384) { $0.usesKeyIdentifier = true },
      try signer(.rsa(bits: 2048)),
      try signer(.rsa(bits: 3072)) { $0.algorithm = .rsaPSS(.sha512) },
    ]
    let time = "\(TestAuthority.now.seconds)"
    try withFolder { folder in
      try folder.put("root.pem", root.certificate.pem.utf8)
      try folder.put("content", content)
      for chosen in signers.map({ [$0] }) + [signers] {
        let attached = try SignedData.sign(.bytes(content), signers: chosen)
        try folder.put("a.p7m", attached.encoded)
        let first = try OpenSSL.run(
          "cms", "-verify", "-cades", "-binary", "-inform", "DER", "-in", "a.p7m", "-CAfile",
          "root.pem", "-attime", time, "-out", "out", in: folder)
        #expect(first.status == 0, "\(first.output)")
        #expect(try folder.get("out") == content)
        let detached = try SignedData.sign(.bytes(content), isDetached: true, signers: chosen)
        try folder.put("d.p7s", detached.encoded)
        let second = try OpenSSL.run(
          "cms", "-verify", "-cades", "-binary", "-inform", "DER", "-in", "d.p7s", "-content",
          "content", "-CAfile", "root.pem", "-attime", time, "-out", "out", in: folder)
        #expect(second.status == 0, "\(second.output)")
      }
    }
  }

  /// Options of `openssl cms -sign` that each change the form of the message.
  static let forms: [[String]] = [
    [], ["-nodetach"], ["-nodetach", "-stream"], ["-keyid"], ["-noattr"], ["-noattr", "-nodetach"],
    ["-cades", "-nodetach"], ["-md", "sha512"], ["-nosmimecap"],
    ["-nodetach", "-indef", "-keyid", "-cades"], ["-md", "sha1"],
  ]

  @Test("what openssl signs verifies here", .enabled(if: OpenSSL.isPresent))
  func opensslSigns() throws {
    let signers = [try signer(), try signer(.rsa(bits: 2048))]
    try withFolder { folder in
      try folder.put("content", content)
      for (index, signer) in signers.enumerated() {
        try folder.put("\(index).pem", signer.certificate.pem.utf8)
        let key = try #require(signer.key as? FileKey)
        try folder.put("\(index).key", key.pem(passphrase: nil).utf8)
      }
      func run(_ options: [String], _ who: [Int]) throws -> SignedData {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: try #require(OpenSSL.path))
        process.arguments =
          ["cms", "-sign", "-binary", "-in", "content", "-outform", "DER", "-out", "s"] + options
          + who.flatMap { ["-signer", "\($0).pem", "-inkey", "\($0).key"] }
        process.currentDirectoryURL = folder
        try process.run()
        process.waitUntilExit()
        #expect(process.terminationStatus == 0, "\(options)")
        return try SignedData(encoded: folder.get("s"))
      }
      for who in [[0], [1], [0, 1]] {
        for options in Self.forms {
          let message = try run(options, who)
          #expect(message.signers.count == who.count)
          for info in message.signers {
            let isDetached = !options.contains("-nodetach")
            _ = try message.verify(info, content: isDetached ? .bytes(content) : .attached)
            #expect(throws: CMSError.self) { try message.verify(info, content: .bytes([1])) }
            // Written again as DER it still stands.
            let again = try SignedData(encoded: message.encoded)
            for info in again.signers {
              _ = try again.verify(info, content: isDetached ? .bytes(content) : .attached)
            }
          }
        }
      }
      for options in [
        ["-keyopt", "rsa_padding_mode:pss"],
        ["-keyopt", "rsa_padding_mode:pss", "-keyopt", "rsa_pss_saltlen:11"],
      ] {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: try #require(OpenSSL.path))
        process.arguments =
          [
            "cms", "-sign", "-binary", "-in", "content", "-outform", "DER", "-out", "s", "-signer",
            "1.pem", "-inkey", "1.key",
          ] + options
        process.currentDirectoryURL = folder
        try process.run()
        process.waitUntilExit()
        let message = try SignedData(encoded: folder.get("s"))
        _ = try message.verify(message.signers[0], content: .bytes(content))
      }
    }
  }

  /// One line of the table of what OpenSSL thinks of the DSS project's signatures.
  struct Line: CustomTestStringConvertible, Sendable {
    let file, content, result: String
    let signers: Int?
    var testDescription: String { file }

    static let all: [Line] = {
      guard
        let text = try? String(
          contentsOf: Shared.trust("cades/openssl-baseline.tsv"), encoding: .utf8)
      else { return [] }
      return text.split(separator: "\n").filter { !$0.hasPrefix("#") }.dropFirst().map { line in
        let fields = line.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
        return Line(file: fields[0], content: fields[2], result: fields[4], signers: Int(fields[3]))
      }
    }()
  }

  @Test(
    "signatures of the DSS corpus are judged as OpenSSL judges them",
    .enabled(if: Shared.isPresent), arguments: Line.all)
  func corpus(_ line: Line) throws {
    let bytes = try Shared.bytes("cades/\(line.file)")
    let message: SignedData
    do { message = try SignedData(padded: bytes) } catch {
      #expect(line.result == "not parsed by openssl cms", "\(error)")
      return
    }
    #expect(message.signers.count == line.signers)
    guard !line.result.hasPrefix("detached") else { return }
    let content: SignedContent =
      line.content == "-" ? .attached : .bytes(try Shared.bytes("cades/\(line.content)"))
    var failures: [CMSError] = []
    for info in message.signers {
      do throws(CMSError) { _ = try message.verify(info, content: content) } catch {
        failures.append(error)
      }
    }
    if line.file.contains("SHA3_224") || line.file.contains("SHA224") {
      // Not read here, and said so.
      guard case .unsupportedAlgorithm? = failures.first else {
        Issue.record("\(failures)")
        return
      }
    } else if line.file == "dss-1419/CAdES-BpB-att-SHA256-SHA3_256withRSAandMGF1.p7m" {
      // Two hashes in one signature, which OpenSSL does not take; each is right.
      #expect(failures.isEmpty, "\(failures)")
    } else if line.file == "dss-667/BER_reordered_prova.txt.p7m" {
      // The attributes came in another order than DER's, in which they were signed (RFC 5652 §5.4).
      #expect(failures.isEmpty, "\(failures)")
    } else if line.result == "signature intact" {
      #expect(failures.isEmpty, "\(failures)")
    } else {
      #expect(!failures.isEmpty, "OpenSSL says: \(line.result)")
      if line.result.contains("digest does not match") { #expect(failures == [.digestMismatch]) }
      if line.result.contains("certificate not found") {
        #expect(failures == [.certificateMissing])
      }
    }
  }
}

/// Puts a message together anew with other certificates.
enum SignedDataEditor {
  static func rebuild(_ message: SignedData, certificates: [[UInt8]], signerEncodings: [[UInt8]])
    throws -> [UInt8]
  {
    var coder = DER.Serializer()
    func tag(_ number: UInt) -> ASN1Identifier {
      ASN1Identifier(tagWithNumber: number, tagClass: .contextSpecific)
    }
    let signedData: ASN1ObjectIdentifier = [1, 2, 840, 113549, 1, 7, 2]
    try coder.appendConstructedNode(identifier: .sequence) { coder in
      try coder.serialize(signedData)
      try coder.appendConstructedNode(identifier: tag(0)) { coder in
        try coder.appendConstructedNode(identifier: .sequence) { coder in
          try coder.serialize(1)
          coder.appendConstructedNode(identifier: .set) { _ in }
          try coder.appendConstructedNode(identifier: .sequence) { coder in
            try coder.serialize(message.contentType)
            if let content = message.content {
              try coder.appendConstructedNode(identifier: tag(0)) {
                try $0.serialize(ASN1OctetString(contentBytes: content[...]))
              }
            }
          }
          coder.appendConstructedNode(identifier: tag(0)) {
            for certificate in certificates { $0.serializeRawBytes(certificate) }
          }
          coder.appendConstructedNode(identifier: .set) {
            for signer in signerEncodings { $0.serializeRawBytes(signer) }
          }
        }
      }
    }
    return coder.serializedBytes
  }
}
