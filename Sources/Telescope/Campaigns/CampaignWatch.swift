import Foundation
import NetworkTypes

/// Finds what many sources begin to do together: hour by hour, each port, port set and SYN signature
/// is held against its own past.
///
/// A campaign is on when the number of unique sources lies so many robust standard deviations above
/// the median of the hours before, at least doubles it, and is no handful. The deviation is the larger
/// of 1.4826 · MAD and the Poisson noise √median, so that quiet ports do not alarm at every second
/// visitor. Hours in alarm do not enter the baseline.
///
/// A port without a packet in an hour in which the sensor heard others counts as zero. An hour in which
/// the sensor heard nothing at all says nothing of any port: it enters no baseline, the first hour after
/// such a gap begins no campaign, and a gap as long as the history ends the baselines themselves.
struct CampaignWatch {
  struct Subject: Hashable, Comparable {
    let kind: Campaign.Subject
    let key: String

    static func < (left: Self, right: Self) -> Bool {
      (left.kind.rawValue, left.key) < (right.kind.rawValue, right.key)
    }
  }

  private struct Running {
    var campaign: Campaign
    var quietHours: Int
  }

  private var hoursWatched = 0
  private var lastHour: Int64?
  private var history: [Subject: [Float]] = [:]
  private var running: [Subject: Running] = [:]
  /// Hours after ``lastHour`` in which the sensor heard packets that are not for the dark space.
  private var heard: Set<Int64> = []
  private(set) var finished: [Campaign] = []

  /// Subjects are followed from this many sources on; smaller ones count as zero.
  private static let followed: Float = 3

  mutating func takeFinished() -> [Campaign] {
    defer { finished = [] }
    return finished
  }

  /// The campaigns that are on, in a stable order.
  var active: [Campaign] { running.sorted { $0.key < $1.key }.map(\.value.campaign) }

  /// Takes in one closed hour: unique sources of each subject, and on request their mix.
  mutating func examine(
    hour: Int64, sources: [Subject: Double], parameters: TelescopeParameters,
    mix: (Subject) -> (tools: [Campaign.Share], countries: [Campaign.Share])
  ) {
    let followsGap = passOver(to: hour, parameters: parameters)
    lastHour = hour
    heard = heard.filter { $0 > hour }
    let began = Timestamp(seconds: hour * 3_600)
    let ended = Timestamp(seconds: hour * 3_600 + 3_600)
    let subjects = Set(history.keys).union(sources.keys)
    for subject in subjects.sorted() {
      let count = Float(sources[subject] ?? 0)
      let past = Self.padded(
        history[subject] ?? [], to: min(hoursWatched, parameters.campaignHistory))
      let line = Self.line(past)
      let alarms =
        (!followsGap || running[subject] != nil)
        && hoursWatched >= parameters.campaignMinimumHistory
        && Double(count) >= Double(parameters.campaignMinimumSources)
        && Double(count) >= parameters.campaignRatio * line.median
        && (Double(count) - line.median) / line.deviation >= parameters.campaignDeviations
      if alarms {
        let mixed = mix(subject)
        alarm(
          subject, count: Double(count), line: line, began: began, ended: ended, tools: mixed.tools,
          countries: mixed.countries)
      } else {
        if running[subject] != nil { quieten(subject, parameters: parameters) }
        remember(subject, count, past: past, parameters: parameters)
      }
    }
    hoursWatched += 1
  }

  private mutating func alarm(
    _ subject: Subject, count: Double, line: (median: Double, deviation: Double),
    began: Timestamp, ended: Timestamp, tools: [Campaign.Share], countries: [Campaign.Share]
  ) {
    let deviations = (count - line.median) / line.deviation
    var entry =
      running[subject]
      ?? Running(
        campaign: Campaign(
          subject: subject.kind, key: subject.key, began: began, lastSeen: ended, isOver: false,
          peakSources: 0, baseline: line.median, deviations: 0, tools: [], countries: []),
        quietHours: 0)
    entry.quietHours = 0
    entry.campaign.lastSeen = ended
    entry.campaign.deviations = max(entry.campaign.deviations, deviations)
    if count > entry.campaign.peakSources {
      entry.campaign.peakSources = count
      entry.campaign.tools = tools
      entry.campaign.countries = countries
    }
    running[subject] = entry
  }

  private mutating func quieten(_ subject: Subject, parameters: TelescopeParameters) {
    running[subject]?.quietHours += 1
    guard let entry = running[subject], entry.quietHours >= parameters.campaignQuietBins else {
      return
    }
    end(subject)
  }

  private mutating func end(_ subject: Subject) {
    guard var campaign = running.removeValue(forKey: subject)?.campaign else { return }
    campaign.isOver = true
    finished.append(campaign)
  }

