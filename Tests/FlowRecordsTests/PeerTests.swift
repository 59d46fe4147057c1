import Foundation
import Glibc
import NetworkTypes
import PacketCapture
import Testing

@testable import FlowRecords

@Suite("Beside other exporters and collectors", .serialized)
struct PeerTests {
  /// Captures of traffic for exporters to turn into flows.
  static let traffic = ["irc", "synscan", "malware", "bittorrent_utp"]

  private func capture(_ name: String) -> URL {
    SharedData.folder("ndpi").appendingPathComponent("tests_cfgs_default_pcap_\(name).pcap")
  }

  /// The packets of TCP, UDP and ICMP in a capture.
  private func packets(_ file: URL) throws -> UInt64 {
    var reader = try CaptureReader(path: file.path)
    var headers = PacketHeaders()
    var count: UInt64 = 0
    while try reader.read(
      limit: 1_000,
      { record, bytes in
        if PacketDecoder.decode(copy record, bytes, into: &headers) == .decoded { count += 1 }
      }) > 0
    {}
    return count
  }

  private func collect(_ send: (UInt16) throws -> Void) throws -> [FlowRecord] {
    let gathered = Gathered()
    var configuration = CollectorConfiguration(datagrams: [loopback(0)])
    configuration.flushSeconds = 0.1
    let collector = FlowCollector(configuration, makeSink: gathered.sink)
    try collector.start()
    try send(try #require(collector.datagramPorts.first))
    usleep(500_000)
    collector.stop()
    let statistics = collector.statistics()
    #expect(statistics.exporters.allSatisfy { $0.faults.total == 0 && $0.heldOctets == 0 })
    #expect(statistics.strayFaults.total == 0)
    #expect(statistics.lost == 0 && statistics.exporters.allSatisfy { $0.reordered == 0 })
    return gathered.flows
  }

  @Test(
    "softflowd's flows have all packets of the capture",
    .enabled(if: Tool.has("softflowd") && SharedData.isPresent), arguments: ["5", "9", "10"])
  func softflowd(version: String) throws {
    for name in Self.traffic {
      let file = capture(name)
      let flows = try withTemporaryDirectory { directory in
        try collect { port in
          _ = try Tool("softflowd")?.run([
            "-r", file.path, "-n", "127.0.0.1:\(port)", "-v", version, "-d",
            "-p", directory + "/softflowd.pid", "-c", "none",
          ])
        }
      }
      #expect(flows.reduce(0) { $0 + $1.packets } == (try packets(file)), "\(name)")
      #expect(flows.allSatisfy { $0.start <= $0.end && $0.bytes >= $0.packets * 20 })
    }
  }

  @Test(
    "pmacctd's probes give all packets of the capture",
    .enabled(if: Tool.has("pmacctd") && SharedData.isPresent),
    arguments: ["5", "9", "10"])
  func nfprobe(version: String) throws {
    let file = capture("irc")
    try withTemporaryDirectory { directory in
      let flows = try collect { port in
        let configuration = """
          pcap_savefile: \(file.path)
          plugins: nfprobe
          aggregate: src_host, dst_host, src_port, dst_port, proto, tos, tcpflags
          nfprobe_receiver: 127.0.0.1:\(port)
          nfprobe_version: \(version)
          """
        let path = directory + "/pmacctd.conf"
        try configuration.write(toFile: path, atomically: true, encoding: .utf8)
        let process = try #require(Tool("pmacctd")).start(["-f", path])
        for _ in 0..<60 where process.isRunning { usleep(100_000) }
        process.stop()
      }
      #expect(flows.reduce(0) { $0 + $1.packets } == (try packets(file)))
    }
  }

  @Test(
    "every capture of datagrams gives at least as many flows as nfcapd stores",
    .enabled(if: Tool.has("nfcapd", "nfdump") && SharedData.isPresent))
  func captures() throws {
    var files = SharedData.files(in: "pmacct", suffixes: [".pcap"])
    files += SharedData.files(in: "exatel", suffixes: [".pcap"])
    files.append(capture("netflowv9"))
    for file in files {
      let payloads = try datagrams(of: file)
      let collected = CollectedFlows()
      // nfcapd gets them all from one address, and so does the decoder here.
      for datagram in payloads { collected.feed(datagram.payload, at: datagram.time) }
      let stored = try withTemporaryDirectory { directory in
        try NfdumpArchive.count(
          NfdumpArchive.collect(in: directory) { port in
            try NfdumpArchive.sendDatagrams(payloads.map(\.payload), to: port)
          })
      }
      #expect(collected.finish().count >= stored, "\(file.lastPathComponent)")
    }
  }

  @Test(
    "sfcapd stores as many flows of our sFlow as were sent",
    .enabled(if: Tool.has("sfcapd", "nfdump")))
  func sfcapd() throws {
    try withTemporaryDirectory { directory in
      let files = try NfdumpArchive.collect(with: "sfcapd", in: directory) { port in
        let sender = try FlowSender(
          to: loopback(port), EncoderParameters(version: .sflow5), flowsPerSecond: 20_000)
        var generator = FlowGenerator(seed: 8)
        let batch = FlowBatch(capacity: 1_000)
        generator.fill(batch, count: 1_000, endingBy: Timestamp(seconds: 1_700_000_000))
        try sender.send(batch, exportTime: Timestamp(seconds: 1_700_000_000))
      }
      #expect(try NfdumpArchive.count(files) == 1_000)
    }
  }

  @Test(
    "nfcapd takes the sampling rate that is announced, and multiplies by it",
    .enabled(if: Tool.has("nfcapd", "nfdump")), arguments: [FlowProtocol.netflow9, .ipfix])
  func announcedRate(version: FlowProtocol) throws {
    try withTemporaryDirectory { directory in
      var parameters = EncoderParameters(version: version)
      parameters.samplingRate = 250
      var generator = FlowGenerator(seed: 8)
      let batch = FlowBatch(capacity: 300)
      generator.fill(batch, count: 300, endingBy: Timestamp(seconds: 1_700_000_000))
      let files = try NfdumpArchive.collect(in: directory) { port in
        let sender = try FlowSender(to: loopback(port), parameters, flowsPerSecond: 20_000)
        try sender.send(batch, exportTime: Timestamp(seconds: 1_700_000_000))
      }
      var (packets, bytes): (UInt64, UInt64) = (0, 0)
      for file in files {
        var reader = try NfcapdReader(path: file)
        let part = FlowBatch(capacity: 1_000)
        while reader.read(into: part) {
          packets += part.records.reduce(0) { $0 + $1.packets }
          bytes += part.records.reduce(0) { $0 + $1.bytes }
          part.removeAll()
        }
      }
      #expect(packets == batch.records.reduce(0) { $0 + $1.packets } * 250)
      #expect(bytes == batch.records.reduce(0) { $0 + $1.bytes } * 250)
      // And so does our own decoder, from the sampler.
      let collected = CollectedFlows()
      var encoder = parameters.encoder()
      encoder.encode(batch, rows: 0..<300, exportTime: Timestamp(seconds: 1_700_000_000)) {
        collected.feed($0.withUnsafeBytes { Array($0) })
      }
      let flows = collected.finish()
      #expect(
        flows.count == 300
          && flows.allSatisfy { $0.sampling == SamplingRate(rate: 250, source: .options) })
      #expect(collected.decoder.statistics.allSatisfy { $0.lost == 0 && $0.faults.total == 0 })
    }
  }

