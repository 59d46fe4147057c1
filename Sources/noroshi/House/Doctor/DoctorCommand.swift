import ArgumentParser
import Settings

struct DoctorCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "doctor",
    abstract: "Say what is missing on this machine, and how to get it.",
    discussion: """
      Looks at the configuration, the data directory, installed data and tools, ports, the mail \
      server, the kernel, and what live capture and collecting flows need. Changes nothing. Exit code 2 if something will \
      not work.

      Examples:
        noroshi doctor
        noroshi doctor --data /var/lib/noroshi --format json
      """)

  @OptionGroup var options: HouseOptions
  @OptionGroup var list: ListOutput

  func run() async throws {
    var diagnoses: [Diagnosis] = []
    do {
      let house = try options.house()
      diagnoses += ConfigurationChecks.run(house.effective)
      diagnoses += await DataChecks.run(house)
      diagnoses += MachineChecks.run(house)
      diagnoses += FlowChecks.run(house)
      diagnoses += NetworkChecks.run(house.configuration)
    } catch let error as ConfigurationError {
      diagnoses += error.problems.map {
        .fault("configuration", "\($0)", "`noroshi config reference` explains every key")
      }
    }
    if list.format == .table {
      report(diagnoses)
    } else {
      try list.write(
        diagnoses,
        columns: [
          ListColumn("verdict") { .text($0.verdict.rawValue, $0.verdict.style) },
          ListColumn("subject") { .text($0.subject) },
          ListColumn("finding") { .text($0.finding) },
          ListColumn("remedy") { .text($0.remedy) },
        ])
    }
    if diagnoses.contains(where: { $0.verdict == .fault }) {
      throw ExitCode(ExitStatus.negative.rawValue)
    }
  }

  /// A line each, and below it what to do: remedies are too long for a column.
  private func report(_ diagnoses: [Diagnosis]) {
    let output = Terminal.output
    let width = diagnoses.map { DisplayWidth.of($0.subject) }.max() ?? 0
    for diagnosis in diagnoses {
      let mark = diagnosis.verdict.rawValue
      let gap = String(repeating: " ", count: 6 - mark.count)
      let subject =
        diagnosis.subject
        + String(repeating: " ", count: width - DisplayWidth.of(diagnosis.subject))
      output.line(
        output.styled(mark, diagnosis.verdict.style) + gap + output.styled(subject, .bold) + "  "
          + DisplayWidth.printable(diagnosis.finding))
      if let remedy = diagnosis.remedy {
        output.line(String(repeating: " ", count: 8 + width) + "→ \(remedy)")
      }
    }
    let faults = diagnoses.filter { $0.verdict == .fault }.count
    let notes = diagnoses.filter { $0.verdict == .note }.count
    output.line()
    output.line(
      faults == 0
        ? "Everything that is needed is there" + (notes == 0 ? "." : "; \(notes) to think about.")
        : "\(faults) will not work; \(notes) to think about.")
  }
}
