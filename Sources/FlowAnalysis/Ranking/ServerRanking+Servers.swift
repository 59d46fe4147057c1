import Foundation
import NetworkTypes

// How what was weighed becomes a server of the list.
extension ServerRanking {
  /// The pairs of chosen services.
  func members(of services: Set<Int>, _ tracker: ContactTracker) -> [Int: [Int]] {
    var members: [Int: [Int]] = [:]
    for index in 0..<tracker.pairs.count {
      let service = Int(tracker.pairs[index] & 0xffff_ffff)
      if services.contains(service), members[service, default: []].count < 10_000 {
        members[service, default: []].append(index)
      }
    }
    return members
  }

  func addSynchrony(
    _ weighing: inout Weighing, _ pairs: [Int], _ tracker: ContactTracker
  ) {
    guard pairs.count >= 3, pairs.count < 10_000 else { return }
    let timelines = pairs.filter { tracker.states[$0].early == Pair.hasTimeline }
      .sorted { isBefore($0, $1, tracker) }.prefix(64)
      .map { tracker.timeline(tracker.states[$0]).seconds }
    let strength = SynchronyTest(parameters: parameters.synchrony).strength(timelines)
    guard strength > 0 else { return }
    weighing.evidence[Self.index(.synchronous)] = strength
    weighing.score = score(weighing.evidence)
  }

  func server(
    _ number: Int, _ weighing: Weighing, _ pairs: [Int], _ tracker: ContactTracker,
    _ survey: borrowing PopulationSurvey
  ) -> DetectedServer {
    let service = service(number, tracker)
    var evidence: [EvidenceKind: Double] = [:]
    for (index, kind) in EvidenceKind.allCases.enumerated() where weighing.evidence[index] != 0 {
      evidence[kind] = weighing.evidence[index]
    }
    let verdict = verdicts[service]
    let probability = 1 / (1 + exp(-weighing.score))
    let ordered =
      [weighing.best.pair]
      + pairs.filter { $0 != weighing.best.pair }.sorted {
        let (one, other) = (tracker.states[$0], tracker.states[$1])
        return one.contacts != other.contacts
          ? one.contacts > other.contacts
          : clientAddress($0, tracker) < clientAddress($1, tracker)
      }
    let lastSeen = Timestamp(seconds: Int64(survey.lastSeen[number]))
    var clients: [DetectedClient] = []
    for (place, pair) in ordered.prefix(parameters.listedClients).enumerated() {
      // Nobody reads the spectrum of the fiftieth client of an unlikely server.
      let isDetailed = place < 3 && probability >= parameters.candidate / 2
      clients.append(client(pair, isDetailed: isDetailed, tracker, survey))
    }
    return DetectedServer(
      service: service, probability: probability, score: weighing.score,
      grade: grade(probability, evidence, verdict), evidence: evidence,
      clients: clients,
      clientCount: Int(survey.clients[number]),
      contacts: tracker.timeline(tracker.states[weighing.best.pair]).seconds,
      firstSeen: Timestamp(seconds: Int64(survey.firstSeen[number])), lastSeen: lastSeen,
      expires: lastSeen.advanced(bySeconds: parameters.expiryDays * 86_400),
      population: survey.population, suspects: survey.suspects,
      enrichmentChance: Statistics.hypergeometricTail(
        Int((Double(survey.suspectClients[number]) / 1_000).rounded()),
        drawn: Int(survey.clients[number]),
        marked: Int(survey.suspects.rounded()),
        of: max(survey.population, Int(survey.clients[number]))),
      lists: lists.matches(service), verdict: verdict, samplingRate: tracker.samplingRate)
  }

  func clientAddress(_ pair: Int, _ tracker: ContactTracker) -> IPAddress {
    IPAddress(bits: tracker.addresses[Int(tracker.pairs[pair] >> 32)])
  }

  /// Of pairs that weigh the same, that with more contacts is shown first, then by address: not by
  /// the order in which they were met.
  func isBefore(_ one: Int, _ other: Int, _ tracker: ContactTracker) -> Bool {
    let (left, right) = (tracker.states[one].contacts, tracker.states[other].contacts)
    return left != right
      ? left > right : clientAddress(one, tracker) < clientAddress(other, tracker)
  }

  private func client(
    _ index: Int, isDetailed: Bool, _ tracker: ContactTracker, _ survey: borrowing PopulationSurvey
  ) -> DetectedClient {
    var test = PeriodicityTest(parameters: parameters.periodicity)
    if !isDetailed { test.parameters.spectralContacts = .max }
    let pair = tracker.states[index]
    let number = Int(tracker.pairs[index] >> 32)
    return DetectedClient(
      address: IPAddress(bits: tracker.addresses[number]),
      contacts: max(pair.contacts, pair.replies),
      firstSeen: Timestamp(seconds: Int64(pair.first)),
      lastSeen: Timestamp(seconds: Int64(pair.last)), bytesOut: UInt64(pair.bytesOut) * 16,
      bytesIn: UInt64(pair.bytesIn) * 16,
      rhythm: test.examine(tracker.timeline(pair).seconds),
      longestSession: pair.longest, conduct: survey.conduct[number] ?? ClientConduct())
  }

  /// The grade of a probability, what it rests on, and what an analyst said.
  public func grade(
    _ probability: Double, _ evidence: [EvidenceKind: Double], _ verdict: ServerVerdict?
  ) -> ServerGrade {
    switch verdict {
    case .confirmed: return .confirmed
    case .wrong: return .none
    case .watch, nil: break
    }
    let kinds = EvidenceKind.independent.count { group in
      group.contains { (evidence[$0] ?? 0) >= 0.8 }
    }
    if probability >= parameters.confirmed, kinds >= 2 { return .confirmed }
    if probability >= parameters.probable { return .probable }
    return probability >= parameters.candidate || verdict == .watch ? .candidate : .none
  }
}
