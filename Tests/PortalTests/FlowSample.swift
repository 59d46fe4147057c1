import FlowArchive
import Foundation
import NetworkTypes

@testable import FlowRecords
@testable import Portal

/// An archive of six hours of flows on 22 November 2026, made once for all tests and removed with the process.
enum FlowSample {
  static let end = Timestamp("2026-11-22T12:00:00Z")!  // a literal in the right form
  static let hours = 6
  /// The two who talk most, and over what.
  static let a = "192.0.2.4"
  static let b = "203.0.113.9"
  static let exporter = FlowExporter(address: IPAddress("198.18.0.1")!, domain: 7)  // likewise

  /// Flows in order, so that tests can count for themselves.
  static let records: [FlowRecord] = {
    var dice = Dice(state: 9)
    let begin = end.seconds - Int64(hours) * 3_600
    return (0..<3_000).map { index in
      var flow = FlowRecord()
      let start = begin + Int64(index) * Int64(hours) * 3_600 / 3_000
      flow.start = Timestamp(seconds: start)
      flow.end = Timestamp(seconds: min(start + Int64(dice.next(5)), end.seconds))
      let isTalk = index % 10 == 0
      let isBack = index % 20 == 0
      let one = isTalk ? IPAddress(a)! : IPAddress(v4: 0xc000_0200 + UInt32(dice.next(200) + 20))
      let other = isTalk ? IPAddress(b)! : IPAddress(v4: 0xcb00_7100 + UInt32(dice.next(90) + 20))
      (flow.source, flow.destination) = isBack ? (other, one) : (one, other)
      let kind = dice.next(10)
      flow.transport = isTalk || kind < 6 ? .tcp : kind < 9 ? .udp : .icmp
      let service: UInt16 = isTalk ? 23 : [80, 443, 53, 23, 22][dice.next(5)]
      let client = UInt16(40_000 + dice.next(9_000))
      (flow.sourcePort, flow.destinationPort) = isBack ? (service, client) : (client, service)
      if flow.transport == .icmp { (flow.sourcePort, flow.destinationPort) = (0, 2_048) }
      flow.tcpFlags = flow.transport == .tcp ? 0b01_1011 : 0
      flow.packets = UInt64(dice.next(40) + 1)
      flow.bytes = flow.packets * UInt64(60 + dice.next(1_200))
      flow.sampling = SamplingRate(rate: 10, source: .options)
      flow.exporter = exporter
      return flow
    }
  }()

  static let archive: String = {
    let path = NSTemporaryDirectory() + "noroshi-portal-flows-\(UUID().uuidString)"
    do {
      let writer = try ArchiveWriter(root: path)
      for start in stride(from: 0, to: records.count, by: 1_000) {
        let batch = FlowBatch(capacity: 1_000)
        for flow in records[start..<start + 1_000] { batch.append(flow) }
        writer.append(batch)
      }
      try writer.close()
    } catch {
      fatalError("the tests need an archive, and cannot write one: \(error)")
    }
    atexit { try? FileManager.default.removeItem(atPath: FlowSample.archive) }
    return path
  }()

  static let source = FlowSource(archive: archive) {
    var statistics = CollectorStatistics()
    var router = ExporterStatistics(exporter: exporter, version: .netflow9)
    router.flows = 3_000
    router.datagrams = 1_200
    router.lost = 4
    router.templates = 2
    router.sampling = SamplingRate(rate: 10, source: .options)
    router.faults[.unknownTemplate] = 5
    (router.firstReceived, router.lastReceived) = (end.advanced(bySeconds: -3_600), end)
    var silent = ExporterStatistics(
      exporter: FlowExporter(address: IPAddress("198.18.0.2")!, domain: 0), version: .sflow5)
    silent.flows = 12
    silent.datagrams = 3
    silent.lastReceived = end
    statistics.exporters = [router, silent]
    statistics.datagrams = 1_200
    statistics.kernelDrops = 3
    return FlowCollectorReport(written: end, statistics: statistics)
  }
}

enum ArchiveCancellation {
  /// What a search throws that was told to stop.
  static let error: any Error = ArchiveError.cancelled
}
