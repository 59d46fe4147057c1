import ArgumentParser
import NetworkTypes
import Sketches

/// Longest-prefix look-ups on a table of the size and shape of the Internet's.
struct PrefixLookups: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "prefixes", abstract: "Look addresses up in a full table of prefixes.")

  @Option(help: "Prefixes in the table.")
  var prefixes = 1_000_000
  @Option(help: "Addresses looked up in each round.")
  var lookups = 20_000_000
  @Option(help: "Rounds; the best one counts.")
  var rounds = 3

  /// How a full IPv4 table's prefixes are spread over their lengths, in percent (CIDR Report, 2025).
  private static let shares: [(length: Int, percent: Double)] = [
    (24, 60), (23, 10), (22, 11), (21, 5), (20, 4.5), (19, 3), (18, 1.5), (17, 1), (16, 1.5),
    (15, 0.5), (14, 0.5), (13, 0.5), (12, 0.5), (11, 0.25), (10, 0.25),
  ]

  func run() throws {
    guard prefixes > 0, lookups > 0, rounds > 0 else {
      throw ValidationError("prefixes, lookups and rounds are at least 1")
    }
    var random = SeededGenerator(seed: 7)
    var entries: [(IPPrefix, UInt32)] = []
    entries.reserveCapacity(prefixes)
    while entries.count < prefixes {
      var draw = random.nextUnit() * 100
      let share =
        Self.shares.first {
          draw -= $0.percent
          return draw < 0
        } ?? (24, 0)
      // Unicast space, 1/8 to 223/8.
      let first = 1 + UInt32(random.next() % 223)
      let address = first << 24 | UInt32(truncatingIfNeeded: random.next()) & 0xff_ffff
      if let prefix = IPPrefix(IPAddress(v4: address), length: share.length) {
        entries.append((prefix, UInt32(truncatingIfNeeded: entries.count)))
      }
    }
    let clock = ContinuousClock()
    var started = clock.now
    let map = PrefixMap(entries)
    print("table: \(map.count) prefixes, built in \(started.duration(to: clock.now))")
    let addresses = (0..<1 << 20).map { _ in
      (1 + UInt32(random.next() % 223)) << 24 | UInt32(truncatingIfNeeded: random.next())
        & 0xff_ffff
    }
    var best = 0.0
    var found: UInt64 = 0
    for _ in 0..<rounds {
      found = 0
      started = clock.now
      for number in 0..<lookups {
        found &+= map.index(v4: addresses[number & (1 << 20 - 1)]) == 0 ? 0 : 1
      }
      let elapsed = started.duration(to: clock.now) / .seconds(1)
      best = max(best, Double(lookups) / elapsed)
    }
    print(
      "look-ups of random addresses: \((best / 1e5).rounded() / 10) million/s per core, "
        + "\(found * 100 / UInt64(lookups)) % found")
  }
}
