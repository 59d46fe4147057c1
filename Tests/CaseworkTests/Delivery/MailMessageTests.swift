import Constituency
import Foundation
import NetworkTypes
import Testing

@testable import Casework

@Suite("Mail", .enabled(if: PythonTool.has("email"), "needs python3"))
struct MailMessageTests {
  private struct Answer: Decodable {
    struct File: Decodable {
      var name: String
      var type: String
      var charset: String
      var content: String
    }
    var defects: [String]
    var headers: [[String]]
    var from: [[String]]
    var to: [[String]]
    var replyTo: [[String]]
    var subject: String
    var date: String
    var longestLine: Int
    var bareLineEnds: Int
    var isASCII: Bool
    var text: String
    var attachments: [File]
  }

  private func read(_ message: MailMessage) throws -> Answer {
    let path = NSTemporaryDirectory() + "/mail-\(UUID().uuidString).eml"
    defer { try? FileManager.default.removeItem(atPath: path) }
    try Data(message.octets).write(to: URL(filePath: path))
    return try JSONDecoder().decode(
      Answer.self, from: try PythonTool.run(["\(PythonTool.fixtures)/read_mail.py", path]))
  }

  private func message(
    subject: String = "x", name: String = "", text: String = "text\n",
    attachments: [MailMessage.Attachment] = []
  ) throws -> MailMessage {
    try MailMessage(
      from: Mailbox(name: name, address: "notice@observatory.example"),
      to: [Mailbox(name: "楓ネットワーク 窓口", address: "abuse@kaede.example")],
      replyTo: Mailbox(address: "abuse@observatory.example"), subject: subject,
      date: NoticeHouse.morning, zoneOffset: 32_400, messageID: "0011.22@observatory.example",
      noticeNumber: "N-20261125-0001", language: .japanese, text: text, attachments: attachments)
  }

  @Test("Python reads back what was written: names, subject, date, text and files")
  func roundTrip() throws {
    let subject = "【要確認】マルウェア感染の疑いがある機器のお知らせ（1234件）[N-20261125-0001] 🗼𠮷野家 and much more text"
    let text = "楓ネットワーク\nご担当者様\n\n.\nFrom here\n\n  行頭の空白と末尾 \n"
    let answer = try read(
      try message(
        subject: subject, name: "例示観測センター", text: text,
        attachments: [
          .init(
            name: "N-1.csv", type: "text/csv; charset=utf-8; header=present",
            content: Array("a,b\r\n1,日本\r\n".utf8)),
          .init(name: "N-1.xarf.json", type: "application/json", content: Array("[]\n".utf8)),
        ]))
    #expect(answer.defects == [])
    #expect(answer.subject == subject)
    #expect(answer.from == [["例示観測センター", "notice@observatory.example"]])
    #expect(answer.to == [["楓ネットワーク 窓口", "abuse@kaede.example"]])
    #expect(answer.replyTo == [["", "abuse@observatory.example"]])
    #expect(answer.date == "2026-11-25T09:00:00+09:00")
    #expect(answer.text.replacing("\r\n", with: "\n") == text)
    #expect(answer.longestLine <= 78)
    #expect(answer.bareLineEnds == 0)
    #expect(answer.isASCII)
    #expect(answer.attachments.map(\.name) == ["N-1.csv", "N-1.xarf.json"])
    #expect(answer.attachments.map(\.type) == ["text/csv", "application/json"])
    #expect(Data(base64Encoded: answer.attachments[0].content) == Data("a,b\r\n1,日本\r\n".utf8))
    let headers = Dictionary(answer.headers.map { ($0[0], $0[1]) }) { first, _ in first }
    #expect(headers["Auto-Submitted"] == "auto-generated")
    #expect(headers["X-Noroshi-Notice"] == "N-20261125-0001")
    #expect(headers["Message-ID"] == "<0011.22@observatory.example>")
  }

  @Test("English text is quoted-printable, with its blanks and long lines")
  func quotedPrintable() throws {
    let text =
      "Dear colleagues,\n\n=3D \(String(repeating: "long ", count: 60))\ntrailing \nlast\té\n"
    let answer = try read(try message(name: "Example \"Lab\", Ltd.", text: text))
    #expect(answer.defects == [])
    #expect(answer.text.replacing("\r\n", with: "\n") == text)
    #expect(answer.from[0][0] == "Example \"Lab\", Ltd.")
    #expect(answer.longestLine <= 78)
  }

  @Test(
    "no value begins another header field",
    arguments: [
      "x\r\nBcc: victim@example", "x\nBcc: victim@example", "x\rBcc: victim@example",
      "x\u{85}Bcc: a@b", "x\u{2028}Bcc: a@b", "x\u{0}y", "=?UTF-8?B?DQpCY2M6IGFAYg==?=",
      "\"\r\n\r\nbody", String(repeating: "あ\r\n", count: 200),
      String(repeating: "w", count: 3_000),
    ])
  func injection(_ text: String) throws {
    let plain = try read(try message())
    var evil = try message(subject: text, name: text)
    evil.noticeNumber = text
    let answer = try read(evil)
    #expect(answer.headers.map { $0[0] } == plain.headers.map { $0[0] })
    #expect(answer.text == plain.text)
    #expect(answer.bareLineEnds == 0)
    #expect(answer.from.map { $0[1] } == ["notice@observatory.example"])
  }

  @Test("an attachment's name and type cannot break out either")
  func attachmentNames() throws {
    let answer = try read(
      try message(attachments: [
        .init(name: "a\"\r\nX: y/../ü.csv", type: "text/csv\r\nX-Evil: 1", content: [0x61])
      ]))
    #expect(!answer.headers.contains { $0[0] == "X-Evil" || $0[0] == "X" })
    #expect(answer.attachments.map(\.name) == ["aXy...csv"])
  }

  @Test(
    "what is no address or no identifier is refused",
    arguments: [
      "", "a", "a@b@c", "a b@c", "a@b\r\nBcc: x@y", "<a@b>", "a@b,c@d", "\"a\"@b", "a@b.", "a@",
    ])
  func addresses(_ text: String) {
    #expect(throws: MailMessageError.self) { try Mailbox(address: text) }
    #expect(throws: MailMessageError.self) {
      try MailMessage(
        from: Mailbox(address: "a@b"), to: [], subject: "x", date: NoticeHouse.morning,
        messageID: text.isEmpty ? "x" : text + ">\r\n", noticeNumber: "1", language: .english,
        text: "x")
    }
  }

  @Test("the same values give the same octets")
  func stability() throws {
    #expect(try message(subject: "感染").octets == message(subject: "感染").octets)
  }

  @Test(
    "dates are written as mail writes them",
    arguments: [
      ("2026-11-25T00:00:00Z", 32_400, "Wed, 25 Nov 2026 09:00:00 +0900"),
      ("1969-12-31T23:59:59Z", 0, "Wed, 31 Dec 1969 23:59:59 +0000"),
      ("2024-02-29T12:00:00Z", -12_600, "Thu, 29 Feb 2024 08:30:00 -0330"),
    ])
  func dates(_ moment: String, _ offset: Int, _ text: String) {
    #expect(MailDate.text(NoticeHouse.moment(moment), offset: offset) == text)
  }
}
