public import NetworkTypes
import Synchronization

/// Where a guard gets its samples and clocks from; the tests give their own.
public struct ClockSources: Sendable {
  /// The wall and the monotonic clock now.
  public var clocks: @Sendable () -> ClockPair
  /// Asks every source once.
  public var sample: @Sendable () async -> ClockSample

  /// Sources from closures.
  public init(
    clocks: @escaping @Sendable () -> ClockPair, sample: @escaping @Sendable () async -> ClockSample
  ) {
    self.clocks = clocks
    self.sample = sample
  }

  /// This machine's clocks against the sources of the configuration: names or addresses of NTP
  /// servers, and `chrony` for the daemon on this machine.
  public static func system(_ sources: [String], parameters: ClockGuardParameters) -> ClockSources {
    let clocks: @Sendable () -> ClockPair = { .read() }
    return ClockSources(clocks: clocks) {
      var sample = ClockSample(
        moment: ClockPair.read().wall, observations: [], kernel: KernelDiscipline.read())
      await withTaskGroup(of: (Int, Result<ClockObservation, any Error>).self) { group in
        for (index, source) in sources.enumerated() {
          group.addTask {
            do {
              let observation =
                source == "chrony"
                ? try await ChronyTracking.ask()
                : try await NTPQuery(source, timeoutSeconds: parameters.timeoutSeconds).run()
              return (index, .success(observation))
            } catch { return (index, .failure(error)) }
          }
        }
        var results: [(Int, Result<ClockObservation, any Error>)] = []
        for await result in group { results.append(result) }
        for (index, result) in results.sorted(by: { $0.0 < $1.0 }) {
          switch result {
          case .success(let observation): sample.observations.append(observation)
          case .failure(let error): sample.failures.append((sources[index], "\(error)"))
          }
        }
      }
      return sample
    }
  }
}

/// What the guard lets into a stamp: the moment, and what proves it.
public struct GuardedMoment: Hashable, Sendable {
  public let moment: Timestamp
  /// The number of the clock record in force, for the stamp's traceability; nil for an unguarded
  /// clock.
  public let record: UInt64?
}

/// Watches the system clock and refuses the time where the promised accuracy cannot be kept.
///
/// ``run()`` asks the sources again and again; ``now()`` costs two clock readings and a lock, checks
/// that nobody set the wall clock since the last sample, that the sample is not stale, and that no
/// leap second is near.
public final class ClockGuard: Sendable {
  /// The guard's present view.
  public struct Status: Sendable {
    public let state: ClockJudgement.State
    public let reasons: [String]
    public let judgement: ClockJudgement?
    public let sample: ClockSample?
    /// How often the wall clock was set under the guard.
    public let jumps: Int
  }

  private struct State {
    var sample: ClockSample?
    var judgement: ClockJudgement?
    var pair: ClockPair?
    /// Why the last sample does not count any more.
    var suspended: String?
    var record: UInt64?
    var recordedAt: Timestamp?
    var recordedReasons: [String] = []
    var jumps = 0
  }

  public let parameters: ClockGuardParameters
  /// False where the configuration trusts the system clock blindly.
  public let isGuarding: Bool
  private let sources: ClockSources
  private let state = Mutex(State())
  /// Keeps a record and says its number.
  private let keep: @Sendable (ClockRecord) async throws -> UInt64

  /// A guard; `keep` writes what it finds to where nobody can change it.
  public init(
    sources: ClockSources, parameters: ClockGuardParameters = .init(), isGuarding: Bool = true,
    keep: @escaping @Sendable (ClockRecord) async throws -> UInt64 = { _ in 0 }
  ) {
    self.sources = sources
    self.parameters = parameters
    self.isGuarding = isGuarding
    self.keep = keep
  }

