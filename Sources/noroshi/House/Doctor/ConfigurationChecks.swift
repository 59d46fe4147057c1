import Foundation
import Settings

/// The configuration and the files that it names.
enum ConfigurationChecks {
  static func run(_ effective: EffectiveConfiguration) -> [Diagnosis] {
    let values = effective.values
    var diagnoses: [Diagnosis] = []
    if let file = effective.file {
      diagnoses.append(.ok("configuration", "\(file) is right"))
    } else {
      diagnoses.append(
        .note(
          "configuration", "no file is read; every key has its default",
          "`noroshi init DIRECTORY` makes one"))
    }
    for warning in effective.warnings {
      diagnoses.append(.note(warning.key, warning.reason, "see docs/configuration.md"))
    }
    if values.telescope.networks.isEmpty {
      diagnoses.append(
        .note(
          "dark networks", "none is configured, so the telescope sees nothing",
          "set telescope.networks in noroshi.yaml to your unused networks"))
    } else {
      diagnoses.append(
        .ok(
          "dark networks",
          values.telescope.networks.map(\.configurationText).joined(separator: ", ")))
    }
    var files: [(String, FilePath?)] = [
      ("telescope.fingerprints", values.telescope.fingerprints),
      ("smtp.passwordFile", values.smtp.passwordFile),
    ]
    files += values.telescope.surveyScanners.map { ("telescope.surveyScanners", $0) }
    files += values.geo.mmdb.map { ("geo.mmdb", $0) }
    for case (let key, let file?) in files {
      diagnoses.append(
        FileManager.default.isReadableFile(atPath: file.path)
          ? .ok(key, "\(file.path) can be read")
          : .fault(
            key, "\(file.path) does not exist or cannot be read",
            "put the file there, or name another"))
    }
    if let file = values.smtp.passwordFile, let mode = DataChecks.mode(of: file.path),
      mode & 0o077 != 0
    {
      diagnoses.append(
        .note(
          "smtp.passwordFile", "other users of this machine can read it", "chmod 600 \(file.path)"))
    }
    if values.telescope.surveyScanners.isEmpty {
      diagnoses.append(
        .note(
          "survey scanners",
          "no list is configured; only surveys that behave as such are told apart",
          "name NICT's survey-scanner list or your own in telescope.surveyScanners"))
    }
    return diagnoses
  }
}
