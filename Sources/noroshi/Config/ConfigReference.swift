import ArgumentParser
import Settings

struct ConfigReference: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "reference",
    abstract: "Print what every key means, its values and its default.",
    discussion: """
      Examples:
        noroshi config reference | less
        noroshi config reference --format sample > noroshi.yaml
      """)

  enum Format: String, CaseIterable, ExpressibleByArgument {
    /// docs/configuration.md.
    case markdown
    /// A file to edit, every key commented out.
    case sample
  }

  @Option(name: .long, help: "markdown (docs/configuration.md) or sample (a file to edit).")
  var format = Format.markdown

  func run() {
    switch format {
    case .markdown: Terminal.output.write(ConfigurationReference.markdown())
    case .sample:
      Terminal.output.write(
        ConfigurationReference.sample(
          values: [:], heading: "Noroshi's configuration. A key with a # before it has its default."
        ))
    }
  }
}