  /// Asks the sources and judges; called by ``run()``, and once before the first stamp.
  @discardableResult
  public func check() async -> ClockJudgement {
    let before = sources.clocks()
    let sample = await sources.sample()
    let after = sources.clocks()
    let judgement = ClockJudgement(sample, parameters: parameters)
    // Somebody who sets the clock during the measurement makes it worthless.
    let moved = abs(after.jump(since: before)) > parameters.jumpSeconds
    let due = state.withLock { state -> Bool in
      if moved {
        state.jumps += 1
        state.suspended = "the clock was set while it was measured"
        return false
      }
      let isChange =
        state.judgement?.state != judgement.state || state.recordedReasons != judgement.reasons
        || state.suspended != nil
      let isOld =
        state.recordedAt.map {
          abs(after.wall.seconds(since: $0)) >= parameters.recordSeconds
        } ?? true
      state.sample = sample
      state.judgement = judgement
      return isChange || isOld
    }
    guard !moved else { return judgement }
    var record: UInt64?
    if due {
      // A stamp must not name a record that is not kept: on failure the old state stays.
      do { record = try await keep(ClockRecord(sample: sample, judgement: judgement)) } catch {
        state.withLock { $0.suspended = "the clock record could not be kept: \(error)" }
        return judgement
      }
    }
    state.withLock { state in
      if let record {
        state.record = record
        state.recordedAt = after.wall
        state.recordedReasons = judgement.reasons
      }
      state.pair = after
      state.suspended = nil
    }
    return judgement
  }

  /// Checks again and again until the task is cancelled.
  public func run() async {
    guard isGuarding else { return }
    while !Task.isCancelled {
      await check()
      let seconds =
        status.state == .stopped ? parameters.retrySeconds : parameters.intervalSeconds
      // In short naps, so that a jump is answered soon.
      var left = seconds
      while left > 0, !Task.isCancelled {
        let nap = min(left, 1)
        try? await Task.sleep(for: .milliseconds(Int(nap * 1000)))
        left -= nap
        if state.withLock({ $0.suspended != nil }) { break }
      }
    }
  }

  /// The time for a stamp, or why there is none.
  public func now() throws(TimeStampRejection) -> GuardedMoment {
    let clocks = sources.clocks()
    guard isGuarding else { return GuardedMoment(moment: clocks.wall, record: nil) }
    let outcome = state.withLock { state -> Result<UInt64?, TimeStampRejection> in
      if let problem = problem(at: clocks, &state) {
        return .failure(TimeStampRejection(.timeNotAvailable, "No time: \(problem)."))
      }
      return .success(state.record)
    }
    return GuardedMoment(moment: clocks.wall, record: try outcome.get())
  }

  private func problem(at clocks: ClockPair, _ state: inout State) -> String? {
    guard let judgement = state.judgement, let pair = state.pair else {
      return state.suspended ?? "the clock was not compared with its sources yet"
    }
    if let suspended = state.suspended { return suspended }
    if judgement.state == .stopped {
      return judgement.reasons.first ?? "the clock is not good enough"
    }
    let jump = clocks.jump(since: pair)
    if abs(jump) > parameters.jumpSeconds {
      state.jumps += 1
      let reason = "the clock was set by \(ClockJudgement.text(jump)) since it was last compared"
      state.suspended = reason
      return reason
    }
    let age = Double(clocks.monotonic &- pair.monotonic) / 1e9
    if age > parameters.maximumAgeSeconds {
      return "the clock was last compared \(Int(min(age, 1e9))) s ago"
    }
    let bound = judgement.errorBound + age * parameters.driftRate + abs(jump)
    if bound > parameters.promisedSeconds {
      return "the clock may be off by \(ClockJudgement.text(bound)) by now"
    }
    if judgement.leap != .none, Self.isNearLeap(clocks.wall, parameters.leapMarginSeconds) {
      return "a leap second is near"
    }
    return nil
  }

  /// Whether midnight UTC at the end of a month is within the margin.
  static func isNearLeap(_ moment: Timestamp, _ margin: Double) -> Bool {
    let second = moment.seconds
    let midnight = Int64((Double(second) / 86_400).rounded()) * 86_400
    guard abs(moment.seconds(since: Timestamp(seconds: midnight))) <= margin + 1 else {
      return false
    }
    // The day that begins at that midnight has to be the first of a month.
    return Timestamp(seconds: midnight).description.dropFirst(8).hasPrefix("01T")
  }

  /// What the guard thinks now.
  public var status: Status {
    let clocks = sources.clocks()
    return state.withLock { state in
      guard isGuarding else {
        return Status(
          state: .degraded, reasons: ["the system clock is trusted unseen (tsa.clock.guarded)"],
          judgement: nil, sample: nil, jumps: 0)
      }
      let problem = problem(at: clocks, &state)
      return Status(
        state: problem != nil ? .stopped : state.judgement?.state ?? .stopped,
        reasons: (problem.map { [$0] } ?? [])
          + (state.judgement?.reasons.filter { $0 != problem } ?? []),
        judgement: state.judgement, sample: state.sample, jumps: state.jumps)
    }
  }
}
