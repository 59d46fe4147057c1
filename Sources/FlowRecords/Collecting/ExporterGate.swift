import NetworkTypes

/// Decides which datagrams are decoded: those of exporters that may send, within their rate.
struct ExporterGate {
  enum Verdict { case passes, isNotAllowed, isTooFast }

  private let allowed: [IPPrefix]
  /// Datagrams a second; nil without a limit.
  private let rate: Double?
  private let bound: Int
  private var known: [IPAddress: Entry] = [:]
  private var last: (address: IPAddress, isAllowed: Bool)?

  private struct Entry {
    let isAllowed: Bool
    var tokens: Double
    var filled: Int64
  }

  init(_ configuration: CollectorConfiguration) {
    allowed = configuration.allowed
    rate = configuration.datagramsPerSecond.flatMap { $0 > 0 ? $0 : nil }
    bound = max(configuration.parameters.largestExporterCount, 1)
  }

  mutating func judge(_ address: IPAddress, at time: Int64) -> Verdict {
    if allowed.isEmpty, rate == nil { return .passes }
    if rate == nil {
      if let last, last.address == address { return last.isAllowed ? .passes : .isNotAllowed }
      let verdict = isAllowed(address)
      last = (address, verdict)
      return verdict ? .passes : .isNotAllowed
    }
    return judgeRate(address, at: time)
  }

  private func isAllowed(_ address: IPAddress) -> Bool {
    allowed.isEmpty || allowed.contains { $0.contains(address) }
  }

  /// A token bucket that holds two seconds' worth.
  private mutating func judgeRate(_ address: IPAddress, at time: Int64) -> Verdict {
    guard let rate else { return .passes }
    var entry =
      known[address] ?? Entry(isAllowed: isAllowed(address), tokens: 2 * rate, filled: time)
    guard entry.isAllowed else { return .isNotAllowed }
    let elapsed = Double(max(time &- entry.filled, 0)) / 1e9
    entry.tokens = min(entry.tokens + elapsed * rate, max(2 * rate, 1))
    entry.filled = time
    let passes = entry.tokens >= 1
    if passes { entry.tokens -= 1 }
    // Forged sources must not fill the memory: past the bound the table starts anew.
    if known.count >= bound, known[address] == nil { known.removeAll() }
    known[address] = entry
    return passes ? .passes : .isTooFast
  }
}
