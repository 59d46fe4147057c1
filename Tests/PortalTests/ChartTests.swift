import Foundation
import NetworkTypes
import Testing

@testable import Portal

@Suite("Charts and map")
struct ChartTests {
  @Test("axis marks are round, few, and reach the highest value")
  func ticks() {
    for highest in [1.0, 2, 3, 7, 10, 42, 99, 100, 1_234, 87_654, 3.2e9] {
      let ticks = Axis.ticks(upTo: highest)
      #expect((1...5).contains(ticks.count), "\(highest): \(ticks)")
      #expect(ticks.last ?? 0 >= highest)
      let step = ticks[0]
      let digit = step / pow(10, floor(log10(step) + 1e-9))
      #expect([1, 2, 5].contains { abs($0 - digit) < 1e-6 }, "\(highest): \(step)")
    }
    #expect(Axis.ticks(upTo: 0).isEmpty)
    #expect(Axis.ticks(upTo: .infinity).isEmpty)
  }

  @Test("time marks stand at round moments of the reader's zone")
  func moments() {
    let start: Int64 = 1_699_999_200
    for offset: Int64 in [0, 32_400] {
      let marks = Axis.moments(from: start, bins: 168, binSeconds: 3_600, offset: offset)
      #expect((3...8).contains(marks.count))
      for mark in marks {
        #expect((start + Int64(mark.index) * 3_600 + offset).isMultiple(of: 86_400))
      }
    }
    #expect(Axis.moments(from: start, bins: 1, binSeconds: 86_400, offset: 0).count <= 1)
  }

  @Test("numbers in drawings have two decimals and no exponent")
  func numbers() {
    #expect(SVG.number(12) == "12")
    #expect(SVG.number(0.1 + 0.2) == "0.30")
    #expect(
      SVG.number(-1.005) == "-1" || SVG.number(-1.005) == "-1.01" || SVG.number(-1.005) == "-1.00")
    #expect(SVG.number(1e-9) == "0")
    #expect(SVG.number(.nan) == "0")
  }

  @Test("the map has the countries of Natural Earth, each once, within its frame")
  func map() {
    let map = WorldMap()
    #expect(map.codes.count > 170)
    #expect(Set(map.codes).count == map.codes.count)
    for code in ["JP", "US", "FR", "NO", "ID", "VN", "XK"] { #expect(map.codes.contains(code)) }
  }

  @Test("shades rise with the count, from one to the highest")
  func shades() {
    #expect(WorldMap.bounds(0).isEmpty)
    #expect(WorldMap.bounds(1) == [1])
    let bounds = WorldMap.bounds(100_000)
    #expect(bounds == [10, 100, 1_000, 10_000, 100_000])
    #expect(WorldMap.shade(1, bounds) == 1)
    #expect(WorldMap.shade(11, bounds) == 2)
    #expect(WorldMap.shade(100_000, bounds) == 5)
  }
}
