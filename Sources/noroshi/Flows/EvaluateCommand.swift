import ArgumentParser
import FlowAnalysis
import Foundation
import NetworkTypes

/// How an evaluation is written.
enum EvaluationFormat: String, CaseIterable, ExpressibleByArgument, Sendable {
  case table, json, html
}

/// Reads `NAME=FILE,FILE;CHANNEL;home:PREFIX`: a labelled set on the command line.
enum EvaluationSetText {
  static let help = """
    A labelled set: FILE, or NAME=FILE,FILE with what is known besides labels behind semicolons: true \
    channels as SERVER[:PORT] or CLIENT>SERVER[:PORT], and home:PREFIX.
    """

  static func read(_ text: String) throws -> EvaluationSet {
    let parts = text.split(separator: ";").map(String.init)
    guard let first = parts.first else { throw ValidationError("A set needs a file.") }
    var name = URL(fileURLWithPath: first.split(separator: ",").first.map(String.init) ?? first)
      .lastPathComponent
    var files = first
    if let equals = first.firstIndex(of: "=") {
      name = String(first[..<equals])
      files = String(first[first.index(after: equals)...])
    }
    var set = EvaluationSet(name: name, paths: try paths(files))
    var home: [IPPrefix] = []
    for part in parts.dropFirst() {
      if part.hasPrefix("home:"), let prefix = IPPrefix(part.dropFirst(5)) {
        home.append(prefix)
      } else if let channel = EvaluationSet.Channel(text: part) {
        set.channels.append(channel)
      } else {
        throw ValidationError("“\(part)” is neither a channel nor home:PREFIX.")
      }
    }
    if !home.isEmpty { set.home = HomeNetworks(home) }
    return set
  }

  /// The files; of a folder those that look like flows, by name.
  private static func paths(_ text: String) throws -> [String] {
    try text.split(separator: ",").flatMap { part -> [String] in
      let path = String(part)
      var isFolder: ObjCBool = false
      guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
        throw CommandFailure("There is no \(path)", status: .noInput)
      }
      guard isFolder.boolValue else { return [path] }
      let names = FileManager.default.enumerator(atPath: path)?.allObjects as? [String] ?? []
      return names.filter { name in
        let last = name.split(separator: "/").last ?? ""
        return last.hasPrefix("conn.") || last.contains(".binetflow")
      }.sorted().map { path + "/" + $0 }
    }
  }
}

struct FlowsEvaluateCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "evaluate",
    abstract: "Measure the C&C detector on labelled flows, with other methods beside it.",
    discussion: """
      Precision and recall, average precision with an interval, false servers per day, time to \
      detection, García's metric of 2014, sampled variants, RITA's scores and a popularity baseline. \
      The same sets and seed give the same report to the last digit. See docs/detection.md.

      Examples:
        noroshi flows evaluate capture20110816.binetflow.xz
        noroshi flows evaluate "rita=missing_host;73.54.23.243>64.225.56.201:80" --format json
        noroshi flows evaluate a.labeled b.labeled --base day.labeled --format html -o report.html
      """)

  @OptionGroup var detection: DetectionOptions

  @Argument(help: ArgumentHelp(EvaluationSetText.help), completion: .file())
  var sets: [String] = []

  @Option(
    name: .long,
    help: ArgumentHelp("A benign set over which synthetic beacons are laid.", valueName: "set"))
  var base: [String] = []

  @Option(name: .long, help: "The seed of resampling, sampling and overlays.")
  var seed: UInt64 = 1

  @Option(name: .long, help: "Sampling rates to try, separated by commas; 0 for none.")
  var sampling = "10,100,1000"

  @Flag(name: .long, help: "Without RITA's scores and the popularity baseline.")
  var plain = false

  @Flag(name: .long, help: "Without replaying for the time to detection.")
  var noReplay = false

  @Option(name: .long, help: "How to write the report: table, json or html.")
  var format = EvaluationFormat.table

  @Option(name: [.customShort("o"), .long], help: "The file to write.", completion: .file())
  var output: String?

  func validate() throws {
    guard !sets.isEmpty || !base.isEmpty else {
      throw ValidationError("Name a labelled set, or a --base for synthetic beacons.")
    }
    guard sampling.split(separator: ",").allSatisfy({ UInt32($0) != nil }) else {
      throw ValidationError("--sampling: numbers such as 10,100 are wanted.")
    }
  }

  func run() async throws {
    var parameters = DetectionEvaluation.Parameters()
    parameters.seed = seed
    parameters.samplingRates = sampling.split(separator: ",").compactMap { UInt32($0) }
      .filter { $0 > 1 }
    parameters.includesBaselines = !plain
    if noReplay { parameters.replayRankings = 0 }
    var evaluation = DetectionEvaluation(
      parameters: parameters, ranking: try detection.ranking())
    let bar = ProgressBar("Evaluating", unit: "")
    evaluation.progress = { bar.update(0, detail: $0) }
    let report = try evaluation.run(
      try sets.map(EvaluationSetText.read), bases: try base.map(EvaluationSetText.read))
    bar.finish()
    let text: String
    switch format {
    case .json: text = try report.json()
    case .html: text = EvaluationPage(report).html
    case .table: text = report.table
    }
    guard let output else {
      Terminal.output.write(text)
      return
    }
    do {
      try Data(text.utf8).write(to: URL(fileURLWithPath: output), options: .atomic)
    } catch {
      throw CommandFailure("\(output) cannot be written: \(error)", status: .cannotCreate)
    }
    Terminal.error.line("The report is in \(output).")
  }
}
