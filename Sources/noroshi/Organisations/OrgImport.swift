import ArgumentParser
import Constituency
import Foundation

struct OrgImport: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "import",
    abstract: "Take in organisations from a CSV or YAML file, all of it or nothing.",
    discussion: """
      A CSV file has a header line with the columns that it has of:
        \(ConstituencyCSV.columns.joined(separator: ", "))
      Lists within a cell are separated by blanks or semicolons. An organisation that exists is changed in \
      the columns of the file and left alone in the others. A YAML file has the form of \
      constituency.yaml; its organisations replace those of the same identifier.

      Examples:
        noroshi org import members.csv
        noroshi org import members.csv --dry-run
      """)

  @OptionGroup var options: HouseOptions

  @Flag(name: .long, help: "Say what would change, and change nothing.")
  var dryRun = false

  @Argument(help: "The file.", completion: .file(extensions: ["csv", "yaml", "yml"]))
  var file: String

  func run() throws {
    let house = try options.house()
    guard FileManager.default.isReadableFile(atPath: file) else {
      throw CommandFailure("\(file) does not exist or cannot be read", status: .noInput)
    }
    var outcome = (added: 0, changed: 0)
    if dryRun {
      var constituency = try house.constituency()
      outcome = try merge(into: &constituency)
    } else {
      try house.editConstituency(
        action: "organisation.imported", subject: (file as NSString).lastPathComponent
      ) { outcome = try merge(into: &$0) }
    }
    Terminal.output.line(
      "\(outcome.added) added, \(outcome.changed) changed\(dryRun ? " (not done: --dry-run)" : "")."
    )
  }

  private func merge(into constituency: inout Constituency) throws -> (added: Int, changed: Int) {
    let name = file.lowercased()
    guard name.hasSuffix(".yaml") || name.hasSuffix(".yml") else {
      let outcome = try ConstituencyCSV.merge(path: file, into: &constituency)
      return (outcome.added, outcome.changed)
    }
    var outcome = (added: 0, changed: 0)
    for organisation in try ConstituencyFile(path: file).load().organisations {
      if constituency[organisation.id] == organisation { continue }
      if constituency[organisation.id] == nil {
        try constituency.add(organisation)
        outcome.added += 1
      } else {
        try constituency.update(organisation.id) { $0 = organisation }
        outcome.changed += 1
      }
    }
    return outcome
  }
}
