import FlowAnalysis
import Foundation
import NetworkTypes
import Testing

@Suite("Ranking servers")
struct RankingTests {
  /// A network of 40 clients that browse, and what `more` adds.
  private func network(_ more: (ContactTracker) throws -> Void) throws -> ContactTracker {
    let tracker = ContactTracker()
    for client in 1...40 {
      for visit in 0..<30 {
        let second = 1_000_000 + Double((client * 7_919 + visit * visit * 104_729) % 86_000)
        tracker.add(
          try contact(
            second, "192.168.1.\(client)", "203.0.113.\((client + visit) % 20 + 1)", port: 443,
            bytes: UInt64(300 + (client * visit * 37) % 5_000)))
        tracker.add(
          try contact(
            1_000_000 + Double(visit) * 2_800, "192.168.1.\(client)", "192.0.2.123", port: 123,
            transport: 17, bytes: 76))
      }
    }
    try more(tracker)
    return tracker
  }

  private func addScan(_ tracker: ContactTracker, from client: String) throws {
    for index in 0..<300 {
      tracker.add(
        try contact(
          1_000_000 + Double(index) * 200, client, "198.18.\(index % 256).\(index % 251 + 1)",
          port: 23, answered: false, bytes: 120))
    }
  }

  @Test("the controller of a scanning bot comes first, above the line, with nothing false there")
  func scanningBot() throws {
    let tracker = try network { tracker in
      try addScan(tracker, from: "192.168.1.7")
      for beat in 0..<200 {
        tracker.add(
          try contact(1_000_100 + Double(beat) * 400, "192.168.1.7", "198.51.100.66", port: 6_667))
      }
    }
    let result = ServerRanking().rank(tracker)
    let first = try #require(result.servers.first)
    #expect(first.service.description == "198.51.100.66:6667/tcp")
    #expect(first.grade == .confirmed)
    #expect(result.servers.count { $0.grade >= .probable } == 1)
    #expect(result.conduct[try #require(IPAddress("192.168.1.7"))]?.scannedPort == 23)
    #expect(first.expires == first.lastSeen.advanced(bySeconds: 30 * 86_400))
  }

  @Test("a quiet network has nothing above the line, time servers least of all")
  func quiet() throws {
    let result = ServerRanking().rank(try network { _ in })
    #expect(result.servers.allSatisfy { $0.grade == .none })
    #expect(result.population == 40)
  }

  @Test("a mail server that sends much is not taken for a spammer")
  func mailServer() throws {
    let tracker = try network { tracker in
      for index in 0..<80 {
        tracker.add(
          try contact(
            1_000_000 + Double(index) * 99, "192.168.1.9", "198.18.0.\(index + 1)", port: 25))
        tracker.add(
          try contact(
            1_000_050 + Double(index) * 99, "198.18.9.\(index + 1)", "192.168.1.9", port: 25))
      }
    }
    let address = try #require(IPAddress("192.168.1.9"))
    #expect(ServerRanking().rank(tracker).conduct[address] == nil)
  }

  @Test("addresses that are scanned are not taken for controllers")
  func scanTargets() throws {
    let result = ServerRanking().rank(
      try network { tracker in
        try addScan(tracker, from: "192.168.1.7")
        // A scanner tries thrice.
        for round in 1..<3 {
          for index in 0..<300 {
            tracker.add(
              try contact(
                1_000_000 + Double(round) * 3 + Double(index) * 200, "192.168.1.7",
                "198.18.\(index % 256).\(index % 251 + 1)", port: 23, answered: false, bytes: 120))
          }
        }
      })
    #expect(result.servers.filter { $0.service.port == 23 }.allSatisfy { $0.grade == .none })
  }

