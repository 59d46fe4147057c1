import Foundation
import NetworkTypes
import PacketCapture
import Store
import Telescope
import Testing

@Suite("A telescope that remembers")
struct SessionTests {
  private func session(_ store: TelescopeStore, _ folder: TestFolder, threads: Int = 2) throws
    -> TelescopeSession
  {
    var surroundings = TelescopeEngine.Surroundings()
    surroundings.threads = threads
    return try TelescopeSession(
      engine: TelescopeEngine(space: darkSixteen, surroundings: surroundings), store: store,
      directory: "\(folder.path)/state", clock: { Timestamp(seconds: 1_770_000_000) })
  }

  /// Two hours of a bot and a scanner, cut in the middle.
  private func hours() -> [[UInt8]] {
    (0..<2 as Range<UInt32>).map { hour in
      var traffic = SyntheticTraffic()
      for index in 0..<600 as Range<UInt32> {
        let number = hour * 600 + index
        let destination = darkBase | (number &* 2_654_435_761) >> 16
        let time = start + UInt64(number) * 6_000_000
        traffic.add(
          .init(source: 0x1401_0101, destination: destination, sequence: destination), at: time)
        traffic.add(
          .init(
            source: 0x1402_0202, destination: destination, destinationPort: 445, sequence: number),
          at: time + 1)
      }
      return traffic.bytes
    }
  }

  private func contents(_ store: TelescopeStore) throws -> (
    [ObservedHost], [TelescopeEvent], [SeriesPoint]
  ) {
    let all = ListQuery(sort: .init(column: "packets", isAscending: true), limit: 10_000)
    return (
      try store.hosts(all).rows, try store.events(all).rows, try store.series(.all, .fiveMinutes)
    )
  }

  @Test("reading the same file twice changes nothing")
  func twice() throws {
    let folder = try TestFolder()
    let store = try TelescopeStore(DataStore.inMemory())
    let file = try folder.write(hours()[0], "hour.pcap")
    _ = try session(store, folder).read(paths: [file]) { _, _, _ in }
    let before = try contents(store)
    let copy = try folder.write(hours()[0], "copy.pcap")
    let readings = try session(store, folder).read(paths: [file, copy]) { _, _, _ in }
    #expect(readings.map(\.wasKnown) == [true, true])
    let after = try contents(store)
    #expect(before.0 == after.0)
    #expect(before.1 == after.1)
    #expect(before.2 == after.2)
  }

  @Test("hourly files read by separate processes give what one reading gives")
  func continued() throws {
    let folder = try TestFolder()
    let together = try TelescopeStore(DataStore.inMemory())
    let files = try hours().enumerated().map { try folder.write($1, "hour\($0).pcap") }
    _ = try session(together, folder).read(paths: files) { _, _, _ in }

    let other = try TestFolder()
    let apart = try TelescopeStore(DataStore.inMemory())
    for file in files { _ = try session(apart, other).read(paths: [file]) { _, _, _ in } }
    let (left, right) = (try contents(together), try contents(apart))
    #expect(left.0 == right.0)
    #expect(left.1 == right.1)
    #expect(left.2 == right.2)
    #expect(left.0.first { $0.verdict == .infected }?.packets == 1_200)
  }

  @Test("files are read in the order of their packets, whatever order they are named in")
  func shuffled() throws {
    let folder = try TestFolder()
    let files = try hours().enumerated().map { try folder.write($1, "hour\($0).pcap") }
    let forwards = try TelescopeStore(DataStore.inMemory())
    _ = try session(forwards, folder).read(paths: files) { _, _, _ in }
    let other = try TestFolder()
    let backwards = try TelescopeStore(DataStore.inMemory())
    _ = try session(backwards, other).read(paths: files.reversed()) { _, _, _ in }
    let (left, right) = (try contents(forwards), try contents(backwards))
    #expect(left.0 == right.0)
    #expect(left.1 == right.1)
    #expect(left.2 == right.2)
  }

  @Test("a damaged state file is refused at every octet, and says what to do")
  func damagedState() throws {
    let folder = try TestFolder()
    let store = try TelescopeStore(DataStore.inMemory())
    let file = try folder.write(hours()[0], "hour.pcap")
    _ = try session(store, folder).read(paths: [file]) { _, _, _ in }
    let state = "\(folder.path)/state/state-1"
    let bytes = Array(try Data(contentsOf: URL(filePath: state)))
    for place in stride(from: 0, to: bytes.count, by: max(1, bytes.count / 97)) {
      var damaged = bytes
      damaged[place] ^= 0x40
      try Data(damaged).write(to: URL(filePath: state))
      #expect(throws: TelescopeError.self) { try session(store, folder) }
    }
    try Data(bytes.prefix(bytes.count / 2)).write(to: URL(filePath: state))
    #expect(throws: TelescopeError.self) { try session(store, folder) }
  }

  @Test("a capture that breaks off is read up to the break")
  func broken() throws {
    let folder = try TestFolder()
    let store = try TelescopeStore(DataStore.inMemory())
    let file = try folder.write(hours()[0].dropLast(10).map { $0 }, "broken.pcap")
    let readings = try session(store, folder).read(paths: [file]) { _, _, _ in }
    #expect(readings.first?.input.packets == 1_199)
    #expect(readings.first?.input.ending.hasPrefix("broken at octet ") == true)
  }
}
