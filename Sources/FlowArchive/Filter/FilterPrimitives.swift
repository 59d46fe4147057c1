import FlowRecords
import NetworkTypes

extension FilterParser {
  /// One test, with its qualifiers before it.
  mutating func primitive() throws(FilterError) -> FlowFilter {
    let start = token
    if let plain = try plainPrimitive() { return plain }
    return try qualified(start)
  }

  /// Tests that take no side.
  private mutating func plainPrimitive() throws(FilterError) -> FlowFilter? {
    let word = token
    switch word.text {
    case "any":
      advance()
      return .any
    case "inet", "ipv4":
      advance()
      return .predicate(.family(isIPv4: true))
    case "inet6", "ipv6":
      advance()
      return .predicate(.family(isIPv4: false))
    case "proto":
      advance()
      return try transport()
    case "flags":
      advance()
      return try flags()
    case "flows": return try measure(.flows)
    case "pps": return try measure(.packetsPerSecond)
    case "bps": return try measure(.bitsPerSecond)
    case "bpp": return try measure(.bytesPerPacket)
    case "duration": return try measure(.duration)
    case "icmp-type", "icmp-code":
      advance()
      let quantity = word.text == "icmp-type" ? FlowQuantity.icmpType : .icmpCode
      let value = try number(word.text, atMost: 255)
      return .all([
        .predicate(.among(.column(.transport), [1, 58])),
        .predicate(.compare(quantity, .equal, value)),
      ])
    case "router":
      advance()
      try expect("ip", "expected ip after router")
      return .predicate(.address(.exporter, try addresses()))
    case "bgpnext":
      advance()
      try expect("ip", "expected ip after bgpnext")
      return .predicate(.address(.bgpNextHop, try addresses()))
    case "dir", "flowdir":
      advance()
      return try direction()
    case "fwdstat":
      advance()
      return try forwarding()
    case "ingress", "egress":
      advance()
      try expect("vrf", "expected vrf after \(word.text)")
      let column: FlowColumn = word.text == "ingress" ? .ingressVRF : .egressVRF
      let comparison = try comparison()
      return compare(column, comparison, try number("vrf", atMost: 0xffff_ffff))
    case "observation":
      advance()
      try expect("domain", "expected domain id after observation")
      try expect("id", "expected id after observation domain")
      return .predicate(
        .compare(
          .observationDomain, .equal, try number("observation domain id", atMost: 0xffff_ffff)))
    case "mpls":
      advance()
      try expect("label1", "expected label1, the topmost label, which alone is kept")
      let comparison = try comparison()
      return compare(.mplsTopLabel, comparison, try number("a label", atMost: 0xf_ffff))
    case "nat", "asa":
      advance()
      try expect("event", "expected event after \(word.text)")
      let comparison = try comparison()
      return compare(.event, comparison, try number("event", atMost: 255))
    case "ident", "count", "sysid", "nfversion", "engine-type", "engine-id", "geo", "payload",
      "tun", "tunip":
      throw failure("\(word.text) is not recorded here and cannot be tested")
    case "@include":
      throw failure("@include is for filters on the command line; put the file's text here")
    default: return nil
    }
  }

