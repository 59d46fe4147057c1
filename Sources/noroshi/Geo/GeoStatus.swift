import ArgumentParser
import Geolocation

struct GeoStatus: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "status", abstract: "Say which geographic data are in use, and how old they are.")

  @OptionGroup var options: HouseOptions
  @OptionGroup var list: ListOutput

  func run() throws {
    let house = try options.house()
    let database = try house.geo()
    try Self.list(database.provenance, as: list)
    if list.format == .table, !database.isEmpty {
      Terminal.error.line(
        "\(Quantity.bytes(database.byteCount)) in memory, "
          + "\(Quantity.grouped(database.namedSystems)) names of systems.")
    }
  }

  static func list(_ sources: [GeoProvenance], as list: ListOutput) throws {
    try list.write(
      sources,
      columns: [
        ListColumn("kind") { .text($0.kind.rawValue) },
        ListColumn("file") { .text($0.file) },
        ListColumn("date") { .time($0.date) },
        ListColumn("entries") { .count($0.entries) },
        ListColumn("skipped") { .count($0.skipped) },
        ListColumn("multiple_origins", extra: true) { .count($0.multipleOrigins) },
        ListColumn("description", extra: true) { .text($0.description) },
      ],
      nothing: "No geographic data yet; `noroshi geo import` takes it in.")
  }
}
