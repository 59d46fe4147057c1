import NetworkTypes

/// ExaBGP 4 and 5: sections for a neighbour's configuration.
enum ExaBGPText {
  static func blackhole(_ attack: Attack, _ parameters: MitigationParameters) -> String {
    let next = attack.target.address.isIPv4 ? parameters.nextHopV4 : parameters.nextHopV6
    return attack.heading(
      "#",
      "Drops all traffic to the target. Put it into the neighbour's section; RFC 7999 BLACKHOLE.")
        + """
        static {
          route \(attack.target) next-hop \(next) community [ \(parameters.community) no-export ];
        }

        """
  }

  static func flowspec(
    _ attack: Attack, _ rules: [MitigationRule], _ parameters: MitigationParameters
  ) -> String {
    var text = attack.heading(
      "#",
      "Put it into the neighbour's section, with `family { \(attack.target.address.isIPv4 ? "ipv4" : "ipv6") flow; }`."
    )
    text += "flow {\n"
    var number = 0
    for rule in rules {
      // One route for each source where these are few, otherwise one for all.
      let sources: [IPAddress?] =
        rule.sources.isEmpty || rule.sources.count > parameters.largestFlowspecSourceCount
        ? [nil] : rule.sources.map { $0 }
      let isWide = sources == [nil] && !rule.sources.isEmpty && rule.sourcePort == nil
      for source in sources {
        number += 1
        text += "  route noroshi\(number) {\n    match {\n"
        text += matches(rule, source).map { "      \($0);\n" }.joined()
        // 1,000 packets of 1,500 octets a second as a limit; discarding otherwise.
        let action =
          rule.action == .limit || isWide
          ? "rate-limit \(parameters.limitPacketsPerSecond * 1_500)" : "discard"
        text += "    }\n    then {\n      \(action);\n    }\n  }\n"
      }
    }
    return text + "}\n"
  }

  private static func matches(_ rule: MitigationRule, _ source: IPAddress?) -> [String] {
    var parts = ["destination \(rule.target)"]
    if let source { parts.append("source \(IPPrefix(source))") }
    let isIPv4 = rule.target.address.isIPv4
    if rule.isFragment {
      parts.append(isIPv4 ? "fragment is-fragment" : "fragment [ is-fragment ]")
      return parts
    }
    if let transport = rule.transport {
      parts.append("\(isIPv4 ? "protocol" : "next-header") =\(transport)")
    }
    if let port = rule.sourcePort { parts.append("source-port =\(port)") }
    if let port = rule.destinationPort { parts.append("destination-port =\(port)") }
    if let type = rule.icmpType { parts.append("icmp-type =\(type)") }
    switch rule.tcpFlags {
    // Whether the match is exact is for the operator's bits: SYN alone is "SYN and not ACK".
    case 0b10: parts.append("tcp-flags [ syn&!ack ]")
    case 0b1_0010: parts.append("tcp-flags [ syn&ack ]")
    case 0b1_0000: parts.append("tcp-flags [ ack&!syn ]")
    case .some(let flags) where flags & 0b100 != 0: parts.append("tcp-flags [ rst ]")
    default: break
    }
    return parts
  }
}
