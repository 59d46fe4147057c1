public import Findings
import NetworkTypes

extension DetectedServer {
  /// What the house is told: the server, and each client whose own conduct is suspicious too or whose
  /// server is confirmed. Only from the reporting line on.
  ///
  /// - Parameters:
  ///   - kind: the kind of a finding about the server; nil to tell of the clients alone.
  ///   - sensor: the name of this detector.
  ///   - marking: who may see it. Flow data are communications: not wider than amber without thought.
  public func findings(
    kind: Finding.Kind?, sensor: String, marking: TrafficLight = .amber,
    parameters: RankingParameters = RankingParameters()
  ) -> [Finding] {
    guard grade >= .probable else { return [] }
    let reckoning = ServerExplanation(self, parameters: parameters).lines.filter { $0.points > 0 }
    let evidence = reckoning.map { line in
      Finding.Evidence(
        name: "flow-" + line.kind.rawValue, summary: line.words,
        values: [
          "value": ServerExplanation.hundredths(line.value),
          "points": ServerExplanation.hundredths(line.points),
        ])
    }
    let confidence = Confidence(percent: Int((probability * 100).rounded()))
    var findings: [Finding] = []
    if let kind {
      findings.append(
        Finding(
          kind: kind,
          subject: Finding.Subject(
            service.address, port: service.port, transport: service.transport),
          sensor: sensor, firstSeen: firstSeen, lastSeen: lastSeen, confidence: confidence,
          marking: marking, evidence: evidence,
          attributes: [
            "grade": grade.rawValue, "clients": "\(clientCount)", "expires": expires.description,
          ]))
    }
    for client in clients where grade == .confirmed || client.conduct.suspicion >= 0.5 {
      let conduct = client.conduct.words
      findings.append(
        Finding(
          kind: .infectedHost, subject: Finding.Subject(client.address), sensor: sensor,
          firstSeen: client.firstSeen, lastSeen: client.lastSeen,
          // A client is at most as surely a bot as its server is a controller.
          confidence: Confidence(
            percent: Int((probability * (0.6 + 0.4 * client.conduct.suspicion) * 100).rounded())),
          marking: marking,
          evidence: [
            Finding.Evidence(
              name: "flow-command-server",
              summary: "\(client.contacts) contacts with \(service), rated as a "
                + "\(grade.rawValue) C&C server"
                + (conduct.isEmpty ? "" : "; besides: " + conduct.joined(separator: ", ")),
              values: ["server": service.description, "contacts": "\(client.contacts)"])
          ], attributes: ["server": service.description]))
    }
    return findings
  }
}
