import Glibc

/// The two places a command writes to, and what they can show.
///
/// Results go to standard output, everything said *about* the work (progress, warnings, what to do
/// next) to standard error, so that `noroshi … --format csv > file` is clean.
struct Terminal: Sendable {
  enum Stream: Sendable {
    case output
    case error

    var descriptor: Int32 { self == .output ? STDOUT_FILENO : STDERR_FILENO }
  }

  /// The few styles a list uses. Colour never carries meaning alone.
  enum Style: String, Sendable {
    case plain = ""
    case bold = "1"
    case faint = "2"
    case red = "31"
    case green = "32"
    case yellow = "33"
    case cyan = "36"
  }

  let stream: Stream
  let isInteractive: Bool
  let hasColour: Bool
  /// Whether text can be written anywhere on it, as full-screen views do.
  let canMoveCursor: Bool

  static let output = Terminal(.output)
  static let error = Terminal(.error)

  init(_ stream: Stream) {
    self.stream = stream
    isInteractive = isatty(stream.descriptor) == 1
    // https://no-color.org: any non-empty value switches colour off.
    let refused = getenv("NO_COLOR").map { $0.pointee != 0 } ?? false
    let dumb = getenv("TERM").map { String(cString: $0) == "dumb" } ?? true
    hasColour = isInteractive && !refused && !dumb
    canMoveCursor = isInteractive && !dumb
  }

  /// Standard output without styles, for text that is put together before it is shown.
  static let unstyled = Terminal()

  private init() {
    stream = .output
    isInteractive = false
    hasColour = false
    canMoveCursor = false
  }

  /// Columns of the window; nil when it is not a terminal or does not say.
  var columns: Int? { size?.columns }

  /// Columns and rows of the window; nil when it is not a terminal or does not say.
  var size: (columns: Int, rows: Int)? {
    guard isInteractive else { return nil }
    var size = winsize()
    guard ioctl(stream.descriptor, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else {
      return nil
    }
    return (Int(size.ws_col), Int(size.ws_row))
  }

  func styled(_ text: String, _ style: Style) -> String {
    hasColour && style != .plain ? "\u{1b}[\(style.rawValue)m\(text)\u{1b}[0m" : text
  }

  /// Writes all of `text`; a reader that has gone away (`| head`) ends the process by SIGPIPE, as it
  /// does every other filter.
  func write(_ text: String) {
    var text = text
    text.withUTF8 { bytes in
      var done = 0
      while done < bytes.count, let base = bytes.baseAddress {
        let written = Glibc.write(stream.descriptor, base + done, bytes.count - done)
        if written > 0 {
          done += written
        } else if errno != EINTR && errno != EAGAIN {
          return
        }
      }
    }
  }

  func line(_ text: String = "") { write(text + "\n") }

  /// Asks for a line without showing it; nil when standard input is not a terminal or ends.
  static func secret(prompt: String) -> String? {
    guard isatty(STDIN_FILENO) == 1 else { return nil }
    Terminal.error.write(prompt)
    var saved = termios()
    guard tcgetattr(STDIN_FILENO, &saved) == 0 else { return nil }
    var hidden = saved
    hidden.c_lflag &= ~tcflag_t(ECHO)
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &hidden)
    defer {
      tcsetattr(STDIN_FILENO, TCSAFLUSH, &saved)
      Terminal.error.line()
    }
    return readLine(strippingNewline: true)
  }
}
