import ArgumentParser
import Foundation
import Telescope

struct FingerprintsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "fingerprints",
    abstract: "The rules that name scanning tools and malware.",
    subcommands: [FingerprintsTest.self, FingerprintsList.self])
}

struct FingerprintsList: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list",
    abstract: "List the rules, the most specific first.",
    discussion: """
      Examples:
        noroshi telescope fingerprints list
        noroshi telescope fingerprints list --rules my-rules.yaml
      """)

  @OptionGroup var list: ListOutput
  @Option(name: .long, help: "A file of rules that come before the standard ones.")
  var rules: String?

  func run() async throws {
    try list.write(
      try FingerprintRules.with(rules).rules,
      columns: [
        ListColumn("rule") { .text($0.id) },
        ListColumn("tool") { .text($0.tool) },
        ListColumn("versions") { .text($0.versionFamily) },
        ListColumn("grade") { .text($0.grade.rawValue) },
        ListColumn("malware") { .text($0.malware) },
      ])
  }
}

extension FingerprintRules {
  /// The standard rules, with a user's file before them.
  static func with(_ file: String?) throws -> FingerprintRules {
    guard let file else { return .standard }
    guard let data = FileManager.default.contents(atPath: file) else {
      throw CommandFailure("\(file) does not exist or cannot be read", status: .noInput)
    }
    return try FingerprintRules(yaml: String(decoding: data, as: UTF8.self), extending: .standard)
  }
}

struct FingerprintsTest: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "test",
    abstract: "Measure precision and recall of the rules on labelled captures.",
    discussion: """
      What is true of the captures is said by --tool for all of them, or by a table beside them \
      (LABELS.csv: file, tool, …; see docs/fingerprints.md).

      Examples:
        noroshi telescope fingerprints test --labels captures/LABELS.csv
        noroshi telescope fingerprints test --tool zmap probe1.pcap probe2.pcap
        noroshi telescope fingerprints test --tool none backscatter.pcap
      """)

  @OptionGroup var list: ListOutput

  @Argument(help: "Captures.", completion: .file())
  var captures: [String] = []

  @Option(name: .long, help: "A table that says which tool made which capture.")
  var labels: String?

  @Option(name: .long, help: "The tool that made all of these captures; none for no tool.")
  var tool: String?

  @Option(name: .long, help: "A file of rules that come before the standard ones.")
  var rules: String?

  @Flag(name: .long, help: "A row for each tool instead of each rule.")
  var byTool = false

  func validate() throws {
    guard labels != nil || !captures.isEmpty else {
      throw ValidationError("Name captures, or a table of labels with --labels.")
    }
    guard labels == nil || tool == nil else {
      throw ValidationError("--labels and --tool exclude each other.")
    }
  }

  func run() async throws {
    let rules = try FingerprintRules.with(rules)
    let matcher = FingerprintMatcher(rules)
    var labelled: [LabelledCapture] = []
    if let labels {
      guard let data = FileManager.default.contents(atPath: labels) else {
        throw CommandFailure("\(labels) does not exist or cannot be read", status: .noInput)
      }
      labelled = try LabelledCapture.read(
        csv: String(decoding: data, as: UTF8.self),
        directory: (labels as NSString).deletingLastPathComponent, rules: rules)
    }
    for path in captures where !labelled.contains(where: { $0.path == path }) {
      let truth: LabelledCapture.Truth =
        tool.map { $0.lowercased() == "none" ? .none : .tool($0) } ?? .unknown
      labelled.append(LabelledCapture(path: path, truth: truth))
    }
    let result = try FingerprintEvaluation(of: labelled, by: matcher)
    func ratio(_ value: Double?) -> ListCell { value.map { .percent($0 * 100) } ?? .none }
    if byTool {
      try list.write(
        result.tools,
        columns: [
          ListColumn("tool") { .text($0.tool) },
          ListColumn("sources") { .count($0.sources) },
          ListColumn("right") { .count($0.rightSources) },
          ListColumn("wrong") { .count($0.wrongSources) },
          ListColumn("precision") { ratio($0.precision) },
          ListColumn("recall") { ratio($0.recall) },
          ListColumn("packet_recall") { ratio($0.packetRecall) },
        ])
    } else {
      try list.write(
        result.rules,
        columns: [
          ListColumn("rule") { .text($0.rule) },
          ListColumn("tool") { .text($0.tool) },
          ListColumn("grade", extra: true) { .text($0.grade.rawValue) },
          ListColumn("packets") { .count($0.packets) },
          ListColumn("stray_packets") { .count($0.strayPackets) },
          ListColumn("right_sources") { .count($0.rightSources) },
          ListColumn("wrong_sources") { .count($0.wrongSources) },
          ListColumn("unjudged_sources", extra: true) { .count($0.unjudgedSources) },
          ListColumn("precision") { ratio($0.precision) },
          ListColumn("not_testable", extra: true) { .list($0.notTestable) },
        ])
    }
  }
}
