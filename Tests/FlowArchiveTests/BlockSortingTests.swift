import Testing

@testable import FlowArchive

@Suite("The order of a block's rows")
struct BlockSortingTests {
  @Test("blocks of both widths and of any sizes may follow each other")
  func sizes() {
    var sorting = BlockSorting()
    for (narrow, wide) in [(750, 250), (750, 1_000), (750, 0), (10, 750), (750, 750)] {
      let keys = (0..<narrow).map { UInt32(truncatingIfNeeded: $0 &* 2_654_435_761) }
      sorting.sort(keys.span)
      #expect(sorting.order.count == narrow)
      #expect(sorting.order.map { keys[Int($0)] } == keys.sorted())
      let others = (0..<wide).map { UInt128($0 &* 2_654_435_761 % 1_009) << 90 | UInt128($0) }
      sorting.sort(others.span)
      #expect(sorting.order.count == wide)
      #expect(sorting.order.map { others[Int($0)] } == others.sorted())
    }
  }
}
