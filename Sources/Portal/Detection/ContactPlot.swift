import FlowAnalysis
import NetworkTypes

/// Who contacted a server when: a lane for each client, from its first contact to its last, and a
/// stroke for each contact that the register keeps, which are the most telling client's latest.
struct ContactPlot: Sendable {
  let server: DetectedServer

  /// Lanes at most: our own choice.
  private static let lanes = 10
  private static let laneHeight = 34.0

  private var clients: ArraySlice<DetectedClient> { server.clients.prefix(Self.lanes) }

  func html(_ visit: Visit) -> HTML {
    var first = Double(server.contacts.first ?? .max)
    var last = Double(server.contacts.last ?? 0)
    for client in clients {
      first = min(first, Double(client.firstSeen.seconds))
      last = max(last, Double(client.lastSeen.seconds))
    }
    guard !server.clients.isEmpty, last >= first else {
      return "<p class=\"empty\">\(visit.t("chart.empty"))</p>"
    }
    let span = max(1, last - first)
    func place(_ seconds: Double) -> String { SVG.number(100 * (seconds - first) / span) }
    let height = Self.laneHeight * Double(clients.count)
    let lanes = clients.enumerated().map { index, client -> HTML in
      let y = Self.laneHeight * Double(index) + 22
      let from = place(Double(client.firstSeen.seconds))
      let to = place(Double(client.lastSeen.seconds))
      // Only the first client's contacts are kept.
      let strokes = (index == 0 ? server.contacts : []).map { second -> HTML in
        let x = place(Double(second))
        return """
          <line class="contact" x1="\(x)%" x2="\(x)%" y1="\(SVG.number(y - 7))" y2="\(SVG.number(y + 7))"/>
          """
      }
      return """
        <text class="tick start" x="0" y="\(SVG.number(y - 11))">\(client.address.description) · \
        \(visit.t("server.contacts-count", ["count": visit.number(client.contacts)]))</text>
        <line class="lane" x1="\(from)%" x2="\(to)%" y1="\(SVG.number(y))" y2="\(SVG.number(y))"/>\
        <circle class="lane-end" cx="\(from)%" cy="\(SVG.number(y))" r="3"/>\
        <circle class="lane-end" cx="\(to)%" cy="\(SVG.number(y))" r="3"/>\(strokes)
        """
    }
    let begin = Timestamp(seconds: Int64(first))
    let end = Timestamp(seconds: Int64(last))
    return """
      <figure class="contacts">
      <svg role="img" aria-labelledby="contacts-title contacts-desc" width="100%" \
      height="\(SVG.number(height + 4))"><title id="contacts-title">\(visit.t("server.contacts"))</title>
      <desc id="contacts-desc">\(description(visit))</desc>\(lanes)</svg>
      <p class="span"><span>\(visit.timeElement(begin))</span><span>\(visit.timeElement(end))</span></p>
      <figcaption>\(description(visit)) \(intervals(visit))</figcaption></figure>
      """
  }

  private func description(_ visit: Visit) -> String {
    visit.t(
      "server.contacts-note",
      [
        "clients": visit.number(clients.count), "all": visit.number(server.clientCount),
        "kept": visit.number(server.contacts.count),
      ])
  }

  private func intervals(_ visit: Visit) -> String {
    let gaps = zip(server.contacts, server.contacts.dropFirst())
      .map { Double($1) - Double($0) }.sorted()
    guard gaps.count >= 2 else { return "" }
    func quartile(_ share: Double) -> String {
      ServerEvidence.duration(gaps[min(gaps.count - 1, Int(share * Double(gaps.count)))], visit)
    }
    return visit.t(
      "server.intervals",
      ["quarter": quartile(0.25), "half": quartile(0.5), "most": quartile(0.75)])
  }
}
