import ArgumentParser
import Foundation
import Logging
import NetworkTypes
import Settings
import Store
import TrustServices

struct TSAAudit: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "audit",
    abstract: "Read the whole journal again and prove that nothing was cut, changed or rewritten.",
    discussion: """
      Keeps the head that it saw in --state: the next run proves that the journal still begins with \
      what was there before. Run it where the authority cannot reach that file. Exit code 2 if \
      something is wrong.

      Examples:
        noroshi tsa audit
        noroshi tsa audit --url http://tsa.example/tsa --log-key tsa.key --state seen.txt
      """)

  @OptionGroup var options: HouseOptions
  @OptionGroup var log: LogOptions

  @Option(name: .long, help: "A file with the head seen last; written anew.")
  var state: String?

  @Option(
    name: .long, help: "A signed head that somebody kept. May be given several times.",
    completion: .file())
  var head: [String] = []

  @Option(name: .long, help: "Certificates that the anchors' stamps are verified against, PEM.")
  var anchors: String?

  func run() async throws {
    let house = try options.house()
    let verifier = try log.verifier(house)
    var known: [JournalHead] = []
    for path in head {
      let note = try House.text(of: path)
      guard let head = verifier.head(in: note) else {
        throw CommandFailure(
          "\(path) is no head that \(verifier.name) signed", status: .badData)
      }
      known.append(head)
    }
    if let state, FileManager.default.fileExists(atPath: state) {
      guard
        let head = JournalHead(checkpoint: try House.text(of: state), origin: verifier.name)
      else {
        throw CommandFailure(
          "\(state) is not what an audit of \(verifier.name) kept", status: .badData)
      }
      known.append(head)
    }
    let validator = try anchors.map { try house.anchors($0) }
    let audit = JournalAudit(log: verifier, known: known, validator: validator)
    let bar = ProgressBar("Reading the journal", unit: "records")
    let progress = { (done: UInt64, total: UInt64) in
      bar.update(done, fraction: total > 0 ? Double(done) / Double(total) : nil)
    }
    let report: AuditReport
    do {
      if let url = log.url {
        report = try await audit.run(ServedJournal(url: url, log: verifier), progress: progress)
      } else {
        report = try await audit.run(
          LocalJournal(folder: house.timeStampFiles.journal), progress: progress)
      }
    } catch let error as LogError {
      bar.finish()
      throw CommandFailure(
        "\(error)",
        advice: "Copy the journal and everything that was kept of it before anything else.",
        status: .negative)
    } catch let error as JournalError {
      bar.finish()
      throw CommandFailure("\(error)", status: .negative)
    }
    bar.finish()
    if let state {
      try DurableFile.write(report.head.checkpoint(origin: verifier.name).utf8, to: state)
    }
    var sheet = Sheet("The journal stands as it was written")
    sheet.add("log", verifier.name)
    sheet.add("records", .count(report.head.size))
    sheet.add("stamps", .count(report.stamps))
    sheet.add("clock", .count(report.clockRecords))
    sheet.add("anchors", .count(report.anchors))
    sheet.add("first", report.first?.description)
    sheet.add("last", report.last?.description)
    sheet.add("head", Data(report.head.root).base64EncodedString())
    sheet.write()
  }
}
