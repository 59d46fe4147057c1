import FlowRecords
import NetworkTypes

extension FlowFilter {
  /// Reads a filter in nfdump's language (nfdump(1), FILTER); an empty one is true of every flow.
  ///
  /// - Throws: ``FilterError`` with the place of the first thing that does not fit.
  public init(
    _ text: String, parameters: FilterParameters = FilterParameters()
  ) throws(FilterError) {
    guard text.utf8.count <= parameters.longestText else {
      throw FilterError(
        text: "", offset: 0,
        message: "a filter has at most \(parameters.longestText) octets, not \(text.utf8.count)")
    }
    var parser = FilterParser(
      text: text, tokens: try FilterLexer(text).tokens(), deepest: parameters.deepestNesting)
    self = try parser.filter()
  }
}

/// Which of a pair of columns a predicate is about.
enum FilterSide: Hashable {
  case either, source, destination, both
  case input, output, inputSource, inputDestination, outputSource, outputDestination
  case next, previous
}

/// A recursive descent over the tokens: `or` binds weakest, then `and`, then `not`.
struct FilterParser {
  let text: String
  let tokens: [FilterToken]
  let deepest: Int
  private var position = 0
  private var depth = 0

  init(text: String, tokens: [FilterToken], deepest: Int) {
    self.text = text
    self.tokens = tokens
    self.deepest = deepest
  }

  // `tokens` ends with a token of kind `end`, which is never passed.
  var token: FilterToken { tokens[position] }
  var following: FilterToken { tokens[min(position + 1, tokens.count - 1)] }

  func failure(_ message: String, at token: FilterToken? = nil) -> FilterError {
    FilterError(text: text, offset: (token ?? self.token).offset, message: message)
  }

  mutating func advance() { if !token.isEnd { position += 1 } }

  /// Passes a word or sign if it is one of these.
  mutating func take(_ words: String...) -> Bool {
    guard !token.isEnd, words.contains(token.text) else { return false }
    advance()
    return true
  }

  mutating func expect(_ word: String, _ message: String) throws(FilterError) {
    guard take(word) else { throw failure(message) }
  }

  // MARK: Structure

  mutating func filter() throws(FilterError) -> FlowFilter {
    if token.isEnd { return .any }
    let result = try disjunction()
    guard token.isEnd else {
      throw failure("expected and, or, or the end of the filter, not \(token.text)")
    }
    return result
  }

  private mutating func disjunction() throws(FilterError) -> FlowFilter {
    var parts = [try conjunction()]
    while take("or", "||") { parts.append(try conjunction()) }
    return parts.count == 1 ? parts[0] : .some(parts)
  }

  private mutating func conjunction() throws(FilterError) -> FlowFilter {
    var parts = [try term()]
    while take("and", "&&") { parts.append(try term()) }
    return parts.count == 1 ? parts[0] : .all(parts)
  }

  private mutating func term() throws(FilterError) -> FlowFilter {
    depth += 1
    defer { depth -= 1 }
    guard depth <= deepest else {
      throw failure("at most \(deepest) parentheses and negations lie in one another")
    }
    if take("not", "!") { return .not(try term()) }
    if token.text == "(" {
      let opening = token
      advance()
      let inner = try disjunction()
      guard take(")") else {
        throw token.isEnd
          ? failure("this parenthesis is not closed", at: opening)
          : failure("expected and, or, or ), not \(token.text)")
      }
      return inner
    }
    return try primitive()
  }

  // MARK: Words and numbers

  /// `src`, `src or dst`, `in dst` and so on; `either` where there is none of them.
  mutating func side() -> FilterSide {
    if token.text == "src" || token.text == "dst" {
      let first = token.text
      advance()
      let isPair =
        ["or", "and", "||", "&&"].contains(token.text)
        && following.text == (first == "src" ? "dst" : "src")
      guard isPair else { return first == "src" ? .source : .destination }
      let isBoth = token.text == "and" || token.text == "&&"
      advance()
      advance()
      return isBoth ? .both : .either
    }
    if token.text == "in" || token.text == "out" {
      let isInput = token.text == "in"
      advance()
      if take("src") { return isInput ? .inputSource : .outputSource }
      if take("dst") { return isInput ? .inputDestination : .outputDestination }
      return isInput ? .input : .output
    }
    if take("next") { return .next }
    if take("prev", "previous") { return .previous }
    return .either
  }

  mutating func comparison() throws(FilterError) -> FilterComparison {
    switch token.text {
    case "=", "==", "eq":
      advance()
      return .equal
    case "<", "lt":
      advance()
      return .less
    case ">", "gt":
      advance()
      return .greater
    case "<=", "le":
      advance()
      return .atMost
    case ">=", "ge":
      advance()
      return .atLeast
    case "!=": throw failure("there is no !=; write not before the test")
    default: return .equal
    }
  }

