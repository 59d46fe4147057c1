import Testing

@testable import Sketches

struct HyperLogLogTests {
  /// Root mean square of the relative error over many seeds.
  private func spread(precision: Int, count: Int, seeds: Int) -> (bias: Double, deviation: Double) {
    var sum = 0.0
    var squares = 0.0
    for seed in 0..<seeds {
      var generator = SeededGenerator(seed: UInt64(seed))
      var sketch = HyperLogLog(precision: precision)
      for _ in 0..<count { sketch.insert(hash: generator.next()) }
      let error = sketch.estimate / Double(count) - 1
      sum += error
      squares += error * error
    }
    return (sum / Double(seeds), (squares / Double(seeds)).squareRoot())
  }

  @Test("the error keeps to the stated standard error at every size", arguments: [4, 8, 10, 12])
  func error(precision: Int) {
    let stated = HyperLogLog(precision: precision).relativeStandardError
    for count in [1 << precision, 5 << precision, 20 << precision] {
      let seeds = 60
      let (bias, deviation) = spread(precision: precision, count: count, seeds: seeds)
      // The deviation of a deviation estimated from n samples is about 1/√(2n).
      #expect(deviation < stated * 1.35, "p \(precision), \(count) hashes: \(deviation)")
      #expect(abs(bias) < 4 * stated / Double(seeds).squareRoot(), "p \(precision), \(count)")
    }
  }

  @Test("no single count of many is off by five standard errors")
  func worst() {
    let stated = HyperLogLog(precision: 11).relativeStandardError
    for seed: UInt64 in 0..<100 {
      var generator = SeededGenerator(seed: seed)
      var sketch = HyperLogLog(precision: 11)
      for step in 1...30_000 {
        sketch.insert(hash: generator.next())
        if step.isMultiple(of: 3_000) {
          #expect(abs(sketch.estimate / Double(step) - 1) < 5 * stated)
        }
      }
    }
  }

  @Test("small counts are exact, and repeats are not counted")
  func small() {
    var sketch = HyperLogLog(precision: 12)
    #expect(sketch.isEmpty && sketch.estimate == 0)
    for _ in 0..<3 {
      for value: UInt64 in 0..<380 { sketch.insert(hash: mix64(value)) }
    }
    #expect(sketch.estimate.rounded() == 380)
    #expect(sketch.memoryBytes < 4_096)
  }

  @Test("the sparse form becomes the same registers that direct insertion gives")
  func densifying() {
    for precision in 4...16 {
      var generator = SeededGenerator(seed: UInt64(precision))
      let count = HyperLogLog(precision: precision).relativeStandardError > 0.2 ? 40 : 20_000
      var hashes = (0..<count).map { _ in generator.next() }
      // Long runs of zeros, where the two forms count in different ways.
      for bits: UInt64 in 0..<64 { hashes.append(1 << bits) }
      hashes.append(0)
      var early = HyperLogLog(precision: precision)
      for hash in hashes { early.insert(hash: hash) }
      var late = HyperLogLog(precision: precision)
      for hash in hashes.reversed() { late.insert(hash: hash) }
      #expect(early == late)
      #expect(early.serialized() == late.serialized())
      #expect(early.hashValue == late.hashValue)
    }
  }

  @Test(
    "a merged sketch is the sketch of the union, in either order", arguments: [0, 3, 300, 50_000])
  func merging(count: Int) {
    for other in [0, 5, 350, 20_000] {
      var left = HyperLogLog(precision: 12)
      var right = HyperLogLog(precision: 12)
      var union = HyperLogLog(precision: 12)
      for value in 0..<count {
        left.insert(hash: mix64(UInt64(value)))
        union.insert(hash: mix64(UInt64(value)))
      }
      for value in 0..<other {
        right.insert(hash: mix64(UInt64(value + count / 2)))
        union.insert(hash: mix64(UInt64(value + count / 2)))
      }
      var one = left
      one.merge(right)
      var two = right
      two.merge(left)
      #expect(one == union)
      #expect(two == union)
    }
  }

  @Test("sketches of different precision do not mix")
  func mixing() {
    var sketch = HyperLogLog(precision: 10)
    var other = HyperLogLog(precision: 11)
    other.insert(hash: 7)
    let isMixed = sketch.merge(other)
    #expect(!isMixed && sketch.isEmpty)
  }

  @Test("memory never exceeds the dense form by more than the value itself")
  func memory() {
    for precision in [8, 12, 14] {
      var sketch = HyperLogLog(precision: precision)
      for value: UInt64 in 0..<200_000 {
        sketch.insert(hash: mix64(value))
        if value < 20_000 || value.isMultiple(of: 1_000) {
          #expect(sketch.memoryBytes <= 1 << precision + MemoryLayout<HyperLogLog>.size + 128)
        }
      }
    }
  }

  @Test("octets give the same sketch back", arguments: [0, 1, 100, 383, 384, 385, 9_000])
  func octets(count: Int) throws {
    var sketch = HyperLogLog(precision: 12)
    for value in 0..<count { sketch.insert(hash: mix64(UInt64(value))) }
    let bytes = sketch.serialized()
    let back = try HyperLogLog(serialized: bytes)
    #expect(back == sketch)
    #expect(back.estimate == sketch.estimate)
    #expect(back.serialized() == bytes)
  }

  @Test("damaged octets are refused or read, and never trap")
  func garbage() throws {
    var generator = SeededGenerator(seed: 3)
    for _ in 0..<20_000 {
      var bytes = (0..<Int.random(in: 0..<300, using: &generator)).map { _ in
        UInt8.random(in: 0...255, using: &generator)
      }
      if bytes.count > 2 {
        bytes[0] = 1
        bytes[1] = UInt8.random(in: 3...17, using: &generator)
        bytes[2] = UInt8.random(in: 0...2, using: &generator)
      }
      guard let sketch = try? HyperLogLog(serialized: bytes) else { continue }
      #expect(sketch.serialized() == bytes)
      #expect(sketch.estimate >= 0)
    }
    for bytes: [UInt8] in [
      [], [1], [2, 12, 0], [1, 3, 0], [1, 12, 2], [1, 4, 1, 0], [1, 12, 0, 9],
    ] {
      #expect(throws: SketchError.self) { try HyperLogLog(serialized: bytes) }
    }
    #expect(throws: SketchError.self) {
      try HyperLogLog(serialized: [1, 4, 1] + [UInt8](repeating: 62, count: 16))
    }
  }
}
