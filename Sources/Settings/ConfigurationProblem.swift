/// Where a value of the configuration comes from.
public enum ConfigurationOrigin: Hashable, Sendable, CustomStringConvertible {
  case standard
  case file(path: String, line: Int)
  case environment(variable: String)
  case commandLine(option: String)

  public var description: String {
    switch self {
    case .standard: "default"
    case .file(let path, let line): line > 0 ? "\(path):\(line)" : path
    case .environment(let variable): "environment variable \(variable)"
    case .commandLine(let option): "option \(option)"
    }
  }
}

/// One thing that is wrong with the configuration.
public struct ConfigurationProblem: Hashable, Sendable, CustomStringConvertible {
  public enum Severity: String, Sendable {
    /// Nothing runs with it.
    case error
    /// It runs, but probably not as meant.
    case warning
  }

  public var severity: Severity
  public var origin: ConfigurationOrigin
  /// The full path of the key: `telescope.victims.minimumPackets`; empty for the file as a whole.
  public var key: String
  /// What is wrong and what was expected, to follow the path of the key.
  public var reason: String

  public init(
    _ key: String, _ reason: String, at origin: ConfigurationOrigin, severity: Severity = .error
  ) {
    self.key = key
    self.reason = reason
    self.origin = origin
    self.severity = severity
  }

  public var description: String {
    key.isEmpty ? "\(origin): \(reason)" : "\(origin): \(key): \(reason)"
  }
}

/// Why a configuration cannot be used: everything that is wrong with it at once, so that it is put
/// right in one go.
public struct ConfigurationError: Error, CustomStringConvertible, Sendable {
  public let problems: [ConfigurationProblem]

  public init(_ problems: [ConfigurationProblem]) { self.problems = problems }

  public var description: String { problems.map(\.description).joined(separator: "\n") }
}
