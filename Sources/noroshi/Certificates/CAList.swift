import ArgumentParser
import Logging
import NetworkTypes
import Settings
import TrustServices

struct CAList: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list", abstract: "List the certificates that were issued, the latest first.")

  @OptionGroup var options: HouseOptions
  @OptionGroup var list: ListOutput

  @Option(name: .long, help: "Only those that end within this many days.")
  var endsWithin: Int?

  func run() async throws {
    let house = try options.house()
    let now = House.now
    let limit = endsWithin.map { now.advanced(bySeconds: Double($0) * 86_400) }
    let entries = try house.certificateRegister.contents().entries.reversed().filter { entry in
      limit.map { entry.certificate.notAfter <= $0 && entry.certificate.notAfter >= now } ?? true
    }
    try list.write(
      entries,
      columns: [
        ListColumn("serial") { .text($0.certificate.serialNumberText) },
        ListColumn("profile") { .text($0.profile.rawValue) },
        ListColumn("subject") { .text($0.certificate.subject.description) },
        ListColumn("from", extra: true) { .time($0.certificate.notBefore) },
        ListColumn("to") { .time($0.certificate.notAfter) },
        ListColumn("state") { entry in
          if let revocation = entry.revocation {
            return .text("revoked (\(revocation.reason))", .red)
          }
          return entry.certificate.notAfter < now ? .text("ended", .faint) : .text("valid", .green)
        },
        ListColumn("revoked", extra: true) { .time($0.revocation?.at) },
      ], nothing: "No certificate was issued.")
  }
}
