import ArgumentParser
import Foundation
import Geolocation

struct GeoImport: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "import",
    abstract: "Take in country and AS data, from files or from what is installed.",
    discussion: """
      Reads MMDB files (GeoLite2, DB-IP, IPinfo), CAIDA's pfx2as tables, IPFire's location database \
      and Tor's geoip files. Without a file, everything that is found on this machine is taken: \
      `apt install libloc-database location tor-geoipdb` is enough to begin with.

      Examples:
        noroshi geo import
        noroshi geo import GeoLite2-Country.mmdb routeviews-rv2-20261101.pfx2as.gz
      """)

  @OptionGroup var options: HouseOptions

  @Argument(help: "The files to read.", completion: .file())
  var files: [String] = []

  func run() async throws {
    let house = try options.house()
    try house.requireData()
    for path in files where !FileManager.default.isReadableFile(atPath: path) {
      throw CommandFailure("\(path) does not exist or cannot be read", status: .noInput)
    }
    let sources =
      try files.isEmpty ? GeoSource.installed : files.map { try GeoSource(detecting: $0) }
    guard !sources.isEmpty else {
      throw CommandFailure(
        "No geographic data is installed on this machine",
        advice: "`sudo apt install libloc-database location tor-geoipdb`, or name MMDB or pfx2as "
          + "files. Noroshi works without, but shows no countries and no AS numbers.",
        status: .unavailable)
    }
    let bar = ProgressBar("Importing geographic data", unit: "")
    let report = try GeoImporter.import(sources: sources, to: house.data.geo) { fraction in
      bar.update(0, fraction: fraction)
    }
    bar.finish()
    try GeoStatus.list(report.sources, as: ListOutput.table)
    let output = Terminal.output
    output.line()
    output.line(
      "\(Quantity.decimal(report.v4CountryCoverage * 100, digits: 1)) % of the IPv4 addresses have "
        + "a country, \(Quantity.decimal(report.v4ASNCoverage * 100, digits: 1)) % an AS number; "
        + "\(Quantity.grouped(report.names)) names of systems; "
        + "\(Quantity.bytes(report.snapshotBytes)) in \(house.data.geo).")
  }
}
