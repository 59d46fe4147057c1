import ArgumentParser
import Casework
import NetworkTypes
import Store

/// The cases that a command is about, and what is said of them.
struct CaseChoice: ParsableArguments {
  @OptionGroup var options: HouseOptions

  @Argument(help: "The cases.")
  var cases: [String]

  /// Takes a step with each of them, and says which were taken; the first that is not possible ends
  /// it, and what was done before stays done.
  func forEach(
    _ done: String, _ step: (CaseRegister, String, House) throws -> Void
  ) throws {
    let house = try options.house()
    let register = try house.caseRegister(try house.store())
    for id in cases {
      try step(register, id, house)
      Terminal.error.line("\(id) \(done).")
    }
  }
}

struct CaseAcknowledge: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "acknowledge",
    abstract: "Say that the responsible organisation works on it.",
    discussion: """
      Example:
        noroshi case acknowledge C-2026-000123 --text "customer will be called on Monday"
      """)

  @OptionGroup var choice: CaseChoice
  @Option(name: .long, help: "A comment.")
  var text: String?

  func run() async throws {
    try choice.forEach("is acknowledged") { register, id, _ in
      try register.acknowledge(
        id, by: House.operator, text: text, at: House.now, visibleTo: .everything)
    }
  }
}

struct CaseFixed: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "fixed",
    abstract: "Say that the responsible organisation has repaired it; a new sighting reopens it.")

  @OptionGroup var choice: CaseChoice
  @Option(name: .long, help: "A comment.")
  var text: String?

  func run() async throws {
    try choice.forEach("is fixed") { register, id, _ in
      try register.markFixed(
        id, by: House.operator, text: text, at: House.now, visibleTo: .everything)
    }
  }
}

struct CaseClose: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "close",
    abstract: "Close cases, with a reason.",
    discussion: """
      Example:
        noroshi case close C-2026-000123 --reason "honeypot of our own"
      """)

  @OptionGroup var choice: CaseChoice
  @Option(name: .long, help: "Why.")
  var reason: String

  func run() async throws {
    try choice.forEach("is closed") { register, id, _ in
      try register.close(
        id, by: House.operator, reason: reason, at: House.now, visibleTo: .everything)
    }
  }
}

struct CaseReopen: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "reopen", abstract: "Open closed or fixed cases again.")

  @OptionGroup var choice: CaseChoice
  @Option(name: .long, help: "A comment.")
  var text: String?

  func run() async throws {
    try choice.forEach("is open again") { register, id, _ in
      try register.reopen(
        id, by: House.operator, text: text, at: House.now, visibleTo: .everything)
    }
  }
}

struct CaseComment: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "comment", abstract: "Add a comment to the history of cases.")

  @OptionGroup var choice: CaseChoice
  @Option(name: .long, help: "The comment.")
  var text: String

  func run() async throws {
    try choice.forEach("has a comment") { register, id, _ in
      try register.comment(
        id, by: House.operator, text: text, at: House.now, visibleTo: .everything)
    }
  }
}

struct CaseAssign: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "assign",
    abstract: "Give cases to a person.",
    discussion: """
      Example:
        noroshi case assign C-2026-000123 C-2026-000124 --to hanako
      """)

  @OptionGroup var choice: CaseChoice
  @Option(name: .long, help: "The person; an empty name takes the cases from everybody.")
  var to: String

  func run() async throws {
    try choice.forEach(to.isEmpty ? "is nobody's" : "is \(to)'s") { register, id, _ in
      try register.assign(
        id, to: to, by: House.operator, at: House.now, visibleTo: .everything)
    }
  }
}

struct CaseReassign: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "reassign",
    abstract: "Give cases to another organisation: the answer to a contested or unassigned one.",
    discussion: """
      Example:
        noroshi case reassign C-2026-000123 --to example-isp
      """)

  @OptionGroup var choice: CaseChoice
  @Option(name: .long, help: "The organisation, by its identifier.")
  var to: String

  func run() async throws {
    try choice.forEach("is the case of \(to)") { register, id, house in
      try house.requireOrganisation(to)
      try register.reassign(id, to: to, by: House.operator, at: House.now)
    }
  }
}
