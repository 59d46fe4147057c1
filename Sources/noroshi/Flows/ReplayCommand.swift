import ArgumentParser
import FlowArchive
import FlowRecords
import Foundation
import NetworkTypes

struct FlowsReplayCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "replay",
    abstract: "Send flows of the archive, or of nfcapd files, to a collector again.",
    discussion: """
      Flows keep their times, unless --now moves the last of each batch to the present. They are sent \
      as flows of one exporter, this machine. A replay of the archive is a search, and goes to the \
      audit trail with its purpose.

      Examples:
        noroshi flows replay --to 127.0.0.1:2055 --purpose "acceptance test" 'dst port 53'
        noroshi flows replay --to 127.0.0.1:2055 --file nfcapd.202611250905 --rate 50000
      """)

  @OptionGroup var options: HouseOptions
  @OptionGroup var sending: SendOptions

  @Argument(help: "The filter; without one, all flows.")
  var filter: [String] = []

  @Option(name: .long, help: "Why these flows are read; needed for the archive.")
  var purpose: String?

  @Option(name: .long, help: "The archive. Default: flows in the data directory.")
  var archive: String?

  @Option(name: .long, help: "A file of nfcapd instead of the archive; several times.")
  var file: [String] = []

  @Option(name: .long, help: "From this moment on.")
  var from: String?

  @Option(name: .long, help: "Up to this moment.")
  var until: String?

  @Flag(name: .long, help: "Move flows to the present.")
  var now = false

  func validate() throws {
    if file.isEmpty {
      guard let purpose, !purpose.allSatisfy(\.isWhitespace) else {
        throw ValidationError("--purpose must say why these flows are read.")
      }
    } else if !filter.isEmpty || from != nil || until != nil {
      throw ValidationError("Filters and times are for the archive; import the files first.")
    }
    _ = try QueryWindow.read(from: from, to: until)
  }

  func run() async throws {
    let sender = try sending.sender()
    let bar = ProgressBar("Sending", unit: "flows")
    func send(_ batch: FlowBatch) throws {
      try Task.checkCancellation()
      try sender.send(batch, exportTime: exportTime(batch))
      bar.update(sender.flows)
    }
    if file.isEmpty { try searchArchive(send) } else { try readFiles(send) }
    bar.finish()
    SendOptions.report(sender)
  }

  private func readFiles(_ send: (FlowBatch) throws -> Void) throws {
    let batch = FlowBatch()
    for path in file {
      var reader = try NfcapdReader(path: path)
      while reader.read(into: batch) {
        try send(batch)
        batch.removeAll()
      }
      if reader.isTruncated || reader.brokenBlocks > 0 || reader.brokenRecords > 0 {
        Terminal.error.line("\(path): not all of it could be read.")
      }
    }
  }

  private func searchArchive(_ send: (FlowBatch) throws -> Void) throws {
    let house = try options.house()
    let store = try house.store()
    let search = FlowSearch(
      archive: archive ?? house.data.flows,
      purpose: try SearchPurpose(actor: House.operatorName, purpose: purpose ?? "")
    ) { record in
      try house.record(
        "flows.search." + record.stage.rawValue, subject: record.archive,
        details: record.details, in: store)
    }
    var query = try FlowQuery(.listing, filter: filter.joined(separator: " "))
    query.window = try QueryWindow.read(from: from, to: until)
    try search.forEachBatch(query, send)
  }

  /// The time in the header: when the last flow ended, or the present, to which flows move with it.
  private func exportTime(_ batch: FlowBatch) -> Timestamp {
    var last = Int64.min
    for row in 0..<batch.count {
      last = max(last, Int64(bitPattern: batch.number(.end, row: row)))
    }
    guard now else { return Timestamp(seconds: Timestamp(nanoseconds: last).seconds + 1) }
    let present = Timestamp(seconds: Int64(Date().timeIntervalSince1970))
    let shift = present.nanoseconds &- last
    for column in [FlowColumn.start, .end] {
      for row in 0..<batch.count {
        let moved = Int64(bitPattern: batch.number(column, row: row)) &+ shift
        batch.set(column, row: row, to: UInt64(bitPattern: moved))
      }
    }
    return present
  }
}
