import Testing

@testable import Sketches

struct FrequencyTests {
  /// A skewed stream: key k about proportional to 1/k.
  private func stream(seed: UInt64, count: Int) -> [UInt64] {
    var generator = SeededGenerator(seed: seed)
    return (0..<count).map { _ in
      UInt64(1 / max(1e-5, generator.nextUnit()))
    }
  }

  private func counts(_ keys: [UInt64]) -> [UInt64: UInt64] {
    keys.reduce(into: [:]) { $0[$1, default: 0] += 1 }
  }

  @Test("count-min never underestimates and keeps its bound", arguments: [false, true])
  func countMin(isConservative: Bool) {
    let keys = stream(seed: 1, count: 50_000)
    var sketch = CountMinSketch(
      relativeError: 0.002, failureProbability: 0.01, isConservative: isConservative)
    for key in keys { sketch.add(hash: mix64(key)) }
    var beyond = 0
    let truth = counts(keys)
    for (key, count) in truth {
      let estimate = sketch.estimate(hash: mix64(key))
      #expect(estimate >= count)
      if Double(estimate - count) > sketch.relativeError * Double(sketch.total) { beyond += 1 }
    }
    #expect(Double(beyond) <= 0.01 * Double(truth.count) + 1)
    #expect(sketch.total == 50_000)
  }

  @Test("merged count-min sketches equal the one of both streams, in any order")
  func countMinMerge() {
    let left = stream(seed: 2, count: 5_000)
    let right = stream(seed: 3, count: 5_000)
    var one = CountMinSketch(width: 500, depth: 4)
    var two = CountMinSketch(width: 500, depth: 4)
    var both = CountMinSketch(width: 500, depth: 4)
    for key in left { one.add(hash: mix64(key)) }
    for key in right { two.add(hash: mix64(key)) }
    for key in (left + right).reversed() { both.add(hash: mix64(key)) }
    var merged = two
    merged.merge(one)
    one.merge(two)
    #expect(one == both && merged == both)
    let isMixed = one.merge(CountMinSketch(width: 500, depth: 3))
    #expect(!isMixed && one == both)
    #expect(one.memoryBytes < 512 * 4 * 8 + 256)
  }

  @Test("count-min counters stop at their greatest value")
  func saturation() {
    for isConservative in [false, true] {
      var sketch = CountMinSketch(width: 4, depth: 2, isConservative: isConservative)
      sketch.add(hash: 1, count: .max)
      sketch.add(hash: 1, count: 5)
      #expect(sketch.estimate(hash: 1) == .max)
      #expect(sketch.total == .max)
    }
  }

