import NetworkTypes

/// nftables: a table of its own, so that `delete table` takes all of it away.
enum NftablesText {
  static func write(
    _ attack: Attack, _ rules: [MitigationRule], _ parameters: MitigationParameters
  ) -> String {
    let table = "noroshi_\(attack.mitigationName)"
    let isIPv4 = attack.target.address.isIPv4
    let family = isIPv4 ? "ip" : "ip6"
    var text = attack.heading(
      "#", "Apply: nft -f FILE. Take away: nft delete table inet \(table)")
    text += "table inet \(table) {\n"
    for (number, rule) in rules.enumerated() where !rule.sources.isEmpty {
      text += "  set sources\(number) {\n    type \(isIPv4 ? "ipv4_addr" : "ipv6_addr")\n"
      text += "    elements = {\n"
      text +=
        rule.sources.map { "      \($0)" }.joined(separator: ",\n") + "\n    }\n  }\n"
    }
    text += "  chain before {\n    type filter hook prerouting priority -310; policy accept;\n"
    for (number, rule) in rules.enumerated() {
      var parts = ["\(family) daddr \(attack.target)"]
      if !rule.sources.isEmpty { parts.append("\(family) saddr @sources\(number)") }
      parts += matches(rule, isIPv4: isIPv4)
      if rule.action == .limit {
        parts.append("limit rate over \(parameters.limitPacketsPerSecond)/second")
      }
      parts.append("counter drop comment \"\(rule.vector)\"")
      text += "    " + parts.joined(separator: " ") + "\n"
    }
    return text + "  }\n}\n"
  }

  private static func matches(_ rule: MitigationRule, isIPv4: Bool) -> [String] {
    if rule.isFragment { return [isIPv4 ? "ip frag-off & 0x1fff != 0" : "exthdr frag exists"] }
    guard let transport = rule.transport else { return [] }
    let ports = [
      rule.sourcePort.map { "sport \($0)" }, rule.destinationPort.map { "dport \($0)" },
    ].compactMap { $0 }
    switch transport {
    case 17: return ports.isEmpty ? ["meta l4proto udp"] : ports.map { "udp \($0)" }
    case 6:
      var parts = ports.isEmpty ? ["meta l4proto tcp"] : ports.map { "tcp \($0)" }
      if let flags = rule.tcpFlags {
        parts.append("tcp flags & (fin | syn | rst | ack) == \(names(flags))")
      }
      return parts
    case 1: return rule.icmpType.map { ["icmp type \($0)"] } ?? ["meta l4proto icmp"]
    case 58: return rule.icmpType.map { ["icmpv6 type \($0)"] } ?? ["meta l4proto ipv6-icmp"]
    default: return ["meta l4proto \(transport)"]
    }
  }

  private static func names(_ flags: UInt8) -> String {
    let names = [(1, "fin"), (2, "syn"), (4, "rst"), (16, "ack")].filter {
      flags & UInt8($0.0) != 0
    }
    .map(\.1)
    return names.isEmpty ? "0x0" : names.joined(separator: " | ")
  }
}
