import NetworkTypes

/// Filters of Cisco IOS and Junos.
enum AccessListText {
  static func cisco(_ attack: Attack, _ rules: [MitigationRule]) -> String {
    let isIPv4 = attack.target.address.isIPv4
    let name = "NOROSHI-\(attack.mitigationName)"
    var text = attack.heading(
      "!", "Apply it inbound: \(isIPv4 ? "ip access-group" : "ipv6 traffic-filter") \(name) in")
    text += isIPv4 ? "ip access-list extended \(name)\n" : "ipv6 access-list \(name)\n"
    for rule in rules {
      let what = "remark \(rule.vector)"
      guard rule.action == .drop else {
        text +=
          " remark \(rule.vector): only a rate limit tells it from other traffic (police it)\n"
        continue
      }
      text += " \(what)\n"
      let sources: [IPAddress?] = rule.sources.isEmpty ? [nil] : rule.sources.map { $0 }
      for source in sources {
        var parts = ["deny", transport(rule, isIPv4: isIPv4)]
        parts.append(source.map { "host \($0)" } ?? "any")
        if let port = rule.sourcePort { parts.append("eq \(port)") }
        parts.append(destination(attack.target))
        if let port = rule.destinationPort { parts.append("eq \(port)") }
        if let type = rule.icmpType { parts.append("\(type)") }
        if let flags = rule.tcpFlags { parts.append(ciscoFlags(flags)) }
        if rule.isFragment { parts.append("fragments") }
        text += " " + parts.joined(separator: " ") + "\n"
      }
    }
    return text + " permit \(isIPv4 ? "ip" : "ipv6") any any\n"
  }

  private static func transport(_ rule: MitigationRule, isIPv4: Bool) -> String {
    switch rule.transport {
    case nil: isIPv4 ? "ip" : "ipv6"
    case 6: "tcp"
    case 17: "udp"
    case 1, 58: "icmp"
    case .some(let number): "\(number)"
    }
  }

  /// IOS takes IPv4 with a mask of the bits that do not count, IPv6 with a length.
  private static func destination(_ target: IPPrefix) -> String {
    guard target.length < target.address.bitWidth else { return "host \(target.address)" }
    guard target.address.isIPv4 else { return target.description }
    let wildcard = target.length == 0 ? UInt32.max : UInt32.max >> UInt32(target.length)
    return "\(target.address) \(IPAddress(v4: wildcard))"
  }

  private static func ciscoFlags(_ flags: UInt8) -> String {
    let names = [(1, "fin"), (2, "syn"), (4, "rst"), (16, "ack")]
    return "match-all "
      + names.map { (flags & UInt8($0.0) != 0 ? "+" : "-") + $0.1 }.joined(separator: " ")
  }

  static func juniper(
    _ attack: Attack, _ rules: [MitigationRule], _ parameters: MitigationParameters
  ) -> String {
    let isIPv4 = attack.target.address.isIPv4
    let name = "noroshi-\(attack.mitigationName)"
    var text = attack.heading("#", "Load it: load merge FILE; then apply the filter inbound.")
    text += "firewall {\n"
    if rules.contains(where: { $0.action == .limit }) {
      text += """
          policer \(name) {
            if-exceeding {
              bandwidth-limit \(parameters.limitPacketsPerSecond * 12_000);
              burst-size-limit 150k;
            }
            then discard;
          }

        """
    }
    text += "  family \(isIPv4 ? "inet" : "inet6") {\n    filter \(name) {\n"
    for (number, rule) in rules.enumerated() {
      text += "      term t\(number + 1) {\n        from {\n"
      text += from(rule, isIPv4: isIPv4).map { "          \($0)\n" }.joined()
      text += "        }\n        then {\n          count t\(number + 1);\n"
      text +=
        rule.action == .limit
        ? "          policer \(name);\n          accept;\n" : "          discard;\n"
      text += "        }\n      }\n"
    }
    return text
      + """
            term rest {
              then accept;
            }
          }
        }
      }

      """
  }

  private static func from(_ rule: MitigationRule, isIPv4: Bool) -> [String] {
    var parts = ["destination-address { \(rule.target); }"]
    if !rule.sources.isEmpty {
      parts.append("source-address {")
      parts += rule.sources.map { "  \(IPPrefix($0));" }
      parts.append("}")
    }
    if rule.isFragment {
      parts.append(isIPv4 ? "is-fragment;" : "next-header fragment;")
      return parts
    }
    if let transport = rule.transport {
      parts.append("\(isIPv4 ? "protocol" : "payload-protocol") \(transport);")
    }
    if let port = rule.sourcePort { parts.append("source-port \(port);") }
    if let port = rule.destinationPort { parts.append("destination-port \(port);") }
    if let type = rule.icmpType { parts.append("icmp-type \(type);") }
    if let flags = rule.tcpFlags {
      let names = [(1, "fin"), (2, "syn"), (4, "rst"), (16, "ack")]
      let terms = names.map { (flags & UInt8($0.0) != 0 ? "" : "!") + $0.1 }
      parts.append("tcp-flags \"\(terms.joined(separator: " & "))\";")
    }
    return parts
  }
}
