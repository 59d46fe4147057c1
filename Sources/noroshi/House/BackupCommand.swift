import ArgumentParser
import Foundation
import Store

struct BackupCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "backup",
    abstract: "Copy the data directory while everything runs, and check the copy.",
    discussion: """
      The copy is a data directory: to restore, put it in the place of the old one while nothing runs. \
      It appears under its name only when it is whole and its audit trail was verified.

      Example:
        noroshi backup /backup/noroshi-2026-11-25
      """)

  @OptionGroup var options: HouseOptions

  @Argument(help: "The directory to make; it must not exist.", completion: .directory)
  var directory: String

  func run() async throws {
    let house = try options.house()
    let store = try house.store()
    let files = FileManager.default
    guard !files.fileExists(atPath: directory) else {
      throw CommandFailure(
        "\(directory) exists already", advice: "Name a directory that does not.",
        status: .cannotCreate)
    }
    let part = directory + ".part"
    try? files.removeItem(atPath: part)
    do {
      try files.createDirectory(
        atPath: part, withIntermediateDirectories: true,
        attributes: [.posixPermissions: 0o700])
    } catch {
      throw CommandFailure(
        "\(directory) cannot be made: \(error.localizedDescription)", status: .cannotCreate)
    }
    let copy = DataDirectory(part)
    func take(_ paths: [String]) throws {
      for path in paths where files.fileExists(atPath: path) {
        try files.copyItem(atPath: path, toPath: part + "/" + (path as NSString).lastPathComponent)
      }
    }
    // Before the database: a stamp of an entry that the copy does not have would speak against it.
    try take([house.data.auditStamps])
    try store.backup(to: copy.database)
    try take([
      house.data.configuration, house.data.constituency, house.data.geo, house.data.telescope,
      house.data.notices, house.certificateFiles.folder, house.accreditationFiles.folder,
    ])
    let copied = try DataStore(path: copy.database)
    try copied.checkIntegrity()
    switch try AuditTrail(store: copied).verify() {
    case .intact(let head):
      try files.moveItem(atPath: part, toPath: directory)
      Terminal.output.line(
        "Copied to \(directory) and checked; the audit trail has \(Quantity.grouped(head.sequence)) "
          + "entries, head \(head.hash).")
    case .broken(let sequence, let reason):
      throw CommandFailure(
        "The database was copied to \(part), but its audit trail is not intact at entry "
          + "\(sequence): \(reason)",
        advice: "Keep \(part), and compare it with the last good backup.", status: .negative)
    }
  }
}
