import NetworkTypes
import PacketCapture
import Telescope

/// Shows a live capture, on the whole terminal or line by line.
final class WatchView {
  /// Looking at the tables may take this share of the time at most: our own choice, so that a flood
  /// with millions of sources is not lost for being looked at.
  private static let share = 0.05
  /// Lines of each list that are asked for: more than any terminal has rows for.
  private static let listed = 100

  private let screen: FullScreen?
  private let pause: Duration
  private let started = ContinuousClock.now
  private var moment: WatchMoment
  private var nextDrawing = ContinuousClock.now
  private var nextGlance = ContinuousClock.now

  /// - Parameters:
  ///   - screen: where to draw; nil writes lines to standard output.
  ///   - every: seconds between two drawings or lines; nil for one and ten.
  init(interface: String, space: DarkSpace, screen: FullScreen?, every: Int?) {
    self.screen = screen
    pause = .seconds(every ?? (screen == nil ? 10 : 1))
    moment = WatchMoment(interface: interface, space: space, elapsedSeconds: 0)
    if screen == nil { nextDrawing += pause }
  }

  /// Whether `q` or Ctrl-D was pressed.
  var wantsToQuit: Bool {
    screen?.keys().contains { $0 == UInt8(ascii: "q") || $0 == UInt8(ascii: "Q") || $0 == 4 }
      ?? false
  }

  func close() { screen?.close() }

  /// Draws when it is time to, or when the window has changed.
  func show(
    _ engine: TelescopeEngine, _ live: LiveCapture, lastSave: ContinuousClock.Instant
  ) throws {
    let now = ContinuousClock.now
    let isDue = now >= nextDrawing
    guard isDue || screen?.hasResized == true else { return }
    if isDue {
      // From the plan and not from now, unless drawing has fallen behind: so a second is a second.
      nextDrawing = max(nextDrawing + pause, now)
      moment.elapsedSeconds = (now - started) / .seconds(1)
      moment.now = engine.now
      moment.counters = engine.currentCounters
      moment.rates.update(moment.counters, at: moment.elapsedSeconds)
      moment.statistics = try live.statistics()
      moment.secondsSinceSave = (now - lastSave) / .seconds(1)
      look(engine, now)
    }
    guard let screen else {
      Terminal.output.line(WatchLine.text(moment))
      return
    }
    let size = screen.size
    let lines = WatchScreen(columns: size.columns, rows: size.rows, terminal: .output)
      .lines(moment)
    screen.draw(lines, size: size)
  }

  private func look(_ engine: TelescopeEngine, _ now: ContinuousClock.Instant) {
    guard now >= nextGlance else { return }
    moment.glance = engine.glance(limit: Self.listed)
    let cost = ContinuousClock.now - now
    nextGlance = now + cost / Self.share
  }
}
