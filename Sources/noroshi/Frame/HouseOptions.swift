public import ArgumentParser
import Foundation
import Logging
public import Settings

extension LogLevel: ExpressibleByArgument {}

/// The options that every command has, and the way from them to the installation they mean.
///
/// ```swift
/// @OptionGroup var options: HouseOptions
/// func run() async throws {
///   let house = try options.house()
/// ```
struct HouseOptions: ParsableArguments {
  @Option(
    name: .long,
    help: ArgumentHelp(
      "The configuration file.",
      discussion: "Default: noroshi.yaml in the data directory, in the "
        + "working directory, or /etc/noroshi/noroshi.yaml.", valueName: "file"),
    completion: .file(extensions: ["yaml", "yml"]))
  var config: String?

  @Option(
    name: .long,
    help: ArgumentHelp("The data directory (dataDirectory).", valueName: "directory"),
    completion: .directory)
  var data: String?

  @Option(
    name: .long,
    help: ArgumentHelp("The least severe message to log (logging.level).", valueName: "level"))
  var logLevel: LogLevel?

  /// Reads the configuration; nothing is opened or made yet.
  func house() throws -> House { House(try effective()) }

  func effective() throws -> EffectiveConfiguration {
    let environment = ProcessInfo.processInfo.environment
    let here = FileManager.default.currentDirectoryPath
    var options: [(key: String, option: String, value: String)] = []
    if let data { options.append(("dataDirectory", "--data", data)) }
    if let logLevel { options.append(("logging.level", "--log-level", logLevel.rawValue)) }
    return try ConfigurationReader.read(
      file: file(environment: environment), environment: environment, options: options,
      workingDirectory: here)
  }

  /// The file to read: see docs/configuration.md.
  private func file(environment: [String: String]) -> String? {
    if let config { return config }
    if let named = environment["NOROSHI_CONFIG"], !named.isEmpty { return named }
    var candidates = ["noroshi.yaml", "/etc/noroshi/noroshi.yaml"]
    // A data directory with its own file means that file, whatever lies in the working directory.
    if let data { candidates = [data + "/noroshi.yaml"] + candidates.dropFirst() }
    return candidates.first { FileManager.default.fileExists(atPath: $0) }
  }
}
