import ArgumentParser

struct CompletionsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "completions",
    abstract: "Print the completion script of a shell.",
    discussion: """
      bash:  noroshi completions bash > ~/.local/share/bash-completion/completions/noroshi
      zsh:   noroshi completions zsh > "${fpath[1]}/_noroshi"
      fish:  noroshi completions fish > ~/.config/fish/completions/noroshi.fish
      """)

  enum Shell: String, CaseIterable, ExpressibleByArgument {
    case bash
    case zsh
    case fish
  }

  @Argument(help: "bash, zsh or fish.")
  var shell: Shell

  func run() throws {
    let parserShell: CompletionShell =
      switch shell {
      case .bash: .bash
      case .zsh: .zsh
      case .fish: .fish
      }
    Terminal.output.write(Noroshi.completionScript(for: parserShell))
  }
}
