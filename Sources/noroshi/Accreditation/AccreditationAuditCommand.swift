import ArgumentParser
import Foundation
import Logging
import NetworkTypes
import Settings
import Store
import TrustServices

struct AccreditationAuditCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "audit",
    abstract: "Read the whole register again and prove that nothing was cut, changed or rewritten.",
    discussion: """
      Every list that was published carries the register's signed head: lists that others kept \
      (--list) show a register that was rewritten since, as do heads (--head) and what an earlier \
      audit saw (--state). The lists in the data directory are looked at anyway. Exit code 2 if \
      something is wrong.

      Examples:
        noroshi accreditation audit --state /mnt/elsewhere/seen.txt
        noroshi accreditation audit --list kept/list-7.json
      """)

  @OptionGroup var options: HouseOptions

  @Option(name: .long, help: "A file with the head seen last; written anew.")
  var state: String?

  @Option(
    name: .long, help: "A signed head that somebody kept. Several may be given.",
    completion: .file())
  var head: [String] = []

  @Option(
    name: .long, help: "A published list that somebody kept. Several may be given.",
    completion: .file())
  var list: [String] = []

  func run() async throws {
    let house = try options.house()
    let verifier = try house.accreditationSigner().verifier
    let files = house.accreditationFiles
    var known: [JournalHead] = []
    for path in head {
      guard let head = verifier.head(in: try House.text(of: path)) else {
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
    let own = (try? FileManager.default.contentsOfDirectory(atPath: files.lists)) ?? []
    let lists = try (list + own.filter { $0.hasSuffix(".json") }.map { files.lists + "/" + $0 })
      .map { try House.unverifiedList($0).list }
    let report: AccreditationAudit.Report
    do {
      report = try await AccreditationAudit(log: verifier, known: known, lists: lists).run(
        try LocalJournal(folder: files.journal))
    } catch let error as CommandFailure {
      throw error
    } catch {
      throw CommandFailure(
        "\(error)",
        advice: "Copy the register and everything that was kept of it before anything else.",
        status: .negative)
    }
    if let state {
      try DurableFile.write(report.head.checkpoint(origin: verifier.name).utf8, to: state)
    }
    var sheet = Sheet("The register stands as it was written")
    sheet.add("log", "\(verifier)")
    sheet.add("records", .count(report.head.size))
    sheet.add("services", .count(report.contents.services.count))
    sheet.add("lists", .count(report.contents.publications.count))
    sheet.add("compared", "\(lists.count) lists, \(known.count) heads")
    sheet.add("head", Data(report.head.root).base64EncodedString())
    sheet.write()
  }
}
