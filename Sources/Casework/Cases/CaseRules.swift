public import Findings
public import NetworkTypes

/// What becomes of a case: pure functions without storage or clock.
public enum CaseRules {
  /// What a finding does to the case of its kind, address and organisation.
  public enum Effect: Hashable, Sendable {
    /// Too weak, or of a kind that makes no cases.
    case none
    case open
    case update
    case reopen
  }

  /// - Parameter latest: the latest case of the same kind, address and responsibility.
  public static func effect(
    of finding: Finding, on latest: Case?, _ parameters: CaseworkParameters
  ) -> Effect {
    guard parameters.kinds.contains(finding.kind) else { return .none }
    guard let latest else {
      return finding.confidence.percent >= parameters.minimumConfidence ? .open : .none
    }
    if latest.state.isActive { return .update }
    guard finding.confidence.percent >= parameters.minimumConfidence else { return .none }
    // What was seen before the case was closed is what it was closed about: late data reopen
    // nothing.
    let closed = latest.closedMoment
    if finding.lastSeen <= closed { return .update }
    return finding.lastSeen.seconds(since: closed) <= parameters.reopenDays * 86_400
      ? .reopen : .open
  }

  /// The state after an action by a person or the notices; nil where it is not possible.
  public static func state(after action: CaseEvent.Action, from state: Case.State) -> Case.State? {
    switch action {
    case .opened: nil
    case .updated, .commented, .assigned, .reassigned: state
    case .reopened: state.isActive ? nil : .reopened
    case .closed: state == .closed ? nil : .closed
    // An acknowledged case that is told of again stays acknowledged.
    case .notified:
      switch state {
      case .open, .reopened, .notified, .unreachable: .notified
      case .acknowledged: .acknowledged
      case .fixed, .closed: nil
      }
    case .acknowledged: state.isActive ? .acknowledged : nil
    case .fixed: state.isActive ? .fixed : nil
    case .unreachable: state.isActive && state != .acknowledged ? .unreachable : nil
    }
  }

  /// Whether the case closes by itself at this moment of the data.
  public static func isQuiet(
    _ lastSeen: Timestamp, asOf moment: Timestamp, _ parameters: CaseworkParameters
  ) -> Bool {
    moment.seconds(since: lastSeen) >= parameters.quietDays * 86_400
  }

  /// What a case is about beyond its kind, from the names that sensors give.
  public static func detail(of finding: Finding) -> String? {
    for name in ["malware.name", "service", "attacked.service", "tool", "ports"] {
      if let value = finding.attributes[name], !value.isEmpty { return value }
    }
    return nil
  }
}
