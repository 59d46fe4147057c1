import Constituency
import NetworkTypes
import Testing

struct ConstituencyIndexTests {
  private func index() throws -> ConstituencyIndex {
    func list(_ texts: String...) -> [IPPrefix] { texts.compactMap { IPPrefix($0) } }
    return ConstituencyIndex(
      try Constituency([
        Organisation(
          id: "upper", name: "Upper", roles: [.isp],
          prefixes: list("192.0.2.0/24", "2001:db8::/32"),
          asns: [ASN(64496), ASN(64500)]),
        Organisation(
          id: "reseller", name: "Reseller", roles: [.isp],
          prefixes: list("192.0.2.128/25", "198.51.100.0/24"), asns: [ASN(64500)], parent: "upper"),
        Organisation(
          id: "rival", name: "Rival", roles: [.isp], prefixes: list("198.51.100.0/24")),
        Organisation(
          id: "city", name: "City", roles: [.member], prefixes: list("192.0.2.130/32"),
          memberAlerts: true),
      ]))
  }

  private func address(_ text: String) throws -> IPAddress { try #require(IPAddress(text)) }

  @Test("the most specific prefix answers, a prefix before a system, equal claims are several")
  func responsible() throws {
    let index = try index()
    let large = try #require(IPPrefix("192.0.2.0/24"))
    let small = try #require(IPPrefix("192.0.2.128/25"))
    #expect(
      index.responsible(for: try address("192.0.2.1"))
        == .one(organisation: "upper", via: .prefix(large)))
    // The member inside is told of its own; the ISP answers.
    #expect(
      index.responsible(for: try address("192.0.2.130"), asn: ASN(64496))
        == .one(organisation: "reseller", via: .prefix(small)))
    #expect(index.responsible(for: try address("198.51.100.1")) == .several(["reseller", "rival"]))
    #expect(index.responsible(for: try address("2001:db8::1")).organisation == "upper")
  }

  @Test("where no prefix holds the address its system decides, if it is known")
  func systems() throws {
    let index = try index()
    let other = try address("203.0.113.1")
    #expect(
      index.responsible(for: other, asn: ASN(64496))
        == .one(organisation: "upper", via: .asn(ASN(64496))))
    #expect(index.responsible(for: other, asn: ASN(64500)) == .several(["reseller", "upper"]))
    #expect(index.responsible(for: other, asn: ASN(1)) == .none)
    #expect(index.responsible(for: other, asn: .unknown) == .none)
    #expect(index.responsible(for: other) == .none)
  }

  @Test("only members with alerts are watched")
  func members() throws {
    let index = try index()
    #expect(index.member(of: try address("192.0.2.130"))?.id == "city")
    #expect(index.member(of: try address("192.0.2.131")) == nil)
    #expect(index.memberPrefixes.map(\.organisation) == ["city"])
  }

  @Test(
    "mail addresses that could carry something into a header are refused",
    arguments: [
      ("abuse@example.net", true), ("a.b+c@xn--example-x.jp", true), ("a@b", true), ("@b", false),
      ("a@", false), ("a@@b", false), ("a b@c", false), ("a@b\r\nBcc: x@y", false),
      ("<a@b>", false),
      ("a,b@c", false), ("a..b@c", false), ("a@-b", false), ("a@b..c", false), ("日本@b", false),
    ])
  func addresses(text: String, isGood: Bool) { #expect(Contact.isValidEmail(text) == isGood) }
}
