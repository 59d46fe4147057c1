import Glibc

/// A uniform random sample of a stream of unknown length (Li 1994, algorithm L): after `capacity`
/// elements it costs one comparison for each element that it does not take. A merged sample goes on by
/// algorithm R, with one random number for each element.
///
/// The same seed and stream give the same sample.
public struct Reservoir<Element: Sendable>: Sendable {
  /// How many elements are kept.
  public let capacity: Int
  /// How many elements were offered.
  @inlinable public var seen: UInt64 { offered }
  @usableFromInline var offered: UInt64 = 0
  /// The sample, in no particular order.
  @inlinable public var elements: [Element] { sample }
  @usableFromInline var sample: [Element] = []
  @usableFromInline var generator: SeededGenerator
  @usableFromInline var threshold = 1.0
  @usableFromInline var next: UInt64 = 0
  @usableFromInline var isMerged = false

  /// A sample of `capacity` elements, at least 1.
  @inlinable
  public init(capacity: Int, seed: UInt64) {
    self.capacity = max(1, capacity)
    generator = SeededGenerator(seed: seed)
  }

  /// Offers an element; it is evaluated only if it is taken.
  @inlinable
  public mutating func offer(_ element: @autoclosure () -> Element) {
    offered += 1
    if sample.count < capacity {
      sample.append(element())
      if sample.count == capacity { skip() }
    } else if isMerged {
      // Algorithm R (Vitter 1985): the skips of algorithm L would need the lost history of both parts.
      let place = generator.next(upperBound: offered)
      if place < UInt64(capacity) { sample[Int(place)] = element() }
    } else if offered == next {
      sample[Int(generator.next(upperBound: UInt64(capacity)))] = element()
      skip()
    }
  }

  /// Draws the number of the next element to take.
  @usableFromInline mutating func skip() {
    threshold *= exp(log1p(-generator.nextUnit()) / Double(capacity))
    let gap = (log1p(-generator.nextUnit()) / log1p(-threshold)).rounded(.down)
    // Once the sample is so unlikely to change that the gap leaves the range, it does not change.
    let (sum, overflow) = offered.addingReportingOverflow(
      gap >= 0 && gap < 0x1p62 ? UInt64(gap) + 1 : UInt64(1) << 62)
    next = overflow ? .max : sum
  }

  /// Makes of two samples one of both streams together: each place is drawn from one of them in
  /// proportion to how many elements it stands for, without putting back.
  @inlinable
  public mutating func merge(_ other: Reservoir) {
    guard other.offered > 0 else { return }
    var own = sample
    var theirs = other.elements
    var ownWeight = offered
    var theirWeight = other.offered
    var drawn: [Element] = []
    while drawn.count < capacity, !own.isEmpty || !theirs.isEmpty {
      let total = ownWeight + theirWeight
      let isOwn =
        theirs.isEmpty
        || !own.isEmpty && (total == 0 || generator.next(upperBound: total) < ownWeight)
      if isOwn {
        drawn.append(own.swapRemove(Int(generator.next(upperBound: UInt64(own.count)))))
        ownWeight -= min(1, ownWeight)
      } else {
        drawn.append(theirs.swapRemove(Int(generator.next(upperBound: UInt64(theirs.count)))))
        theirWeight -= min(1, theirWeight)
      }
    }
    sample = drawn
    offered += other.offered
    isMerged = true
  }
}

extension Array {
  /// Takes an element out and puts the last one in its place.
  @inlinable
  mutating func swapRemove(_ index: Int) -> Element {
    swapAt(index, count - 1)
    return removeLast()
  }
}
