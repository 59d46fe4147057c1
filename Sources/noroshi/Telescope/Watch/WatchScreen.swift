import NetworkTypes
import PacketCapture
import Telescope

/// The full-screen view of a live capture, as lines of text: pure, so that it is tested without a
/// terminal.
struct WatchScreen {
  let columns: Int
  let rows: Int
  /// For bold headings and red figures.
  let terminal: Terminal

  /// Below this width the tables stand under each other.
  private static let wide = 84

  /// At most `rows` lines, each narrower than the window: writing into its last column would make some
  /// terminals begin a new line.
  func lines(_ moment: WatchMoment) -> [String] {
    var lines = head(moment)
    let width = max(1, columns - 1)
    let blocks = [classes(moment), ports(moment.glance), tools(moment.glance)]
    let lists = [
      block(
        "INFECTED HOSTS", moment.glance.infectedCount, "no infected host so far",
        infected(moment.glance)),
      block(
        "VICTIMS OF DENIAL OF SERVICE", moment.glance.victimCount, "no attack is going on",
        victims(moment.glance)),
      block(
        "MEMBER ALERTS", moment.glance.alertCount, "no member's address reaches dark space",
        alerts(moment.glance)),
    ]
    // A third of what is left for the tables, the rest for the lists.
    let left = max(0, rows - lines.count)
    if columns >= Self.wide {
      let height = min(blocks.map(\.count).max() ?? 0, max(4, left * 2 / 5))
      lines += beside(blocks, height: height, width: width)
    } else {
      let height = max(3, left / 6)
      for block in blocks { lines += fitted(block, height, width) + [""] }
    }
    let rest = max(0, rows - lines.count)
    let share = shares(of: rest, among: lists.map { $0.count + 1 })
    for (list, height) in zip(lists, share) where height > 1 {
      lines += [""] + fitted(list, height - 1, width)
    }
    return Array(lines.prefix(rows))
  }

  private func head(_ moment: WatchMoment) -> [String] {
    let width = max(1, columns - 1)
    let title =
      "noroshi  \(moment.interface) → \(moment.spaceText)  "
      + Quantity.duration(seconds: moment.elapsedSeconds)
    let saved =
      moment.secondsSinceSave.map { "saved \(Quantity.duration(seconds: $0)) ago  q quits" }
      ?? "q quits"
    let gap = width - DisplayWidth.of(title) - DisplayWidth.of(saved)
    let first = gap > 1 ? title + String(repeating: " ", count: gap) + saved : title
    let counts =
      "\(Quantity.grouped(moment.counters.packets)) packets  "
      + "\(Quantity.short(moment.rates.packetsPerSecond, unit: "packets"))/s  "
      + "\(Quantity.short(moment.rates.bitsPerSecond, unit: "bit"))/s  "
      + "about \(Quantity.grouped(Int(moment.glance.counters.sources.rounded()))) sources"
    let dropped =
      "dropped by the kernel \(Quantity.grouped(moment.statistics.droppedByKernel)), "
      + "by the interface \(Quantity.grouped(moment.statistics.droppedByInterface))"
    let leftOut =
      "not to dark addresses \(Quantity.grouped(moment.counters.outsideDarkSpace)), "
      + "not decodable \(Quantity.grouped(moment.undecoded)), "
      + "forgotten early \(Quantity.grouped(moment.forgotten))"
    return [
      terminal.styled(DisplayWidth.truncated(first, to: width), .bold),
      DisplayWidth.truncated(counts, to: width),
      terminal.styled(
        DisplayWidth.truncated(dropped, to: width), moment.droppedBefore > 0 ? .red : .plain),
      terminal.styled(
        DisplayWidth.truncated(leftOut, to: width), moment.forgotten > 0 ? .yellow : .plain), "",
    ]
  }

  // MARK: Tables

  private func classes(_ moment: WatchMoment) -> [String] {
    let rows = moment.counters.byClass.sorted {
      (moment.rates.classes[$1.key] ?? 0, $1.value, $0.key)
        < (moment.rates.classes[$0.key] ?? 0, $0.value, $1.key)
    }
    return table(
      rows,
      [
        ListColumn("class") { .text($0.key) },
        ListColumn("rate", "PACKETS/S") {
          .decimal(moment.rates.classes[$0.key] ?? 0, digits: 0)
        },
        ListColumn("packets") { .count($0.value) },
      ])
  }

