import ArgumentParser
import Store

struct AuditVerify: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "verify",
    abstract: "Prove that nothing of the audit trail was changed, taken out or cut off.",
    discussion: """
      Computes the hash of every line again, and compares the end with the anchor kept beside the \
      database. Exit code 2 if something was changed. Keep the printed head elsewhere (on paper, in \
      another system): a later run must still contain it.
      """)

  @OptionGroup var options: HouseOptions

  func run() async throws {
    let house = try options.house()
    let trail = AuditTrail(store: try house.store())
    let bar = ProgressBar("Verifying the audit trail", unit: "lines")
    let verification = try trail.verify { read, total in
      bar.update(
        UInt64(clamping: read), fraction: total > 0 ? Double(read) / Double(total) : nil)
    }
    bar.finish()
    switch verification {
    case .intact(let head):
      Terminal.output.line(
        "All \(Quantity.grouped(head.sequence)) entries stand as they were written; head \(head.hash)"
      )
    case .broken(let sequence, let reason):
      throw CommandFailure(
        "The audit trail is not intact at entry \(sequence): \(reason)",
        advice:
          "Copy the data directory before anything else, then compare it with the last backup.",
        status: .negative)
    }
  }
}
