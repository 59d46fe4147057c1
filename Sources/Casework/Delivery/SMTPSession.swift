import Foundation

/// What a connection is to bring: a sender, recipients and the octets of the message.
public struct MailEnvelope: Hashable, Sendable {
  /// The address that bounces go to (RFC 5321 §4.4, reverse-path).
  public var sender: String
  /// At least one.
  public var recipients: [String]
  /// The message as it shall arrive, lines ended by CR LF, not yet dot-stuffed.
  public var message: [UInt8]

  public init(sender: String, recipients: [String], message: [UInt8]) {
    self.sender = sender
    self.recipients = recipients
    self.message = message
  }
}

/// Name and password for AUTH (RFC 4954).
public struct SMTPCredentials: Hashable, Sendable {
  public var username: String
  public var password: String

  public init(username: String, password: String) {
    self.username = username
    self.password = password
  }
}

/// How a connection is encrypted.
public enum SMTPEncryption: String, Hashable, Sendable, Codable, CaseIterable {
  /// In the clear: for a relay on the same machine.
  case none
  /// TLS when the server offers it (opportunistic security, RFC 7435). Its certificate is checked
  /// only where a password is at stake.
  case opportunistic
  /// TLS with a valid certificate, or nothing is sent (RFC 3207).
  case required
}

/// The words between a client and a mail server (RFC 5321) as a state machine without I/O.
///
/// It is given replies and gives back what to do next. It never sends the message before the server
/// has accepted at least one recipient, and it says `.confirm` once before the message goes out, so
/// that whoever drives it can record that from here on the mail may have arrived.
struct SMTPSession {
  enum Action: Hashable {
    /// Write these octets, then read the next reply.
    case send([UInt8])
    /// Begin TLS, then call ``secured()``.
    case startTLS
    /// From the next write on the mail may arrive: make that durable, then call ``confirmed()``.
    case confirm
    /// All is said: write these octets, if any, and close.
    case close([UInt8])
  }

  /// What became of each recipient.
  enum Verdict: Hashable {
    case accepted(String)
    case temporary(String)
    case permanent(String)
    /// The message was sent and no answer came: it may have arrived.
    case unknown(String)
  }

  private enum State: Hashable {
    case greeting, hello, plainHello, startTLS, handshake
    case authentication([[UInt8]])
    case sender
    case recipient(Int)
    case data, confirmation, content, finished
  }

  private let envelope: MailEnvelope
  private let name: String
  private let encryption: SMTPEncryption
  private let credentials: SMTPCredentials?
  private var state = State.greeting
  private var isSecure: Bool
  private var extensions: [String: [String]] = [:]
  private(set) var verdicts: [String: Verdict] = [:]
  /// The words of the server's reply to the message.
  private var accepted: [String] = []

  init(
    _ envelope: MailEnvelope, name: String, encryption: SMTPEncryption,
    credentials: SMTPCredentials?, isSecure: Bool = false
  ) {
    self.envelope = envelope
    self.name = name
    self.encryption = encryption
    self.credentials = credentials
    self.isSecure = isSecure
  }

  var isFinished: Bool { state == .finished }
  /// What the server is being asked, for the error message and the timeout.
  var step: SMTPStep {
    switch state {
    case .greeting: .greeting
    case .hello, .plainHello, .startTLS, .handshake, .authentication: .negotiation
    case .sender, .recipient: .envelope
    case .data: .data
    case .confirmation, .content: .content
    case .finished: .closing
    }
  }

