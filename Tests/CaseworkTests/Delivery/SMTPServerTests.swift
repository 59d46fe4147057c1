import Foundation
import NIOCore
import NIOPosix
import Synchronization
import Testing

@testable import Casework

@Suite(
  "With a real mail server", .enabled(if: PythonTool.has("aiosmtpd"), "needs aiosmtpd"),
  .timeLimit(.minutes(2)))
struct SMTPServerTests {
  private func envelope(_ recipients: String...) -> MailEnvelope {
    MailEnvelope(
      sender: "notice@observatory.example", recipients: recipients,
      message: Array("Subject: x\r\n\r\n.\r\n..two\r\n日本語\r\n".utf8))
  }

  private func client(_ sink: MailSink, _ change: (inout SMTPServer) -> Void = { _ in })
    -> SMTPClient
  {
    var server = SMTPServer(host: "127.0.0.1", port: sink.port)
    change(&server)
    return SMTPClient(server, timeouts: SMTPTimeouts(all: 60))
  }

  private func isTemporary(_ outcome: MailOutcome?) -> Bool {
    if case .temporary = outcome { true } else { false }
  }

  private func isPermanent(_ outcome: MailOutcome?) -> Bool {
    if case .permanent = outcome { true } else { false }
  }

  @Test("a mail arrives octet by octet, and each recipient has its own outcome")
  func arrives() async throws {
    let sink = try MailSink()
    let envelope = envelope("abuse@kaede.example", "nobody@kaede.example")
    let count = Mutex(0)
    let outcomes = try await client(sink).send(envelope) { count.withLock { $0 += 1 } }
    #expect(outcomes["abuse@kaede.example"] == .accepted("250 2.0.0 queued as 42"))
    #expect(outcomes["nobody@kaede.example"] == .permanent("550 5.1.1 no such mailbox"))
    #expect(sink.mails == [String(decoding: envelope.message, as: UTF8.self)])
    #expect(count.withLock { $0 } == 1)
    let envelopes = sink.envelopes
    #expect(
      envelopes.first?.hasPrefix("notice@observatory.example abuse@kaede.example\nclear") == true)
  }

  @Test("4yz is temporary and the next try arrives")
  func greylisting() async throws {
    let sink = try MailSink(["--temporary", "1"])
    let first = try await client(sink).send(envelope("abuse@kaede.example"))
    #expect(first["abuse@kaede.example"] == .temporary("450 4.2.0 greylisted, try again"))
    #expect(sink.mails.isEmpty)
    let second = try await client(sink).send(envelope("abuse@kaede.example"))
    #expect(second["abuse@kaede.example"] == .accepted("250 2.0.0 queued as 42"))
  }

  @Test("5yz is permanent")
  func refused() async throws {
    let sink = try MailSink(["--permanent"])
    let outcomes = try await client(sink).send(envelope("abuse@kaede.example"))
    #expect(outcomes["abuse@kaede.example"] == .permanent("550 5.1.1 no such mailbox"))
  }

  @Test("a connection that ends behind the message leaves a doubt, not a failure")
  func dropped() async throws {
    let sink = try MailSink(["--drop", "1"])
    let outcome = try await client(sink).send(envelope("abuse@kaede.example"))[
      "abuse@kaede.example"]
    guard case .unknown = outcome else {
      Issue.record("\(String(describing: outcome))")
      return
    }
    #expect(sink.mails.count == 1)
  }

  @Test("STARTTLS and AUTH: encrypted and signed in; a wrong password or certificate is refused")
  func encrypted() async throws {
    let files = try MailSink.certificate()
    defer { MailSink.remove(files) }
    let sink = try MailSink([
      "--tls", files.certificate, files.key, "--auth", "noroshi", "secret",
    ])
    let right = SMTPCredentials(username: "noroshi", password: "secret")
    for host in ["127.0.0.1", "localhost"] {
      let outcomes = try await client(sink) {
        $0.host = host
        $0.encryption = .required
        $0.credentials = right
        $0.trustedCertificates = files.certificate
      }.send(envelope("abuse@kaede.example"))
      #expect(outcomes["abuse@kaede.example"] == .accepted("250 2.0.0 queued as 42"))
    }
    #expect(sink.envelopes.allSatisfy { $0.contains("\ntls True") })

    let wrong = try await client(sink) {
      $0.encryption = .required
      $0.credentials = SMTPCredentials(username: "noroshi", password: "guess")
      $0.trustedCertificates = files.certificate
    }.send(envelope("abuse@kaede.example"))
    #expect(isPermanent(wrong["abuse@kaede.example"]))

    // A certificate that nobody vouches for: no password, no mail.
    let untrusted = try await client(sink) {
      $0.encryption = .opportunistic
      $0.credentials = right
    }.send(envelope("abuse@kaede.example"))
    #expect(isTemporary(untrusted["abuse@kaede.example"]))
    #expect(sink.mails.count == 2)
  }

  @Test("opportunistic encryption takes a certificate that nobody vouches for")
  func opportunistic() async throws {
    let files = try MailSink.certificate()
    defer { MailSink.remove(files) }
    let sink = try MailSink(["--tls", files.certificate, files.key])
    let outcomes = try await client(sink).send(envelope("abuse@kaede.example"))
    #expect(outcomes["abuse@kaede.example"] == .accepted("250 2.0.0 queued as 42"))
    #expect(sink.envelopes.first?.contains("\ntls") == true)
  }

  @Test("nothing that listens, silence, nonsense and a flood are temporary failures")
  func noServer() async throws {
    let recipient = "abuse@kaede.example"
    let timeouts = SMTPTimeouts(all: 1)
    let dead = SMTPClient(SMTPServer(host: "127.0.0.1", port: 1), timeouts: timeouts)
    #expect(isTemporary(try await dead.send(envelope(recipient))[recipient]))
    let unknown = SMTPClient(SMTPServer(host: "no-such-host.invalid", port: 25), timeouts: timeouts)
    #expect(isTemporary(try await unknown.send(envelope(recipient))[recipient]))
    for greeting in ["", "HTTP/1.1 400\r\n\r\n", String(repeating: "220-x\r\n", count: 100_000)] {
      let server = try await ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
        .childChannelInitializer { channel in
          channel.writeAndFlush(ByteBuffer(string: greeting), promise: nil)
          return channel.eventLoop.makeSucceededVoidFuture()
        }.bind(host: "127.0.0.1", port: 0).get()
      let port = server.localAddress?.port ?? 0
      let odd = SMTPClient(SMTPServer(host: "127.0.0.1", port: port), timeouts: timeouts)
      #expect(
        isTemporary(try await odd.send(envelope(recipient))[recipient]), "\(greeting.prefix(20))")
      try await server.close()
    }
  }

  @Test("a record that cannot be made sends nothing")
  func noRecord() async throws {
    struct Full: Error {}
    let sink = try MailSink()
    await #expect(throws: Full.self) {
      _ = try await client(sink).send(envelope("abuse@kaede.example")) { throw Full() }
    }
    #expect(sink.mails.isEmpty)
  }
}
