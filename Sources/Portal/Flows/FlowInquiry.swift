import FlowArchive
import Foundation
import Logging
import NetworkTypes
import Synchronization

/// Takes a visitor's question to the desk and brings the answer back.
struct FlowInquiry: Sendable {
  /// What came of asking.
  enum Outcome: Sendable {
    case answered(FlowAnswer)
    case working(FlowJob)
    case failed(FlowFailure)
  }

  let reading: FlowReading
  let desk: FlowDesk
  let purposes: FlowPurposes

  /// Which queries answer: those of a search, or of a conversation.
  typealias Planning = @Sendable (FlowSpan?) throws(FilterError) -> FlowPlan

  /// Begins the search, or finds the one that the visit's ticket names, and waits for it a little.
  func ask(
    _ visit: Visit, _ question: FlowQuestion, path: String, _ planning: @escaping Planning
  ) async throws -> Outcome {
    let owner = try visit.requireViewer().account.id
    let key = question.link(path)
    let job: FlowJob
    if let ticket = visit.query("ticket"), let found = desk.job(ticket, owner: owner),
      found.key == key
    {
      job = found
    } else {
      job = try begin(visit, question, key: key, way: "page", planning)
    }
    switch await job.settle(within: .milliseconds(desk.parameters.patienceMilliseconds)) {
    case .success(let answer)?: return .answered(answer)
    case .failure(let failure)?:
      log(failure, visit)
      return .failed(failure)
    case nil: return .working(job)
    }
  }

  /// Begins a search and waits for its end: for programs and exports.
  ///
  /// - Throws: ``Problem`` that says why there is no answer.
  func wait(
    _ visit: Visit, _ question: FlowQuestion, way: String, export: Bool = false,
    _ planning: @escaping Planning
  ) async throws -> FlowAnswer {
    let job = try begin(
      visit, question, key: "", way: way, export: export, planning)
    // It may wait in line before its own time begins.
    let result = await withTaskCancellationHandler {
      await job.settle(within: .seconds(desk.parameters.seconds * 3))
    } onCancel: {
      desk.cancel(job)
    }
    switch result {
    case .success(let answer)?: return answer
    case .failure(let failure)?:
      log(failure, visit)
      throw failure.problem
    case nil:
      desk.cancel(job)
      throw FlowFailure.tooLong.problem
    }
  }

  private func log(_ failure: FlowFailure, _ visit: Visit) {
    guard case .failed(let reason) = failure else { return }
    visit.platform.logger.error("a search of flows failed", metadata: ["error": "\(reason)"])
  }

  private func begin(
    _ visit: Visit, _ question: FlowQuestion, key: String, way: String, export: Bool = false,
    _ planning: @escaping Planning
  ) throws -> FlowJob {
    let viewer = try visit.requireViewer()
    guard !question.purpose.isEmpty else { throw Problem.field("purpose", "empty") }
    // Read here once, so that a filter that is wrong is told before anything is begun.
    _ = try planning(nil)
    purposes.remember(question.purpose, for: viewer)
    let asker = FlowAsker(
      way: way, account: viewer.account, purpose: question.purpose, address: visit.address)
    let now = visit.platform.now
    let title = question.filter.isEmpty ? "any" : question.filter
    return try desk.begin(owner: viewer.account.id, key: key, title: title) { job in
      let span = reading.source.span(now: now())
      let plan = try planning(span)
      var search = FlowSearch(
        archive: reading.source.archive,
        purpose: try SearchPurpose(actor: asker.account.name, purpose: asker.purpose)
      ) { record in try reading.audit(record, asker) }
      search.parameters.memoryOctets = desk.parameters.memoryOctets
      search.parameters.spillOctets = desk.parameters.spillOctets
      search.parameters.temporaryFolder = NSTemporaryDirectory()
      // One processor is left to those who look at pages.
      search.parameters.threads = max(1, ProcessInfo.processInfo.activeProcessorCount - 1)
      search.isCancelled = { job.mustStop }
      var answer = FlowAnswer(plan: plan, span: span)
      if export {
        answer.file = try exportFile(plan, search, job)
        return answer
      }
      for (place, query) in plan.queries.enumerated() {
        search.progress = { done, total in
          let part = total > 0 ? Double(done) / Double(total) : 1
          job.progress((Double(place) + part) / Double(plan.queries.count))
        }
        answer.results.append(try reading.source.run(query, search))
      }
      return answer
    }
  }

  /// A Parquet file of what the plan's first query asks for: of all flows of a listing, otherwise of its
  /// rows.
  private func exportFile(_ plan: FlowPlan, _ search: FlowSearch, _ job: FlowJob) throws -> String {
    guard let query = plan.queries.first else { throw FlowFailure.tooMuch }
    let path = NSTemporaryDirectory() + "noroshi-flows-\(UUID().uuidString).parquet"
    do {
      if case .listing = query.kind {
        var search = search
        let limit = desk.parameters.exportOctets
        search.isCancelled = { job.mustStop || Self.octets(path) > limit }
        if reading.source.remote == nil {
          _ = try search.export(query, toParquet: path)
        } else {
          try reading.source.run(query, search).writeRecords(toParquet: path)
        }
      } else {
        try reading.source.run(query, search).writeRows(of: query, toParquet: path)
      }
      return path
    } catch {
      let isTooLarge = Self.octets(path) > desk.parameters.exportOctets
      try? FileManager.default.removeItem(atPath: path)
      throw isTooLarge ? FlowFailure.tooMuch : error
    }
  }

  private static func octets(_ path: String) -> Int {
    let attributes = try? FileManager.default.attributesOfItem(atPath: path)
    return (attributes?[.size] as? NSNumber)?.intValue ?? 0
  }
}

/// The purpose that each session named last, so that it need not be typed for every search. It is always
/// shown, and whoever goes on to something else changes it.
final class FlowPurposes: Sendable {
  private struct State {
    var purposes: [String: String] = [:]
    /// The sessions in the order in which they came.
    var order: [String] = []
  }

  private let limit: Int
  private let state = Mutex(State())

  init(limit: Int) { self.limit = limit }

  /// Programs say their purpose each time: only sessions are remembered.
  func remember(_ purpose: String, for viewer: Viewer) {
    // The token that forms carry names the session, and cannot be turned back into it.
    guard let key = viewer.session?.formToken else { return }
    state.withLock { state in
      if state.purposes.updateValue(purpose, forKey: key) == nil { state.order.append(key) }
      if state.order.count > limit { state.purposes[state.order.removeFirst()] = nil }
    }
  }

  func purpose(of viewer: Viewer?) -> String? {
    guard let key = viewer?.session?.formToken else { return nil }
    return state.withLock { $0.purposes[key] }
  }
}
