import ArgumentParser
import Settings

struct ConfigCheck: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "check",
    abstract: "Say what is wrong with the configuration, without running anything.",
    discussion: """
      Prints every problem with its file and line. Exit code 78 if there is an error, 0 otherwise.

      Example:
        noroshi config check --config /etc/noroshi/noroshi.yaml
      """)

  @OptionGroup var options: HouseOptions

  func run() throws {
    let effective: EffectiveConfiguration
    do {
      effective = try options.effective()
    } catch let error as ConfigurationError {
      for problem in error.problems { Terminal.output.line("\(problem)") }
      throw CommandFailure(
        "\(error.problems.count) \(error.problems.count == 1 ? "problem" : "problems") found",
        advice: "`noroshi config reference` explains every key.", status: .badConfiguration)
    }
    for warning in effective.warnings { Terminal.output.line("warning: \(warning)") }
    Terminal.output.line(
      (effective.file.map { "\($0) is right" } ?? "No file is read; the defaults count")
        + (effective.warnings.isEmpty ? "." : ", apart from the warnings above."))
  }
}
