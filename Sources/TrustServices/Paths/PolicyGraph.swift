import SwiftASN1

/// The valid_policy_graph of RFC 9618, which replaced RFC 5280's policy tree: one node a policy and
/// level, so that its size stays linear where hostile mappings made the tree exponential.
struct PolicyGraph {
  private struct Node {
    var parents: [ASN1ObjectIdentifier]
    var expected: [ASN1ObjectIdentifier]
    var notices: [String]
  }

  private var levels: [[ASN1ObjectIdentifier: Node]] = [
    [OID.anyPolicy: Node(parents: [], expected: [OID.anyPolicy], notices: [])]
  ]

  var isNull: Bool { levels.isEmpty }

  mutating func setNull() { levels = [] }

  /// RFC 9618 6.1.3 (d): the policies of the next certificate.
  mutating func add(_ policies: [PolicyInformation], allowsAnyPolicy: Bool) {
    guard let previous = levels.last else { return }
    // The nodes above by the policies they expect.
    var expecting: [ASN1ObjectIdentifier: [ASN1ObjectIdentifier]] = [:]
    for (policy, node) in previous {
      for expected in node.expected { expecting[expected, default: []].append(policy) }
    }
    var level: [ASN1ObjectIdentifier: Node] = [:]
    for information in policies where information.policy != OID.anyPolicy {
      var parents = expecting[information.policy] ?? []
      if parents.isEmpty && previous[OID.anyPolicy] != nil { parents = [OID.anyPolicy] }
      if !parents.isEmpty {
        level[information.policy] = Node(
          parents: parents, expected: [information.policy], notices: information.userNotices)
      }
    }
    if allowsAnyPolicy, let any = policies.first(where: { $0.policy == OID.anyPolicy }) {
      for (policy, parents) in expecting where level[policy] == nil {
        level[policy] = Node(parents: parents, expected: [policy], notices: any.userNotices)
      }
    }
    levels.append(level)
    prune()
  }

  /// RFC 9618 6.1.4 (b): what the certificate equates, or forbids to be equated.
  mutating func map(_ mappings: [PolicyMapping], isInhibited: Bool) {
    guard !isNull else { return }
    let depth = levels.count - 1
    let byIssuerPolicy = Dictionary(grouping: mappings, by: \.issuerDomainPolicy)
    for (policy, pairs) in byIssuerPolicy {
      if isInhibited {
        levels[depth][policy] = nil
        continue
      }
      let expected = Array(Set(pairs.map(\.subjectDomainPolicy)))
      if levels[depth][policy] != nil {
        levels[depth][policy]?.expected = expected
      } else if let any = levels[depth][OID.anyPolicy] {
        levels[depth][policy] = Node(
          parents: [OID.anyPolicy], expected: expected, notices: any.notices)
      }
    }
    if isInhibited { prune() }
  }

  /// Removes nodes without children, from the bottom up.
  private mutating func prune() {
    guard var depth = levels.indices.last else { return }
    while depth > 0 {
      let wanted = Set(levels[depth].values.lazy.flatMap(\.parents))
      levels[depth - 1] = levels[depth - 1].filter { wanted.contains($0.key) }
      depth -= 1
    }
    if levels[0].isEmpty || levels[levels.count - 1].isEmpty { levels = [] }
  }

  /// What RFC 9618 6.1.5 (g) leaves: the policies under which the path is valid, in the anchor's
  /// terms, with every notice on the way to them; nil where nothing is left.
  func outcome(initial: Set<ASN1ObjectIdentifier>?) -> (
    policies: Set<ASN1ObjectIdentifier>, notices: [String]
  )? {
    guard var live = levels.last else { return nil }
    // A node whose parent is anyPolicy names a policy in the anchor's domain.
    func isTop(_ policy: ASN1ObjectIdentifier, _ node: Node) -> Bool {
      policy != OID.anyPolicy && node.parents.contains(OID.anyPolicy)
    }
    var kept = levels
    if let initial, !initial.contains(OID.anyPolicy) {
      for depth in kept.indices {
        kept[depth] = kept[depth].filter { policy, node in
          if isTop(policy, node) && !initial.contains(policy) { return false }
          return depth == 0 || node.parents.contains { kept[depth - 1][$0] != nil }
        }
      }
      live = kept[kept.count - 1]
    }
    guard !live.isEmpty else { return nil }
    var notices = Set(live.values.flatMap(\.notices))
    var policies: Set<ASN1ObjectIdentifier> = []
    if live[OID.anyPolicy] != nil { policies = initial ?? [OID.anyPolicy] }
    var reached = Set(live.keys)
    for depth in kept.indices.reversed() where depth > 0 {
      var above: Set<ASN1ObjectIdentifier> = []
      for policy in reached {
        guard let node = kept[depth][policy] else { continue }
        if isTop(policy, node) { policies.insert(policy) }
        notices.formUnion(node.notices)
        above.formUnion(node.parents.filter { kept[depth - 1][$0] != nil })
      }
      reached = above
    }
    return policies.isEmpty ? nil : (policies, notices.sorted())
  }
}
