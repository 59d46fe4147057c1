import FlowArchive
import Foundation
import Hummingbird
import NetworkTypes
import Synchronization

/// Where searches are handed in: each runs on a thread of its own, a few at a time, within a time limit,
/// and can be cancelled by whoever asked.
final class FlowDesk: Sendable {
  private struct State {
    var jobs: [String: FlowJob] = [:]
    var running = 0
    var waiting: [FlowJob] = []
    var outcomes: [String: UInt64] = [:]
  }

  let parameters: FlowDeskParameters
  private let state = Mutex(State())

  init(parameters: FlowDeskParameters) { self.parameters = parameters }

  /// Hands a search in; it begins when there is room.
  ///
  /// - Parameters:
  ///   - key: what is asked, so that a page finds the answer to its own question.
  ///   - work: blocks its thread; asks ``FlowJob/mustStop`` now and then.
  /// - Throws: ``Problem`` 503 when this account, or all together, have too many.
  func begin(
    owner: Int64, key: String, title: String,
    _ work: @escaping @Sendable (FlowJob) throws -> FlowAnswer
  ) throws -> FlowJob {
    let job = FlowJob(
      id: Secret.token().text, owner: owner, key: key, title: title, seconds: parameters.seconds,
      work: work)
    let mayRun = try state.withLock { state -> Bool in
      forget(&state)
      let own = state.jobs.values.filter { $0.owner == owner && !$0.isOver }.count
      guard own < parameters.perAccount, state.waiting.count < parameters.waiting else {
        state.outcomes["refused", default: 0] += 1
        throw Problem(status: .serviceUnavailable, code: "flows-busy")
      }
      state.jobs[job.id] = job
      guard state.running < parameters.running else {
        state.waiting.append(job)
        return false
      }
      state.running += 1
      return true
    }
    if mayRun { run(job) }
    return job
  }

  /// The job of that name, for its owner only.
  func job(_ id: String, owner: Int64) -> FlowJob? {
    state.withLock { $0.jobs[id] }.flatMap { $0.owner == owner ? $0 : nil }
  }

  /// What somebody's searches are that have not ended.
  func open(owner: Int64) -> [FlowJob] {
    state.withLock { Array($0.jobs.values) }.filter { $0.owner == owner && !$0.isOver }
      .sorted { $0.id < $1.id }
  }

  /// Ends a search, or takes it out of the line.
  func cancel(_ job: FlowJob) {
    job.cancel()
    let wasWaiting = state.withLock { state -> Bool in
      guard let place = state.waiting.firstIndex(where: { $0 === job }) else { return false }
      state.waiting.remove(at: place)
      return true
    }
    if wasWaiting { end(job, .failure(.cancelled)) }
  }

  private func run(_ job: FlowJob) {
    job.begin()
    Thread.detachNewThread { [self] in
      let result: Result<FlowAnswer, FlowFailure>
      do {
        result = .success(try job.work(job))
      } catch {
        result = .failure(FlowFailure(error, isLate: job.isLate))
      }
      end(job, result)
      let next = state.withLock { state -> FlowJob? in
        if state.waiting.isEmpty {
          state.running -= 1
          return nil
        }
        return state.waiting.removeFirst()
      }
      if let next { run(next) }
    }
  }

  private func end(_ job: FlowJob, _ result: Result<FlowAnswer, FlowFailure>) {
    job.end(result)
    let outcome =
      switch result {
      case .success: "answered"
      case .failure(let failure): failure.word
      }
    state.withLock { $0.outcomes[outcome, default: 0] += 1 }
  }

  /// Answers that nobody fetched are given up, the oldest first.
  private func forget(_ state: inout State) {
    let now = ContinuousClock.now
    let over = state.jobs.values.compactMap { job in job.ended.map { (job, $0) } }
      .sorted { $0.1 < $1.1 }
    for (place, (job, ended)) in over.enumerated()
    where now - ended > .seconds(parameters.keptSeconds) || over.count - place > parameters.kept {
      state.jobs[job.id] = nil
    }
  }

  func register(in metrics: MetricsRegistry) {
    metrics.register(
      "noroshi_portal_flow_searches_total", help: "Searches of flows from the portal, by outcome.",
      kind: .counter
    ) { [self] in
      state.withLock { $0.outcomes }.sorted { $0.key < $1.key }.map {
        MetricSample([.init("outcome", $0.key)], value: Double($0.value))
      }
    }
    metrics.register(
      "noroshi_portal_flow_searches_running", help: "Searches of flows that run now.", kind: .gauge
    ) { [self] in [MetricSample(value: Double(state.withLock { $0.running }))] }
  }
}

