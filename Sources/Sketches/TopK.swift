/// The keys that occur most often in a stream, in fixed memory: Space-Saving (Metwally, Agrawal,
/// El Abbadi 2005).
///
/// Every key whose true count exceeds `total / capacity` is among the entries, and an entry's true
/// count lies between `count - error` and `count`. Of keys with equal counts the one that came in
/// earlier ranks first and is the first to be given up, so that the same stream gives the same answer.
public struct TopK<Key: Hashable & Sendable>: Sendable {
  /// A key and the bounds of its count.
  public struct Entry: Hashable, Sendable {
    public let key: Key
    /// At least the true count.
    public let count: UInt64
    /// By how much ``count`` may be above it.
    public let error: UInt64

    @inlinable
    init(key: Key, count: UInt64, error: UInt64) {
      self.key = key
      self.count = count
      self.error = error
    }
  }

  @usableFromInline
  struct Node: Sendable {
    @usableFromInline var key: Key
    @usableFromInline var count: UInt64
    @usableFromInline var error: UInt64
    @usableFromInline var order: UInt64

    @inlinable
    init(key: Key, count: UInt64, error: UInt64, order: UInt64) {
      self.key = key
      self.count = count
      self.error = error
      self.order = order
    }

    @inlinable
    func precedes(_ other: Node) -> Bool {
      count != other.count ? count < other.count : order < other.order
    }
  }

  /// How many keys are kept, at least 1.
  public let capacity: Int
  /// The sum of all that was added; it stops at 2^64 - 1, as each count does.
  @inlinable public var total: UInt64 { sum }
  @usableFromInline var sum: UInt64 = 0
  /// The entries, each in the slot that it was given.
  @usableFromInline var nodes: [Node] = []
  /// Each key's slot.
  @usableFromInline var slots: [Key: Int] = [:]
  /// A binary heap of slots, the least count first, and each slot's place in it.
  @usableFromInline var heap: [Int] = []
  @usableFromInline var places: [Int] = []
  @usableFromInline var arrivals: UInt64 = 0

  /// A sketch that keeps `capacity` keys.
  @inlinable
  public init(capacity: Int) {
    self.capacity = max(1, capacity)
  }

  /// Adds `count` to a key.
  @inlinable
  public mutating func add(_ key: Key, count: UInt64 = 1) {
    sum = Self.clamped(sum, count)
    if let slot = slots[key] {
      nodes[slot].count = Self.clamped(nodes[slot].count, count)
      sink(places[slot])
    } else if nodes.count < capacity {
      append(key, count: count, error: 0)
    } else {
      // `capacity` is at least 1 and the heap is full: there is a first slot.
      let slot = heap[0]
      let least = nodes[slot]
      slots[least.key] = nil
      slots[key] = slot
      nodes[slot] = Node(
        key: key, count: Self.clamped(least.count, count), error: least.count, order: arrivals)
      arrivals &+= 1
      sink(0)
    }
  }

  @inlinable mutating func append(_ key: Key, count: UInt64, error: UInt64) {
    let slot = nodes.count
    nodes.append(Node(key: key, count: count, error: error, order: arrivals))
    arrivals &+= 1
    slots[key] = slot
    heap.append(slot)
    places.append(slot)
    var place = slot
    while place > 0 {
      let parent = (place - 1) / 2
      guard precedes(place, parent) else { return }
      exchange(place, parent)
      place = parent
    }
  }

  @inlinable func precedes(_ left: Int, _ right: Int) -> Bool {
    nodes[heap[left]].precedes(nodes[heap[right]])
  }

  @inlinable mutating func sink(_ start: Int) {
    var place = start
    while true {
      var least = place
      let left = 2 &* place &+ 1
      if left < heap.count, precedes(left, least) { least = left }
      if left &+ 1 < heap.count, precedes(left &+ 1, least) { least = left &+ 1 }
      guard least != place else { return }
      exchange(place, least)
      place = least
    }
  }

  @inlinable mutating func exchange(_ left: Int, _ right: Int) {
    heap.swapAt(left, right)
    places[heap[left]] = left
    places[heap[right]] = right
  }

  /// What a key that is not among the entries can have at most.
  @inlinable public var absentBound: UInt64 { nodes.count < capacity ? 0 : nodes[heap[0]].count }

  /// The entries, the most frequent first; at most `limit`.
  @inlinable
  public func entries(limit: Int = .max) -> [Entry] {
    nodes.sorted { $0.count != $1.count ? $0.count > $1.count : $0.order < $1.order }
      .prefix(max(0, limit))
      .map { Entry(key: $0.key, count: $0.count, error: $0.error) }
  }

  /// The bounds of a key's count, if it is among the entries.
  @inlinable
  public subscript(key: Key) -> Entry? {
    slots[key].map { Entry(key: key, count: nodes[$0].count, error: nodes[$0].error) }
  }

  /// Takes in all that `other` counted (Agarwal et al. 2012, "Mergeable summaries"): the bounds hold
  /// for both streams together.
  @inlinable
  public mutating func merge(_ other: TopK) {
    let ownBound = absentBound
    let otherBound = other.absentBound
    var joined: [Node] = nodes.sorted { $0.order < $1.order }
    for index in joined.indices {
      let theirs = other[joined[index].key]
      joined[index].count = Self.clamped(joined[index].count, theirs?.count ?? otherBound)
      joined[index].error = Self.clamped(joined[index].error, theirs?.error ?? otherBound)
    }
    for node in other.nodes.sorted(by: { $0.order < $1.order }) where slots[node.key] == nil {
      joined.append(
        Node(
          key: node.key, count: Self.clamped(node.count, ownBound),
          error: Self.clamped(node.error, ownBound), order: 0))
    }
    for index in joined.indices { joined[index].order = UInt64(index) }
    joined.sort { $0.count != $1.count ? $0.count > $1.count : $0.order < $1.order }
    nodes = []
    slots = [:]
    heap = []
    places = []
    arrivals = 0
    for node in joined.prefix(capacity).sorted(by: { $0.order < $1.order }) {
      append(node.key, count: node.count, error: node.error)
    }
    sum = Self.clamped(sum, other.total)
  }

  @inlinable static func clamped(_ left: UInt64, _ right: UInt64) -> UInt64 {
    let (sum, overflow) = left.addingReportingOverflow(right)
    return overflow ? .max : sum
  }
}
