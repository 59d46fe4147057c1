import Synchronization

/// How far a long piece of work is, on standard error.
///
/// Nothing is shown for work of less than two seconds. On a terminal it is one line that redraws
/// itself, with rate and time left; elsewhere (a log, a pipe) it is a plain line every ten seconds.
/// It may be updated from any thread, as often as one likes: at most ten updates a second are drawn.
final class ProgressBar: Sendable {
  private struct State {
    var count: UInt64 = 0
    var fraction: Double?
    var detail = ""
    var lastDrawn: ContinuousClock.Instant?
    var lastWidth = 0
    var isFinished = false
  }

  private let title: String
  private let unit: String
  private let total: UInt64?
  private let terminal: Terminal
  private let started: ContinuousClock.Instant
  private let state = Mutex(State())
  private static let silence = Duration.seconds(2)

  /// - Parameters:
  ///   - title: what is being done: `Reading day1.pcap`.
  ///   - unit: what `count` counts, in the plural: `packets`; `bytes` are shown as kB, MB, GB;
  ///     an empty text shows the fraction only.
  ///   - total: the count at the end, where it is known.
  init(_ title: String, unit: String, total: UInt64? = nil, terminal: Terminal = .error) {
    self.title = title
    self.unit = unit
    self.total = total
    self.terminal = terminal
    started = .now
  }

  /// - Parameters:
  ///   - count: units done since the beginning.
  ///   - fraction: 0...1, when the end is known by another measure than `total` (bytes of a file).
  ///   - detail: a few words that change: `203 sources`.
  func update(_ count: UInt64, fraction: Double? = nil, detail: String? = nil) {
    let now = ContinuousClock.now
    state.withLock { state in
      guard !state.isFinished else { return }
      state.count = count
      state.fraction = fraction ?? total.map { $0 == 0 ? 1 : Double(count) / Double($0) }
      if let detail { state.detail = detail }
      let elapsed = now - started
      guard elapsed >= Self.silence else { return }
      let pause: Duration = terminal.isInteractive ? .milliseconds(100) : .seconds(10)
      if let last = state.lastDrawn, now - last < pause { return }
      state.lastDrawn = now
      draw(&state, elapsed: elapsed)
    }
  }

  /// Clears the line; `message` then stands in its place if the bar was ever shown.
  func finish(_ message: String? = nil) {
    state.withLock { state in
      guard !state.isFinished else { return }
      state.isFinished = true
      guard state.lastDrawn != nil else { return }
      if terminal.isInteractive { terminal.write("\r\u{1b}[K") }
      if let message { terminal.line(message) }
    }
  }

  private func draw(_ state: inout State, elapsed: Duration) {
    let text = Self.text(
      title: title, unit: unit, count: state.count, fraction: state.fraction,
      detail: state.detail, elapsed: elapsed, barWidth: terminal.isInteractive ? 20 : 0)
    guard terminal.isInteractive else {
      terminal.line(text)
      return
    }
    terminal.write(
      "\r\u{1b}[K" + DisplayWidth.truncated(text, to: (terminal.columns ?? 80) - 1))
  }

  /// The line itself, apart from any terminal.
  static func text(
    title: String, unit: String, count: UInt64, fraction: Double?, detail: String,
    elapsed: Duration, barWidth: Int
  ) -> String {
    let seconds = max(elapsed / .seconds(1), 0.001)
    let rate = Double(count) / seconds
    var parts = [title]
    if let fraction = fraction.map({ min(max($0, 0), 1) }) {
      if barWidth > 0 {
        let filled = Int((Double(barWidth) * fraction).rounded())
        parts.append(
          "[" + String(repeating: "█", count: filled)
            + String(repeating: "·", count: barWidth - filled) + "]")
      }
      parts.append("\(Int(fraction * 100)) %")
    }
    if !unit.isEmpty {
      parts.append("\(Quantity.short(Double(count), unit: unit)),")
      parts.append("\(Quantity.short(rate, unit: unit))/s")
    }
    if !detail.isEmpty { parts.append("· \(detail)") }
    if let fraction, fraction > 0.01, fraction < 1 {
      let left = seconds / fraction * (1 - fraction)
      parts.append("· \(Quantity.duration(seconds: left)) left")
    } else {
      parts.append("· \(Quantity.duration(seconds: seconds))")
    }
    return parts.joined(separator: " ")
  }
}
