import Foundation
import Portal

extension House {
  /// The flows of this house for the portal. The collector's report is read from its file, so that a
  /// collector that runs by itself counts as well.
  var flowSource: FlowSource {
    let path = data.flowExporters
    return FlowSource(archive: data.flows) {
      guard FileManager.default.fileExists(atPath: path) else { return nil }
      return FlowCollectorReport(try CollectorReport.read(path))
    }
  }
}

extension FlowCollectorReport {
  init(_ report: CollectorReport) {
    self.init(
      written: report.written, statistics: report.statistics,
      dropped: report.archive?.dropped ?? 0, lost: report.archive?.lost ?? 0,
      lastError: report.archive?.lastError)
  }
}
