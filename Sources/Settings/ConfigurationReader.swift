import Foundation
import Yams

/// The configuration that counts, and where each value came from.
public struct EffectiveConfiguration: Sendable {
  public var values: NoroshiConfiguration
  /// By path of key; a key that is not in it has its default.
  public var origins: [String: ConfigurationOrigin]
  /// The file that was read; nil when there was none.
  public var file: String?
  /// What is allowed, but probably not meant.
  public var warnings: [ConfigurationProblem]

  public func origin(of key: ConfigurationKey) -> ConfigurationOrigin {
    origins[key.path] ?? .standard
  }
}

/// Reads `noroshi.yaml`, then the environment, then the command line: the later one wins.
public struct ConfigurationReader {
  /// Variables that begin with `NOROSHI_` and set no key: they choose the file, or serve the tests
  /// and the demonstration.
  public static let otherVariables: Set<String> = [
    "NOROSHI_CONFIG", "NOROSHI_SHARED", "NOROSHI_PASSWORD", "NOROSHI_PASSPHRASE",
    "NOROSHI_PKCS11_MODULE",
  ]

  /// A file beyond this size is not a configuration: our own choice.
  static let maximumFileSize = 1 << 20

  private var configuration = NoroshiConfiguration()
  private var origins: [String: ConfigurationOrigin] = [:]
  private var problems: [ConfigurationProblem] = []

  private init() {}

  /// - Parameters:
  ///   - file: the file to read; nil reads none.
  ///   - environment: variables that do not begin with `NOROSHI_` are not looked at.
  ///   - options: values from the command line by path of key, each with the option's name.
  ///   - workingDirectory: what relative paths outside the file are relative to.
  /// - Throws: ``ConfigurationError`` with everything that is wrong.
  public static func read(
    file: String?, environment: [String: String] = [:],
    options: [(key: String, option: String, value: String)] = [], workingDirectory: String = "/"
  ) throws(ConfigurationError) -> EffectiveConfiguration {
    var text: String?
    if let file {
      guard let data = FileManager.default.contents(atPath: file) else {
        throw ConfigurationError([
          ConfigurationProblem(
            "", "the file does not exist or cannot be read; `noroshi init` makes one",
            at: .file(path: file, line: 0))
        ])
      }
      guard data.count <= maximumFileSize, let decoded = String(data: data, encoding: .utf8) else {
        throw ConfigurationError([
          ConfigurationProblem(
            "", "expected a text in UTF-8 of at most 1 MiB", at: .file(path: file, line: 1))
        ])
      }
      text = decoded
    }
    return try read(
      yaml: text, named: file ?? "", environment: environment, options: options,
      workingDirectory: workingDirectory)
  }

  /// The same with the text of the file at hand. `name` is the file's path.
  public static func read(
    yaml: String?, named name: String, environment: [String: String] = [:],
    options: [(key: String, option: String, value: String)] = [], workingDirectory: String = "/"
  ) throws(ConfigurationError) -> EffectiveConfiguration {
    var reader = ConfigurationReader()
    if let yaml {
      let file = FilePath.read(name, base: workingDirectory)?.path ?? name
      reader.read(yaml: yaml, file: name, base: (file as NSString).deletingLastPathComponent)
    }
    reader.read(environment: environment, base: workingDirectory)
    for (key, option, value) in options {
      reader.set(key, [value], at: [.commandLine(option: option)], base: workingDirectory)
    }
    let checks = ConfigurationCheck.problems(
      of: reader.configuration, origins: reader.origins)
    reader.problems += checks.filter { $0.severity == .error }
    guard reader.problems.isEmpty else { throw ConfigurationError(reader.problems) }
    return EffectiveConfiguration(
      values: reader.configuration, origins: reader.origins, file: yaml == nil ? nil : name,
      warnings: checks.filter { $0.severity == .warning })
  }

  // MARK: The file

  private mutating func read(yaml: String, file: String, base: String) {
    let root: Node?
    do {
      root = try Yams.compose(yaml: yaml)
    } catch {
      problems.append(yamlProblem(error, file: file))
      return
    }
    guard let root, !isNothing(root) else { return }
    guard let mapping = root.mapping else {
      problems.append(
        ConfigurationProblem(
          "", "expected keys and values (`portal:` …)", at: .file(path: file, line: line(of: root)))
      )
      return
    }
    read(mapping, under: "", file: file, base: base)
  }

  private mutating func read(
    _ mapping: Node.Mapping, under prefix: String, file: String, base: String
  ) {
    for (keyNode, node) in mapping {
      let origin = ConfigurationOrigin.file(path: file, line: line(of: keyNode))
      guard let name = keyNode.scalar?.string else {
        problems.append(ConfigurationProblem(prefix, "expected a name as the key", at: origin))
        continue
      }
      let path = prefix.isEmpty ? name : "\(prefix).\(name)"
      if let key = ConfigurationKey.named(path) {
        read(node, into: key, file: file, line: line(of: keyNode), base: base)
      } else if Self.groups.contains(path) {
        if let inner = node.mapping {
          read(inner, under: path, file: file, base: base)
        } else if !isNothing(node) {
          problems.append(
            ConfigurationProblem(
              path, "expected keys below it (\(Self.children(of: path))), not a value", at: origin))
        }
      } else {
        problems.append(
          ConfigurationProblem(path, Self.unknown(path, under: prefix), at: origin))
      }
    }
  }

