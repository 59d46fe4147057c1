import Constituency
import Findings
import NetworkTypes

/// Which cases go into which notices now: no storage, no clock.
struct NoticePlanner {
  let parameters: NoticeParameters
  let organisations: [String: Organisation]

  /// An active case and what its organisation was last told of it.
  struct Candidate {
    var item: Case
    var told: Told?
  }

  struct Told: Hashable {
    var moment: Timestamp
    var lastSeen: Timestamp
    var reopened: Int
    /// ``NoticePlanner/substance(of:)`` at that time.
    var substance: String
  }

  /// The line in which notices of an organisation follow each other.
  struct Lane: Hashable {
    var organisation: String
    var aggregate: String
  }

  struct Draft {
    var lane: Lane
    /// Equal but for the recipient.
    var directives: [Directive]
    var cases: [Candidate]
  }

  struct Plan {
    var drafts: [Draft] = []
    /// Case identifiers by what holds them back.
    var held: [Directive.Hold: [String]] = [:]
  }

  /// What a case is about: when this changes, it is worth telling at once.
  static func substance(of item: Case) -> String {
    "\(item.detail ?? "") \(item.confidence.level.rawValue)"
  }

  /// - Parameters:
  ///   - last: when the last notice of each lane was made.
  ///   - isForced: makes what is collected due now; holds of any other kind stay.
  func plan(
    _ candidates: [Candidate], last: [Lane: Timestamp], now: Timestamp, isForced: Bool
  ) -> Plan {
    var plan = Plan()
    var drafts: [Lane: Draft] = [:]
    for candidate in candidates {
      do {
        let (lane, directives) = try directives(for: candidate, now: now)
        drafts[lane, default: Draft(lane: lane, directives: directives, cases: [])].cases
          .append(candidate)
      } catch {
        plan.held[error, default: []].append(candidate.item.id)
      }
    }
    for draft in drafts.values {
      if isForced || isDue(draft, last: last[draft.lane], now: now) {
        plan.drafts += split(draft)
      } else {
        plan.held[.notDue, default: []] += draft.cases.map(\.item.id)
      }
    }
    plan.drafts.sort {
      ($0.lane.organisation, $0.lane.aggregate, $0.cases[0].item.address)
        < ($1.lane.organisation, $1.lane.aggregate, $1.cases[0].item.address)
    }
    for hold in plan.held.keys { plan.held[hold]?.sort() }
    return plan
  }

  private func directives(for candidate: Candidate, now: Timestamp) throws(Directive.Hold)
    -> (Lane, [Directive])
  {
    let item = candidate.item
    switch item.responsibility {
    case .unassigned: throw .unassigned
    case .contested: throw .contested
    case .organisation(let id):
      guard let organisation = organisations[id] else { throw .unknownOrganisation }
      let directives = try Directive.directives(for: item, of: organisation)
      guard let first = directives.first else { throw .noContact }
      if let told = candidate.told, !isWorthTelling(item, since: told, now: now) {
        throw .alreadyTold
      }
      return (Lane(organisation: id, aggregate: first.aggregateIdentifier), directives)
    }
  }

  private func isWorthTelling(_ item: Case, since told: Told, now: Timestamp) -> Bool {
    // A solved problem gets no later sighting, and no second notice.
    guard item.lastSeen > told.lastSeen else { return false }
    if item.reopened > told.reopened || Self.substance(of: item) != told.substance { return true }
    return now.seconds(since: told.moment) >= parameters.repeatDays * 86_400
  }

  private func isDue(_ draft: Draft, last: Timestamp?, now: Timestamp) -> Bool {
    let interval = draft.directives[0].intervalSeconds
    if interval == 0 { return true }
    let slot = LocalTime(parameters.timeZone).slot(
      atOrBefore: now, interval: interval, dailyAt: parameters.dailyAt)
    // A moment of the interval has passed since the last notice, or since there was something to tell.
    let waiting = draft.cases.map { $0.told?.moment ?? $0.item.opened }.min() ?? now
    return slot > max(last ?? .distantPast, min(waiting, now))
  }

  /// In order of the addresses, in notices of a size that a mail system takes.
  private func split(_ draft: Draft) -> [Draft] {
    let cases = draft.cases.sorted {
      ($0.item.address, $0.item.id) < ($1.item.address, $1.item.id)
    }
    let size = max(1, parameters.casesPerNotice)
    return stride(from: 0, to: cases.count, by: size).map { start in
      Draft(
        lane: draft.lane, directives: draft.directives,
        cases: Array(cases[start..<min(start + size, cases.count)]))
    }
  }
}