/// One search on its way.
final class FlowJob: Sendable {
  private struct State {
    var isRunning = false
    var isCancelled = false
    var deadline: ContinuousClock.Instant?
    var done = 0.0
    var result: Result<FlowAnswer, FlowFailure>?
    var ended: ContinuousClock.Instant?
  }

  let id: String
  /// The account.
  let owner: Int64
  let key: String
  /// What a list of running searches says of it.
  let title: String
  let work: @Sendable (FlowJob) throws -> FlowAnswer
  private let seconds: Double
  private let state = Mutex(State())

  init(
    id: String, owner: Int64, key: String, title: String, seconds: Double,
    work: @escaping @Sendable (FlowJob) throws -> FlowAnswer
  ) {
    self.id = id
    self.owner = owner
    self.key = key
    self.title = title
    self.seconds = seconds
    self.work = work
  }

  var isOver: Bool { state.withLock { $0.result != nil } }
  var isRunning: Bool { state.withLock { $0.isRunning && $0.result == nil } }
  var ended: ContinuousClock.Instant? { state.withLock { $0.ended } }
  var result: Result<FlowAnswer, FlowFailure>? { state.withLock { $0.result } }
  /// From 0 to 1.
  var done: Double { state.withLock { $0.done } }

  /// Whether its time is up.
  var isLate: Bool { state.withLock { $0.deadline.map { $0 < .now } ?? false } }

  /// Asked by the search between two pieces of its work.
  var mustStop: Bool {
    state.withLock { $0.isCancelled || ($0.deadline.map { $0 < .now } ?? false) }
  }

  func progress(_ done: Double) { state.withLock { $0.done = min(1, max($0.done, done)) } }

  fileprivate func cancel() { state.withLock { $0.isCancelled = true } }

  fileprivate func begin() {
    state.withLock {
      $0.isRunning = true
      $0.deadline = .now + .seconds(seconds)
    }
  }

  fileprivate func end(_ result: Result<FlowAnswer, FlowFailure>) {
    state.withLock {
      $0.result = result
      $0.ended = .now
    }
  }

  /// Waits until it is over, at most so long; the thread of the request is free meanwhile.
  func settle(within patience: Duration) async -> Result<FlowAnswer, FlowFailure>? {
    let deadline = ContinuousClock.now + patience
    var pause = Duration.milliseconds(2)
    while true {
      if let result { return result }
      guard ContinuousClock.now < deadline else { return nil }
      do { try await Task.sleep(for: pause) } catch { return result }
      pause = min(pause * 2, .milliseconds(50))
    }
  }
}

/// What a search found.
struct FlowAnswer: Sendable {
  var plan: FlowPlan
  var span: FlowSpan?
  /// One for each query of the plan.
  var results: [FlowQueryResult] = []
  /// An exported file, which whoever takes it removes.
  var file: String?

  /// Of the first query, which sees every flow that matches.
  var totals: (flows: UInt64, packets: UInt64, bytes: UInt64) {
    results.first.map { ($0.totals.flows, $0.totals.packets, $0.totals.bytes) } ?? (0, 0, 0)
  }
}

/// Why there is no answer.
enum FlowFailure: Error, Sendable, Equatable {
  case cancelled
  /// The time limit.
  case tooLong
  /// Memory, the temporary file, or the size of an export.
  case tooMuch
  case noArchive
  /// Anything else, as a sentence for the log.
  case failed(String)

  init(_ error: any Error, isLate: Bool) {
    switch error {
    case let failure as FlowFailure: self = failure
    case ArchiveError.cancelled: self = isLate ? .tooLong : .cancelled
    case ArchiveError.tooMuchMemory: self = .tooMuch
    case ArchiveError.system("opening", _, ENOENT): self = .noArchive
    default: self = .failed("\(error)")
    }
  }

  /// For counters and the catalogue.
  var word: String {
    switch self {
    case .cancelled: "cancelled"
    case .tooLong: "too_long"
    case .tooMuch: "too_much"
    case .noArchive: "no_archive"
    case .failed: "failed"
    }
  }

  var problem: Problem {
    switch self {
    case .cancelled: Problem(status: .conflict, code: "flows-cancelled")
    case .tooLong: Problem(status: .unprocessableContent, code: "flows-too-long")
    case .tooMuch: Problem(status: .unprocessableContent, code: "flows-too-much")
    case .noArchive: Problem(status: .notFound, code: "flows-none")
    case .failed: .unavailable
    }
  }
}
