import ArgumentParser
import FlowArchive
import FlowRecords
import Foundation

struct FlowsImportCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "import",
    abstract: "Take over files of nfcapd (nfdump 1.7) into the flow archive.",
    discussion: """
      Folders are read with what is below them, in the order of their names, which is that of time. \
      Files that cannot be read are named and passed over. Flows older than flows.retention.days are \
      deleted again by the collector; set it first.

      Example:
        noroshi flows import /var/cache/nfdump
      """)

  @OptionGroup var options: HouseOptions

  @Argument(help: "Files or folders of nfcapd.", completion: .file())
  var paths: [String]

  @Option(name: .long, help: "The archive. Default: flows in the data directory.")
  var archive: String?

  func run() async throws {
    let house = try options.house()
    let files = try Self.files(paths)
    let writer = try ArchiveWriter(root: archive ?? house.data.flows)
    let bar = ProgressBar("Importing", unit: "flows")
    let batch = FlowBatch()
    var flows: UInt64 = 0
    var failures = 0
    for (index, path) in files.enumerated() {
      try Task.checkCancellation()
      do {
        var reader = try NfcapdReader(path: path)
        while reader.read(into: batch) {
          writer.appendPatiently(batch)
          batch.removeAll()
          bar.update(
            flows + reader.flows, fraction: Double(index) / Double(max(1, files.count)),
            detail: path)
        }
        flows += reader.flows
        if reader.brokenBlocks > 0 || reader.brokenRecords > 0 || reader.isTruncated {
          Terminal.error.line(
            "\(path): \(reader.brokenBlocks) blocks and \(reader.brokenRecords) records are broken"
              + (reader.isTruncated ? ", and it ends early." : "."))
        }
      } catch {
        failures += 1
        Terminal.error.line("\(error)")
      }
    }
    try writer.close()
    bar.finish()
    let octets = writer.counters.octets
    Terminal.error.line(
      "\(Quantity.grouped(writer.counters.synced)) flows of \(files.count - failures) files are in "
        + "\(writer.root), \(Quantity.bytes(Int64(octets))).")
    guard failures < max(1, files.count) else {
      throw CommandFailure(
        "None of these files could be read", advice: "Name files that nfcapd 1.7 wrote.",
        status: .badData)
    }
  }

  /// The files, and those below folders, but not those that nfcapd is still writing.
  private static func files(_ paths: [String]) throws -> [String] {
    var files: [String] = []
    for path in paths {
      var isFolder: ObjCBool = false
      guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
        throw CommandFailure("There is no \(path)", status: .noInput)
      }
      guard isFolder.boolValue else {
        files.append(path)
        continue
      }
      let names = FileManager.default.enumerator(atPath: path)?.allObjects as? [String] ?? []
      files += names.filter { name in
        let last = name.split(separator: "/").last ?? ""
        return last.hasPrefix("nfcapd.") && !last.hasPrefix("nfcapd.current")
      }.sorted().map { path + "/" + $0 }
    }
    return files
  }
}
