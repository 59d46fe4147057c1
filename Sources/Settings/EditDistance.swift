/// How far apart two names are, for "did you mean".
enum EditDistance {
  /// The number of insertions, deletions, substitutions and swaps of neighbours that turn one text
  /// into the other (optimal string alignment, after Damerau 1964), without regard to case.
  static func between(_ left: String, _ right: String) -> Int {
    let a = Array(left.lowercased().unicodeScalars)
    let b = Array(right.lowercased().unicodeScalars)
    if a.isEmpty || b.isEmpty { return max(a.count, b.count) }
    var beforeLast = [Int](repeating: 0, count: b.count + 1)
    var last = Array(0...b.count)
    for i in 1...a.count {
      var row = [i] + [Int](repeating: 0, count: b.count)
      for j in 1...b.count {
        let cost = a[i - 1] == b[j - 1] ? 0 : 1
        row[j] = min(last[j] + 1, row[j - 1] + 1, last[j - 1] + cost)
        if i > 1, j > 1, a[i - 1] == b[j - 2], a[i - 2] == b[j - 1] {
          row[j] = min(row[j], beforeLast[j - 2] + 1)
        }
      }
      beforeLast = last
      last = row
    }
    return last[b.count]
  }

  /// The candidate nearest to `name`; nil when none is near enough to have been meant, which is
  /// our own choice: at most 2 edits, or a third of its length.
  static func nearest(to name: String, among candidates: [String]) -> String? {
    // Nobody mistypes a name of hundreds of letters, and the distance costs their product.
    guard name.count <= 100 else { return nil }
    let ranked = candidates.map { ($0, between(name, $0)) }
    guard let best = ranked.min(by: { ($0.1, $0.0) < ($1.1, $1.0) }),
      best.1 <= max(2, name.count / 3)
    else { return nil }
    return best.0
  }
}
