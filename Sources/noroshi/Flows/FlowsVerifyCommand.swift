import ArgumentParser
import FlowArchive
import Foundation

struct FlowsVerifyCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "verify",
    abstract: "Read the flow archive page by page, and compare checksums and counts.",
    discussion: """
      Ends with 2 when a file is damaged, and names it. The collector may write meanwhile: of the \
      file that it is at, the synced row groups are read.
      """)

  @OptionGroup var options: HouseOptions
  @OptionGroup var list: ListOutput

  @Argument(help: "The archive or a part of it. Default: flows in the data directory.")
  var path: String?

  @Flag(name: .long, help: "List the whole files as well.")
  var all = false

  func run() async throws {
    let place = try path ?? options.house().data.flows
    let bar = ProgressBar("Reading \(place)", unit: "files")
    let report = try ArchiveVerification(path: place) { done, total in
      bar.update(UInt64(done), fraction: Double(done) / Double(max(1, total)))
    }
    bar.finish()
    let shown = all ? report.reports : report.reports.filter { $0.fault != nil }
    if all || !report.isWhole || list.format != .table {
      try list.write(
        shown,
        columns: [
          ListColumn("file") { .text($0.file.path) },
          ListColumn("rows") { .count($0.rows) },
          ListColumn("row_groups") { .count($0.rowGroups) },
          ListColumn("bytes") { .bytes(Int64($0.file.octets)) },
          ListColumn("unchecked_pages", extra: true) { .count($0.uncheckedPages) },
          ListColumn("open") { .flag($0.file.isUnfinished) },
          ListColumn("fault") { .text($0.fault) },
        ], nothing: "There is no file.")
    }
    Terminal.error.line(
      "\(Quantity.grouped(report.rows)) flows in \(Quantity.grouped(report.reports.count)) files; "
        + (report.isWhole ? "all of them are whole." : "some files are damaged."))
    if !report.isWhole { throw ExitCode(ExitStatus.negative.rawValue) }
  }
}
