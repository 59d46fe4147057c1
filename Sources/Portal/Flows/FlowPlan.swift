import FlowArchive
import FlowRecords
import NetworkTypes

/// From a question to the queries that answer it.
struct FlowPlan: Sendable {
  var queries: [FlowQuery]
  var window: ClosedRange<Timestamp>?
  /// The bins of the time series, where there is one.
  var starts: [Int64] = []
  var step: Int64 = 60

  /// What a summary ranks, besides its time series.
  static let summarised = ["srcip", "dstip", "dstport"]
  /// How many of each.
  static let summaryRows = 10

  /// What people may group by, in the order of the list that they choose from; others are taken as well.
  static let elements = [
    "srcip", "dstip", "ip", "srcip,dstip", "srcport", "dstport", "port", "proto", "proto,dstport",
    "srcip,dstport", "record", "srcip4/24", "dstip4/24", "srcip6/48", "dstip6/48", "srcnet",
    "dstnet", "srcas", "dstas", "as", "inif", "outif", "if", "next", "bgpnext", "router", "odid",
    "flags", "tos", "dir", "srcvlan", "dstvlan", "vlan", "insrcmac", "indstmac", "outsrcmac",
    "outdstmac", "mpls1", "fwdstat", "event", "xsrcip", "xdstip", "xsrcport", "xdstport",
  ]

  /// The kind of query that an element, or several with commas, ask for; nil for unknown ones.
  static func kind(by name: String) -> FlowQuery.Kind? {
    if name == "record" { return .aggregation(FlowElement.connection) }
    if name.contains(",") {
      return (try? FlowElement.aggregation(name)).map { .aggregation($0) }
    }
    let splits = name.hasSuffix(":p")
    return FlowElement.statistic(splits ? String(name.dropLast(2)) : name).map {
      .statistic($0, splitsByProtocol: splits)
    }
  }

  private static let orders: [(name: String, order: FlowQuery.Order)] = [
    ("start", .tstart), ("end", .tend), ("seconds", .duration), ("flows", .flows),
    ("packets", .packets), ("bytes", .bytes), ("pps", .pps), ("bps", .bps), ("bpp", .bpp),
  ]

  static let sortWords = orders.flatMap { [$0.name, "-" + $0.name] }

  /// The order that `sort` asks for; nil for a word that does not sort this view.
  static func order(_ sort: String, of view: FlowQuestion.View) -> (FlowQuery.Order, Bool)? {
    let isFalling = sort.hasPrefix("-")
    let name = isFalling ? String(sort.dropFirst()) : sort
    guard let order = orders.first(where: { $0.name == name })?.order,
      view != .list || order != .flows
    else { return nil }
    let isTime = order == .tstart || order == .tend
    return (order, isTime == isFalling)
  }

  /// The sorting that a view has by itself.
  static func usualSort(_ question: FlowQuestion) -> String {
    switch question.view {
    case .list: "start"
    case .summary, .top, .connections: "-" + question.measure.rawValue
    }
  }

  /// - Throws: `FilterError`.
  init(
    _ question: FlowQuestion, span: FlowSpan?, size: Int, limits: FlowDeskParameters
  ) throws(FilterError) {
    window = FlowWindow.window(question, span)
    queries = []
    let limit = min(question.page * size, max(limits.depth, size))
    switch question.view {
    case .summary:
      try plan(series: ["proto"], question, span, limits)
      for name in Self.summarised {
        guard let elements = FlowElement.statistic(name) else { continue }
        try add(
          .statistic(elements, splitsByProtocol: name == "dstport"), question,
          order: question.measure.order, limit: Self.summaryRows)
      }
    case .top:
      let kind = Self.kind(by: question.by) ?? .aggregation(FlowElement.connection)
      try add(sorted: kind, question, limit: limit)
    case .list: try add(sorted: .listing, question, limit: limit)
    case .connections: try add(sorted: .biflows, question, limit: limit)
    }
  }

  /// The whole of a conversation: over time, by port, by connection.
  ///
  /// - Throws: `FilterError`.
  init(
    conversation question: FlowQuestion, a: IPAddress, b: IPAddress, span: FlowSpan?,
    limits: FlowDeskParameters
  ) throws(FilterError) {
    window = FlowWindow.window(question, span)
    queries = []
    var question = question
    question.filter = FlowBuilder.both(question.filter, Self.between(a, b))
    try plan(series: ["srcip"], question, span, limits)
    let ports = ["srcip", "proto", "dstport"].compactMap(FlowElement.init(name:))
    try add(
      .aggregation(ports), question, order: question.measure.order, limit: 2 * Self.summaryRows)
    try add(.biflows, question, order: question.measure.order, limit: Self.connections)
  }

  /// Connections that a conversation shows.
  static let connections = 50

  /// Everything between two addresses, in both directions.
  static func between(_ a: IPAddress, _ b: IPAddress) -> String {
    "((src ip \(a) and dst ip \(b)) or (src ip \(b) and dst ip \(a)))"
  }

  private mutating func plan(
    series names: [String], _ question: FlowQuestion, _ span: FlowSpan?,
    _ limits: FlowDeskParameters
  ) throws(FilterError) {
    if let span { (starts, step) = FlowWindow.bins(window, span, atMost: limits.bins) }
    let elements = (["time/\(step)"] + names).compactMap(FlowElement.init(name:))
    // Some ten protocols, or two directions, for each bin; one that carries many more is cut.
    try add(
      .aggregation(elements), question, order: .tstart, limit: 32 * max(1, starts.count) + 1_000)
  }

  private mutating func add(
    sorted kind: FlowQuery.Kind, _ question: FlowQuestion, limit: Int
  ) throws(FilterError) {
    let sort = question.sort ?? Self.usualSort(question)
    let (order, isReversed) = Self.order(sort, of: question.view) ?? (.bytes, false)
    try add(kind, question, order: order, limit: limit, isReversed: isReversed)
  }

  private mutating func add(
    _ kind: FlowQuery.Kind, _ question: FlowQuestion, order: FlowQuery.Order, limit: Int,
    isReversed: Bool = false
  ) throws(FilterError) {
    var query = try FlowQuery(kind, filter: question.filter, order: order, limit: limit)
    query.window = window
    query.windowRule = question.isInside ? .inside : .overlapping
    query.isReversed = isReversed
    query.isRaw = question.isRaw
    queries.append(query)
  }
}