  /// A number with a suffix k, m, g or t (thousands, as in nfdump), or a hexadecimal one.
  mutating func number(
    _ what: String, atMost limit: UInt64 = .max
  ) throws(FilterError) -> UInt64 {
    guard token.kind == .word, let value = Self.number(token.text) else {
      throw failure("expected a number after \(what)")
    }
    guard value <= limit else { throw failure("\(what) is at most \(limit)") }
    advance()
    return value
  }

  /// nil for what is no number, or too large for 64 bits.
  static func number(_ text: String) -> UInt64? {
    if text.hasPrefix("0x") { return UInt64(text.dropFirst(2), radix: 16) }
    var digits = text[...]
    var factor: UInt64 = 1
    switch text.last {
    case "k": factor = 1_000
    case "m": factor = 1_000_000
    case "g": factor = 1_000_000_000
    case "t": factor = 1_000_000_000_000
    default: break
    }
    if factor > 1 { digits = digits.dropLast() }
    guard let first = digits.utf8.first, first != UInt8(ascii: "+"), let value = UInt64(digits)
    else { return nil }
    let (product, overflow) = value.multipliedReportingOverflow(by: factor)
    return overflow ? nil : product
  }

  /// `[ 1 2, 3 ]`, ascending and without doubles.
  mutating func numberList(_ what: String, atMost limit: UInt64) throws(FilterError) -> [UInt64] {
    let opening = token
    try expect("[", "expected [ and a list of numbers")
    var values: Set<UInt64> = []
    while !take("]") {
      if token.isEnd { throw failure("this list is not closed", at: opening) }
      values.insert(try number(what, atMost: limit))
      _ = take(",")
    }
    guard !values.isEmpty else { throw failure("a list has at least one element", at: opening) }
    return values.sorted()
  }

  /// `[ 192.0.2.1, 2001:db8::/32 ]`.
  mutating func addressList() throws(FilterError) -> [IPPrefix] {
    let opening = token
    try expect("[", "expected [ and a list of addresses or networks")
    var blocks: Set<IPPrefix> = []
    while !take("]") {
      if token.isEnd { throw failure("this list is not closed", at: opening) }
      blocks.insert(try block(isNetwork: false))
      _ = take(",")
    }
    guard !blocks.isEmpty else { throw failure("a list has at least one element", at: opening) }
    return blocks.sorted()
  }

  /// An address, or a network as ADDRESS/LENGTH or ADDRESS NETMASK with any host bits; a network's
  /// IPv4 address may leave out its last octets.
  mutating func block(isNetwork: Bool) throws(FilterError) -> IPPrefix {
    let start = token
    guard token.kind == .word, let address = Self.address(token.text, isPartial: isNetwork) else {
      throw failure(
        isNetwork
          ? "expected a network such as 192.0.2.0/24" : "expected an IPv4 or IPv6 address")
    }
    let isSlash = following.text == "/"
    guard isNetwork || isSlash || IPAddress(token.text) != nil else {
      throw failure("expected an IPv4 or IPv6 address")
    }
    advance()
    if take("/") {
      let length = try number("a prefix", atMost: UInt64(address.bitWidth))
      // `length` was checked against the family's width.
      guard let prefix = IPPrefix(address, length: Int(length)) else {
        throw failure("a prefix does not fit its address", at: start)
      }
      return prefix
    }
    guard isNetwork else { return IPPrefix(address) }
    guard token.kind == .word, let mask = IPAddress(token.text), mask.isIPv4 == address.isIPv4
    else {
      throw failure("expected / and a prefix length, or a netmask, after the network's address")
    }
    let hostBits = address.isIPv4 ? ~UInt128(mask.v4 ?? 0) & 0xffff_ffff : ~mask.bits
    guard hostBits & (hostBits &+ 1) == 0,
      let prefix = IPPrefix(
        address, length: address.bitWidth - (128 - hostBits.leadingZeroBitCount))
    else { throw failure("a netmask is ones, then zeros") }
    advance()
    return prefix
  }

  private static func address(_ text: String, isPartial: Bool) -> IPAddress? {
    if let address = IPAddress(text) { return address }
    guard isPartial, !text.contains(":") else { return nil }
    let parts = text.split(separator: ".", omittingEmptySubsequences: false)
    guard parts.count < 4 else { return nil }
    return IPAddress(
      (parts + [Substring](repeating: "0", count: 4 - parts.count))
        .joined(separator: "."))
  }
}