  mutating func receive(_ reply: SMTPReply) -> Action {
    switch state {
    case .greeting:
      guard reply.code == 220 else { return fail(reply) }
      state = .hello
      return line("EHLO \(name)")
    case .hello:
      if reply.code == 250 {
        learn(reply)
        return negotiate()
      }
      // RFC 5321 §3.2: a server that does not know EHLO is greeted with HELO.
      guard reply.code >= 500, !isSecure else { return fail(reply) }
      state = .plainHello
      return line("HELO \(name)")
    case .plainHello:
      guard reply.code == 250 else { return fail(reply) }
      extensions = [:]
      return negotiate()
    case .startTLS:
      if reply.code == 220 {
        state = .handshake
        return .startTLS
      }
      guard encryption != .required, credentials == nil else { return fail(reply) }
      return announce()
    case .authentication(let rest):
      if reply.code == 235 { return announce() }
      if reply.code == 334, let next = rest.first {
        state = .authentication(Array(rest.dropFirst()))
        return .send(next + [0x0d, 0x0a])
      }
      return fail(reply)
    case .sender:
      guard reply.isPositive else { return fail(reply) }
      return recipient(0)
    case .recipient(let place):
      let address = envelope.recipients[place]
      if reply.isPositive {
        accepted.append(address)
      } else {
        verdicts[address] = verdict(reply)
      }
      if place + 1 < envelope.recipients.count { return recipient(place + 1) }
      guard !accepted.isEmpty else { return quit() }
      state = .data
      return line("DATA")
    case .data:
      guard reply.code == 354 else { return fail(reply) }
      state = .confirmation
      return .confirm
    case .content:
      for address in accepted {
        verdicts[address] = reply.isPositive ? .accepted(reply.description) : verdict(reply)
      }
      return quit()
    case .confirmation, .handshake:
      return fail(permanent: "the server spoke out of turn: \(reply)")
    case .finished:
      return .close([])
    }
  }

  /// TLS stands: all that was learned before does not count any more (RFC 3207 §4.2).
  mutating func secured() -> Action {
    isSecure = true
    extensions = [:]
    state = .hello
    return line("EHLO \(name)")
  }

  /// The sending is recorded: the message itself.
  mutating func confirmed() -> Action {
    state = .content
    return .send(Self.stuffed(envelope.message))
  }

  /// The connection broke, timed out, or spoke nonsense.
  mutating func interrupted(_ reason: String) {
    let isOpen = state == .content
    for address in envelope.recipients where verdicts[address] == nil {
      verdicts[address] =
        isOpen && accepted.contains(address) ? .unknown(reason) : .temporary(reason)
    }
    state = .finished
  }

  /// Ends the session for a reason on our side that another try will not mend.
  mutating func fail(permanent reason: String) -> Action {
    for address in envelope.recipients where verdicts[address] == nil {
      verdicts[address] = .permanent(reason)
    }
    return quit()
  }

  // MARK: - Steps

  private mutating func negotiate() -> Action {
    if !isSecure, encryption != .none {
      if extensions["STARTTLS"] != nil {
        state = .startTLS
        return line("STARTTLS")
      }
      // A stripped STARTTLS looks just so: it is not permanent, and the password stays here.
      if encryption == .required || credentials != nil {
        interrupted(
          "the server offers no STARTTLS; set smtp.tls to none only for a relay on this machine")
        return .close(Array("QUIT\r\n".utf8))
      }
    }
    return authenticate()
  }

  private mutating func authenticate() -> Action {
    guard let credentials else { return announce() }
    let offered = Set((extensions["AUTH"] ?? []).map { $0.uppercased() })
    func encoded(_ text: String) -> [UInt8] { Array(Data(text.utf8).base64EncodedString().utf8) }
    if offered.contains("PLAIN") {
      state = .authentication([])
      let secret = "\0\(credentials.username)\0\(credentials.password)"
      return .send(Array("AUTH PLAIN ".utf8) + encoded(secret) + [0x0d, 0x0a])
    }
    if offered.contains("LOGIN") {
      state = .authentication([encoded(credentials.username), encoded(credentials.password)])
      return line("AUTH LOGIN")
    }
    return fail(
      permanent: "the server offers neither AUTH PLAIN nor AUTH LOGIN; remove smtp.username or "
        + "use the server's submission port")
  }

