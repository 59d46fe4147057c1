import Foundation
import NetworkTypes
import Testing

@testable import TrustServices

@Suite("Trusted lists")
struct AccreditationListTests {
  static let scheme = "mic-146-2021"

  private func body(_ folder: URL) async throws -> (AccreditingBody, OldUnit) {
    let unit = try OldUnit()
    var body = try await AccreditingBody(folder, "総務省", "Ministry")
    try await body.scheme(Self.scheme)
    try await body.scheme("mic-e-seal-2025")
    try await body.apply("tsa", Self.scheme, .timeStamp, [unit.root.certificate])
    try await body.assess("tsa")
    try await body.decide("tsa", .accredited, "2022-04-01", "2024-03-31")
    try await body.decide("tsa", .suspended, "2023-02-01")
    try await body.decide("tsa", .resumed, "2023-03-01")
    let seals = try TestAuthority("Seal CA")
    try await body.apply(
      "seal", "mic-e-seal-2025", .seal(.accreditation2025, level: 2), [seals.certificate],
      policies: ["1.2.392.200000.9"])
    try await body.assess("seal")
    try await body.decide("seal", .accredited, "2026-04-01", "2028-03-31")
    return (body, unit)
  }

  @Test("a list has one text, which reads back as it was, and the model of TS 119 612")
  func text() async throws {
    try await withFolder { folder in
      let (body, _) = try await body(folder)
      let list = try body.list()
      #expect(try TrustedList(encoded: list.encoded) == list)
      let object = try #require(
        try JSONSerialization.jsonObject(with: Data(list.encoded)) as? [String: Any])
      let information = try #require(object["SchemeInformation"] as? [String: Any])
      #expect(information["TSLSequenceNumber"] as? Int == 1)
      #expect(information["SchemeTerritory"] as? String == "JP")
      #expect(
        information["TSLType"] as? String
          == "http://uri.etsi.org/TrstSvc/TrustedList/TSLType/JPlist")
      #expect(information["HistoricalInformationPeriod"] as? Int == 65_535)
      let service = try #require(list.services.first?.service)
      #expect(service.periods.map(\.status) == [.expired, .accredited, .suspended, .accredited])
      #expect("\(service.periods[0].since)" == "2024-03-31T15:00:00Z")
      let text = String(decoding: list.encoded, as: UTF8.self)
      #expect(text.contains("http://uri.etsi.org/TrstSvc/Svctype/TSA"))
      #expect(text.contains("urn:noroshi:trusted-list:qualifier:e-seal-2025-2"))
      // Issued before, it does not know what came later.
      let early = try body.list(issued: AccreditingBody.moment("2023-02-10T00:00:00Z"))
      #expect(early.services.map(\.service.id) == ["tsa"])
      #expect(early.services[0].service.periods.map(\.status) == [.suspended, .accredited])
    }
  }

  @Test("a list is believed by its operator's seal alone")
  func seal() async throws {
    try await withFolder { folder in
      let (body, unit) = try await body(folder)
      let list = try body.list()
      let sealed = try await body.sealed(list)
      let read = try SealedTrustedList(verifying: sealed.encoded, by: try body.validator())
      #expect(read.list == list)
      func refused(_ bytes: [UInt8], _ validator: SealValidator, _ part: String) {
        do throws(TrustedListError) {
          _ = try SealedTrustedList(verifying: bytes, by: validator)
          Issue.record("believed: \(part)")
        } catch { #expect(error.description.contains(part), "\(error)") }
      }
      // Another body's certificate; none at all; a list that vouches for itself.
      refused(
        sealed.encoded, SealValidator(anchors: [try unit.root.anchor()], moment: TestAuthority.now),
        "NO_CERTIFICATE_CHAIN_FOUND")
      refused(
        sealed.encoded, SealValidator(anchors: [], moment: TestAuthority.now),
        "NO_CERTIFICATE_CHAIN_FOUND")
      var circular = SealValidator(anchors: [], moment: TestAuthority.now)
      circular.trustedLists = try TrustedLists([read])
      refused(sealed.encoded, circular, "NO_CERTIFICATE_CHAIN_FOUND")
      // The operator's own certificate does, until it ends.
      let own = [try TrustAnchor(body.seal.certificate)]
      _ = try SealedTrustedList(
        verifying: sealed.encoded, by: SealValidator(anchors: own, moment: TestAuthority.now))
      refused(
        sealed.encoded,
        SealValidator(anchors: own, moment: TestAuthority.end.advanced(bySeconds: 1)),
        "certificate is not valid")
      // No seal; another text under the seal; another content type; the future.
      refused(list.encoded, try body.validator(), "cannot be read")
      var object = try #require(
        try JSONSerialization.jsonObject(with: Data(sealed.encoded)) as? [String: Any])
      let other = try body.list(2)
      object["payload"] = Base64URL.text(other.encoded)
      refused(
        Array(try JSONSerialization.data(withJSONObject: object)), try body.validator(),
        "SIG_CRYPTO_FAILURE")
      let sealer = JAdESSealer(
        identity: try SealingIdentity(certificate: body.seal.certificate, key: body.seal.key))
      refused(
        try await sealer.seal(list.encoded, contentType: "json", at: TestAuthority.now).encoded,
        try body.validator(), "a seal over something else")
      refused(
        sealed.encoded, try body.validator(at: list.issued.advanced(bySeconds: -3600)), "future")
    }
  }

  @Test("no octet of a sealed list can change unnoticed, and none makes reading trap")
  func everyOctet() async throws {
    try await withFolder { folder in
      let (body, _) = try await body(folder)
      let list = try body.list()
      let sealed = try await body.sealed(list).encoded
      let validator = try body.validator()
      for index in stride(from: 0, to: sealed.count, by: 13) {
        var bad = sealed
        bad[index] ^= 0x11
        if let read = try? SealedTrustedList(verifying: bad, by: validator) {
          #expect(read.list == list)
        }
      }
      let text = list.encoded
      for index in stride(from: 0, to: text.count, by: 5) {
        var bad = text
        bad[index] ^= 0x05
        if let read = try? TrustedList(encoded: bad) { #expect(read.encoded == bad) }
        #expect((try? TrustedList(encoded: Array(text.prefix(index)))) == nil)
      }
    }
  }

  @Test("a hostile list is refused, and the field that is wrong is named")
  func hostile() async throws {
    try await withFolder { folder in
      let (body, _) = try await body(folder)
      let text = String(decoding: try body.list().encoded, as: UTF8.self)
      let cases: [(String, String, String)] = [
        ("\"TSLVersionIdentifier\":5", "\"TSLVersionIdentifier\":6", "TSLVersionIdentifier"),
        ("\"TSLSequenceNumber\":1", "\"TSLSequenceNumber\":0", "TSLSequenceNumber"),
        ("\"TSLSequenceNumber\":1", "\"TSLSequenceNumber\":-1", "TSLSequenceNumber"),
        ("\"TSLSequenceNumber\":1", "\"TSLSequenceNumber\":1e3", "TSLSequenceNumber"),
        ("\"TSLSequenceNumber\":1", "\"TSLSequenceNumber\":99999999999999999999", "TSLSequence"),
        ("\"SchemeTerritory\":\"JP\"", "\"SchemeTerritory\":\"jp\"", "SchemeOperator"),
        ("\"SchemeTerritory\":\"JP\"", "\"SchemeTerritory\":\"DE\"", "TSLType"),
        ("\"TSLSequenceNumber\":1", "\"TSLSequenceNumber\":1,\"Zzz\":1", "Zzz"),
        ("\"SchemeTerritory\"", "\"SchemeTerritory\":\"JP\",\"SchemeTerritory\"", "twice"),
        ("65535", "365", "HistoricalInformationPeriod"),
        ("\"NextUpdate\":\"2026", "\"NextUpdate\":\"2029", "NextUpdate"),
        ("\"NextUpdate\":\"2026", "\"NextUpdate\":\"2025", "NextUpdate"),
        ("\"Scheme\":\"mic-146-2021\"", "\"Scheme\":\"mic-e-seal-2025\"", "Scheme"),
        ("\"Scheme\":\"mic-146-2021\"", "\"Scheme\":\"none\"", "Scheme"),
        ("Svctype/TSA", "Svctype/TSA/QTST", "ServiceTypeIdentifier"),
        ("Svcstatus/accreditationceased", "Svcstatus/granted", "ServiceStatus"),
        ("\"StatusStartingTime\":\"2024", "\"StatusStartingTime\":\"2027", "after the list's"),
        ("\"StatusStartingTime\":\"2024", "\"StatusStartingTime\":\"2022", "not from the latest"),
        ("\"StatusStartingTime\":\"2024", "\"StatusStartingTime\":\"2020", "StatusStartingTime"),
        ("\"ValidUntil\":\"2024-03-31\"", "\"ValidUntil\":\"2024-03-32\"", "ValidUntil"),
        ("\"ValidUntil\":\"2024-03-31\"", "\"ValidUntil\":\"2021-03-31\"", "validity"),
        ("\"X509Certificate\":\"MI", "\"X509Certificate\":\"AA", "X509Certificate"),
        ("\"Identifier\":\"tsa\"", "\"Identifier\":\"seal\"", "twice"),
        ("\"Identifier\":\"tsa\"", "\"Identifier\":\"../tsa\"", "identifier"),
        ("1.2.392.200000.9", "1.2.x", "PolicySet"),
        ("e-seal-2025-2", "e-seal-2025-3", "Qualifier"),
        ("サービスtsa", "サ\u{200B}tsa", "invisible"),
        ("{\"Scheme", " {\"Scheme", "canonical"),
      ]
      for (from, to, part) in cases {
        let bad = text.replacing(from, with: to, maxReplacements: 1)
        #expect(bad != text, "\(from)")
        do throws(MalformedStructure) {
          _ = try TrustedList(encoded: Array(bad.utf8))
          Issue.record("read: \(to)")
        } catch { #expect(error.description.contains(part), "\(to): \(error)") }
      }
      var parameters = TrustedListParameters()
      for change: (inout TrustedListParameters) -> Void in [
        { $0.maximumOctets = 1000 }, { $0.maximumProviders = 0 }, { $0.maximumServices = 1 },
        { $0.maximumPeriods = 4 }, { $0.maximumCertificates = 1 }, { $0.maximumSchemes = 1 },
      ] {
        parameters = TrustedListParameters()
        change(&parameters)
        #expect(throws: MalformedStructure.self) {
          try TrustedList(encoded: Array(text.utf8), parameters: parameters)
        }
      }
      let deep = String(repeating: "[", count: 100_000)
      #expect(throws: MalformedStructure.self) { try TrustedList(encoded: Array(deep.utf8)) }
    }
  }

  @Test("numbers do not go back, and what a list told stays told")
  func succession() async throws {
    try await withFolder { folder in
      var (body, _) = try await body(folder)
      let first = try body.list(1, issued: AccreditingBody.moment("2026-05-01T00:00:00Z"))
      try await body.decide("seal", .suspended, "2026-06-01")
      let second = try body.list(2, issued: AccreditingBody.moment("2026-07-01T00:00:00Z"))
      try second.checkSuccession(of: first)
      try second.checkSuccession(of: second)
      let memory = TrustedListMemory(second)
      try memory.check(second)
      #expect(throws: TrustedListError.older(sequence: 1, known: 2)) { try memory.check(first) }
      #expect(throws: TrustedListError.older(sequence: 1, known: 2)) {
        try first.checkSuccession(of: second)
      }
      func altered(
        _ sequence: UInt64, _ change: (TrustedList.Service) -> TrustedList.Service?
      ) -> TrustedList {
        TrustedList(
          schemeOperator: second.schemeOperator, schemes: second.schemes, sequence: sequence,
          issued: second.issued, nextUpdate: second.nextUpdate, registerHead: nil,
          providers: second.providers.map { provider in
            TrustedList.Provider(
              information: provider.information, services: provider.services.compactMap(change))
          })
      }
      #expect(throws: TrustedListError.forked(sequence: 2)) { try memory.check(altered(2) { $0 }) }
      try altered(3) { $0 }.checkSuccession(of: second)
      func with(_ service: TrustedList.Service, _ periods: [AccreditationPeriod])
        -> TrustedList.Service
      {
        TrustedList.Service(
          id: service.id, scheme: service.scheme, kind: service.kind, name: service.name,
          certificates: service.certificates, policies: service.policies, periods: periods)
      }
      for rewritten in [
        // A service that left, a suspension that never was, one that is invented afterwards.
        altered(3) { $0.id == "tsa" ? nil : $0 },
        altered(3) { with($0, $0.periods.filter { $0.status != .suspended }) },
        altered(3) { service in
          guard service.id == "tsa", let last = service.periods.last else { return service }
          let invented = AccreditationPeriod(
            .withdrawn, since: last.since.advanced(bySeconds: 10), validFrom: last.validFrom,
            validUntil: last.validUntil)
          return with(service, service.periods.dropLast() + [invented, last])
        },
      ] {
        do throws(TrustedListError) {
          try rewritten.checkSuccession(of: second)
          Issue.record("accepted")
        } catch { #expect(error.description.contains("takes back"), "\(error)") }
      }
      // Of several at hand the newest counts, and the earlier ones have to agree with it.
      let lists = [try await body.sealed(second), try await body.sealed(first)]
      #expect(try TrustedLists(lists).lists == [second])
      let bad = try await body.sealed(altered(3) { $0.id == "tsa" ? nil : $0 })
      #expect(throws: TrustedListError.self) { try TrustedLists(lists + [bad]) }
    }
  }
}
