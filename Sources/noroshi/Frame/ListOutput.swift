import ArgumentParser

/// How a command that lists things writes them.
enum ListFormat: String, CaseIterable, ExpressibleByArgument, Sendable {
  /// Aligned columns for people.
  case table
  /// One array of objects, one object a line.
  case json
  /// RFC 4180 with a header line.
  case csv
}

/// One column of a list.
struct ListColumn<Row> {
  /// Its key in JSON and CSV, and for `--columns`: `last_seen`.
  let name: String
  /// Its heading in a table.
  let heading: String
  /// Left out of tables unless `--columns` asks for it; always in JSON and CSV.
  let isExtra: Bool
  let cell: (Row) -> ListCell

  init(
    _ name: String, _ heading: String? = nil, extra: Bool = false,
    _ cell: @escaping (Row) -> ListCell
  ) {
    self.name = name
    self.heading = heading ?? name.replacing("_", with: " ").uppercased()
    isExtra = extra
    self.cell = cell
  }
}

/// The options of every command that lists things, and the writing itself.
///
/// ```swift
/// @OptionGroup var list: ListOutput
/// try list.write(events, columns: [
///   ListColumn("source") { .text($0.source.description) },
///   ListColumn("packets") { .count($0.packets) },
/// ])
/// ```
struct ListOutput: ParsableArguments {
  @Option(name: .long, help: "How to write the list: table, json or csv.")
  var format = ListFormat.table

  @Option(
    name: .long, help: "Only these columns, in this order, separated by commas; `all` for all.")
  var columns: String?

  /// A table, for lists that are part of a longer text.
  static var table: ListOutput {
    var list = ListOutput()
    list.format = .table
    list.columns = nil
    return list
  }

  /// - Parameters:
  ///   - total: how many rows there are in all, when `rows` is one page of them.
  ///   - nothing: what a table says when there is no row.
  func write<Row>(
    _ rows: some Sequence<Row>, columns available: [ListColumn<Row>], total: Int? = nil,
    nothing: String = "Nothing found."
  ) throws {
    let chosen = try choose(from: available)
    let output = Terminal.output
    switch format {
    case .json:
      output.write(Self.json(rows, columns: chosen))
    case .csv:
      output.write(Self.csv(rows, columns: chosen))
    case .table:
      let (text, shown) = Self.table(
        rows, columns: chosen, terminal: output, width: output.columns)
      guard shown > 0 else {
        Terminal.error.line(nothing)
        return
      }
      output.write(text)
      if let total, total > shown {
        Terminal.error.line(
          "\(Quantity.grouped(shown)) of \(Quantity.grouped(total)) shown; --limit 0 shows all.")
      }
    }
  }

  private func choose<Row>(from available: [ListColumn<Row>]) throws -> [ListColumn<Row>] {
    guard let columns else {
      return format == .table ? available.filter { !$0.isExtra } : available
    }
    if columns == "all" { return available }
    let known = available.map(\.name).joined(separator: ", ")
    let chosen = try columns.split(separator: ",").map { part in
      let name = part.filter { $0 != " " }
      guard let column = available.first(where: { $0.name == name }) else {
        throw ValidationError("There is no column “\(name)”. The columns are: \(known).")
      }
      return column
    }
    guard !chosen.isEmpty else {
      throw ValidationError("--columns names no column. The columns are: \(known).")
    }
    return chosen
  }

  static func csv<Row>(_ rows: some Sequence<Row>, columns: [ListColumn<Row>]) -> String {
    var text = columns.map(\.name).joined(separator: ",") + "\r\n"
    for row in rows {
      text += columns.map { $0.cell(row).csvText }.joined(separator: ",") + "\r\n"
    }
    return text
  }

  static func json<Row>(_ rows: some Sequence<Row>, columns: [ListColumn<Row>]) -> String {
    let lines = rows.map { row in
      let members = columns.map { "\(ListCell.jsonString($0.name)):\($0.cell(row).jsonText)" }
      return "{" + members.joined(separator: ",") + "}"
    }
    return lines.isEmpty ? "[]\n" : "[\n" + lines.joined(separator: ",\n") + "\n]\n"
  }

  /// The table, and how many rows it has. `width` is the terminal's; nil lets lines be as long as
  /// they are.
  static func table<Row>(
    _ rows: some Sequence<Row>, columns: [ListColumn<Row>], terminal: Terminal, width: Int?
  ) -> (text: String, rows: Int) {
    let cells = rows.map { row in columns.map { $0.cell(row) } }
    let texts = cells.map { $0.map(\.tableText) }
    var widths = columns.map { DisplayWidth.of($0.heading) }
    var isNumber = columns.map { _ in false }
    for (row, line) in texts.enumerated() {
      for (index, text) in line.enumerated() {
        widths[index] = max(widths[index], DisplayWidth.of(text))
        if cells[row][index].isRightAligned { isNumber[index] = true }
      }
    }
    if let width { fit(&widths, into: width, shrinkable: isNumber.map { !$0 }) }

    func line(_ parts: [String], _ styles: [Terminal.Style]) -> String {
      var line = ""
      for index in parts.indices {
        let part = DisplayWidth.truncated(parts[index], to: widths[index])
        let gap = String(repeating: " ", count: max(0, widths[index] - DisplayWidth.of(part)))
        let styled = terminal.styled(part, styles[index])
        let isLast = index == parts.count - 1
        line += isNumber[index] ? gap + styled : styled + (isLast ? "" : gap)
        if !isLast { line += "  " }
      }
      return line + "\n"
    }
    var text = line(columns.map(\.heading), columns.map { _ in .bold })
    for (row, parts) in texts.enumerated() { text += line(parts, cells[row].map(\.style)) }
    return (text, texts.count)
  }

  /// Takes columns from the widest texts until the line fits; none becomes narrower than eight.
  private static func fit(_ widths: inout [Int], into width: Int, shrinkable: [Bool]) {
    var excess = widths.reduce(0, +) + 2 * (widths.count - 1) - width
    while excess > 0 {
      let candidates = widths.indices.filter { shrinkable[$0] && widths[$0] > 8 }
      guard let widest = candidates.max(by: { widths[$0] < widths[$1] }) else { return }
      widths[widest] -= 1
      excess -= 1
    }
  }
}
