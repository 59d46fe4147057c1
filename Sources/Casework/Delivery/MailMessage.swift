public import Constituency
import Crypto
import Foundation
public import NetworkTypes

/// A name and an address.
public struct Mailbox: Hashable, Sendable {
  public let name: String
  public let address: String

  /// - Throws: ``MailMessageError/notAnAddress(_:)``.
  public init(name: String = "", address: String) throws {
    guard Contact.isValidEmail(address) else { throw MailMessageError.notAnAddress(address) }
    self.name = name
    self.address = address
  }

  /// What stands behind the `@`.
  public var domain: String { String(address.split(separator: "@").last ?? "invalid") }
}

/// Why a mail cannot be made.
public enum MailMessageError: Error, Hashable, Sendable, CustomStringConvertible {
  case notAnAddress(String)
  case notAnIdentifier(String)

  public var description: String {
    switch self {
    case .notAnAddress(let text):
      "“\(MailText.plain(String(text.prefix(100))))” is not a plain mail address; correct the contact"
    case .notAnIdentifier(let text):
      "“\(MailText.plain(String(text.prefix(100))))” is no Message-ID; it needs letters, digits, "
        + "dots and hyphens around one @"
    }
  }
}

/// A mail with a text and attachments: RFC 5322, MIME (RFC 2045-2047), encoded words for what is not
/// ASCII. The same values give the same octets, so a repeated sending is recognisably the same mail.
///
/// No value can begin another header field: addresses are checked when they are made, and controls in
/// texts become blanks.
public struct MailMessage: Hashable, Sendable {
  public var from: Mailbox
  public var to: [Mailbox]
  public var replyTo: Mailbox?
  public var subject: String
  public var date: Timestamp
  /// The offset of ``date`` from UTC as it is written, in seconds.
  public var zoneOffset: Int
  /// Without angle brackets: `NOTICE.RECIPIENT@DOMAIN`.
  public let messageID: String
  /// The number of the notice, for rules in the receiver's mail system.
  public var noticeNumber: String
  /// The language of the text (RFC 3282).
  public var language: Language
  public var text: String
  public var attachments: [Attachment]

  public struct Attachment: Hashable, Sendable {
    public var name: String
    /// `text/csv; charset=utf-8; header=present` (RFC 4180 §3).
    public var type: String
    public var content: [UInt8]

    public init(name: String, type: String, content: [UInt8]) {
      self.name = name
      self.type = type
      self.content = content
    }
  }

  /// - Throws: ``MailMessageError/notAnIdentifier(_:)``.
  public init(
    from: Mailbox, to: [Mailbox], replyTo: Mailbox? = nil, subject: String, date: Timestamp,
    zoneOffset: Int = 0, messageID: String, noticeNumber: String, language: Language, text: String,
    attachments: [Attachment] = []
  ) throws {
    let parts = messageID.split(separator: "@", omittingEmptySubsequences: false)
    let isWord = { (part: Substring) in
      !part.isEmpty
        && part.utf8.allSatisfy { octet in
          (0x30...0x39).contains(octet) || (0x41...0x5a).contains(octet)
            || (0x61...0x7a).contains(octet) || octet == 0x2d || octet == 0x2e || octet == 0x5f
        }
    }
    guard parts.count == 2, parts.allSatisfy(isWord), messageID.utf8.count <= 200 else {
      throw MailMessageError.notAnIdentifier(messageID)
    }
    self.from = from
    self.to = to
    self.replyTo = replyTo
    self.subject = subject
    self.date = date
    self.zoneOffset = zoneOffset
    self.messageID = messageID
    self.noticeNumber = noticeNumber
    self.language = language
    self.text = text
    self.attachments = attachments
  }

  /// The whole message: 7-bit, lines ended by CR LF.
  public var octets: [UInt8] {
    var head = [
      "Date: \(MailDate.text(date, offset: zoneOffset))",
      MailText.field("From", from),
    ]
    // All in one field (RFC 5322 §3.6); none where an organisation takes notices from a folder only.
    if !to.isEmpty { head.append(Self.list("To", to)) }
    if let replyTo { head.append(MailText.field("Reply-To", replyTo)) }
    head += [
      MailText.field("Subject", subject), "Message-ID: <\(messageID)>", "MIME-Version: 1.0",
      "Content-Language: \(language.rawValue)",
      // RFC 3834 §5: no vacation notes in answer.
      "Auto-Submitted: auto-generated", MailText.field("X-Noroshi-Notice", noticeNumber),
    ]
    let body = attachments.isEmpty ? textPart : multipart
    return Array((head.joined(separator: "\r\n") + "\r\n" + body).utf8)
  }

