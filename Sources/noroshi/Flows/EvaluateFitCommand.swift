import ArgumentParser
import FlowAnalysis
import Foundation

struct FlowsFitCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "fit",
    abstract: "Fit the weights of evidence on labelled sets.",
    discussion: """
      Logistic regression around weights that stand for judgement (or --parameters), with the sign of each kind of evidence \
      kept. Writes weights that --parameters takes, as JSON. Which sets the shipped weights were \
      fitted on is in docs/detection.md; evaluate on others.

      Example:
        noroshi flows fit njrat.conn.log.labeled day.conn.log --base day.conn.log > weights.json
      """)

  @OptionGroup var detection: DetectionOptions

  @Argument(help: ArgumentHelp(EvaluationSetText.help), completion: .file())
  var sets: [String]

  @Option(
    name: .long,
    help: ArgumentHelp("A benign set over which synthetic beacons are laid.", valueName: "set"))
  var base: [String] = []

  func run() async throws {
    let result = try RankingFit().fit(
      try sets.map(EvaluationSetText.read), bases: try base.map(EvaluationSetText.read),
      overlays: DetectionEvaluation.sweep,
      from: detection.parameters.map { try RankingParameters(file: $0) } ?? .prior)
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .prettyPrinted]
    Terminal.output.write(
      String(decoding: try encoder.encode(result.parameters), as: UTF8.self) + "\n")
    Terminal.error.line(
      "\(result.trueServers) true and \(result.otherServers) other servers; mean log-loss "
        + "\(Quantity.decimal(result.lossBefore, digits: 4)) before, "
        + "\(Quantity.decimal(result.lossAfter, digits: 4)) after.")
  }
}
