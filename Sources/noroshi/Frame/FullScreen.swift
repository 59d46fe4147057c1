import Glibc

/// A terminal taken over as a whole: the other screen of the terminal, no cursor, keys without Enter.
///
/// ``close()`` gives everything back, and must be called on every way out.
final class FullScreen {
  private let terminal: Terminal
  private var saved: termios?
  private var isOpen = true
  private var drawnSize = (columns: 0, rows: 0)

  /// Takes over the terminal that standard output is; nil when it is none that could be.
  init?(_ terminal: Terminal = .output) {
    guard terminal.canMoveCursor else { return nil }
    self.terminal = terminal
    var mode = termios()
    // Only a process in the foreground may change the terminal; another would be stopped by SIGTTOU.
    if isatty(STDIN_FILENO) == 1, tcgetpgrp(STDIN_FILENO) == getpgrp(),
      tcgetattr(STDIN_FILENO, &mode) == 0
    {
      saved = mode
      mode.c_lflag &= ~tcflag_t(ICANON | ECHO)
      // Reading returns at once, with or without a key.
      withUnsafeMutableBytes(of: &mode.c_cc) { characters in
        characters[Int(VMIN)] = 0
        characters[Int(VTIME)] = 0
        // Ctrl-Z would leave the shell on this screen.
        characters[Int(VSUSP)] = 0
      }
      tcsetattr(STDIN_FILENO, TCSAFLUSH, &mode)
    }
    // xterm's control sequences: save the cursor and change the screen (1049), hide the cursor (25).
    terminal.write("\u{1b}[?1049h\u{1b}[?25l\u{1b}[2J")
  }

  deinit { close() }

  /// Gives the terminal back as it was; the second time nothing happens.
  func close() {
    guard isOpen else { return }
    isOpen = false
    terminal.write("\u{1b}[0m\u{1b}[?25h\u{1b}[?1049l")
    if var saved { tcsetattr(STDIN_FILENO, TCSAFLUSH, &saved) }
  }

  /// The window's columns and rows; 80 by 24 where it does not say.
  var size: (columns: Int, rows: Int) {
    guard let size = terminal.size, size.rows > 0 else { return (80, 24) }
    return size
  }

  /// Whether the window has another size than when it was drawn.
  var hasResized: Bool { size != drawnSize }

  /// The keys pressed since the last call.
  func keys() -> [UInt8] {
    guard saved != nil else { return [] }
    var keys = [UInt8](repeating: 0, count: 64)
    let count = read(STDIN_FILENO, &keys, keys.count)
    return Array(keys.prefix(max(0, count)))
  }

  /// Shows these lines, each no wider than the window and no more than it has rows.
  ///
  /// Everything goes out in one piece, and no line is cleared before it is written, so that nothing
  /// flickers; terminals that know synchronised output (mode 2026) show it at once.
  func draw(_ lines: [String], size: (columns: Int, rows: Int)) {
    drawnSize = size
    let shown = lines.prefix(size.rows).joined(separator: "\u{1b}[K\r\n")
    terminal.write("\u{1b}[?2026h\u{1b}[H" + shown + "\u{1b}[K\u{1b}[J\u{1b}[?2026l")
  }
}
