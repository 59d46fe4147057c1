import FlowArchive
import FlowCluster
import Foundation
import Portal
import Settings
import Synchronization

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

/// A thread that waits for a task.
private enum Waiting {
  /// Blocks the calling thread, which must be none of those that tasks run on, until `work` is done.
  ///
  /// - Parameter isCancelled: asked ten times a second; when it says so, the task is cancelled.
  /// - Throws: what `work` throws; `ArchiveError.cancelled` where it was cancelled.
  static func forAnswer<Answer: Sendable>(
    isCancelled: (@Sendable () -> Bool)? = nil,
    _ work: @escaping @Sendable () async throws -> Answer
  ) throws -> Answer {
    let done = DispatchSemaphore(value: 0)
    let outcome = Outcome<Answer>()
    let task = Task.detached {
      let result: Result<Answer, any Error>
      do { result = .success(try await work()) } catch { result = .failure(error) }
      outcome.set(result)
      done.signal()
    }
    var wasCancelled = false
    while done.wait(timeout: .now() + .milliseconds(100)) == .timedOut {
      if !wasCancelled, isCancelled?() ?? false {
        wasCancelled = true
        task.cancel()
      }
    }
    switch outcome.take() {
    case .success(let value)?: return value
    case .failure(let error)?: throw wasCancelled ? ArchiveError.cancelled : error
    case nil: throw ArchiveError.cancelled
    }
  }

  private final class Outcome<Answer: Sendable>: Sendable {
    private let result = Mutex<Result<Answer, any Error>?>(nil)
    func set(_ value: Result<Answer, any Error>) { result.withLock { $0 = value } }
    func take() -> Result<Answer, any Error>? { result.withLock { $0 } }
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
