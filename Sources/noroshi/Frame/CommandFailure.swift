/// What the exit code of `noroshi` says. The numbers from 64 on are those of BSD's sysexits(3).
enum ExitStatus: Int32, CaseIterable, Sendable {
  case success = 0
  case failure = 1
  /// The command worked, and its answer is no: a broken audit chain, a failed check, nothing found.
  case negative = 2
  case usage = 64
  case badData = 65
  case noInput = 66
  case unavailable = 69
  case cannotCreate = 73
  case inputOutput = 74
  case noPermission = 77
  case badConfiguration = 78

  /// One line for the documentation.
  var meaning: String {
    switch self {
    case .success: "the command did what it was asked"
    case .failure: "the command failed; the sentence on standard error says why"
    case .negative: "the command worked and its answer is no (check failed, nothing found)"
    case .usage: "the command line is wrong"
    case .badData: "an input file or value is wrong"
    case .noInput: "an input file does not exist or cannot be read"
    case .unavailable: "a service, tool or library that is needed is not there"
    case .cannotCreate: "an output file or directory cannot be created"
    case .inputOutput: "reading or writing failed half-way"
    case .noPermission: "the user may not do that"
    case .badConfiguration: "the configuration is wrong"
    }
  }
}

/// A failure as the person at the terminal sees it: one sentence, and what to do next.
struct CommandFailure: Error, CustomStringConvertible {
  let status: ExitStatus
  let reason: String
  let advice: String?

  init(_ reason: String, advice: String? = nil, status: ExitStatus = .failure) {
    self.reason = reason
    self.advice = advice
    self.status = status
  }

  var description: String { advice.map { "\(reason)\n  → \($0)" } ?? reason }

  /// Prints it on standard error.
  func report() {
    let terminal = Terminal.error
    terminal.line(terminal.styled("noroshi: ", .red) + sentence(reason))
    if let advice {
      for line in advice.split(separator: "\n", omittingEmptySubsequences: false) {
        terminal.line("  → \(line)")
      }
    }
  }

  private func sentence(_ text: String) -> String {
    guard let last = text.last, !last.isPunctuation, last != "\n" else { return text }
    return text + "."
  }
}
