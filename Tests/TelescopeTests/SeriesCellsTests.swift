import Testing

@testable import Telescope

@Suite("Cells of a series bin")
struct SeriesCellsTests {
  @Test("beyond the limit new ports are counted together, and nothing is lost")
  func limit() {
    var cells = SeriesCells(limit: 100)
    for port in 0..<1_000 as Range<UInt32> {
      cells.add(.all, 0, packets: 1, bytes: 60, host: UInt64(port) &* 0x9e37_79b9_7f4a_7c15)
      cells.add(.port, port, packets: 1, bytes: 60, host: UInt64(port) &* 0x9e37_79b9_7f4a_7c15)
    }
    let ports = cells.each(.port)
    #expect(ports.count == 100)
    #expect(ports.reduce(0) { $0 + $1.cell.packets } == 1_000)
    #expect(cells[.port, SeriesCells.other]?.packets == 901)
    // What has few keys by nature is never folded.
    cells.add(.trafficClass, 3, packets: 5, bytes: 0, host: 1)
    #expect(cells[.trafficClass, 3]?.packets == 5)
  }

  @Test("pruning keeps the ports of most packets and all packets")
  func pruning() {
    var cells = SeriesCells()
    for port in 1...200 as ClosedRange<UInt32> {
      cells.add(.port, port, packets: UInt64(port), bytes: 0, host: UInt64(port))
    }
    cells.add(.all, 0, packets: 1, bytes: 0, host: 1)
    cells.prune(to: 300)
    #expect(cells.each(.port).count == 200)
    cells.prune(to: 100)
    #expect(cells.each(.port).count < 100)
    #expect(cells[.port, 200]?.packets == 200)
    #expect(cells[.port, 1] == nil)
    #expect(cells.each(.port).reduce(0) { $0 + $1.cell.packets } == 200 * 201 / 2)
    #expect(cells[.all, 0]?.packets == 1)
  }
}
