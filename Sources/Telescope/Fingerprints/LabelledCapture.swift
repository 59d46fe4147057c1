public import NetworkTypes

/// A capture of which it is known what sent its probes.
public struct LabelledCapture: Sendable {
  public let path: String
  /// What is known about the capture's probes.
  public let truth: Truth
  /// The sources that the truth is about; nil for all.
  public let sources: Set<IPAddress>?

  public enum Truth: Hashable, Sendable {
    /// This tool, by the name that the rules have for it.
    case tool(String)
    /// No tool that the rules know: nothing may be named.
    case none
    /// Not known, or a mixture: what is found is listed and not judged.
    case unknown
  }

  public init(path: String, truth: Truth, sources: Set<IPAddress>? = nil) {
    self.path = path
    self.truth = truth
    self.sources = sources
  }

  /// Reads a table of labels: CSV with a header line and the columns `file` and `tool`, optionally
  /// `ground_truth_label` and `source` (an address), and any others.
  ///
  /// The label begins with a known tool's name (`zmap>=4.1`, `nmap-syn`), with `os-` for an
  /// ordinary operating system, or with `mix` for an unknown mixture. Where it does not, the column
  /// `tool` decides, and a value that is not a known tool means that none may be named.
  ///
  /// - Parameters:
  ///   - directory: where the files lie, with or without a slash at the end.
  ///   - rules: which tools are known.
  /// - Throws: ``FingerprintLabelError`` with the line.
  public static func read(
    csv: String, directory: String, rules: FingerprintRules
  ) throws(FingerprintLabelError) -> [LabelledCapture] {
    let lines = csv.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
    guard let header = lines.first.map(Self.cells), let file = header.firstIndex(of: "file"),
      let tool = header.firstIndex(of: "tool")
    else {
      throw FingerprintLabelError(
        line: 1, problem: "the first line must name the columns `file` and `tool`.")
    }
    let label = header.firstIndex(of: "ground_truth_label")
    let source = header.firstIndex(of: "source")
    let prefix = directory.hasSuffix("/") || directory.isEmpty ? directory : directory + "/"
    var captures: [LabelledCapture] = []
    for (number, line) in lines.enumerated().dropFirst() where !line.isEmpty {
      let cells = Self.cells(line)
      guard cells.count > max(file, tool) else {
        throw FingerprintLabelError(
          line: number + 1, problem: "the line has fewer columns than the header.")
      }
      var sources: Set<IPAddress>?
      if let source, source < cells.count, !cells[source].isEmpty {
        guard let address = IPAddress(cells[source]) else {
          throw FingerprintLabelError(
            line: number + 1, problem: "`\(cells[source])` is not an IP address.")
        }
        sources = [address]
      }
      let text = label.flatMap { $0 < cells.count ? cells[$0] : nil } ?? ""
      captures.append(
        LabelledCapture(
          path: prefix + cells[file], truth: truth(label: text, tool: cells[tool], rules: rules),
          sources: sources))
    }
    return captures
  }

  private static func truth(label: String, tool: String, rules: FingerprintRules) -> Truth {
    if label.hasPrefix("os-") { return .none }
    if label.hasPrefix("mix") { return .unknown }
    let tools = Set(rules.rules.map(\.tool)).sorted { $0.count > $1.count }
    if let known = tools.first(where: { label.hasPrefix($0) }) { return .tool(known) }
    return tools.contains(tool) ? .tool(tool) : .none
  }

  /// The cells of one line of CSV (RFC 4180, without line breaks in cells).
  private static func cells(_ line: Substring) -> [String] {
    var result: [String] = []
    var cell = ""
    var quoted = false
    var rest = line[...]
    while let character = rest.popFirst() {
      switch character {
      case "\"" where quoted && rest.first == "\"":
        cell.append(rest.removeFirst())
      case "\"": quoted.toggle()
      case "," where !quoted:
        result.append(cell)
        cell = ""
      default: cell.append(character)
      }
    }
    return result + [cell]
  }
}

/// Why a table of labels was refused.
public struct FingerprintLabelError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The line, from 1.
  public let line: Int
  public let problem: String
  public var description: String { "Labels, line \(line): \(problem)" }
}
