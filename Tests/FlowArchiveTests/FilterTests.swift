import FlowArchive
import FlowRecords
import Foundation
import NetworkTypes
import Testing

@Suite struct FilterTests {
  @Test(
    "an error names its place",
    arguments: [
      ("proto tcp and port http", 19, "a number after port"),
      ("src ip 192.0.2.300", 7, "IPv4 or IPv6 address"),
      ("(src port 80", 0, "not closed"),
      ("src port 80)", 11, "end of the filter"),
      ("port 70000", 5, "at most 65535"),
      ("bananas", 0, "no test"),
      ("src proto 6", 4, "does not go with"),
      ("flags Q", 6, "TCP flags"),
      ("ip in [ 192.0.2.1", 6, "not closed"),
      ("ip in [ ]", 6, "at least one"),
      ("net 10.0.0.0 255.0.255.0", 13, "ones, then zeros"),
      ("port 80 and", 11, "expected a test"),
      ("not", 3, "expected a test"),
      ("port != 80", 5, "no !="),
      ("proto tcp $", 10, "means nothing"),
      ("bytes > 99999999999999999999", 8, "a number"),
      ("ident router1", 0, "not recorded"),
      ("in port 80", 0, "src, dst or nothing"),
    ])
  func errors(text: String, offset: Int, message: String) {
    do {
      _ = try FlowFilter(text)
      Issue.record("\(text) was read")
    } catch {
      #expect(error.offset == offset, "\(error)")
      #expect(error.message.contains(message), "\(error)")
      #expect(error.description.contains("^"))
    }
  }

  @Test("files take the place of @include, and no file includes itself")
  func inclusion() throws {
    let files = [
      "bots": "ip in [ 192.0.2.1 # the first\n 192.0.2.9 ] # all", "web": "port 80 or port 443",
      "both": "(@include bots ) and (@INCLUDE web\n)", "loop": "any or @include pool",
      "pool": "@include loop", "big": String(repeating: "any or ", count: 200_000) + "any",
    ]
    struct Missing: Error {}
    func read(_ name: String) throws -> String {
      guard let text = files[name] else { throw Missing() }
      return text
    }
    let text = try FlowFilter.including("proto tcp and @include both # @include none", read: read)
    #expect(
      try FlowFilter(text)
        == FlowFilter(
          "proto tcp and (ip in [192.0.2.1 192.0.2.9]) and (port 80 or port 443)"))
    #expect(try FlowFilter.including("src ip 192.0.2.1", read: read) == "src ip 192.0.2.1")
    for (text, message) in [
      ("@include", "file's name"), ("any or @include nothing", "cannot be read"),
      ("@include loop", "includes itself"), ("@include big", "at most"),
    ] {
      do {
        _ = try FlowFilter.including(text, read: read)
        Issue.record("\(text) was taken")
      } catch {
        #expect(error.message.contains(message), "\(error)")
      }
    }
    var shallow = FilterParameters()
    shallow.deepestInclusion = 1
    #expect(throws: FilterError.self) {
      try FlowFilter.including("@include both", parameters: shallow, read: read)
    }
    // Without somebody who reads files, none is read.
    #expect(throws: FilterError.self) { try FlowFilter("@include bots") }
  }

  @Test("a caret stands under the place, in its own line")
  func caret() throws {
    do {
      _ = try FlowFilter("proto tcp\nand prot 80 # 狼煙\nor any")
      Issue.record("it was read")
    } catch {
      #expect(error.description.hasSuffix("\n  and prot 80 # 狼煙\n      ^"))
    }
  }

  @Test("and binds closer than or, not closest, and words may be in capitals")
  func structure() throws {
    let loose = try FlowFilter("port 1 or NOT port 2 AND port 3")
    let tight = try FlowFilter("port 1 || ((! port 2) && port 3)")
    #expect(loose == tight)
    #expect(try FlowFilter("") == .any)
    #expect(try FlowFilter("  # nothing\n") == .any)
    #expect(
      try FlowFilter("src or dst port > 1k")
        == .some([
          .predicate(.compare(.column(.sourcePort), .greater, 1_000)),
          .predicate(.compare(.column(.destinationPort), .greater, 1_000)),
        ]))
    #expect(
      try FlowFilter("src and dst as 64500")
        == .all([
          .predicate(.compare(.column(.sourceAS), .equal, 64_500)),
          .predicate(.compare(.column(.destinationAS), .equal, 64_500)),
        ]))
  }

  @Test("networks take lengths, netmasks and short forms")
  func networks() throws {
    let expected = try FlowFilter("src net 172.16.0.0/16")
    #expect(try FlowFilter("src net 172.16/16") == expected)
    #expect(try FlowFilter("src net 172.16.3.4 255.255.0.0") == expected)
    #expect(try FlowFilter("src ip 172.16.9.9/16") == expected)
    #expect(try FlowFilter("src ip in [ 172.16.0.0/16 ]") == expected)
    #expect(try FlowFilter("src host 2001:db8::1") != expected)
  }

  @Test("nesting is bounded, and so is the text")
  func bounds() {
    let deep = String(repeating: "(", count: 5_000) + "any" + String(repeating: ")", count: 5_000)
    #expect(throws: FilterError.self) { try FlowFilter(deep) }
    #expect(throws: FilterError.self) {
      try FlowFilter(String(repeating: "not ", count: 100_000) + "any")
    }
    #expect(throws: FilterError.self) { try FlowFilter(String(repeating: " ", count: 2 << 20)) }
  }

  @Test("long lists are read")
  func lists() throws {
    let ports = (1...20_000).map(String.init).joined(separator: ", ")
    let filter = try FlowFilter("dst port in [ \(ports) ]")
    guard case .predicate(.among(_, let values)) = filter else {
      Issue.record("\(filter)")
      return
    }
    #expect(values.count == 20_000)
  }
}