  /// Tests of one or two columns, chosen by the words before them.
  private mutating func qualified(_ start: FilterToken) throws(FilterError) -> FlowFilter {
    let side = side()
    let word = token
    switch word.text {
    case "ip", "host", "net":
      advance()
      if word.text == "ip", side == .next {
        return .predicate(.address(.nextHop, try addresses()))
      }
      return try pair(
        side, start, .sourceAddress, .destinationAddress,
        blocks: word.text == "net" ? [try block(isNetwork: true)] : try addresses())
    case "nip", "xip":
      advance()
      return try pair(
        side, start, .postSourceAddress, .postDestinationAddress, blocks: try addresses())
    case "port": return try numbers(side, start, .sourcePort, .destinationPort, 65_535)
    case "nport", "xport":
      return try numbers(side, start, .postSourcePort, .postDestinationPort, 65_535)
    case "as":
      guard side != .next, side != .previous else {
        throw failure("the neighbouring AS is not recorded here and cannot be tested", at: start)
      }
      return try numbers(side, start, .sourceAS, .destinationAS, 0xffff_ffff)
    case "mask": return try numbers(side, start, .sourceMask, .destinationMask, 255)
    case "vlan": return try numbers(side, start, .sourceVLAN, .destinationVLAN, 65_535)
    case "tos":
      let only = side == .either && start.text == "tos" ? FilterSide.source : side
      return try numbers(only, start, .typeOfService, .postTypeOfService, 255)
    case "if":
      switch side {
      case .either where start.text == "if":
        return try numbers(.either, start, .inputInterface, .outputInterface, 0xffff_ffff)
      case .input:
        return try numbers(.source, start, .inputInterface, .outputInterface, 0xffff_ffff)
      case .output:
        return try numbers(.destination, start, .inputInterface, .outputInterface, 0xffff_ffff)
      default: throw failure("expected if, in if or out if", at: start)
      }
    case "packets", "bytes":
      advance()
      let quantity: FlowQuantity
      switch side {
      case .either where start.text == word.text, .input:
        quantity = word.text == "packets" ? .packets : .bytes
      case .output:
        quantity = .column(word.text == "packets" ? .reversePackets : .reverseBytes)
      default: throw failure("expected in, out or nothing before \(word.text)", at: start)
      }
      let comparison = try comparison()
      return .predicate(.compare(quantity, comparison, try number(word.text)))
    case "mac":
      advance()
      return try mac(side, start)
    default:
      if word.isEnd {
        throw failure(start.isEnd ? "expected a test such as src ip 192.0.2.1" : "expected a test")
      }
      throw failure(
        start == word
          ? "\(word.text) is no test of this language"
          : "\(word.text) does not go with \(start.text)")
    }
  }

  // MARK: Pairs

  private func sides(
    _ side: FilterSide, _ start: FilterToken, _ make: (Bool) -> FlowFilter
  ) throws(FilterError) -> FlowFilter {
    switch side {
    case .source: return make(true)
    case .destination: return make(false)
    case .either: return .some([make(true), make(false)])
    case .both: return .all([make(true), make(false)])
    default: throw failure("expected src, dst or nothing before this test", at: start)
    }
  }

  private func pair(
    _ side: FilterSide, _ start: FilterToken, _ source: FlowColumn, _ destination: FlowColumn,
    blocks: [IPPrefix]
  ) throws(FilterError) -> FlowFilter {
    try sides(side, start) { isSource in
      .predicate(.address(isSource ? source : destination, blocks))
    }
  }

  /// `port > 1024`, `port in [ 22 23 ]`.
  private mutating func numbers(
    _ side: FilterSide, _ start: FilterToken, _ source: FlowColumn, _ destination: FlowColumn,
    _ limit: UInt64
  ) throws(FilterError) -> FlowFilter {
    let what = token.text
    advance()
    let predicate: (FlowQuantity) -> FlowPredicate
    if take("in") {
      let values = try numberList(what, atMost: limit)
      predicate = { .among($0, values) }
    } else {
      let comparison = try comparison()
      let value = try number(what, atMost: limit)
      predicate = { .compare($0, comparison, value) }
    }
    return try sides(side, start) { isSource in
      .predicate(predicate(.column(isSource ? source : destination)))
    }
  }

  /// `192.0.2.1`, `in [ … ]`.
  private mutating func addresses() throws(FilterError) -> [IPPrefix] {
    if take("in") { return try addressList() }
    return token.text == "[" ? try addressList() : [try block(isNetwork: false)]
  }

  private func compare(
    _ column: FlowColumn, _ comparison: FilterComparison, _ value: UInt64
  ) -> FlowFilter {
    .predicate(.compare(.column(column), comparison, value))
  }

  private mutating func measure(_ quantity: FlowQuantity) throws(FilterError) -> FlowFilter {
    let what = token.text
    advance()
    let comparison = try comparison()
    return .predicate(.compare(quantity, comparison, try number(what)))
  }

  // MARK: Names

  /// IANA protocol numbers that people write by name; `IPProtocol` knows the common ones.
  private static let transports: [String: UInt64] = [
    "igmp": 2, "ggp": 3, "ipip": 4, "egp": 8, "igp": 9, "pup": 12, "hmp": 20, "xns-idp": 22,
    "rdp": 27, "dccp": 33, "ipv6-route": 43, "ipv6-frag": 44, "rsvp": 46, "esp": 50, "ah": 51,
    "ipv6-icmp": 58, "icmp6": 58, "ipv6-nonxt": 59, "ipv6-opts": 60, "eigrp": 88, "ospf": 89,
    "pim": 103, "ipcomp": 108, "vrrp": 112, "l2tp": 115, "isis": 124, "udplite": 136,
  ]

