public import NetworkTypes

/// What one source says about the system clock.
public struct ClockObservation: Hashable, Sendable {
  /// The source as the configuration names it.
  public let source: String
  /// The source's time minus ours, in seconds.
  public let offset: Double
  /// How wrong `offset` can be: half the round trip and the source's own distance from UTC, in
  /// seconds.
  public let uncertainty: Double
  /// 1 for a source with a reference clock.
  public let stratum: Int
  public let leap: LeapWarning

  /// An observation from its parts.
  public init(
    source: String, offset: Double, uncertainty: Double, stratum: Int, leap: LeapWarning = .none
  ) {
    self.source = source
    self.offset = offset
    self.uncertainty = uncertainty
    self.stratum = stratum
    self.leap = leap
  }
}

/// Why a source gave no observation.
public enum ClockSourceError: Error, Hashable, Sendable, CustomStringConvertible {
  case unreachable(String)
  case noAnswer
  case malformedAnswer(String)
  /// The server does not know the time itself.
  case unsynchronised
  /// RFC 5905 7.4: the server asks to be left alone.
  case kissOfDeath(String)

  public var description: String {
    switch self {
    case .unreachable(let reason): "cannot be reached: \(reason)"
    case .noAnswer: "does not answer"
    case .malformedAnswer(let what): "answers what is not NTP: \(what)"
    case .unsynchronised: "is not synchronised itself"
    case .kissOfDeath(let code): "asks not to be asked (\(code))"
    }
  }
}

/// What all sources said in one round, and how the kernel sees its clock.
public struct ClockSample: Sendable {
  public let moment: Timestamp
  public var observations: [ClockObservation]
  /// Sources that gave none, and why.
  public var failures: [(source: String, reason: String)]
  public var kernel: KernelDiscipline?

  /// A sample taken at a moment of the system clock.
  public init(
    moment: Timestamp, observations: [ClockObservation],
    failures: [(source: String, reason: String)] = [], kernel: KernelDiscipline? = nil
  ) {
    self.moment = moment
    self.observations = observations
    self.failures = failures
    self.kernel = kernel
  }
}
