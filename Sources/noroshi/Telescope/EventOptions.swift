import ArgumentParser
import NetworkTypes
import Telescope

/// A stretch of time on the command line.
struct TimeOptions: ParsableArguments {
  @Option(
    name: .long,
    help: ArgumentHelp(
      "From this moment on: 2026-11-25T05:00:00Z, 2026-11-25, or 24h before the end of what was seen.",
      valueName: "time"))
  var since: String?

  @Option(name: .long, help: ArgumentHelp("Before this moment.", valueName: "time"))
  var until: String?

  func validate() throws {
    for text in [since, until].compactMap({ $0 })
    where Self.moment(text) == nil && Self.seconds(text) == nil {
      throw ValidationError(
        "“\(text)” is no time such as 2026-11-25T05:00:00Z, 2026-11-25 or 24h.")
    }
  }

  private static func moment(_ text: String) -> Timestamp? {
    Timestamp(text) ?? (text.utf8.count == 10 ? Timestamp(text + "T00:00:00Z") : nil)
  }

  /// `90s`, `15m`, `24h`, `7d`, `2w`.
  private static func seconds(_ text: String) -> Double? {
    let units: [Character: Double] = ["s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800]
    guard let last = text.last, let unit = units[last], let count = UInt32(text.dropLast()) else {
      return nil
    }
    return Double(count) * unit
  }

  /// - Parameter now: what a length of time is counted back from; nil where nothing was seen yet.
  func bounds(now: Timestamp?) throws -> (since: Timestamp?, until: Timestamp?) {
    func bound(_ text: String?) throws -> Timestamp? {
      guard let text else { return nil }
      if let moment = Self.moment(text) { return moment }
      guard let seconds = Self.seconds(text) else { return nil }
      guard let now else {
        throw CommandFailure(
          "“\(text)” counts back from the end of what was seen, and nothing is known of that",
          advice: "Write a moment, as 2026-11-25T05:00:00Z.", status: .usage)
      }
      return now.advanced(bySeconds: -seconds)
    }
    return (try bound(since), try bound(until))
  }
}

/// Which events, in words of their own; all must hold.
struct EventOptions: ParsableArguments {
  @Option(
    name: .long,
    help: ArgumentHelp(
      "Only events of this source; may be given several times.", valueName: "address"))
  var source: [String] = []

  @Option(
    name: .long,
    help: ArgumentHelp(
      "Only events of sources in this prefix; may be given several times.", valueName: "prefix"))
  var prefix: [String] = []

  @Option(name: .long, help: "Only events of this port; may be given several times.")
  var port: [UInt16] = []

  @Option(
    name: .long,
    help: ArgumentHelp(
      "Only events of this class of traffic, as syn-scan; may be given several times.",
      valueName: "class"))
  var type: [String] = []

  @Option(
    name: .long,
    help: "Only events of tools whose name holds this text; may be given several times.")
  var tool: [String] = []

  @OptionGroup var time: TimeOptions

  func validate() throws {
    for text in source where IPAddress(text) == nil {
      throw ValidationError("--source \(text) is no address; a block of them is --prefix.")
    }
    for text in prefix where IPPrefix(text) == nil {
      throw ValidationError(
        "--prefix \(text) is no prefix such as 192.0.2.0/24 with its host bits zero.")
    }
    for name in type where TrafficClass(name: name) == nil {
      let known = TrafficClass.allCases.map(\.name).joined(separator: ", ")
      throw ValidationError("--type \(name) is no class. There are: \(known).")
    }
  }

  /// Adds the conditions to a question.
  ///
  /// - Parameter now: the end of what the telescope has seen.
  func restrict(_ query: inout EventQuery, now: Timestamp?) throws {
    let blocks = (source + prefix).compactMap { IPPrefix($0) }
    if !blocks.isEmpty {
      query.require(.source, .addresses(blocks.map { $0.first.bits...$0.last.bits }))
    }
    if !port.isEmpty { query.require(.port, .integers(port.map { Int64($0)...Int64($0) })) }
    if !type.isEmpty { query.require(.trafficClass, .words(Set(type))) }
    if !tool.isEmpty { query.require(.tools, .contains(tool)) }
    let (since, until) = try time.bounds(now: now)
    query.restrict(since: since, until: until)
  }
}
