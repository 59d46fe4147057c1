import Foundation
import NIOCore
import NIOPosix
import NIOSSL
import Synchronization

/// What became of a mail for one recipient, with the server's words.
public enum MailOutcome: Hashable, Sendable {
  /// The server has taken responsibility for it.
  case accepted(String)
  /// Refused for now (4yz), or the server could not be reached: it has certainly not arrived.
  case temporary(String)
  /// Refused for good (5yz), or impossible on our side.
  case permanent(String)
  /// It was sent and the connection ended before the answer: it may or may not have arrived.
  case unknown(String)
}

/// A mail server and how to speak with it.
public struct SMTPServer: Hashable, Sendable {
  public var host: String
  public var port: Int
  public var encryption: SMTPEncryption
  public var credentials: SMTPCredentials?
  /// Certificates of authorities in PEM, instead of the system's.
  public var trustedCertificates: String?
  /// What this machine calls itself in EHLO: its full name where it has one, else an address literal
  /// (RFC 5321 §4.1.4).
  public var clientName: String

  public init(
    host: String, port: Int = 25, encryption: SMTPEncryption = .opportunistic,
    credentials: SMTPCredentials? = nil, trustedCertificates: String? = nil,
    clientName: String? = nil
  ) {
    self.host = host
    self.port = port
    self.encryption = encryption
    self.credentials = credentials
    self.trustedCertificates = trustedCertificates
    self.clientName = clientName ?? Self.localName
  }

  private static var localName: String {
    let name = ProcessInfo.processInfo.hostName
    let isFull =
      name.contains(".") && !name.hasPrefix(".") && !name.hasSuffix(".")
      && name.utf8.allSatisfy {
        (0x61...0x7a).contains($0) || (0x41...0x5a).contains($0) || (0x30...0x39).contains($0)
          || $0 == 0x2d || $0 == 0x2e
      }
    return isFull ? name : "[127.0.0.1]"
  }
}

/// How long to wait, in seconds: the minima of RFC 5321 §4.5.3.2.
public struct SMTPTimeouts: Hashable, Sendable {
  public var connection: Double = 60
  public var greeting: Double = 300
  public var negotiation: Double = 300
  public var envelope: Double = 300
  public var data: Double = 120
  /// The reply to the message: a client that gives up early makes duplicates (§4.5.3.2.6, RFC 1047).
  public var content: Double = 600
  /// The whole conversation, against a server that drips octets; our own choice.
  public var total: Double = 1_800

  public init() {}

  /// The same limit for all.
  public init(all seconds: Double) {
    (connection, greeting, negotiation) = (seconds, seconds, seconds)
    (envelope, data, content, total) = (seconds, seconds, seconds, seconds * 4)
  }

  func seconds(for step: SMTPStep) -> Double {
    switch step {
    case .connection: connection
    case .greeting: greeting
    case .negotiation: negotiation
    case .envelope: envelope
    case .data: data
    case .content: content
    case .closing: 5
    }
  }
}

/// Brings a mail to a server, one connection for each.
///
/// ```swift
/// let client = SMTPClient(SMTPServer(host: "mail.example.jp", encryption: .required))
/// let outcomes = await client.send(envelope) { /* record that it may arrive from here on */ }
/// ```
public struct SMTPClient: Sendable {
  public let server: SMTPServer
  public let timeouts: SMTPTimeouts

  public init(_ server: SMTPServer, timeouts: SMTPTimeouts = SMTPTimeouts()) {
    self.server = server
    self.timeouts = timeouts
  }

  /// Sends and waits for the server's answer.
  ///
  /// - Parameter willTransmit: called once before the message itself is sent; when it throws, nothing
  ///   is sent.
  /// - Returns: an outcome for every recipient of the envelope.
  /// - Throws: only what `willTransmit` throws.
  public func send(
    _ envelope: MailEnvelope, willTransmit: @Sendable () async throws -> Void = {}
  ) async throws -> [String: MailOutcome] {
    var session = SMTPSession(
      envelope, name: server.clientName, encryption: server.encryption,
      credentials: server.credentials)
    var refusal: (any Error)?
    let clock = SMTPDeadline()
    do {
      let channel = try await connect()
      let limit = channel.channel.eventLoop.scheduleTask(in: .seconds(timeouts.total)) {
        clock.expire(.closing)
        channel.channel.close(promise: nil)
      }
      defer { limit.cancel() }
      try await channel.executeThenClose { inbound, outbound in
        var iterator = inbound.makeAsyncIterator()
        var reader = SMTPReplyReader()
        while !session.isFinished {
          let reply = try await next(
            &iterator, &reader, channel.channel, session.step, clock)
          var action = session.receive(reply)
          if case .confirm = action {
            do { try await willTransmit() } catch {
              refusal = error
              throw error
            }
            action = session.confirmed()
          }
          if case .startTLS = action {
            guard !reader.hasMore else {
              throw SMTPFailure("the server sent plain text behind STARTTLS; somebody injects it")
            }
            try await secure(channel.channel)
            action = session.secured()
          }
          switch action {
          case .send(let octets): try await outbound.write(ByteBuffer(bytes: octets))
          case .close(let octets): try await outbound.write(ByteBuffer(bytes: octets))
          case .startTLS, .confirm: break
          }
        }
      }
    } catch {
      if let refusal { throw refusal }
      // After the last word nothing more matters: the server may close as it likes.
      if !session.isFinished { session.interrupted(reason(of: error, session.step, clock)) }
    }
    return session.verdicts.mapValues(MailOutcome.init)
  }