  private mutating func read(
    _ node: Node, into key: ConfigurationKey, file: String, line: Int, base: String
  ) {
    let nodes: [Node]
    switch node {
    case .scalar where !key.isList: nodes = [node]
    case .sequence(let sequence) where key.isList: nodes = Array(sequence)
    case .scalar where isNothing(node): nodes = []
    default:
      problems.append(
        ConfigurationProblem(
          key.path,
          "expected \(key.expectation)" + (key.isList ? " ([a, b] or lines of `- a`)" : ""),
          at: .file(path: file, line: line)))
      return
    }
    var texts: [String] = []
    var places: [ConfigurationOrigin] = []
    for node in nodes {
      // The mark of a plain scalar is its first character; a value on the key's line has that line.
      let place = ConfigurationOrigin.file(path: file, line: max(line, self.line(of: node)))
      guard let scalar = node.scalar else {
        problems.append(
          ConfigurationProblem(key.path, "expected \(key.expectation)", at: place))
        return
      }
      texts.append(scalar.string)
      places.append(place)
    }
    set(
      key.path, texts, at: places.isEmpty ? [.file(path: file, line: line)] : places, base: base)
  }

  private func isNothing(_ node: Node) -> Bool {
    guard let scalar = node.scalar else { return false }
    return scalar.style == .plain && ["", "~", "null"].contains(scalar.string)
  }

  private func line(of node: Node) -> Int { node.mark?.line ?? 0 }

  private func yamlProblem(_ error: any Error, file: String) -> ConfigurationProblem {
    guard let error = error as? YamlError else {
      return ConfigurationProblem("", "\(error)", at: .file(path: file, line: 0))
    }
    switch error {
    case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
      .composer(_, let problem, let mark, _):
      return ConfigurationProblem(
        "",
        "this is not YAML: \(problem) (column \(mark.column)); often a colon, a quote or the "
          + "indent of a line is wrong", at: .file(path: file, line: mark.line))
    case .duplicatedKeysInMapping(let duplicates, let context):
      let names = duplicates.map { "“\($0)”" }.sorted().joined(separator: ", ")
      return ConfigurationProblem(
        "", "\(names) stands twice; keep one of them",
        at: .file(path: file, line: context.mark.line))
    default:
      return ConfigurationProblem(
        "", "this is not YAML: \(error)", at: .file(path: file, line: 0))
    }
  }

  // MARK: The environment

  private mutating func read(environment: [String: String], base: String) {
    for (variable, value) in environment.sorted(by: { $0.key < $1.key })
    where variable.hasPrefix("NOROSHI_") && !Self.otherVariables.contains(variable) {
      let origin = ConfigurationOrigin.environment(variable: variable)
      guard let key = Self.byVariable[variable] else {
        let nearest = EditDistance.nearest(
          to: variable, among: Array(Self.byVariable.keys) + Self.otherVariables)
        problems.append(
          ConfigurationProblem(
            "", "there is no such setting" + (nearest.map { "; did you mean \($0)?" } ?? ""),
            at: origin))
        continue
      }
      var texts = [value]
      if key.isList {
        // Lines may hold commas; a single line is split at them.
        let separator: Character = value.contains("\n") ? "\n" : ","
        texts = value.split(separator: separator)
          .map { $0.trimmingCharacters(in: .whitespaces) }.filter { !$0.isEmpty }
      }
      set(key.path, texts, at: [origin], base: base)
    }
  }

  // MARK: Values

  private mutating func set(
    _ path: String, _ texts: [String], at places: [ConfigurationOrigin], base: String
  ) {
    guard let key = ConfigurationKey.named(path) else {
      problems.append(
        ConfigurationProblem(
          path, Self.unknown(path, under: ""), at: places.first ?? .standard))
      return
    }
    if let rejection = key.assign(&configuration, texts, base) {
      let place = rejection.index < places.count ? places[rejection.index] : places.first
      problems.append(
        ConfigurationProblem(path, rejection.reason, at: place ?? .standard))
      return
    }
    origins[path] = places.first ?? .standard
  }

  private static let byVariable = Dictionary(
    ConfigurationKey.all.map { ($0.variable, $0) }, uniquingKeysWith: { first, _ in first })

  /// The paths that have keys below them: `telescope`, `telescope.victims`.
  static let groups: Set<String> = {
    var groups: Set<String> = []
    for key in ConfigurationKey.all {
      let parts = key.path.split(separator: ".")
      for count in 1..<max(parts.count, 1) {
        groups.insert(parts.prefix(count).joined(separator: "."))
      }
    }
    return groups
  }()

  private static func children(of group: String) -> String {
    var names: [String] = []
    for key in ConfigurationKey.all where group.isEmpty || key.path.hasPrefix(group + ".") {
      let rest = group.isEmpty ? key.path[...] : key.path.dropFirst(group.count + 1)
      let name = String(rest.prefix { $0 != "." })
      if !names.contains(name) { names.append(name) }
    }
    return names.joined(separator: ", ")
  }

  /// What to say of a path that is no key: the nearest one that is, or what could stand there.
  private static func unknown(_ path: String, under group: String) -> String {
    let known = ConfigurationKey.all.map(\.path) + groups
    let name = path.split(separator: ".").last.map(String.init) ?? path
    // A right name in a wrong place counts as near.
    let moved = known.filter { $0.hasSuffix("." + name) || $0 == name }
    if moved.count == 1, let right = moved.first {
      return "there is no such key here; did you mean \(right)?"
    }
    if let right = EditDistance.nearest(to: path, among: known) {
      return "there is no such key; did you mean \(right)?"
    }
    return "there is no such key; "
      + (group.isEmpty ? "the keys here are " : "below \(group) there are ") + children(of: group)
  }
}
