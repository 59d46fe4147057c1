import Casework
import Constituency
import Foundation
import NetworkTypes
import Settings
import Store

extension House {
  /// The notices and their way to the recipients.
  func outbox(_ register: CaseRegister) throws -> Outbox {
    try Outbox(register: register, notices: noticeParameters())
  }

  func noticeParameters() throws -> NoticeParameters {
    let settings = configuration.notices
    // Without a sender no mail is sent, but the directory's mails must say who wrote them.
    let from = settings.from?.address ?? "noroshi@noroshi.invalid"
    var parameters = NoticeParameters(
      sender: NoticeSender(
        name: settings.organisation, nameJa: settings.organisationJa,
        from: try Mailbox(name: settings.organisation, address: from),
        replyTo: try settings.replyTo.map { try Mailbox(address: $0.address) },
        contact: settings.contact, contactJa: settings.contactJa))
    parameters.dailyAt = settings.dailyAt.minutes
    parameters.timeZone = settings.timeZone
    parameters.seal = try noticeSealWords()
    parameters.repeatDays = Double(settings.repeatDays)
    return parameters
  }

  /// The ways by which notices are brought, as the configuration has them; deliveries by others stay
  /// pending.
  func deliveryService(_ outbox: Outbox) throws -> DeliveryService {
    var channels: [DeliveryPreferences.Channel: DeliveryChannel] = [
      .directory: .directory(configuration.notices.directory?.path ?? data.notices)
    ]
    if let server = try smtpServer() { channels[.smtp] = .smtp(SMTPClient(server)) }
    return DeliveryService(
      outbox, channels: channels, sealing: try noticeSealing(), logger: logger,
      now: { House.now })
  }

  private func smtpServer() throws -> SMTPServer? {
    let settings = configuration.smtp
    guard let host = settings.host else { return nil }
    var server = SMTPServer(host: host, port: settings.port)
    server.encryption =
      switch settings.tls {
      case .none: .none
      case .starttls: .opportunistic
      case .required: .required
      }
    if let username = settings.username, let file = settings.passwordFile {
      guard let text = try? String(contentsOfFile: file.path, encoding: .utf8),
        let password = text.split(separator: "\n").first
      else {
        throw CommandFailure(
          "The password file \(file.path) cannot be read, or is empty",
          advice: "smtp.passwordFile names it; its first line is the password.",
          status: .noInput)
      }
      server.credentials = SMTPCredentials(username: username, password: String(password))
    }
    return server
  }
}
