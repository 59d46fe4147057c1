import FoundationEssentials
public import NetworkTypes

/// One clock record: what the sources said and what follows, kept in the journal, so that for every
/// stamp it can be shown what the clock was compared with (traceability to UTC).
public struct ClockRecord: Hashable, Sendable, Codable {
  /// One source's word.
  public struct Source: Hashable, Sendable, Codable {
    public let name: String
    /// In seconds, as in ``ClockObservation``.
    public var offset: Double?
    public var uncertainty: Double?
    public var stratum: Int?
    public var leap: String?
    /// Why it said nothing.
    public var failure: String?
  }

  public let time: Timestamp
  public let state: String
  public let reasons: [String]
  public let offset: Double
  /// In seconds; nil where no source answered.
  public let errorBound: Double?
  public let sources: [Source]
  /// The kernel's view: whether it is kept, and its bound in seconds.
  public let kernelSynchronised: Bool?
  public let kernelMaximumError: Double?
  public let leap: String

  init(sample: ClockSample, judgement: ClockJudgement) {
    time = sample.moment
    state = judgement.state.rawValue
    reasons = judgement.reasons
    offset = judgement.offset
    errorBound = judgement.errorBound.isFinite ? judgement.errorBound : nil
    sources =
      sample.observations.filter { $0.offset.isFinite && $0.uncertainty.isFinite }.map {
        Source(
          name: $0.source, offset: $0.offset, uncertainty: $0.uncertainty, stratum: $0.stratum,
          leap: $0.leap.rawValue)
      } + sample.failures.map { Source(name: $0.source, failure: $0.reason) }
    kernelSynchronised = sample.kernel?.isSynchronised
    kernelMaximumError = sample.kernel?.maximumErrorSeconds
    leap = judgement.leap.rawValue
  }

  /// One line of JSON.
  var json: String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    // Proof: strings, optional numbers that are finite, and lists of them always encode.
    return String(decoding: try! encoder.encode(self), as: UTF8.self)
  }
}