  private typealias Connection = NIOAsyncChannel<ByteBuffer, ByteBuffer>

  private func connect() async throws -> Connection {
    try await ClientBootstrap(group: .singletonMultiThreadedEventLoopGroup)
      .connectTimeout(.seconds(timeouts.connection))
      .connect(host: server.host, port: server.port) { channel in
        channel.eventLoop.makeCompletedFuture {
          try NIOAsyncChannel(wrappingChannelSynchronously: channel)
        }
      }
  }

  private func next(
    _ iterator: inout NIOAsyncChannelInboundStream<ByteBuffer>.AsyncIterator,
    _ reader: inout SMTPReplyReader, _ channel: any Channel, _ step: SMTPStep, _ clock: SMTPDeadline
  ) async throws -> SMTPReply {
    let seconds = timeouts.seconds(for: step)
    let limit = channel.eventLoop.scheduleTask(in: .seconds(seconds)) {
      clock.expire(step)
      channel.close(promise: nil)
    }
    defer { limit.cancel() }
    while true {
      if let reply = try reader.next() { return reply }
      guard let buffer = try await iterator.next() else {
        throw SMTPFailure("the server closed the connection")
      }
      reader.feed(buffer.readableBytesView)
    }
  }

  private func secure(_ channel: any Channel) async throws {
    var configuration = TLSConfiguration.makeClientConfiguration()
    if let path = server.trustedCertificates { configuration.trustRoots = .file(path) }
    // RFC 7435 §3: unauthenticated encryption is better than none, but not where a secret follows.
    let isChecked = server.encryption == .required || server.credentials != nil
    configuration.certificateVerification = isChecked ? .fullVerification : .none
    let context = try NIOSSLContext(configuration: configuration)
    let isLiteral = (try? SocketAddress(ipAddress: server.host, port: 0)) != nil
    let host = isLiteral ? nil : server.host
    try await channel.eventLoop.submit {
      try channel.pipeline.syncOperations.addHandler(
        try NIOSSLClientHandler(context: context, serverHostname: host), position: .first)
    }.get()
  }

  private func reason(of error: any Error, _ step: SMTPStep, _ clock: SMTPDeadline) -> String {
    let place = "\(server.host):\(server.port)"
    if let expired = clock.expired {
      return "\(place): no answer in time (\(expired.rawValue)); it is tried again"
    }
    // Clipped: the words may hold what a hostile server chose.
    return "\(place): " + String("\(error)".prefix(400))
  }
}

/// Which limit ran out, told across threads.
private final class SMTPDeadline: Sendable {
  private let step = Mutex<SMTPStep?>(nil)
  var expired: SMTPStep? { step.withLock { $0 } }
  func expire(_ expired: SMTPStep) { step.withLock { if $0 == nil { $0 = expired } } }
}

private struct SMTPFailure: Error, CustomStringConvertible {
  let description: String
  init(_ description: String) { self.description = description }
}

extension MailOutcome {
  init(_ verdict: SMTPSession.Verdict) {
    switch verdict {
    case .accepted(let words): self = .accepted(words)
    case .temporary(let words): self = .temporary(words)
    case .permanent(let words): self = .permanent(words)
    case .unknown(let words): self = .unknown(words)
    }
  }
}

extension TimeAmount {
  /// Bounded, so that no number of a configuration traps.
  fileprivate static func seconds(_ seconds: Double) -> TimeAmount {
    .milliseconds(Int64(min(max(seconds.isNaN ? 0 : seconds, 0.001), 1e9) * 1_000))
  }
}
