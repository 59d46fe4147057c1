import ArgumentParser

/// What `make bench` measures inside one process; the races with other programs are in scripts/bench.
@main
struct Benchmarks: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "benchmarks", abstract: "Measure parts of Noroshi.",
    subcommands: [PrefixLookups.self, TelescopePass.self])
}
