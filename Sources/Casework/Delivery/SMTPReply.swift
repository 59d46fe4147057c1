/// One reply of a mail server: RFC 5321 §4.2.
public struct SMTPReply: Hashable, Sendable, CustomStringConvertible {
  /// 200...599.
  public let code: Int
  /// The text of each line, without code and line end; controls are shown as `?`.
  public let lines: [String]

  public init(code: Int, lines: [String]) {
    self.code = code
    self.lines = lines
  }

  public var isPositive: Bool { (200..<300).contains(code) }
  public var isIntermediate: Bool { (300..<400).contains(code) }
  /// The server asks to try again (RFC 5321 §4.2.1, 4yz).
  public var isTransient: Bool { (400..<500).contains(code) }

  /// The server's words on one line, at most 500 characters: `450 4.2.0 greylisted`.
  public var description: String {
    String(([String(code)] + lines.filter { !$0.isEmpty }).joined(separator: " ").prefix(500))
  }
}

/// Why the octets of a server are not a reply. A server that does this is not spoken to any further.
public enum SMTPReplyError: Error, Hashable, Sendable, CustomStringConvertible {
  case lineTooLong(limit: Int)
  case tooManyLines(limit: Int)
  /// Not three digits with a blank, hyphen or line end behind; the start of the line.
  case malformed(String)
  /// A line of another code inside a multi-line reply.
  case changingCode(Int, Int)

  public var description: String {
    switch self {
    case .lineTooLong(let limit):
      "the server sent a line of more than \(limit) octets; check that this is a mail server"
    case .tooManyLines(let limit):
      "the server sent a reply of more than \(limit) lines; check that this is a mail server"
    case .malformed(let start):
      "the server sent “\(start)”, which is no SMTP reply; check host, port and encryption"
    case .changingCode(let first, let second):
      "the server mixed \(first) and \(second) in one reply; check that this is a mail server"
    }
  }
}

/// Cuts the octets of a connection into replies. Memory is bounded, and no input traps.
struct SMTPReplyReader {
  /// RFC 5321 §4.5.3.1.5 has 512; real servers are wordier.
  static let longestLine = 2_048
  /// An EHLO reply has some 20.
  static let mostLines = 128

  private var line: [UInt8] = []
  private var code: Int?
  private var lines: [String] = []
  private var pending: [UInt8] = []
  private var position = 0

  mutating func feed(_ octets: some Sequence<UInt8>) {
    if position > 0 {
      pending.removeFirst(position)
      position = 0
    }
    pending.append(contentsOf: octets)
  }

  /// Whether octets wait behind the last reply: before TLS begins, they would be an injection.
  var hasMore: Bool { position < pending.count || !line.isEmpty }

  /// The next whole reply; nil until more octets come.
  mutating func next() throws -> SMTPReply? {
    while position < pending.count {
      let octet = pending[position]
      position += 1
      guard octet == 0x0a else {
        guard line.count < Self.longestLine else {
          throw SMTPReplyError.lineTooLong(limit: Self.longestLine)
        }
        line.append(octet)
        continue
      }
      if line.last == 0x0d { line.removeLast() }
      if let reply = try take() { return reply }
    }
    return nil
  }

  private mutating func take() throws -> SMTPReply? {
    defer { line.removeAll(keepingCapacity: true) }
    let digits = line.prefix(3).map { Int($0) - 48 }
    guard digits.count == 3, digits.allSatisfy({ (0...9).contains($0) }),
      (2...5).contains(digits[0]),
      line.count == 3 || line[3] == 0x20 || line[3] == 0x2d
    else {
      throw SMTPReplyError.malformed(Self.legible(line.prefix(40)))
    }
    let number = digits[0] * 100 + digits[1] * 10 + digits[2]
    if let code, code != number { throw SMTPReplyError.changingCode(code, number) }
    guard lines.count < Self.mostLines else {
      throw SMTPReplyError.tooManyLines(limit: Self.mostLines)
    }
    code = number
    lines.append(Self.legible(line.dropFirst(4)))
    if line.count > 3, line[3] == 0x2d { return nil }
    defer {
      code = nil
      lines = []
    }
    return SMTPReply(code: number, lines: lines)
  }

  /// Text that cannot disturb a terminal, a log or a page.
  private static func legible(_ octets: some Sequence<UInt8>) -> String {
    String(
      String.UnicodeScalarView(
        String(decoding: Array(octets), as: UTF8.self).unicodeScalars.map { scalar in
          switch scalar.properties.generalCategory {
          case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate: "?"
          default: scalar
          }
        }))
  }
}
