import Foundation
import Glibc
import NetworkTypes
import PacketCapture
import Testing

@testable import FlowRecords

/// Flows that a collector's sinks got, from whatever thread.
final class Gathered: @unchecked Sendable {
  private let lock = NSLock()
  private var all: [FlowRecord] = []
  private var shards: [Int: Set<IPAddress>] = [:]

  var flows: [FlowRecord] { lock.withLock { all } }
  var exportersByShard: [Int: Set<IPAddress>] { lock.withLock { shards } }

  func sink(_ shard: Int) -> FlowSink {
    { [self] batch in
      let records = batch.records
      lock.withLock {
        all += records
        shards[shard, default: []].formUnion(records.map(\.exporter.address))
      }
      return batch
    }
  }

  /// Waits until so many flows have come, at most five seconds.
  func wait(for count: Int) {
    for _ in 0..<250 where flows.count < count { usleep(20_000) }
  }
}

@Suite("The collector", .serialized)
struct CollectorTests {
  private func configuration(_ port: UInt16 = 0) -> CollectorConfiguration {
    var configuration = CollectorConfiguration(datagrams: [loopback(port)])
    configuration.flushSeconds = 0.1
    return configuration
  }

  private func send(
    _ version: FlowProtocol, to port: UInt16, count: Int, seed: UInt64 = 5,
    from source: IPAddress? = nil
  ) throws -> [FlowRecord] {
    let sender = try FlowSender(
      to: loopback(port), EncoderParameters(version: version), flowsPerSecond: 100_000,
      from: source)
    var generator = FlowGenerator(seed: seed)
    let batch = FlowBatch(capacity: count)
    generator.fill(batch, count: count, endingBy: Timestamp(seconds: 1_700_000_000))
    try sender.send(batch, exportTime: Timestamp(seconds: 1_700_000_000))
    return batch.records
  }