  @Test("an analyst's verdict decides, and a confirmed server taints its clients")
  func verdicts() throws {
    let tracker = try network { tracker in
      for beat in 0..<100 {
        tracker.add(
          try contact(1_000_000 + Double(beat) * 600, "192.168.1.7", "198.51.100.66", port: 6_667))
        tracker.add(
          try contact(1_000_300 + Double(beat) * 700, "192.168.1.7", "198.51.100.67", port: 9_999))
      }
    }
    let service = try #require(Service(text: "198.51.100.66:6667"))
    let other = try #require(Service(text: "198.51.100.67:9999"))
    func find(_ ranking: ServerRanking, _ service: Service) throws -> DetectedServer {
      try #require(ranking.rank(tracker).servers.first { $0.service == service })
    }
    var ranking = ServerRanking()
    let before = try find(ranking, other)
    ranking.verdicts = [service: .confirmed]
    #expect(try find(ranking, service).grade == .confirmed)
    #expect(try find(ranking, other).probability > before.probability)
    ranking.verdicts = [service: .wrong]
    #expect(try find(ranking, service).grade == .none)
    ranking.verdicts = [try #require(Service(text: "203.0.113.5:443")): .watch]
    #expect(try find(ranking, #require(Service(text: "203.0.113.5:443"))).grade == .candidate)
  }

  @Test("a listed server rises, and hosts known as infected raise theirs")
  func outsideKnowledge() throws {
    let tracker = try network { tracker in
      for beat in 0..<5 {
        tracker.add(
          try contact(
            1_000_000 + Double(beat * beat) * 3_000, "192.168.1.7", "198.51.100.66", port: 8_999))
      }
    }
    let service = try #require(Service(text: "198.51.100.66:8999"))
    var ranking = ServerRanking()
    let plain = try #require(ranking.rank(tracker).servers.first { $0.service == service })
    ranking.lists.add(text: "198.51.100.66:8999", name: "feed")
    let listed = try #require(ranking.rank(tracker).servers.first { $0.service == service })
    #expect(listed.score > plain.score + 4)
    #expect(listed.lists == [ThreatList.Match(list: "feed", port: 8_999)])
    ranking.lists = ThreatList()
    ranking.knownInfected = [try #require(IPAddress("192.168.1.7"))]
    let known = try #require(ranking.rank(tracker).servers.first { $0.service == service })
    #expect(known.score > plain.score + 2)
  }

  @Test("coarse sampling is said, and sizes and answers are then not judged")
  func sampling() throws {
    let tracker = ContactTracker()
    for beat in 0..<100 {
      var one = try contact(
        1_000_000 + Double(beat) * 600, "192.168.1.7", "198.51.100.66", answered: false)
      one.samplingRate = 1_000
      tracker.add(one)
    }
    let server = try #require(ServerRanking().rank(tracker).servers.first)
    #expect(server.samplingRate == 1_000)
    #expect(server.evidence[.silent] == nil && server.evidence[.sameSize] == nil)
    #expect(ServerExplanation(server).text().contains("Sampled 1:1000"))
  }

  @Test("the explanation fits on a screen, and its points add up to the score")
  func explanation() throws {
    let tracker = try network { tracker in
      try addScan(tracker, from: "192.168.1.7")
      for beat in 0..<200 {
        tracker.add(
          try contact(1_000_100 + Double(beat) * 400, "192.168.1.7", "198.51.100.66", port: 6_667))
      }
    }
    let server = try #require(ServerRanking().rank(tracker).servers.first)
    let explanation = ServerExplanation(server)
    let sum = explanation.lines.reduce(explanation.parameters.bias) { $0 + $1.points }
    #expect(abs(sum - server.score) < 1e-9)
    let text = explanation.text()
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    #expect(lines.count <= 45)
    #expect(lines.allSatisfy { $0.count <= 110 })
    #expect(text.contains("scans port 23: 300 servers without answer"))
    #expect(text.contains("intervals"))
  }

  @Test("every kind of evidence pulls only its own way, and has a weight")
  func signs() {
    for parameters in [RankingParameters(), RankingParameters.prior] {
      for kind in EvidenceKind.allCases {
        #expect(parameters.weight(kind) * kind.sign > 0, "\(kind)")
      }
    }
  }

  @Test("weights survive their JSON")
  func parametersCode() throws {
    let data = try JSONEncoder().encode(RankingParameters())
    #expect(try JSONDecoder().decode(RankingParameters.self, from: data) == RankingParameters())
    #expect(String(decoding: data, as: UTF8.self).contains("\"periodic\":"))
  }

  @Test(
    "scenario 6 of CTU-13: its controller first, nothing false above the line",
    .enabled(if: SharedFlows.exists(SharedFlows.scenario6)))
  func scenario6() throws {
    let tracker = ContactTracker()
    var metric = GarciaMetric()
    var everything = GarciaMetric()
    var none = GarciaMetric()
    var flows: [LabelledFlow] = []
    var baseline = BaselineCollector(home: HomeNetworks([try #require(IPPrefix("147.32.0.0/16"))]))
    try LabelledFlowReader(path: SharedFlows.path(SharedFlows.scenario6)).forEachFlow {
      tracker.add($0.contact)
      baseline.add($0)
      flows.append($0)
    }
    let servers = ServerRanking().rank(tracker).servers
    #expect(servers.first?.service.description == "91.212.135.158:5678/tcp")
    let above = Set(servers.filter { $0.grade >= .probable }.map(\.service))
    #expect(above.count == 1)
    for flow in flows {
      let contact = flow.contact
      let service = Service(
        contact.server, port: contact.serverPort,
        transport: IPProtocol(rawValue: contact.transport))
      let source = flow.sourceIsClient ? contact.client : contact.server
      metric.add(
        nanoseconds: contact.start, source: source, label: flow.label,
        isFlagged: above.contains(service))
      everything.add(
        nanoseconds: contact.start, source: source, label: flow.label, isFlagged: true)
      if flow.label != .malicious {
        none.add(nanoseconds: contact.start, source: source, label: flow.label, isFlagged: false)
      }
    }
    // Check values of research/flows.md, section 2.1.
    let all = everything.result
    #expect(all.windows == 26)
    #expect(abs(all.truePositives - 48.78) < 0.01)
    #expect(abs(all.falsePositives - 26) < 1e-9)
    #expect(abs(all.precision - 0.652) < 0.001 && abs(all.f1 - 0.790) < 0.001)
    #expect(abs(none.result.falseNegatives - 46.79) < 0.01)
    #expect(metric.result.f1 >= 0.9)
    // Section 2.2: the channel is 51st of 3,053 with .910.
    let pairs = baseline.ranking(.v5)
    let channel = try #require(
      pairs.first { $0.destination == IPAddress("91.212.135.158") })
    #expect(abs(channel.parts.score - 0.910) < 0.0015)
    #expect(abs(pairs.count { $0.parts.score >= channel.parts.score } - 51) <= 3)
    #expect(abs(pairs.count - 3_053) <= 60)
  }

  @Test(
    "RITA's three days: the beacon first",
    .enabled(if: SharedFlows.exists("rita/missing_host/README")))
  func missingHost() throws {
    let tracker = ContactTracker()
    var baseline = BaselineCollector(home: .unknown)
    for path in SharedFlows.missingHost {
      try LabelledFlowReader(path: path).forEachFlow {
        tracker.add($0.contact)
        baseline.add($0)
      }
    }
    let servers = ServerRanking().rank(tracker).servers
    #expect(servers.first?.service.description == "64.225.56.201:80/tcp")
    #expect(servers.first?.clients.first?.address == IPAddress("73.54.23.243"))
    // Check values of research/flows.md, section 2.2: 8th of 3,061 with .979.
    let pairs = baseline.ranking(.v5)
    let beacon = try #require(pairs.first { $0.source == IPAddress("73.54.23.243") })
    #expect(abs(beacon.parts.score - 0.979) < 0.0015)
    #expect(abs(pairs.count { $0.parts.score >= beacon.parts.score } - 8) <= 1)
    #expect(abs(pairs.count - 3_061) <= 30)
  }

  @Test(
    "benign days: nothing above the line",
    .enabled(if: SharedFlows.exists("stratosphere/2023-02-20.conn.log.labeled")),
    arguments: [
      "stratosphere/2023-02-20.conn.log.labeled", "stratosphere/008-zeek-mixed/conn.log.labeled",
      "slips/CTU-Normal-7-2013-13-07.binetflow", "slips/2013-10-21_capture-1.binetflow",
      "slips/2015-03-24_capture1-only-dns.binetflow", "zeek/wrccdc-ssl.log.gz",
      "zeek/wrccdc-dns.log.gz",
    ])
  func benign(name: String) throws {
    let tracker = ContactTracker()
    try LabelledFlowReader(path: SharedFlows.path(name)).forEachFlow { tracker.add($0.contact) }
    let servers = ServerRanking().rank(tracker).servers
    #expect(servers.filter { $0.grade >= .probable }.map(\.service.description) == [])
  }
}