  private mutating func announce() -> Action {
    if let limit = extensions["SIZE"]?.first.flatMap({ Int($0) }), limit > 0,
      envelope.message.count > limit
    {
      return fail(
        permanent:
          "the message has \(envelope.message.count) octets and the server takes \(limit); "
          + "aggregate less into one notice")
    }
    var command = "MAIL FROM:<\(envelope.sender)>"
    if extensions["SIZE"] != nil { command += " SIZE=\(envelope.message.count)" }
    if envelope.message.contains(where: { $0 >= 0x80 }) {
      guard extensions["8BITMIME"] != nil else {
        return fail(permanent: "the message has 8-bit text and the server has no 8BITMIME")
      }
      command += " BODY=8BITMIME"
    }
    let addresses = [envelope.sender] + envelope.recipients
    if addresses.contains(where: { !$0.utf8.allSatisfy { $0 < 0x80 } }) {
      guard extensions["SMTPUTF8"] != nil else {
        return fail(
          permanent: "an address is not ASCII and the server has no SMTPUTF8 (RFC 6531); use "
            + "an ASCII address")
      }
      command += " SMTPUTF8"
    }
    state = .sender
    return line(command)
  }

  private mutating func recipient(_ place: Int) -> Action {
    state = .recipient(place)
    return line("RCPT TO:<\(envelope.recipients[place])>")
  }

  private mutating func quit() -> Action {
    state = .finished
    return .close(Array("QUIT\r\n".utf8))
  }

  private mutating func fail(_ reply: SMTPReply) -> Action {
    for address in envelope.recipients where verdicts[address] == nil {
      verdicts[address] = verdict(reply)
    }
    return quit()
  }

  private func verdict(_ reply: SMTPReply) -> Verdict {
    // What is neither yes nor no where one of them is due is a confused server: try again later.
    reply.code >= 500 ? .permanent(reply.description) : .temporary(reply.description)
  }

  private mutating func learn(_ reply: SMTPReply) {
    extensions = [:]
    for line in reply.lines.dropFirst() {
      let words = line.split(separator: " ").map(String.init)
      guard let keyword = words.first else { continue }
      // Old servers announce "AUTH=LOGIN PLAIN".
      let parts = keyword.split(separator: "=", maxSplits: 1).map(String.init)
      guard let name = parts.first else { continue }
      extensions[name.uppercased(), default: []] += parts.dropFirst() + words.dropFirst()
    }
  }

  private func line(_ text: String) -> Action {
    // Addresses and names were checked before; a line end here would be a second command.
    .send(Array(text.utf8).filter { $0 != 0x0d && $0 != 0x0a } + [0x0d, 0x0a])
  }

  /// RFC 5321 §4.5.2: a dot that begins a line is doubled, and a line with one dot ends the message.
  /// Bare CR and LF become CR LF, as neither may stand alone (§2.3.8).
  static func stuffed(_ message: [UInt8]) -> [UInt8] {
    var octets: [UInt8] = []
    octets.reserveCapacity(message.count + message.count / 64 + 5)
    var isLineStart = true
    var previous: UInt8 = 0
    for octet in message {
      if octet == 0x0a, previous == 0x0d {
        previous = octet
        continue
      }
      previous = octet
      if octet == 0x0d || octet == 0x0a {
        octets += [0x0d, 0x0a]
        isLineStart = true
        continue
      }
      if isLineStart, octet == 0x2e { octets.append(0x2e) }
      octets.append(octet)
      isLineStart = false
    }
    if !isLineStart { octets += [0x0d, 0x0a] }
    return octets + [0x2e, 0x0d, 0x0a]
  }
}

/// A part of the conversation, for its timeout and for error messages.
public enum SMTPStep: String, Hashable, Sendable, CaseIterable {
  case connection, greeting, negotiation, envelope, data, content, closing
}
