import ArgumentParser
import Settings

struct ConfigShow: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "show",
    abstract: "Print every value that counts, and where it comes from.",
    discussion: """
      Examples:
        noroshi config show
        noroshi config show --set-only            what differs from the defaults
        noroshi config show telescope.networks    one key, or all keys below a name
        NOROSHI_PORTAL_PORT=9000 noroshi config show portal
      """)

  @OptionGroup var options: HouseOptions
  @OptionGroup var list: ListOutput

  @Flag(name: .long, help: "Leave out what has its default.")
  var setOnly = false

  @Argument(help: ArgumentHelp("Only these keys, or the keys below them.", valueName: "key"))
  var keys: [String] = []

  func run() throws {
    let effective = try options.effective()
    let chosen = ConfigurationKey.all.filter { key in
      (keys.isEmpty || keys.contains { key.path == $0 || key.path.hasPrefix($0 + ".") })
        && (!setOnly || effective.origin(of: key) != .standard)
    }
    if chosen.isEmpty, !keys.isEmpty, !setOnly {
      throw CommandFailure(
        "There is no key \(keys.joined(separator: ", "))",
        advice: "`noroshi config reference` lists them all.", status: .usage)
    }
    try list.write(
      chosen,
      columns: [
        ListColumn("key") { .text($0.path) },
        ListColumn("value") {
          let text = $0.text(in: effective.values)
          return text.isEmpty ? .none : .text(text, .plain)
        },
        ListColumn("source") {
          let origin = effective.origin(of: $0)
          return .text(origin.description, origin == .standard ? .faint : .plain)
        },
        ListColumn("variable", extra: true) { .text($0.variable) },
        ListColumn("expects", extra: true) { .text($0.expectation) },
      ], nothing: "Everything has its default.")
    if list.format == .table, let file = effective.file { Terminal.error.line("File: \(file)") }
  }
}