  @Test(
    "nfcapd stores what was sent",
    .enabled(if: Tool.has("nfcapd", "nfdump")), arguments: [FlowProtocol.netflow9, .ipfix])
  func nfcapd(version: FlowProtocol) throws {
    try withTemporaryDirectory { directory in
      let parameters = EncoderParameters(version: version)
      var profile = TrafficProfile()
      profile.ipv6Share = 0.3
      var generator = FlowGenerator(seed: 8, profile: profile)
      let batch = FlowBatch(capacity: 300)
      generator.fill(batch, count: 300, endingBy: Timestamp(seconds: 1_700_000_000))
      let files = try NfdumpArchive.collect(in: directory) { port in
        let sender = try FlowSender(to: loopback(port), parameters, flowsPerSecond: 20_000)
        try sender.send(batch, exportTime: Timestamp(seconds: 1_700_000_000))
      }
      var stored: [FlowRecord] = []
      for file in files {
        var reader = try NfcapdReader(path: file)
        let part = FlowBatch(capacity: 1_000)
        while reader.read(into: part) {
          stored += part.records
          part.removeAll()
        }
      }
      func line(_ flow: FlowRecord) -> String {
        // nfcapd 1.7.1 keeps no ICMP type of NetFlow v9.
        let hasPorts = flow.transport == .tcp || flow.transport == .udp
        return "\(flow.source) \(flow.destination) \(flow.sourcePort) "
          + "\(hasPorts ? flow.destinationPort : 0) \(flow.transport) \(flow.packets) \(flow.bytes) \(flow.start) "
          + "\(flow.end) \(flow.tcpFlags) \(flow.sourceAS) \(flow.destinationAS)"
      }
      let missing = Set(batch.records.map { line($0) })
        .subtracting(stored.map { line($0) })
      let first = missing.first ?? ""
      let near = stored.map { line($0) }.filter { $0.hasPrefix(first.prefix(20)) }
      #expect(missing.isEmpty, "\(first) not among \(near.prefix(3))")
      #expect(stored.count == batch.count)
    }
  }
}
