import ArgumentParser

/// Which rows of a long list: filter, order, page.
struct QueryOptions: ParsableArguments {
  @Option(
    name: [.long, .customLong("where")],
    help: ArgumentHelp(
      "Only rows whose column has this value; may be given several times.",
      valueName: "column=value"))
  var filter: [String] = []

  @Option(name: .long, help: "Only rows that contain this text.")
  var search: String?

  @Option(
    name: .long,
    parsing: .unconditional,
    help: ArgumentHelp("The column to sort by; -column sorts downwards.", valueName: "column"))
  var sort: String?

  @Option(name: .long, help: "At most this many rows; 0 for all.")
  var limit = 50

  @Option(name: .long, help: "Leave out this many rows at the beginning.")
  var offset = 0

  func validate() throws {
    guard limit >= 0 else { throw ValidationError("--limit must be 0 or more.") }
    guard offset >= 0 else { throw ValidationError("--offset must be 0 or more.") }
    for part in filter where !part.contains("=") {
      throw ValidationError("--filter \(part) has no “=”: write column=value, as state=open.")
    }
  }

  /// The filters by column; the last one of a column counts.
  var filters: [String: String] {
    var filters: [String: String] = [:]
    for part in filter {
      let sides = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      filters[String(sides[0])] = String(sides[1])
    }
    return filters
  }

  /// The column to sort by, and whether upwards.
  var order: (column: String, ascending: Bool)? {
    sort.map { $0.hasPrefix("-") ? (String($0.dropFirst()), false) : ($0, true) }
  }
}
