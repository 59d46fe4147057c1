import FlowArchive
import FlowRecords
import NetworkTypes

/// What two addresses said to each other: both directions over time, their ports, their connections.
struct FlowConversation: Sendable {
  let question: FlowQuestion
  let a: IPAddress
  let b: IPAddress
  let answer: FlowAnswer

  /// What one of them sent to the other.
  struct Direction: Sendable {
    var from: IPAddress
    var flows: UInt64 = 0
    var packets: UInt64 = 0
    var bytes: UInt64 = 0
    var first = Int64.max
    var last = Int64.min
  }

  /// From a to b and from b to a.
  var directions: [Direction] {
    var result = [Direction(from: a), Direction(from: b)]
    for row in answer.results.first?.rows ?? [] {
      guard case .address(let from)? = row.key.last,
        let place = result.firstIndex(where: { $0.from == from })
      else { continue }
      result[place].flows &+= row.flows
      result[place].packets &+= row.packets
      result[place].bytes &+= row.bytes
      result[place].first = min(result[place].first, row.first)
      result[place].last = max(result[place].last, row.last)
    }
    return result
  }

  /// The same as a search of its own.
  private var listed: FlowQuestion {
    var listed = question
    listed.filter = FlowBuilder.both(question.filter, FlowPlan.between(a, b))
    listed.a = nil
    listed.b = nil
    return listed
  }

  func arrow(_ from: IPAddress) -> String { from == a ? "\(a) → \(b)" : "\(b) → \(a)" }

  func html(_ visit: Visit) -> HTML {
    let measure = visit.t("flow-measure.\(question.measure.rawValue)")
    let chart = FlowSeries(answer, question.measure).chart(
      id: "flow-talk", title: visit.t("flows.talk", ["measure": measure]),
      measure: question.measure, visit
    ) { value in if case .address(let from) = value { arrow(from) } else { value.description } }
    return """
      <section class="panel"><h2>\(visit.t("flows.directions"))</h2>
      <p class="meta" role="status">\(FlowResults.window(answer, visit))</p>
      <div class="columns">\(directions.map { facts($0, visit) })</div>
      \(links(visit))</section>
      <section class="panel"><h2>\(visit.t("telescope.course"))</h2>
      \(FlowResults.measures(question, path: "/flows/conversation", visit))
      \(chart.html(visit))</section>
      \(ports(visit))
      \(connections(visit))
      """
  }

  private func facts(_ direction: Direction, _ visit: Visit) -> HTML {
    var facts = Facts()
    facts.add(visit.t("column.flows"), "\(visit.number(direction.flows))")
    facts.add(visit.t("column.packets"), "\(visit.number(direction.packets))")
    facts.add(visit.t("column.bytes"), "\(visit.number(direction.bytes))")
    if direction.flows > 0, let first = FlowColumns.moment(direction.first),
      let last = FlowColumns.moment(direction.last)
    {
      facts.add(visit.t("column.first_seen"), visit.timeElement(first))
      facts.add(visit.t("column.last_seen"), visit.timeElement(last))
    }
    return "<div><h3 class=\"address\">\(arrow(direction.from))</h3>\(facts.html)</div>"
  }

  private func links(_ visit: Visit) -> HTML {
    let list = listed.link { $0.view = .list }
    let hosts = [a, b].map { address -> HTML in
      "<a href=\"/hosts/\(QueryText.encode(address.description))\">\(visit.t("flows.host", ["address": address.description]))</a>"
    }
    return """
      <p class="more links"><a href="\(list)">\(visit.t("flows.list-of-these"))</a> \
      \(hosts.joined(" "))</p>
      """
  }

  private func ports(_ visit: Visit) -> HTML {
    guard answer.results.count > 1 else { return .empty }
    let query = answer.plan.queries[1]
    var columns = FlowColumns.sums(query, listed).filter { $0.titleKey == "column" }
    columns.insert(
      contentsOf: [
        Column(
          "direction", .text,
          value: { row in
            if case .address(let from)? = row.key.first { .text(arrow(from)) } else { .none }
          }),
        Column(
          "service", .text,
          value: { row in
            guard row.key.count == 3, let proto = query.elements.dropFirst().first else {
              return .none
            }
            return .text("\(row.key[2])/\(FlowColumns.text(proto, row.key[1]))")
          }),
      ], at: 0)
    let title = visit.t("flows.ports")
    let table = FlowTableMarkup(columns: columns, question: question, title: title, isBrief: true)
    return """
      <section class="panel"><h2>\(title)</h2>\(table.html(answer.results[1].rows, visit))</section>
      """
  }

  private func connections(_ visit: Visit) -> HTML {
    guard answer.results.count > 2 else { return .empty }
    let title = visit.t("flows.connections", ["limit": String(FlowPlan.connections)])
    // Its own address leads nowhere from here.
    let columns = FlowColumns.sums(answer.plan.queries[2], listed).filter {
      $0.name != "conversation"
    }
    let table = FlowTableMarkup(columns: columns, question: question, title: title, isBrief: true)
    return """
      <section class="panel"><h2>\(title)</h2>\(table.html(answer.results[2].rows, visit))</section>
      """
  }
}
