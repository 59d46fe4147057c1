/// The keys as documents: the reference page, and a first file to edit.
public enum ConfigurationReference {
  /// docs/configuration.md, whole.
  public static func markdown() -> String {
    let standard = NoroshiConfiguration()
    var text = """
      # Configuration

      <!-- Made by `noroshi config reference --format markdown`; edit Sources/Settings instead. -->

      Noroshi reads one file, `noroshi.yaml`. The first of these that exists is taken:

      1. the one that `--config FILE` or the variable `NOROSHI_CONFIG` names,
      2. `noroshi.yaml` in the folder that `--data DIR` names,
      3. `noroshi.yaml` in the working directory,
      4. `/etc/noroshi/noroshi.yaml`.

      Without any, every key has its default. Each key can also be set by an environment variable, which
      wins over the file; `--data` and `--log-level` win over both. In a variable, the values of a list
      are separated by commas (or by line breaks, when there is one). A relative path in the file is
      relative to the file's folder, one in a variable to the working directory. A size is written
      `1GB` or `512MiB`, a span of time `90s`, `10min`, `2h` or `14d`.

      A wrong key or value is refused with its place, and with what would be right:

      ```
      noroshi.yaml:7: portal.prot: there is no such key; did you mean portal.port?
      ```

      `noroshi config check` looks without running anything, `noroshi config show` prints each value that
      counts and where it comes from, `noroshi init` writes a first file with every key in it.


      """
    for (group, keys) in grouped() {
      text += "## `\(group)`\n\n"
      for key in keys {
        text += "### `\(key.path)`\n\n\(key.summary)\n\n"
        text += "- takes: \(key.expectation)\n"
        let value = key.text(in: standard)
        text += "- default: \(value.isEmpty ? "nothing" : "`\(value)`")\n"
        text += "- variable: `\(key.variable)`\n\n"
      }
    }
    while text.hasSuffix("\n\n") { text.removeLast() }
    return text
  }

  /// A `noroshi.yaml` with every key in it, commented out except those in `values`, which are given
  /// as YAML.
  public static func sample(values: [String: String], heading: String) -> String {
    let standard = NoroshiConfiguration()
    var lines = heading.split(separator: "\n", omittingEmptySubsequences: false)
      .map { $0.isEmpty ? "#" : "# \($0)" }
    var open: [Substring] = []
    for key in ConfigurationKey.all {
      let parts = key.path.split(separator: ".")
      let groups = parts.dropLast()
      let shared = zip(open, groups).prefix { $0 == $1 }.count
      if shared == 0 { lines.append("") }
      for depth in shared..<max(groups.count, shared) {
        lines.append(String(repeating: "  ", count: depth) + "\(groups[depth]):")
      }
      open = Array(groups)
      let indent = String(repeating: "  ", count: groups.count)
      for line in wrapped("\(key.summary) (\(key.expectation))", to: 96 - indent.count) {
        lines.append("\(indent)# \(line)")
      }
      let name = parts.last ?? ""
      let value = values[key.path] ?? key.text(in: standard)
      let mark = values[key.path] == nil ? "#" : ""
      lines.append("\(indent)\(mark)\(name):\(value.isEmpty ? "" : " \(value)")")
    }
    return lines.joined(separator: "\n") + "\n"
  }

  private static func grouped() -> [(String, [ConfigurationKey])] {
    var groups: [(String, [ConfigurationKey])] = []
    for key in ConfigurationKey.all {
      let name = key.path.split(separator: ".").first.map(String.init) ?? key.path
      if let last = groups.indices.last, groups[last].0 == name {
        groups[last].1.append(key)
      } else {
        groups.append((name, [key]))
      }
    }
    return groups
  }

  private static func wrapped(_ text: String, to width: Int) -> [String] {
    var lines: [String] = []
    var line = ""
    for word in text.split(separator: " ") {
      if !line.isEmpty, line.count + 1 + word.count > width {
        lines.append(line)
        line = ""
      }
      line += line.isEmpty ? "\(word)" : " \(word)"
    }
    if !line.isEmpty { lines.append(line) }
    return lines
  }
}
