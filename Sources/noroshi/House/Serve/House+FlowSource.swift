import FlowArchive
import FlowCluster
import Foundation
import Portal
import Settings

extension House {
  /// The flows of this house for the portal: those of the cluster where there is one, otherwise of the
  /// archive. The collector's report is read from its file, so that a collector that runs by itself
  /// counts as well.
  func flowSource() throws -> FlowSource {
    let path = data.flowExporters
    return FlowSource(archive: data.flows, remote: try remoteFlows()) {
      guard FileManager.default.fileExists(atPath: path) else { return nil }
      return FlowCollectorReport(try CollectorReport.read(path))
    }
  }

  private func remoteFlows() throws -> RemoteFlows? {
    guard let text = configuration.flows.cluster else { return nil }
    let address = try ClusterAddress(text)
    return RemoteFlows(
      span: {
        let search = ClusterSearch(
          address, purpose: try SearchPurpose(actor: "portal", purpose: "span")
        ) { _ in }
        return try Waiting.forAnswer { try await search.span() }
      },
      run: { query, search in
        var remote = ClusterSearch(address, purpose: search.purpose, audit: search.audit)
        remote.parameters.memoryOctets = search.parameters.memoryOctets
        remote.progress = search.progress
        return try Waiting.forAnswer(isCancelled: search.isCancelled) { [remote] in
          try await remote.run(query)
        }
      })
  }
}

extension FlowCollectorReport {
  init(_ report: CollectorReport) {
    self.init(
      written: report.written, statistics: report.statistics,
      dropped: (report.archive?.dropped ?? 0) + (report.cluster?.dropped ?? 0),
      lost: (report.archive?.lost ?? 0) + (report.cluster?.lost ?? 0),
      lastError: report.archive?.lastError ?? report.cluster?.lastError)
  }
}
