import Foundation
import NetworkTypes
import Testing

@Suite("Numbers and names")
struct NumberTests {
  @Test(
    "AS numbers are read plain, prefixed and dotted (RFC 5396)",
    arguments: [
      ("64496", 64_496), ("AS64496", 64_496), ("as65536", 65_536), ("1.0", 65_536),
      ("AS1.10", 65_546), ("65535.65535", UInt32.max), ("4294967295", .max), ("0", 0),
    ])
  func asnRead(text: String, number: UInt32) {
    #expect(ASN(text: text)?.number == number)
  }

  @Test(
    "what is not an AS number is refused",
    arguments: [
      "", "AS", "ASAS1", "-0", "+1", "AS+1", "AS-1", "1.", ".1", "1.2.3", "65536.1", "1.65536",
      "1.+10",
      "4294967296", " 1", "1 ", "0x10", "１", "AS 1",
    ])
  func asnRefused(text: String) {
    #expect(ASN(text: text) == nil)
  }

  @Test("country codes are two ASCII letters in either case")
  func countries() throws {
    #expect(CountryCode("jp") == CountryCode("JP"))
    #expect(CountryCode("JP")?.description == "JP")
    for text in ["", "J", "JPN", "A1", "1A", "é", "ÅA", "[[", "{{", "@@", "ｊｐ", " J", "J\0"] {
      #expect(CountryCode(text) == nil, "\(text)")
    }
    #expect(CountryCode.unknown.description == "ZZ")
    let decoded = try JSONDecoder().decode([CountryCode].self, from: Data(#"["de","US"]"#.utf8))
    #expect(decoded.map(\.description) == ["DE", "US"])
  }

  @Test("protocols are read from the names they write, and from numbers")
  func protocols() {
    for number in UInt8.min...UInt8.max {
      let known = IPProtocol(rawValue: number)
      #expect(IPProtocol(name: known.description) == known)
      #expect(IPProtocol(name: "\(number)") == known)
    }
    for text in ["", "ip-", "ip-256", "+6", "ip-+6", "-0", "tcpx"] {
      #expect(IPProtocol(name: text) == nil, "\(text)")
    }
    #expect(IPProtocol(name: "TCP") == .tcp)
  }

  @Test("addresses and prefixes travel through JSON as text, wrong ones say what is wrong")
  func json() throws {
    let texts = ["2001:db8::/32", "192.0.2.0/24"]
    let encoded = try JSONEncoder().encode(texts.compactMap { IPPrefix($0) })
    #expect(try JSONDecoder().decode([IPPrefix].self, from: encoded).map(\.description) == texts)
    #expect(throws: DecodingError.self) {
      try JSONDecoder().decode([IPPrefix].self, from: Data(#"["192.0.2.1/24"]"#.utf8))
    }
    #expect(throws: DecodingError.self) {
      try JSONDecoder().decode([IPAddress].self, from: Data(#"["localhost"]"#.utf8))
    }
  }
}