  @Test("what is generated arrives as it was", arguments: FlowProtocol.allCases)
  func roundTrip(version: FlowProtocol) throws {
    let gathered = Gathered()
    let collector = FlowCollector(configuration(), makeSink: gathered.sink)
    try collector.start()
    let sent = try send(version, to: try #require(collector.datagramPorts.first), count: 2_000)
    let expected = version == .netflow5 ? sent.filter { $0.source.isIPv4 } : sent
    gathered.wait(for: expected.count)
    collector.stop()
    func line(_ flow: FlowRecord) -> String {
      // Of a flow sFlow has one packet of mean size, and no times.
      let packets = max(flow.packets, 1)
      let counters =
        version == .sflow5
        ? "\(max(flow.bytes / packets, flow.source.isIPv4 ? 40 : 60))"
        : "\(flow.packets) \(flow.bytes) \(flow.start) \(flow.end)"
      let port = flow.transport == .tcp || flow.transport == .udp ? flow.sourcePort : 0
      return "\(flow.source) \(flow.destination) \(port) \(flow.destinationPort) "
        + "\(flow.transport) \(flow.tcpFlags) \(flow.typeOfService) \(flow.inputInterface) "
        + "\(flow.outputInterface) \(counters)"
    }
    // Not the arrays themselves, whose differences would take minutes to print.
    let missing = Set(expected.map(line)).subtracting(gathered.flows.map(line))
    #expect(missing.isEmpty, "\(missing.prefix(3))")
    #expect(gathered.flows.count == expected.count)
    let statistics = collector.statistics()
    #expect(statistics.lost == 0 && statistics.kernelDrops == 0)
    #expect(statistics.exporters.allSatisfy { $0.faults.total == 0 })
  }

  @Test("IPFIX over TCP is read across segments, with templates of each connection's own")
  func tcp() throws {
    let gathered = Gathered()
    var configuration = configuration()
    configuration.streams = [loopback(0)]
    let collector = FlowCollector(configuration, makeSink: gathered.sink)
    try collector.start()
    let port = try #require(collector.streamPorts.first)
    let template = Message.ipfix([Message.set(2, Message.template(256, Message.usual))])
    let data = Message.ipfix([Message.set(256, Message.record(1) + Message.record(2))])
    func connection() -> Int32 {
      let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
      var address = sockaddr_in()
      address.sin_family = sa_family_t(AF_INET)
      address.sin_port = port.bigEndian
      address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
      let result = withUnsafePointer(to: &address) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
          connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
        }
      }
      #expect(result == 0)
      return descriptor
    }
    let first = connection()
    let octets = template + data + data
    for start in stride(from: 0, to: octets.count, by: 7) {
      let part = Array(octets[start..<min(start + 7, octets.count)])
      _ = Glibc.send(first, part, part.count, 0)
      usleep(1_000)
    }
    gathered.wait(for: 4)
    #expect(gathered.flows.count == 4)
    let second = connection()
    _ = Glibc.send(second, data, data.count, 0)
    usleep(600_000)
    #expect(gathered.flows.count == 4)
    // What is not IPFIX ends the connection.
    _ = Glibc.send(second, [UInt8](repeating: 65, count: 40), 40, 0)
    usleep(600_000)
    #expect(collector.statistics().closedConnections == 1)
    #expect(collector.statistics().connections == 1)
    close(first)
    close(second)
    collector.stop()
  }

  @Test("exporters that are not allowed, or too fast, are counted and not decoded")
  func gates() throws {
    let gathered = Gathered()
    var configuration = configuration()
    configuration.allowed = [try #require(IPPrefix("127.0.0.1/32"))]
    configuration.datagramsPerSecond = 5
    let collector = FlowCollector(configuration, makeSink: gathered.sink)
    try collector.start()
    let port = try #require(collector.datagramPorts.first)
    _ = try send(.netflow5, to: port, count: 300, from: IPAddress(v4: 0x7f00_0005))
    usleep(300_000)
    #expect(gathered.flows.isEmpty)
    _ = try send(.netflow5, to: port, count: 3_000)
    usleep(500_000)
    collector.stop()
    let statistics = collector.statistics()
    #expect(statistics.refused >= 8)
    #expect(statistics.shed >= 50)
    #expect(statistics.exporters.first.map { (10...15).contains($0.datagrams) } == true)
  }

  @Test("each exporter has its datagrams decoded by one shard")
  func shards() throws {
    let gathered = Gathered()
    var configuration = configuration(try freePort())
    configuration.shards = 3
    let collector = FlowCollector(configuration, makeSink: gathered.sink)
    try collector.start()
    let port = try #require(collector.datagramPorts.first)
    for exporter in 1...9 {
      _ = try send(
        .netflow9, to: port, count: 50, from: IPAddress(v4: 0x7f00_0000 | UInt32(exporter)))
    }
    gathered.wait(for: 450)
    collector.stop()
    #expect(gathered.flows.count == 450)
    for (shard, exporters) in gathered.exportersByShard {
      #expect(exporters.allSatisfy { FlowCollector.shard(of: $0, 3) == shard })
      #expect(exporters.count == 3)
    }
  }

  @Test("what the kernel drops while the sink is stuck is counted, and shows as a gap")
  func kernelDrops() throws {
    let gathered = Gathered()
    let stuck = NSLock()
    var configuration = configuration()
    configuration.receiveBuffer = 16_384
    configuration.blocks = 2
    let collector = FlowCollector(configuration) { shard in
      let sink = gathered.sink(shard)
      return { batch in
        stuck.lock()
        stuck.unlock()
        return sink(batch)
      }
    }
    try collector.start()
    let port = try #require(collector.datagramPorts.first)
    stuck.lock()
    _ = try send(.netflow9, to: port, count: 30_000)
    stuck.unlock()
    usleep(500_000)
    _ = try send(.netflow9, to: port, count: 100)
    usleep(500_000)
    collector.stop()
    let statistics = collector.statistics()
    #expect(statistics.kernelDrops > 0)
    #expect(statistics.queueFull == 0 || statistics.kernelDrops > 0)
    #expect(UInt64(gathered.flows.count) == statistics.flows)
  }

  @Test("templates survive a restart of the collector")
  func state() throws {
    try withTemporaryDirectory { directory in
      var configuration = configuration()
      configuration.stateFile = directory + "/templates.json"
      let template = Message.netflow9([Message.set(0, Message.template(256, Message.usual))])
      let data = Message.netflow9([Message.set(256, Message.record(1))], sequence: 1)
      let first = FlowCollector(configuration, makeSink: Gathered().sink)
      try first.start()
      try NfdumpArchive.sendDatagrams([template], to: try #require(first.datagramPorts.first))
      usleep(300_000)
      first.stop()
      let gathered = Gathered()
      let second = FlowCollector(configuration, makeSink: gathered.sink)
      try second.start()
      try NfdumpArchive.sendDatagrams([data], to: try #require(second.datagramPorts.first))
      gathered.wait(for: 1)
      second.stop()
      #expect(gathered.flows.count == 1)
      // A file that is broken is said to be, and the collector runs.
      try Data("{".utf8).write(to: URL(fileURLWithPath: directory + "/templates.json"))
      let notes = NoteBox()
      let third = FlowCollector(configuration, note: notes.add, makeSink: Gathered().sink)
      try third.start()
      third.stop()
      #expect(notes.texts.contains { $0.contains("learnt anew") })
    }
  }

  @Test("a port in use is an error that names it")
  func portInUse() throws {
    let first = FlowCollector(configuration(), makeSink: Gathered().sink)
    try first.start()
    let port = try #require(first.datagramPorts.first)
    let second = FlowCollector(configuration(port), makeSink: Gathered().sink)
    #expect(throws: CollectorError.self) { try second.start() }
    first.stop()
  }

  @Test("a collector that runs as a service ends with its task")
  func service() async throws {
    let collector = FlowCollector(configuration(), makeSink: Gathered().sink)
    let task = Task { try await collector.run() }
    try await Task.sleep(for: .milliseconds(300))
    task.cancel()
    try await task.value
    #expect(!collector.statistics().metrics.isEmpty)
  }
}

final class NoteBox: @unchecked Sendable {
  private let lock = NSLock()
  private var all: [String] = []
  var texts: [String] { lock.withLock { all } }
  var add: @Sendable (String) -> Void {
    { [self] text in lock.withLock { all.append(text) } }
  }
}