  private mutating func remember(
    _ subject: Subject, _ count: Float, past: [Float], parameters: TelescopeParameters
  ) {
    let counted = count >= Self.followed ? count : 0
    let extended = Array((past + [counted]).suffix(parameters.campaignHistory))
    history[subject] = extended.allSatisfy { $0 == 0 } ? nil : extended
  }

  /// Notes that the sensor was alive in an hour, whatever it heard.
  mutating func hear(hour: Int64, parameters: TelescopeParameters) {
    if let lastHour, hour <= lastHour { return }
    heard.insert(hour)
    if heard.count > parameters.campaignHistory, let oldest = heard.min() { heard.remove(oldest) }
  }

  /// Takes in the hours between the last one and `hour`, of which there were no dark packets, and says
  /// whether the sensor heard nothing in the hour before.
  private mutating func passOver(to hour: Int64, parameters: TelescopeParameters) -> Bool {
    guard let lastHour, hour > lastHour, hour - lastHour > 1 else { return false }
    let between = hour - lastHour - 1
    let silent = Int64(heard.count { $0 > lastHour && $0 < hour })
    if silent > 0 { skip(hours: silent, parameters: parameters) }
    let gap = between - silent
    if gap >= Int64(parameters.campaignQuietBins) {
      // Nobody saw how they went on.
      for subject in running.keys.sorted() { end(subject) }
    }
    if gap >= Int64(parameters.campaignHistory) {
      history = [:]
      hoursWatched = 0
    }
    return gap > 0 && !heard.contains(hour - 1)
  }

  /// Hours in which the sensor heard something, but nothing on dark space.
  private mutating func skip(hours: Int64, parameters: TelescopeParameters) {
    let silent = Int(min(hours, Int64(parameters.campaignHistory)))
    for subject in running.keys.sorted() {
      for _ in 0..<min(silent, parameters.campaignQuietBins) where running[subject] != nil {
        quieten(subject, parameters: parameters)
      }
    }
    for (subject, past) in history {
      let extended = Array(
        (Self.padded(past, to: min(hoursWatched, parameters.campaignHistory))
          + [Float](repeating: 0, count: silent)).suffix(parameters.campaignHistory))
      history[subject] = extended.allSatisfy { $0 == 0 } ? nil : extended
    }
    hoursWatched += silent
  }

  /// A subject that appeared later was at zero before.
  private static func padded(_ past: [Float], to count: Int) -> [Float] {
    [Float](repeating: 0, count: max(0, count - past.count)) + past.suffix(count)
  }

  private static func line(_ past: [Float]) -> (median: Double, deviation: Double) {
    guard !past.isEmpty else { return (0, 1) }
    let median = Self.median(past)
    let mad = Self.median(past.map { abs($0 - Float(median)) })
    return (median, max(1.4826 * mad, max(1, median).squareRoot()))
  }

  private static func median(_ values: [Float]) -> Double {
    let sorted = values.sorted()
    let middle = sorted.count / 2
    return sorted.count % 2 == 1
      ? Double(sorted[middle]) : Double(sorted[middle - 1] + sorted[middle]) / 2
  }

  // MARK: Checkpoints

  private struct Image: Codable {
    var hoursWatched: Int
    var lastHour: Int64?
    var kinds: [Campaign.Subject]
    var keys: [String]
    var history: [[Float]]
    var running: [Campaign]
    var quietHours: [Int]
    /// Missing in the checkpoints of older builds.
    var heard: [Int64]?
  }

  /// All state as JSON: it is small, and people can read it.
  func image() throws -> [UInt8] {
    let past = history.sorted { $0.key < $1.key }
    let active = running.sorted { $0.key < $1.key }
    return Array(
      try JSONEncoder().encode(
        Image(
          hoursWatched: hoursWatched, lastHour: lastHour, kinds: past.map(\.key.kind),
          keys: past.map(\.key.key), history: past.map(\.value),
          running: active.map(\.value.campaign), quietHours: active.map(\.value.quietHours),
          heard: heard.sorted())))
  }

  init() {}

  init(image bytes: [UInt8]) throws {
    let image = try JSONDecoder().decode(Image.self, from: Data(bytes))
    guard image.kinds.count == image.keys.count, image.keys.count == image.history.count,
      image.running.count == image.quietHours.count
    else { throw TelescopeError.damagedCheckpoint("its campaign history does not fit together") }
    hoursWatched = image.hoursWatched
    lastHour = image.lastHour
    heard = Set(image.heard ?? [])
    for (index, key) in image.keys.enumerated() {
      history[Subject(kind: image.kinds[index], key: key)] = image.history[index]
    }
    for (index, campaign) in image.running.enumerated() {
      running[Subject(kind: campaign.subject, key: campaign.key)] = Running(
        campaign: campaign, quietHours: image.quietHours[index])
    }
  }
}
