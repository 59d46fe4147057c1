import ArgumentParser
import NetworkTypes

/// Reading of `--from` and `--to`.
enum QueryWindow {
  /// The window between two moments, either of which may be missing; nil without any.
  static func read(from: String?, to: String?) throws -> ClosedRange<Timestamp>? {
    if from == nil, to == nil { return nil }
    let first = try moment(from, "--from") ?? .distantPast
    let last = try moment(to, "--to") ?? .distantFuture
    guard first <= last else { throw ValidationError("--from must not be after --to.") }
    return first...last
  }

  private static func moment(_ text: String?, _ option: String) throws -> Timestamp? {
    guard let text else { return nil }
    guard let moment = Timestamp(text) else {
      throw ValidationError("\(option): “\(text)” is no time such as 2026-11-25T05:00:00Z.")
    }
    return moment
  }
}
