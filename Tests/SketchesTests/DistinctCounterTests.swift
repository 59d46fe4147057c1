import Testing

@testable import Sketches

struct DistinctCounterTests {
  private func filled(_ arena: DistinctArena, _ values: some Sequence<UInt32>) -> DistinctCounter {
    var counter = DistinctCounter()
    for value in values { arena.insert(hash: value, into: &counter) }
    return counter
  }

  @Test("a counter takes 20 octets of its entry")
  func size() {
    #expect(MemoryLayout<DistinctCounter>.size == 20)
    #expect(MemoryLayout<DistinctCounter>.stride == 20)
  }

  @Test("counts are exact up to 48, the value zero included")
  func exact() {
    for count in 0...48 {
      let arena = DistinctArena()
      let values = (0..<UInt32(count)).map { mix32($0) }
      let counter = filled(arena, values + values.reversed())
      #expect(arena.estimate(counter) == Double(count))
      #expect(counter.isExact)
      #expect((arena.memoryBytes == 0) == (count <= 4))
      // Raw, clustered values.
      #expect(arena.estimate(filled(arena, 0..<UInt32(count))) == Double(count))
    }
  }

  @Test("larger counts keep within three standard errors, whatever the order")
  func large() {
    let stated = HyperLogLog(precision: 10).relativeStandardError
    var beyondThree = 0
    for seed: UInt32 in 0..<100 {
      let arena = DistinctArena()
      let values = (0..<5_000).map { mix32(UInt32($0) &+ seed &* 1_000_003) }
      let counter = filled(arena, values)
      let error = abs(arena.estimate(counter) / 5_000 - 1)
      #expect(error < 5 * stated)
      if error > 3 * stated { beyondThree += 1 }
      #expect(arena.estimate(filled(arena, values.reversed())) == arena.estimate(counter))
    }
    #expect(beyondThree <= 2)
  }

  @Test("merging gives the count of the union for all pairs of forms, across arenas")
  func merging() {
    for left in [0, 2, 4, 30, 400] {
      for right in [0, 3, 48, 900] {
        let one = DistinctArena()
        let two = DistinctArena()
        let first = (0..<UInt32(left)).map { mix32($0) }
        let second = (0..<UInt32(right)).map { mix32($0 + UInt32(left) / 2) }
        var counter = filled(one, first)
        let other = filled(two, second)
        one.merge(other, from: two, into: &counter)
        let union = filled(two, first + second)
        #expect(one.estimate(counter) == two.estimate(union))
        #expect(one.owns(counter))
      }
    }
  }

  @Test(
    "every form up to 48 values is exact, knows its values and takes none twice", arguments: 0...48)
  func exactForms(count: UInt32) {
    let arena = DistinctArena()
    var counter = filled(arena, (0..<count).map { mix32($0) })
    for value in 0..<count { #expect(!arena.insert(hash: mix32(value), into: &counter)) }
    #expect(counter.isExact)
    #expect(counter.isFull == (count == 48))
    #expect(arena.estimate(counter) == Double(count))
    var values: Set<UInt32> = []
    arena.forEachValue(counter) { values.insert($0) }
    #expect(values == Set((0..<count).map { mix32($0) }))
  }

  @Test("a counter merged into its own arena counts both")
  func ownArena() {
    let arena = DistinctArena()
    var counter = filled(arena, (0..<300).map { mix32($0) })
    let other = filled(arena, (300..<600).map { mix32($0) })
    arena.merge(other, from: arena, into: &counter)
    #expect(arena.estimate(counter) == arena.estimate(filled(arena, (0..<600).map { mix32($0) })))
  }

  @Test("released memory is used again, so that memory follows the counters alive")
  func memory() {
    let arena = DistinctArena()
    var high = 0
    for round: UInt32 in 0..<50 {
      var counters = [DistinctCounter](repeating: DistinctCounter(), count: 200)
      for index in counters.indices {
        for value in 0..<UInt32(index) {
          arena.insert(hash: mix32(value &+ round &* 7_919), into: &counters[index])
        }
      }
      // Of 0...199 values: 12 counters with 5...16, 32 with 17...48, 151 with more.
      #expect(arena.usedBytes == 12 * 64 + 32 * 256 + 151 * 1_024)
      for index in counters.indices { arena.release(&counters[index]) }
      #expect(arena.usedBytes == 0)
      #expect(counters.allSatisfy { $0.isEmpty })
      if round == 0 { high = arena.memoryBytes }
    }
    #expect(arena.memoryBytes == high)
  }

  @Test("an arena comes back from its image, and a damaged image is refused")
  func image() throws {
    let arena = DistinctArena()
    var gone = filled(arena, 0..<30)
    let list = filled(arena, (0..<9).map { mix32($0) })
    let set = filled(arena, (0..<40).map { mix32($0) })
    let large = filled(arena, (0..<4_000).map { mix32($0) })
    arena.release(&gone)
    let image = arena.image
    let back = try DistinctArena(image: image)
    #expect(back.image == image)
    #expect(back.estimate(list) == 9)
    #expect(back.owns(list))
    #expect(back.estimate(set) == 40)
    #expect(back.estimate(large) == arena.estimate(large))
    #expect(back.owns(set) && back.owns(large))
    #expect(!DistinctArena().owns(set))
    var alien = set
    alien.block = 77
    #expect(!back.owns(alien))
    alien = set
    alien.form = 200
    #expect(!back.owns(alien))

    var damaged = image
    damaged.sets.removeLast()
    #expect(throws: SketchError.self) { try DistinctArena(image: damaged) }
    damaged = image
    damaged.lists.append(1)
    #expect(throws: SketchError.self) { try DistinctArena(image: damaged) }
    damaged = image
    damaged.freeSets.append(9_999)
    #expect(throws: SketchError.self) { try DistinctArena(image: damaged) }
    damaged = image
    damaged.sets = damaged.sets.map { _ in 5 }
    #expect(throws: SketchError.self) { try DistinctArena(image: damaged) }
  }
}
