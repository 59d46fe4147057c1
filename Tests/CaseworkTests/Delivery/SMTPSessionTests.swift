import Foundation
import Testing

@testable import Casework

@Suite("The words of a mail server")
struct SMTPReplyTests {
  private func replies(_ text: String) throws -> [SMTPReply] {
    var reader = SMTPReplyReader()
    reader.feed(Array(text.utf8))
    var replies: [SMTPReply] = []
    while let reply = try reader.next() { replies.append(reply) }
    return replies
  }

  @Test("replies of one and of several lines are read, however they are cut")
  func cuts() throws {
    let text =
      "220 mail.example ESMTP\r\n250-mail.example\r\n250-SIZE 1000\r\n250 AUTH PLAIN\r\n354\r\n"
    let whole = try replies(text)
    #expect(whole.map(\.code) == [220, 250, 354])
    #expect(whole[1].lines == ["mail.example", "SIZE 1000", "AUTH PLAIN"])
    var reader = SMTPReplyReader()
    var single: [SMTPReply] = []
    for octet in text.utf8 {
      reader.feed([octet])
      while let reply = try reader.next() { single.append(reply) }
    }
    #expect(single == whole)
  }

  @Test(
    "what is no reply is refused",
    arguments: [
      "hello\r\n", "12\r\n", "199 x\r\n", "600 x\r\n", "25x ok\r\n", "250+ok\r\n",
      "250-a\r\n251 b\r\n", "\r\n", "HTTP/1.1 400 Bad Request\r\n",
      String(repeating: "2", count: 5_000),
      String(repeating: "250-x\r\n", count: 200),
    ])
  func malformed(_ text: String) {
    #expect(throws: SMTPReplyError.self) { _ = try replies(text) }
  }

  @Test("controls in a reply reach no terminal, and the words are bounded")
  func controls() throws {
    let reply = try #require(
      try replies("550 \u{1b}[31mno\u{202E}\u{7}\r\n").first)
    #expect(reply.description == "550 ?[31mno??")
    let long = try #require(try replies("550 \(String(repeating: "x", count: 2_000))\r\n").first)
    #expect(long.description.count == 500)
  }

  @Test("random octets never trap")
  func noise() {
    var generator = SystemRandomNumberGenerator()
    for _ in 0..<2_000 {
      var reader = SMTPReplyReader()
      reader.feed(
        (0..<Int.random(in: 0...300)).map { _ in
          Bool.random()
            ? UInt8.random(in: 0...255)
            : Array("0123456789 -\r\n".utf8).randomElement(using: &generator) ?? 0
        })
      while let reply = try? reader.next() { _ = reply.description }
    }
  }
}

@Suite("A conversation with a mail server")
struct SMTPSessionTests {
  private static let envelope = MailEnvelope(
    sender: "a@noroshi.example", recipients: ["b@isp.example", "c@isp.example"],
    message: Array("Subject: x\r\n\r\n.dot\r\n".utf8))

  private func session(
    _ encryption: SMTPEncryption = .none, credentials: SMTPCredentials? = nil,
    envelope: MailEnvelope = envelope
  ) -> SMTPSession {
    SMTPSession(envelope, name: "client.example", encryption: encryption, credentials: credentials)
  }

  private func reply(_ code: Int, _ lines: String...) -> SMTPReply {
    SMTPReply(code: code, lines: lines.isEmpty ? ["ok"] : lines)
  }

  private func line(_ text: String) -> SMTPSession.Action { .send(Array((text + "\r\n").utf8)) }

  private let quit = SMTPSession.Action.close(Array("QUIT\r\n".utf8))

