import FlowArchive
import Foundation
import NetworkTypes

/// Time windows of searches, and what an archive spans.
enum FlowWindow {
  /// Back from the end of what the archive holds.
  static let presets: [(word: String, seconds: Double)] = [
    ("15m", 900), ("1h", 3_600), ("6h", 21_600), ("24h", 86_400), ("7d", 604_800),
    ("30d", 2_592_000),
  ]
  static let words = presets.map(\.word) + ["all"]
  static let usual = "24h"

  /// Widths of bins, in seconds: those that divide an hour, a day, a week.
  private static let widths: [Int64] = [
    60, 300, 600, 900, 1_800, 3_600, 7_200, 10_800, 21_600, 43_200, 86_400, 604_800,
  ]

  /// The window of a question; nil for everything.
  static func window(_ question: FlowQuestion, _ span: FlowSpan?) -> ClosedRange<Timestamp>? {
    switch question.last {
    case nil:
      let first = question.from ?? .distantPast
      return first...max(first, question.to ?? .distantFuture)
    case let word?:
      guard let span, let preset = presets.first(where: { $0.word == word }) else { return nil }
      return span.last.advanced(bySeconds: -preset.seconds)...span.last
    }
  }

  /// The bins of a time series: at most so many, over what of the window the archive spans.
  static func bins(
    _ window: ClosedRange<Timestamp>?, _ span: FlowSpan, atMost count: Int64
  ) -> (starts: [Int64], step: Int64) {
    let first = max(window?.lowerBound ?? span.first, span.first).seconds
    let last = max(first, min(window?.upperBound ?? span.last, span.last).seconds)
    let step = widths.first { (last - first) / $0 < count } ?? widths[widths.count - 1]
    let start = first - ((first % step) + step) % step
    // However long the archive: never more than ten times what was asked for.
    let bins = min((last - start) / step + 1, count * 10)
    return ((0..<bins).map { start + $0 * step }, step)
  }
}

/// From when to when an archive holds flows, to the hour where nothing says it more closely.
struct FlowSpan: Sendable, Equatable {
  var first: Timestamp
  var last: Timestamp
  /// Of the archive's files; nil where flows lie elsewhere.
  var octets: Int?

  /// Nil when there is no archive, or nothing in it. Lists the archive's folders, which takes a while for
  /// thousands of files.
  static func read(_ archive: String, now: Timestamp) -> FlowSpan? {
    guard let catalogue = try? ArchiveCatalogue(path: archive), !catalogue.files.isEmpty else {
      return nil
    }
    var (first, last) = (Int64.max, Int64.min)
    for file in catalogue.files {
      // A clock that is wrong by years must not stretch every chart: folders go by ours.
      let hour = file.hour == 0 ? nil : file.hour &* 3_600
      first = min(
        first, hour.map { max($0, file.seconds?.lowerBound ?? $0) } ?? file.seconds?.lowerBound ?? 0
      )
      let end = file.isUnfinished ? modified(file.path + ".part") : file.seconds?.upperBound
      last = max(last, min(end ?? now.seconds, hour.map { $0 + 3_600 } ?? Int64.max))
    }
    return FlowSpan(
      first: Timestamp(seconds: first), last: Timestamp(seconds: max(first, last)),
      octets: catalogue.octets)
  }

  private static func modified(_ path: String) -> Int64? {
    let attributes = try? FileManager.default.attributesOfItem(atPath: path)
    return (attributes?[.modificationDate] as? Date).map { Int64($0.timeIntervalSince1970) }
  }
}
