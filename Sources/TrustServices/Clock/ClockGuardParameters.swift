/// Numbers of the clock guard.
public struct ClockGuardParameters: Sendable {
  /// What a stamp promises, in seconds; the guard stops before the clock can be further off.
  /// 1 s is the bound of EN 319 421 and of the Japanese accreditation.
  public var promisedSeconds = 1.0
  /// The share of the promise from which on the state is degraded: our own choice, so that somebody
  /// looks before stamping stops.
  public var degradedShare = 0.5
  /// Sources that have to agree; two, so that no single one is believed (JIS X 5094 asks for a second
  /// source to detect anomalies).
  public var requiredSources = 2
  /// Seconds between two rounds of questions: NTP's default of 64 s (RFC 5905 7.2, MINPOLL 6).
  public var intervalSeconds = 64.0
  /// Seconds until the next try while stamping is stopped: our own choice.
  public var retrySeconds = 8.0
  /// Age in seconds at which a sample says nothing any more: 15 rounds of 64 s, our own choice.
  public var maximumAgeSeconds = 960.0
  /// How fast an undisciplined clock may drift, in seconds per second (RFC 5905 7.2, PHI).
  public var driftRate = 15e-6
  /// How far the wall clock may move against the monotonic one between a sample and a stamp, in
  /// seconds: our own choice, a tenth of the promise.
  public var jumpSeconds = 0.1
  /// Seconds that a source has for its answer: our own choice.
  public var timeoutSeconds = 2.0
  /// Seconds before and after a leap second in which nothing is stamped, as UTC's second 60 cannot be
  /// told from its neighbour: our own choice.
  public var leapMarginSeconds = 1.0
  /// Seconds between two records of an unchanged state: hourly.
  public var recordSeconds = 3600.0

  /// The values above.
  public init() {}
}