  private static func list(_ name: String, _ mailboxes: [Mailbox]) -> String {
    let prefix = "\(name): "
    let items = mailboxes.map { String(MailText.field(name, $0).dropFirst(prefix.utf8.count)) }
    return prefix + items.joined(separator: ",\r\n ")
  }

  private var textPart: String {
    let ascii = text.utf8.count { $0 < 0x80 }
    // Base64 costs a third more; quoted-printable three times as much for what is not ASCII.
    let isMostlyASCII = ascii * 6 >= text.utf8.count * 5
    let lines = MailText.lines(of: text).joined(separator: "\r\n") + "\r\n"
    return "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: "
      + (isMostlyASCII
        ? "quoted-printable\r\n\r\n" + MailText.quotedPrintable(text)
        : "base64\r\n\r\n" + MailText.base64(Array(lines.utf8)))
  }

  private var multipart: String {
    let boundary = Self.boundary(of: messageID)
    return "Content-Type: multipart/mixed;\r\n boundary=\"\(boundary)\"\r\n\r\n"
      + "--\(boundary)\r\n" + textPart + Self.parts(attachments, boundary)
      + Self.end(boundary)
  }

  /// The octets of a message that was made before, with more attachments behind those that it has;
  /// nil where it has none, or is not the message of that identifier.
  static func octets(
    _ message: [UInt8], messageID: String, adding attachments: [Attachment]
  ) -> [UInt8]? {
    let boundary = boundary(of: messageID)
    let end = Array(end(boundary).utf8)
    guard message.suffix(end.count) == end[...] else { return nil }
    return message.dropLast(end.count) + Array(parts(attachments, boundary).utf8) + end
  }

  /// Nothing in base64 or quoted-printable holds "=_" followed by this.
  private static func boundary(of messageID: String) -> String {
    "=_noroshi_" + hexadecimal(SHA256.hash(data: Array(messageID.utf8)).prefix(12))
  }

  private static func end(_ boundary: String) -> String { "--\(boundary)--\r\n" }

  private static func parts(_ attachments: [Attachment], _ boundary: String) -> String {
    var body = ""
    for attachment in attachments {
      let name = attachment.name.filter {
        $0.isASCII && ($0.isLetter || $0.isNumber || "-_.".contains($0))
      }
      let type = MailText.plain(attachment.type)
      body +=
        "--\(boundary)\r\nContent-Type: \(type);\r\n name=\"\(name)\"\r\n"
        + "Content-Transfer-Encoding: base64\r\n"
        + "Content-Disposition: attachment;\r\n filename=\"\(name)\"\r\n\r\n"
        + MailText.base64(attachment.content)
    }
    return body
  }

  static func hexadecimal(_ octets: some Sequence<UInt8>) -> String {
    octets.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
  }
}

/// Dates as mail writes them (RFC 5322 §3.3).
enum MailDate {
  private static let days = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"]
  private static let months = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
  ]

  /// `Wed, 25 Nov 2026 09:00:00 +0900`.
  static func text(_ moment: Timestamp, offset: Int) -> String {
    let local = moment.advanced(bySeconds: Double(offset))
    let iso = Array(local.description.utf8)
    func part(_ range: Range<Int>) -> String { String(decoding: iso[range], as: UTF8.self) }
    // 1970-01-01 was a Thursday.
    let day = local.seconds >= 0 ? local.seconds / 86_400 : (local.seconds - 86_399) / 86_400
    let weekday = Int(((day % 7) + 7) % 7)
    let month = (Int(part(5..<7)) ?? 1) - 1
    let minutes = abs(offset) / 60
    func two(_ number: Int) -> String { (number < 10 ? "0" : "") + String(number) }
    return "\(days[weekday]), \(Int(part(8..<10)) ?? 1) \(months[min(11, max(0, month))]) "
      + "\(part(0..<4)) \(part(11..<19)) \(offset < 0 ? "-" : "+")\(two(minutes / 60))\(two(minutes % 60))"
  }
}