  private mutating func transport() throws(FilterError) -> FlowFilter {
    let comparison = try comparison()
    guard token.kind == .word else { throw failure("expected a protocol's name or number") }
    let known =
      Self.transports[token.text] ?? IPProtocol(name: token.text).map { UInt64($0.rawValue) }
    guard let value = known ?? Self.number(token.text), value <= 255 else {
      throw failure("expected a protocol such as tcp, udp, icmp, or a number up to 255")
    }
    advance()
    return compare(.transport, comparison, value)
  }

  private mutating func flags() throws(FilterError) -> FlowFilter {
    let isCompared = ["=", "==", "<", ">", "<=", ">=", "eq", "lt", "gt", "le", "ge"]
      .contains(token.text)
    if isCompared || Self.number(token.text) != nil {
      let comparison = try comparison()
      return .all([
        compare(.transport, .equal, 6),
        compare(.tcpFlags, comparison, try number("flags", atMost: 255)),
      ])
    }
    guard token.kind == .word, token.text.utf8.count <= 8 else {
      throw failure("expected TCP flags such as S or AS")
    }
    var mask: UInt8 = 0
    for letter in token.text {
      switch letter {
      case "f": mask |= 1
      case "s": mask |= 2
      case "r": mask |= 4
      case "p": mask |= 8
      case "a": mask |= 16
      case "u": mask |= 32
      case "e": mask |= 64
      case "c": mask |= 128
      // nfdump knows six flags.
      case "x": mask |= 63
      default: throw failure("TCP flags are A, S, F, R, P, U, E and C, or X for the first six")
      }
    }
    advance()
    return .predicate(.flags(mask))
  }

  private mutating func direction() throws(FilterError) -> FlowFilter {
    if take("ingress") { return compare(.direction, .equal, 0) }
    if take("egress") { return compare(.direction, .equal, 1) }
    return compare(.direction, .equal, try number("dir", atMost: 1))
  }

  /// RFC 7270 §4.12.
  private static let forwardingStatuses: [String: UInt64] = [
    "unknown": 0, "forwarded": 64, "fragmented": 65, "notfrag": 66, "tunnel": 67,
    "dropped": 128, "acldeny": 129, "acldrop": 130, "unroutable": 131, "adj": 132,
    "fragdf": 133, "badhdrck": 134, "badtotlen": 135, "badhdr": 136, "badttl": 137,
    "policer": 138, "wred": 139, "rpf": 140, "us": 141, "badoutput": 142, "hw": 143,
    "consumed": 192, "terminate": 196,
  ]

  private mutating func forwarding() throws(FilterError) -> FlowFilter {
    if let value = Self.forwardingStatuses[token.text] {
      advance()
      return compare(.forwardingStatus, .equal, value)
    }
    return compare(.forwardingStatus, .equal, try number("fwdstat", atMost: 255))
  }

  private mutating func mac(
    _ side: FilterSide, _ start: FilterToken
  ) throws(FilterError) -> FlowFilter {
    let parts = token.text.split(
      whereSeparator: { $0 == ":" || $0 == "-" })
    let octets = parts.compactMap { $0.utf8.count <= 2 ? UInt64($0, radix: 16) : nil }
    guard token.kind == .word, parts.count == 6, octets.count == 6 else {
      throw failure("expected a MAC address such as 02:00:5e:10:00:01")
    }
    let address = octets.reduce(0) { $0 << 8 | $1 }
    advance()
    let columns: [FlowColumn] =
      switch side {
      case .input: [.sourceMAC, .destinationMAC]
      case .output: [.postSourceMAC, .postDestinationMAC]
      case .source: [.sourceMAC, .postSourceMAC]
      case .destination: [.destinationMAC, .postDestinationMAC]
      case .inputSource: [.sourceMAC]
      case .inputDestination: [.destinationMAC]
      case .outputSource: [.postSourceMAC]
      case .outputDestination: [.postDestinationMAC]
      case .either, .both: [.sourceMAC, .destinationMAC, .postSourceMAC, .postDestinationMAC]
      case .next, .previous:
        throw failure("expected in, out, src, dst or nothing before mac", at: start)
      }
    let tests = columns.map { compare($0, .equal, address) }
    return tests.count == 1 ? tests[0] : .some(tests)
  }
}