  @Test("a mail goes its way word by word")
  func wholeWay() {
    var session = session()
    #expect(session.receive(reply(220)) == line("EHLO client.example"))
    #expect(
      session.receive(reply(250, "sink", "SIZE 1000"))
        == line("MAIL FROM:<a@noroshi.example> SIZE=20"))
    #expect(session.receive(reply(250)) == line("RCPT TO:<b@isp.example>"))
    #expect(session.receive(reply(250)) == line("RCPT TO:<c@isp.example>"))
    #expect(session.receive(reply(550, "5.1.1 who?")) == line("DATA"))
    #expect(session.receive(reply(354)) == .confirm)
    #expect(session.confirmed() == .send(Array("Subject: x\r\n\r\n..dot\r\n.\r\n".utf8)))
    #expect(session.receive(reply(250, "queued")) == quit)
    #expect(session.isFinished)
    #expect(
      session.verdicts == [
        "b@isp.example": .accepted("250 queued"), "c@isp.example": .permanent("550 5.1.1 who?"),
      ])
  }

  @Test("a server without EHLO is greeted with HELO")
  func plainHello() {
    var session = session()
    _ = session.receive(reply(220))
    #expect(session.receive(reply(502)) == line("HELO client.example"))
    #expect(session.receive(reply(250)) == line("MAIL FROM:<a@noroshi.example>"))
  }

  @Test("STARTTLS is taken when it is offered, and what was learned before is forgotten")
  func startTLS() {
    var session = session(.opportunistic)
    _ = session.receive(reply(220))
    #expect(session.receive(reply(250, "sink", "STARTTLS", "SIZE 9")) == line("STARTTLS"))
    #expect(session.receive(reply(220)) == .startTLS)
    #expect(session.secured() == line("EHLO client.example"))
    #expect(
      session.receive(reply(250, "sink", "STARTTLS")) == line("MAIL FROM:<a@noroshi.example>"))
  }

  @Test("without STARTTLS a required encryption, or a password, sends nothing")
  func strippedTLS() {
    let secret = SMTPCredentials(username: "u", password: "p")
    for (encryption, credentials) in [(SMTPEncryption.required, nil), (.opportunistic, secret)] {
      var session = session(encryption, credentials: credentials)
      _ = session.receive(reply(220))
      #expect(session.receive(reply(250, "sink", "AUTH PLAIN")) == quit)
      guard case .temporary = session.verdicts["b@isp.example"] else {
        Issue.record("it must be tried again: \(session.verdicts)")
        return
      }
    }
    var open = session(.opportunistic)
    _ = open.receive(reply(220))
    #expect(open.receive(reply(250, "sink")) == line("MAIL FROM:<a@noroshi.example>"))
  }

  @Test("a server that refuses its own STARTTLS is not given the mail where encryption is required")
  func refusedTLS() {
    var strict = session(.required)
    _ = strict.receive(reply(220))
    _ = strict.receive(reply(250, "sink", "STARTTLS"))
    #expect(strict.receive(reply(454, "TLS not available")) == quit)
    #expect(strict.verdicts["b@isp.example"] == .temporary("454 TLS not available"))
  }

  @Test("AUTH PLAIN and AUTH LOGIN send what RFC 4954 says; neither is a permanent failure")
  func authentication() {
    let secret = SMTPCredentials(username: "user", password: "pass")
    var plain = session(.none, credentials: secret)
    _ = plain.receive(reply(220))
    #expect(
      plain.receive(reply(250, "sink", "AUTH LOGIN PLAIN"))
        == line("AUTH PLAIN AHVzZXIAcGFzcw=="))
    #expect(plain.receive(reply(235)) == line("MAIL FROM:<a@noroshi.example>"))

    var login = session(.none, credentials: secret)
    _ = login.receive(reply(220))
    #expect(login.receive(reply(250, "sink", "AUTH=LOGIN")) == line("AUTH LOGIN"))
    #expect(login.receive(reply(334)) == line("dXNlcg=="))
    #expect(login.receive(reply(334)) == line("cGFzcw=="))
    #expect(login.receive(reply(535, "no")) == quit)
    #expect(login.verdicts["b@isp.example"] == .permanent("535 no"))

    var none = session(.none, credentials: secret)
    _ = none.receive(reply(220))
    #expect(none.receive(reply(250, "sink", "AUTH GSSAPI")) == quit)
    guard case .permanent = none.verdicts["b@isp.example"] else {
      Issue.record("no way to sign in is permanent")
      return
    }
  }

  @Test(
    "a message that is too large, 8-bit or for a UTF-8 address is not sent to a server that cannot")
  func extensions() {
    var large = session()
    _ = large.receive(reply(220))
    #expect(large.receive(reply(250, "sink", "SIZE 10")) == quit)

    var envelope = Self.envelope
    envelope.recipients = ["受付@isp.example"]
    var local = session(envelope: envelope)
    _ = local.receive(reply(220))
    #expect(local.receive(reply(250, "sink", "8BITMIME")) == quit)
    var modern = session(envelope: envelope)
    _ = modern.receive(reply(220))
    #expect(
      modern.receive(reply(250, "sink", "SMTPUTF8"))
        == line("MAIL FROM:<a@noroshi.example> SMTPUTF8"))

    envelope.recipients = ["b@isp.example"]
    envelope.message = Array("Subject: é\r\n\r\n".utf8)
    var eight = session(envelope: envelope)
    _ = eight.receive(reply(220))
    #expect(
      eight.receive(reply(250, "sink", "8bitmime"))
        == line("MAIL FROM:<a@noroshi.example> BODY=8BITMIME"))
  }

  @Test("4yz is tried again, 5yz is not, at every step")
  func refusals() {
    let steps = [reply(220), reply(250, "sink"), reply(250), reply(250), reply(250), reply(354)]
    for place in steps.indices {
      for (code, isPermanent) in [(421, false), (451, false), (550, true), (399, false)] {
        var session = session()
        for step in steps.prefix(place) { _ = session.receive(step) }
        var action = session.receive(reply(code, "no"))
        // EHLO and single recipients have a second chance.
        while case .send = action { action = session.receive(reply(code, "no")) }
        guard action == quit else {
          Issue.record("step \(place), \(code): \(action)")
          continue
        }
        let verdict = session.verdicts["b@isp.example"] ?? session.verdicts["c@isp.example"]
        if place == 4 { continue }
        #expect(
          verdict == (isPermanent ? .permanent("\(code) no") : .temporary("\(code) no")),
          "step \(place)")
      }
    }
  }

  @Test("an interruption before the message is temporary, behind it nobody knows")
  func interruptions() {
    let steps = [reply(220), reply(250, "sink"), reply(250), reply(250), reply(250), reply(354)]
    for place in 0...steps.count {
      var session = session()
      var action = SMTPSession.Action.close([])
      for step in steps.prefix(place) { action = session.receive(step) }
      if action == .confirm { _ = session.confirmed() }
      session.interrupted("gone")
      #expect(
        session.verdicts["b@isp.example"]
          == (place == steps.count ? .unknown("gone") : .temporary("gone")))
    }
  }

  @Test(
    "dots are doubled and lone line ends become CR LF, so that no message ends early",
    arguments: [
      ("a\r\n.\r\nb\r\n", "a\r\n..\r\nb\r\n.\r\n"), (".x", "..x\r\n.\r\n"), ("", ".\r\n"),
      ("a\n.\nb", "a\r\n..\r\nb\r\n.\r\n"), ("a\r.\rb", "a\r\n..\r\nb\r\n.\r\n"),
      ("a\r\r\n.b\r\n", "a\r\n\r\n..b\r\n.\r\n"),
    ])
  func stuffing(_ message: String, _ sent: String) {
    #expect(String(decoding: SMTPSession.stuffed(Array(message.utf8)), as: UTF8.self) == sent)
  }
}
