import Foundation
import Geolocation
import Glibc
import NetworkTypes

/// The data directory and what lies in it.
enum DataChecks {
  /// Below this the next days are in danger: our own choice.
  private static let leastFreeBytes: UInt64 = 1_000_000_000

  static func run(_ house: House) async -> [Diagnosis] {
    let path = house.data.path
    guard FileManager.default.fileExists(atPath: path) else {
      return [
        .fault(
          "data directory", "\(path) does not exist",
          "`noroshi init \(path)` makes it; --data or dataDirectory names another")
      ]
    }
    var diagnoses: [Diagnosis] = []
    if access(path, R_OK | W_OK | X_OK) == 0 {
      diagnoses.append(.ok("data directory", "\(path) can be written"))
    } else {
      diagnoses.append(
        .fault(
          "data directory", "\(path) may not be written by this user",
          "run Noroshi as its owner, or: chown -R $(id -un) \(path)"))
    }
    if let mode = mode(of: path), mode & 0o077 != 0 {
      diagnoses.append(
        .note(
          "data directory", "other users of this machine can look into it", "chmod 700 \(path)"))
    }
    var space = statvfs()
    if statvfs(path, &space) == 0 {
      let free = UInt64(space.f_bavail) &* UInt64(space.f_frsize)
      let text = "\(Quantity.bytes(free)) free"
      diagnoses.append(
        free >= leastFreeBytes
          ? .ok("disk", text)
          : .fault("disk", text, "make room, or shorten telescope.retention"))
    }
    for (name, file) in [
      ("database", house.data.database), ("constituency", house.data.constituency),
    ] {
      if !FileManager.default.fileExists(atPath: file) {
        diagnoses.append(
          .note(name, "\(file) does not exist yet", "`noroshi init \(path)` makes it"))
      } else if access(file, R_OK | W_OK) != 0 {
        diagnoses.append(
          .fault(name, "\(file) may not be written by this user", "chown it to Noroshi's user"))
      }
    }
    diagnoses += await StoreChecks.run(house)
    diagnoses.append(geography(house))
    return diagnoses
  }

  private static func geography(_ house: House) -> Diagnosis {
    do {
      let geo = try house.geo()
      guard geo.isEmpty else {
        let names = geo.provenance.map { "\($0.file) of \($0.date.description.prefix(10))" }
        return .ok("geography", names.isEmpty ? "MMDB files" : names.joined(separator: ", "))
      }
    } catch {
      return .fault("geography", "\(error)", "`noroshi geo import` makes it anew")
    }
    let installed = GeoSource.installed
    return installed.isEmpty
      ? .note(
        "geography", "no data, so no countries and AS numbers are shown",
        "sudo apt install libloc-database location tor-geoipdb, then `noroshi geo import`")
      : .note(
        "geography", "\(installed.count) sources are installed, but not taken in",
        "`noroshi geo import`")
  }

  /// The permission bits of a file; nil when it cannot be looked at.
  static func mode(of path: String) -> UInt32? {
    var status = stat()
    return stat(path, &status) == 0 ? status.st_mode & 0o7777 : nil
  }
}
