import ArgumentParser
import FlowAnalysis
import Foundation
import NetworkTypes
import Store

struct DDoSCompare: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "compare",
    abstract: "Compare the attacks that were found with fingerprints of others.",
    discussion: """
      Reads fingerprints of the DDoS Clearing House, also of DDoS-DB's older format. Listed are the \
      attacks that have a vector or a source in common with one of them, those with most sources in \
      common first. Exit code 2: none has.

      Examples:
        noroshi ddos compare 1da3b62445e669fca0cef603c8247c05.json
        noroshi ddos compare --attack latest shared/*.json --format csv
      """)

  @OptionGroup var options: HouseOptions
  @OptionGroup var list: ListOutput

  @Argument(help: "Files of fingerprints.", completion: .file())
  var files: [String]

  @Option(
    name: .long, help: "Only this attack; `latest` for the latest one. Default: the latest 1,000.")
  var attack: String?

  private struct Row {
    let file: String
    let fingerprint: ReceivedFingerprint
    let attack: Attack
    let comparison: FingerprintComparison
  }

  func run() async throws {
    let store = try options.house().attackStore()
    let attacks: [Attack]
    if let attack {
      guard let one = try store.attack(attack) else {
        throw CommandFailure(
          attack == "latest" ? "No attack is stored" : "There is no attack \(attack)",
          advice: "`noroshi ddos attacks` lists them.", status: .noInput)
      }
      attacks = [one]
    } else {
      // The latest thousand; older fingerprints are compared by --attack.
      attacks = try store.attacks(ListQuery(limit: 1_000)).rows
    }
    var rows: [Row] = []
    for path in files {
      let fingerprint = try Self.read(path)
      let name = URL(fileURLWithPath: path).lastPathComponent
      for attack in attacks {
        let comparison = attack.compared(with: fingerprint)
        guard comparison.sharedSources > 0 || !comparison.vectors.isEmpty else { continue }
        rows.append(
          Row(file: name, fingerprint: fingerprint, attack: attack, comparison: comparison))
      }
    }
    rows.sort {
      ($1.comparison.sharedSources, $1.comparison.vectors.count, $0.attack.id, $0.file)
        < ($0.comparison.sharedSources, $0.comparison.vectors.count, $1.attack.id, $1.file)
    }
    try list.write(
      rows, columns: Self.columns, nothing: "No attack here has anything in common with these.")
    if rows.isEmpty { throw ExitCode(ExitStatus.negative.rawValue) }
  }

  private static func read(_ path: String) throws -> ReceivedFingerprint {
    guard let file = FileHandle(forReadingAtPath: path) else {
      throw CommandFailure("There is no readable \(path)", status: .noInput)
    }
    do {
      let most = ReceivedFingerprint.longestText + 1
      return try ReceivedFingerprint(json: try file.read(upToCount: most) ?? Data())
    } catch {
      throw CommandFailure("\(path) is no fingerprint: \(error)", status: .badData)
    }
  }

  private static var columns: [ListColumn<Row>] {
    [
      ListColumn("file") { .text($0.file) },
      ListColumn("attack") { .text($0.attack.id) },
      ListColumn("name") { .text($0.attack.name) },
      ListColumn("vectors") { .list($0.comparison.vectors) },
      ListColumn("shared_sources") { .count($0.comparison.sharedSources) },
      ListColumn("their_sources") { .count($0.comparison.theirSources) },
      ListColumn("share") { .percent($0.comparison.sourceShare * 100) },
      ListColumn("their_start") { .time($0.fingerprint.start) },
      ListColumn("nature", extra: true) { .text($0.attack.vectors.first?.nature.rawValue) },
      ListColumn("key", extra: true) { .text($0.fingerprint.key) },
      ListColumn("tags", extra: true) { .list($0.fingerprint.tags) },
      ListColumn("seconds_apart", extra: true) {
        $0.comparison.secondsApart.map { .decimal($0, digits: 0) } ?? .none
      },
    ]
  }
}
