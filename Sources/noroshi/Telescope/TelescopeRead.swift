import ArgumentParser
import Foundation
import NetworkTypes
import Settings
import Telescope

struct TelescopeRead: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "read",
    abstract: "Read captures of a darknet.",
    discussion: """
      Reads pcap and pcapng, plain or compressed with gzip or zstd, and goes on where the last reading \
      stopped: hourly files continue each other's events. Packets are taken in the order of their times, \
      whatever order the files are named in, also where files overlap: two taps, or rotated files. A \
      capture that was read before changes nothing, as a file or through a pipe; of a pipe nothing is \
      stored before its end. One pipe can be read at a time.

      Examples:
        noroshi telescope read 2026-11-25T*.pcap.gz
        noroshi telescope read --network 192.150.186.0/23 backscatter.pcap
        noroshi telescope read tap-a.pcap tap-b.pcap
        ssh sensor cat /var/capture/1.pcap.zst | noroshi telescope read -
      """)

  @OptionGroup var options: HouseOptions

  @Argument(help: "Captures; - reads standard input.", completion: .file())
  var captures: [String]

  @Option(
    name: .long,
    help: ArgumentHelp(
      "A dark network, in place of telescope.networks; may be given several times.",
      valueName: "prefix"))
  var network: [String] = []

  @Option(name: .long, help: "Threads that keep tables (telescope.threads).")
  var threads: Int?

  @Flag(name: .long, help: "Say nothing when all went well.")
  var quiet = false

  func validate() throws {
    if let threads, !(1...64).contains(threads) {
      throw ValidationError("--threads must be 1 to 64.")
    }
    for text in network where IPPrefix(text) == nil {
      throw ValidationError(
        "--network \(text) is no prefix such as 192.0.2.0/24 with its host bits zero.")
    }
  }

  func run() async throws {
    let house = try options.house()
    try house.requireData()
    for path in captures where path != "-" && !FileManager.default.isReadableFile(atPath: path) {
      throw CommandFailure("\(path) does not exist or cannot be read", status: .noInput)
    }
    let session = try house.telescopeSession(
      networks: network.compactMap { IPPrefix($0) }, threads: threads, captures: captures)
    let bar = ProgressBar("Reading", unit: "packets")
    let before = session.engine.counters.packets
    let readings = try session.read(paths: captures) { path, done, total in
      if quiet { return }
      bar.update(
        session.engine.counters.packets - before,
        fraction: total.map { $0 == 0 ? 1 : Double(done) / Double($0) },
        detail: (path as NSString).lastPathComponent)
    }
    if !quiet { bar.finish() }
    let changes = try house.take(
      session.latest.findings(sensor: house.configuration.telescope.sensor),
      at: session.engine.now)
    for reading in readings where reading.input.ending != "complete" {
      Terminal.error.line("\(reading.input.name): \(reading.input.ending)")
    }
    if !quiet { TelescopeReport.write(readings, session, changes) }
  }
}