  private func ports(_ glance: TelescopeGlance) -> [String] {
    table(
      glance.ports,
      [
        ListColumn("port") { .text($0.key) },
        ListColumn("hosts") { .decimal($0.hosts, digits: 0) },
        ListColumn("packets") { .count($0.packets) },
      ])
  }

  private func tools(_ glance: TelescopeGlance) -> [String] {
    table(
      glance.tools,
      [
        ListColumn("tool") { .text($0.key) },
        ListColumn("hosts") { .decimal($0.hosts, digits: 0) },
        ListColumn("packets") { .count($0.packets) },
      ])
  }

  private func infected(_ glance: TelescopeGlance) -> [String] {
    table(
      glance.infected,
      [
        ListColumn("address") { .text($0.address.description) },
        ListColumn("malware") { .text($0.malware ?? $0.tools.first) },
        ListColumn("country") { .country($0.country) },
        ListColumn("as") { .asn($0.asn) },
        ListColumn("packets") { .count($0.packets) },
        ListColumn("ports") { .ports(Array($0.ports.prefix(4))) },
        ListColumn("first_seen") { .time($0.firstSeen) },
      ])
  }

  private func victims(_ glance: TelescopeGlance) -> [String] {
    table(
      glance.victims,
      [
        ListColumn("victim") { .text($0.victim.description) },
        ListColumn("services") { .ports(Array($0.services.prefix(3))) },
        ListColumn("country") { .country($0.country) },
        ListColumn("packets") { .count($0.packets) },
        ListColumn("rate", "RATE PPS") { .rate($0.rate) },
        ListColumn("since") { .time($0.start) },
      ])
  }

  private func alerts(_ glance: TelescopeGlance) -> [String] {
    table(
      glance.alerts,
      [
        ListColumn("organisation") { .text($0.organisation) },
        ListColumn("address") { .text($0.address.description) },
        ListColumn("reach") { .text($0.reach.rawValue) },
        ListColumn("packets") { .count($0.packets) },
        ListColumn("since") { .time($0.firstSeen) },
      ])
  }

  /// A heading and a line a row; the heading alone without rows.
  private func table<Row>(_ rows: some Sequence<Row>, _ columns: [ListColumn<Row>]) -> [String] {
    ListOutput.table(rows, columns: columns, terminal: .unstyled, width: max(1, self.columns - 1))
      .text.split(separator: "\n").map(String.init)
  }

  private func block(
    _ title: String, _ count: Int, _ nothing: String, _ table: [String]
  ) -> [String] {
    count == 0 ? ["\(title): \(nothing)"] : ["\(title): \(Quantity.grouped(count))"] + table
  }

  // MARK: Room

  /// The first lines of a block, with its heading in bold.
  private func fitted(_ lines: [String], _ height: Int, _ width: Int) -> [String] {
    lines.prefix(height).enumerated().map { number, line in
      let cut = DisplayWidth.truncated(line, to: width)
      return number == 0 ? terminal.styled(cut, .bold) : cut
    }
  }

  private func beside(_ blocks: [[String]], height: Int, width: Int) -> [String] {
    let gap = 3
    // The first block has the longest names.
    let third = (width - 2 * gap) / 3
    let widths = [width - 2 * gap - 2 * third, third, third]
    return (0..<height).map { row in
      let cells = zip(blocks, widths).map { block, width in
        DisplayWidth.padded(block.indices.contains(row) ? block[row] : "", to: width)
      }
      let line = cells.joined(separator: String(repeating: " ", count: gap))
      return row == 0 ? terminal.styled(line, .bold) : line
    }
  }

  /// Deals lines out, one after the other, to those that still want one.
  private func shares(of lines: Int, among wanted: [Int]) -> [Int] {
    var shares = wanted.map { _ in 0 }
    var left = lines
    while left > 0 {
      var dealt = false
      for index in wanted.indices where shares[index] < wanted[index] && left > 0 {
        shares[index] += 1
        left -= 1
        dealt = true
      }
      if !dealt { break }
    }
    return shares
  }
}
