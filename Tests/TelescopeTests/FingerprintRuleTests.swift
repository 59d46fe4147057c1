import NetworkTypes
import PacketCapture
import Testing

@testable import Telescope

@Suite("Fingerprint rules")
struct FingerprintRuleTests {
  @Test("the standard rules are read")
  func standardRules() throws {
    let text = String(decoding: FingerprintRules.standardText, as: UTF8.self)
    let rules = try FingerprintRules(yaml: text, extending: nil)
    #expect(rules.rules == FingerprintRules.standard.rules)
    #expect(rules.rules.contains { $0.id == "mirai" && $0.malware == "mirai" })
    #expect(!rules.rules.contains { $0.id == "hajime" }, "it is not confirmed")
    #expect(rules.rules.allSatisfy { !$0.source.isEmpty && $0.minimumPackets >= 3 })
  }

  @Test("a rule of one's own comes first, and one of the same name replaces the standard one")
  func extending() throws {
    let rules = try FingerprintRules(
      yaml: """
        rules:
          - {id: mine, tool: mine, grade: probable, applies-to: [udp], source: seen here,
             fields: {destination-port: [53, 100..200, 0x1F90], payload-length: 12}}
          - {id: nmap-ping, tool: nmap, grade: probable, applies-to: [icmp-echo], enabled: false,
             fields: {ttl: 1}, source: not wanted}
        """, extending: .standard)
    #expect(rules.rules.first?.id == "mine")
    #expect(
      rules.rules.first?.fields[.destinationPort] == [53...53, 100...200, 8080...8080])
    #expect(!rules.rules.contains { $0.id == "nmap-ping" })
    #expect(rules.rules.count == FingerprintRules.standard.rules.count)
  }

  @Test(
    "an error names the rule, the key and the line",
    arguments: [
      ("fields: {ttl: 300}", "ttl", 7), ("fields: {colour: 3}", "colour", 7),
      ("fields: {window: 9..2}", "window", 7), ("fields: {window: -1}", "window", 7),
      ("fields: {options: 'mss,foo'}", "options", 7),
      ("formulas: [magic]", "formulas", 7), ("minimum-packets: 1", "minimum-packets", 7),
      ("share: 1.5", "share", 7), ("shape: round", "shape", 7), ("fields: 5", "fields", 7),
      ("enabled: perhaps", "enabled", 7),
    ])
  func errors(text: String, field: String, line: Int) throws {
    let yaml = """
      rules:
        - id: wrong
          tool: x
          grade: certain
          applies-to: [tcp-syn]
          source: y
          \(text)
      """
    let error = #expect(throws: FingerprintRuleError.self) {
      try FingerprintRules(yaml: yaml, extending: nil)
    }
    #expect(error?.rule == "wrong")
    #expect(error?.field == field)
    #expect(error?.line == line)
    #expect(error?.description.hasPrefix("Fingerprint rules, line \(line), rule wrong") == true)
  }

  @Test(
    "what is not a rule file is refused",
    arguments: [
      "", "[", "rules: 5", "- a", "rules: [5]", "version: 2\nrules: []", "x: 1\nrules: []",
    ])
  func notRules(yaml: String) {
    #expect(throws: FingerprintRuleError.self) {
      try FingerprintRules(yaml: yaml, extending: nil)
    }
  }

  @Test("a rule without any constraint, and a name used twice, are refused")
  func emptyRule() {
    let rule = "{id: all, tool: x, grade: certain, applies-to: [udp], source: y"
    #expect(throws: FingerprintRuleError.self) {
      try FingerprintRules(yaml: "rules: [\(rule)}]", extending: nil)
    }
    #expect(throws: FingerprintRuleError.self) {
      try FingerprintRules(
        yaml: "rules: [\(rule), fields: {ttl: 1}}, \(rule), fields: {ttl: 2}}]", extending: nil)
    }
  }

  @Test("56 rules about packets fit, 57 are refused with the number")
  func limits() throws {
    func set(_ count: Int) -> String {
      "rules:\n"
        + (0..<count).map {
          "  - {id: r\($0), tool: t, grade: probable, applies-to: [udp], source: s,"
            + " fields: {destination-port: \($0)}}\n"
        }.joined()
    }
    let full = try FingerprintRules(yaml: set(56), extending: nil)
    let matcher = FingerprintMatcher(full)
    var headers = try FingerprintSamples.syn(port: 55)
    headers.transport = .udp
    #expect(FingerprintSamples.ids(headers, matcher) == ["r55"])
    let error = #expect(throws: FingerprintRuleError.self) {
      try FingerprintRules(yaml: set(57), extending: nil)
    }
    #expect(error?.problem.contains("57") == true)
  }

  @Test("option layouts are written as they are read")
  func layouts() {
    for text in ["none", "mss", "mss,nop,ws,nop,nop,sackok", "mss,sackok,ts,nop,ws", "other,eol"] {
      #expect(TCPOptionLayout(fingerprint: text)?.fingerprint == text)
    }
    #expect(TCPOptionLayout(fingerprint: "mss,") == nil)
    #expect(
      TCPOptionLayout(fingerprint: Array(repeating: "nop", count: 17).joined(separator: ",")) == nil
    )
  }
}