  @Test("count-min octets come back, and garbage is refused")
  func countMinOctets() throws {
    var sketch = CountMinSketch(width: 16, depth: 3, isConservative: true)
    for key in stream(seed: 4, count: 500) { sketch.add(hash: mix64(key)) }
    let bytes = sketch.serialized()
    #expect(try CountMinSketch(serialized: bytes) == sketch)
    for length in 0..<bytes.count {
      #expect(throws: SketchError.self) { try CountMinSketch(serialized: Array(bytes[..<length])) }
    }
    for index in 0..<12 {
      var damaged = bytes
      damaged[index] ^= 0x80
      if let read = try? CountMinSketch(serialized: damaged) { #expect(read != sketch) }
    }
  }

  @Test("space-saving bounds every count and keeps every frequent key")
  func topK() {
    for seed: UInt64 in 10..<20 {
      let keys = stream(seed: seed, count: 20_000)
      var sketch = TopK<UInt64>(capacity: 64)
      for key in keys { sketch.add(key) }
      let truth = counts(keys)
      let entries = sketch.entries()
      #expect(entries.count == 64)
      for entry in entries {
        let count = truth[entry.key] ?? 0
        #expect(entry.count >= count && entry.count - entry.error <= count)
      }
      for (key, count) in truth where count > 20_000 / 64 {
        #expect(sketch[key] != nil)
      }
      #expect(entries.map(\.count) == entries.map(\.count).sorted(by: >))
    }
  }

  @Test("space-saving gives the same answer for the same stream, ties in order of arrival")
  func topKTies() {
    var sketch = TopK<String>(capacity: 3)
    for key in ["c", "a", "b"] { sketch.add(key) }
    #expect(sketch.entries().map(\.key) == ["c", "a", "b"])
    sketch.add("d")
    #expect(sketch.entries().map(\.key) == ["d", "a", "b"])
    #expect(sketch["d"] == .init(key: "d", count: 2, error: 1))
    #expect(sketch.entries(limit: 1).count == 1)
  }

  @Test("merged space-saving bounds the counts of both streams")
  func topKMerge() {
    let left = stream(seed: 30, count: 10_000)
    let right = stream(seed: 31, count: 30_000)
    var one = TopK<UInt64>(capacity: 50)
    var two = TopK<UInt64>(capacity: 50)
    for key in left { one.add(key) }
    for key in right { two.add(key) }
    one.merge(two)
    let truth = counts(left + right)
    #expect(one.total == 40_000)
    #expect(one.entries().count == 50)
    for entry in one.entries() {
      let count = truth[entry.key] ?? 0
      #expect(entry.count >= count && entry.count - entry.error <= count)
    }
    for (key, count) in truth where count > one.absentBound { #expect(one[key] != nil) }
  }

  @Test("a reservoir takes every place of the stream equally often")
  func reservoir() {
    var taken = [Int](repeating: 0, count: 100)
    for seed: UInt64 in 0..<4_000 {
      var sample = Reservoir<Int>(capacity: 10, seed: seed)
      for element in 0..<100 { sample.offer(element) }
      for element in sample.elements { taken[element] += 1 }
    }
    // Each is binomial with mean 400 and deviation 19.
    for element in taken { #expect(abs(element - 400) < 5 * 19) }
  }

  @Test("a merged reservoir samples both streams in proportion, and goes on doing so")
  func reservoirMerge() {
    var taken = [Int](repeating: 0, count: 100)
    for seed: UInt64 in 0..<4_000 {
      var one = Reservoir<Int>(capacity: 8, seed: seed)
      var two = Reservoir<Int>(capacity: 8, seed: ~seed)
      for element in 0..<20 { one.offer(element) }
      for element in 20..<70 { two.offer(element) }
      one.merge(two)
      for element in 70..<100 { one.offer(element) }
      #expect(one.seen == 100 && one.elements.count == 8)
      for element in one.elements { taken[element] += 1 }
    }
    for element in taken { #expect(abs(element - 320) < 5 * 17) }
  }

  @Test("a reservoir of a short stream holds all of it, and the same seed gives the same sample")
  func reservoirShort() {
    var sample = Reservoir<Int>(capacity: 10, seed: 1)
    for element in 0..<7 { sample.offer(element) }
    #expect(sample.elements == Array(0..<7))
    var one = Reservoir<Int>(capacity: 10, seed: 5)
    var two = Reservoir<Int>(capacity: 10, seed: 5)
    for element in 0..<1_000 {
      one.offer(element)
      two.offer(element)
    }
    #expect(one.elements == two.elements)
  }

  @Test("the generator gives the same numbers for the same seed, evenly")
  func generator() {
    var one = SeededGenerator(seed: 9)
    var two = SeededGenerator(seed: 9)
    var ones = 0
    var units = 0.0
    for _ in 0..<10_000 {
      let value = one.next()
      #expect(two.next() == value)
      ones += value.nonzeroBitCount
      units += two.nextUnit()
      _ = one.next()
    }
    #expect(abs(Double(ones) / 640_000 - 0.5) < 0.005)
    #expect(abs(units / 10_000 - 0.5) < 0.02)
  }

  @Test("hashes of octets depend on every octet and on the length")
  func hashing() {
    var seen: Set<UInt64> = [hash64("")]
    for length in 1...40 {
      let text = String(repeating: "a", count: length)
      #expect(seen.insert(hash64(text)).inserted)
      for place in 0..<length {
        var bytes = Array(text.utf8)
        bytes[place] = 0
        #expect(seen.insert(hash64(bytes.span.bytes)).inserted)
      }
    }
    #expect(mix64(1, 2) != mix64(2, 1))
  }
}
