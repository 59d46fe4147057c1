/// What one sample says about the clock: a pure function of what the sources said.
///
/// Each source's offset and uncertainty is an interval that holds the true offset, if the source is
/// right. The largest group of intervals that share a point is believed (Marzullo 1984, as RFC 5905
/// 11.2.1 does); the others are falsetickers.
public struct ClockJudgement: Hashable, Sendable {
  /// How the clock is.
  public enum State: String, Hashable, Sendable {
    case ok
    /// Stamps are still right, but somebody should look.
    case degraded
    /// The accuracy cannot be promised: nothing is stamped.
    case stopped
  }

  public let state: State
  /// Why it is not ok, a sentence each.
  public let reasons: [String]
  /// The clock's error by the sources that agree: their time minus ours, in seconds.
  public let offset: Double
  /// The largest error that their intervals leave room for, in seconds.
  public let errorBound: Double
  /// Sources that agree.
  public let agreeing: [String]
  /// Sources whose interval lies elsewhere.
  public let falsetickers: [String]
  public let leap: LeapWarning

  /// Judges a sample.
  public init(_ sample: ClockSample, parameters: ClockGuardParameters) {
    let usable = sample.observations.filter {
      $0.offset.isFinite && $0.uncertainty.isFinite && $0.uncertainty >= 0
    }
    let best = Self.intersection(usable)
    let members = usable.filter {
      $0.offset - $0.uncertainty <= best.high && $0.offset + $0.uncertainty >= best.low
        && !usable.isEmpty
    }
    agreeing = members.map(\.source)
    falsetickers = usable.map(\.source).filter { !members.map(\.source).contains($0) }
    offset = usable.isEmpty ? 0 : (best.low + best.high) / 2
    errorBound = usable.isEmpty ? .infinity : max(abs(best.low), abs(best.high))
    // One source alone is not believed about a leap second either.
    let insertions = members.count { $0.leap == .insertion }
    let deletions = members.count { $0.leap == .deletion }
    if insertions * 2 > members.count {
      leap = .insertion
    } else if deletions * 2 > members.count {
      leap = .deletion
    } else {
      leap = sample.kernel?.leap ?? .none
    }

    var stopping: [String] = []
    var doubts: [String] = []
    if members.count < parameters.requiredSources {
      stopping.append(
        "\(members.count) of \(sample.observations.count + sample.failures.count) clock sources "
          + "agree; \(parameters.requiredSources) have to")
    } else if members.count * 2 <= usable.count {
      stopping.append("the clock sources contradict each other, and no majority agrees")
    }
    if !usable.isEmpty {
      let bound = Self.text(errorBound)
      if errorBound > parameters.promisedSeconds {
        stopping.append(
          "the clock may be off by \(bound); \(Self.text(parameters.promisedSeconds)) is promised")
      } else if errorBound > parameters.promisedSeconds * parameters.degradedShare {
        doubts.append("the clock may be off by \(bound)")
      }
    }
    for (source, reason) in sample.failures { doubts.append("\(source) \(reason)") }
    for source in falsetickers { doubts.append("\(source) says another time than the others") }
    if let kernel = sample.kernel, !kernel.isSynchronised {
      doubts.append("the kernel says that nobody keeps its clock")
    }
    reasons = stopping + doubts
    state = !stopping.isEmpty ? .stopped : doubts.isEmpty ? .ok : .degraded
  }

  /// Seconds with the digits that matter to a reader.
  static func text(_ seconds: Double) -> String {
    guard seconds.isFinite, abs(seconds) < 1e9 else { return "an unknown time" }
    let microseconds = Int((abs(seconds) * 1e6).rounded())
    if microseconds < 1000 { return "\(microseconds) µs" }
    if microseconds < 1_000_000 { return "\(microseconds / 1000) ms" }
    return "\(microseconds / 1_000_000).\(microseconds / 100_000 % 10) s"
  }

  /// The part that the most intervals share.
  private static func intersection(_ observations: [ClockObservation]) -> (
    low: Double, high: Double
  ) {
    var edges: [(at: Double, isEnd: Bool)] = []
    for one in observations {
      edges.append((one.offset - one.uncertainty, false))
      edges.append((one.offset + one.uncertainty, true))
    }
    edges.sort { $0.at != $1.at ? $0.at < $1.at : !$0.isEnd && $1.isEnd }
    var depth = 0
    var deepest = 0
    var best = (low: 0.0, high: 0.0)
    for (index, edge) in edges.enumerated() {
      if edge.isEnd {
        depth -= 1
      } else {
        depth += 1
        if depth > deepest, index + 1 < edges.count {
          deepest = depth
          best = (edge.at, edges[index + 1].at)
        }
      }
    }
    return best
  }
}
