/// One thing with its properties, a line each: what the `show` commands print.
struct Sheet {
  private(set) var lines: [(label: String, cell: ListCell)] = []
  let title: String?

  init(_ title: String? = nil) { self.title = title }

  mutating func add(_ label: String, _ cell: ListCell) { lines.append((label, cell)) }
  mutating func add(_ label: String, _ text: String?) { add(label, .text(text)) }

  /// The sheet with its labels aligned; a value of several lines keeps its indent.
  func text(for terminal: Terminal) -> String {
    var text = title.map { terminal.styled($0, .bold) + "\n" } ?? ""
    let width = lines.map { DisplayWidth.of($0.label) }.max() ?? 0
    for (label, cell) in lines {
      let gap = String(repeating: " ", count: width - DisplayWidth.of(label) + 2)
      let value = terminal.styled(cell.tableText, cell.style)
      text += terminal.styled(label, .faint) + gap + value + "\n"
    }
    return text
  }

  func write() { Terminal.output.write(text(for: .output)) }
}
