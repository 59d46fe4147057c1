import Foundation
import NetworkTypes
import Testing

@testable import FlowRecords

@Suite("Files of nfcapd", .serialized)
struct NfcapdReaderTests {
  private static let hasNfdump = Tool.has("nfcapd", "nfdump")

  private func flows(_ path: String) throws -> (flows: [FlowRecord], reader: NfcapdReader) {
    var reader = try NfcapdReader(path: path)
    let batch = FlowBatch(capacity: 500)
    var flows: [FlowRecord] = []
    while reader.read(into: batch) {
      flows += batch.records
      batch.removeAll()
    }
    return (flows, reader)
  }

  private func differences(_ path: String) throws -> (count: Int, different: [String]) {
    let (flows, reader) = try flows(path)
    let rows = try NfdumpArchive.rows(path)
    var different: [String] = []
    for (flow, row) in zip(flows, rows) {
      for (name, value) in flow.nfdumpCells where row[name] != value {
        // nfdump prints an end before the start as 1970; and IPv6 hops in a column of their own form.
        different.append("\(name): \(value), nfdump \(row[name] ?? "nothing")")
      }
    }
    #expect(flows.count == rows.count)
    #expect(reader.brokenBlocks == 0 && reader.brokenRecords == 0 && !reader.isTruncated)
    return (flows.count, different)
  }

  @Test(
    "plain, LZ4 and LZO files read as nfdump prints them", .enabled(if: hasNfdump),
    arguments: ["", "-y", "-z"])
  func compressions(option: String) throws {
    try withTemporaryDirectory { directory in
      let files = try NfdumpArchive.collect(
        options: option.isEmpty ? [] : [option], in: directory
      ) { port in
        for version in [FlowProtocol.netflow9, .ipfix, .netflow5] {
          let sender = try FlowSender(
            to: loopback(port), EncoderParameters(version: version), flowsPerSecond: 20_000)
          var generator = FlowGenerator(seed: 5)
          let batch = FlowBatch(capacity: 600)
          generator.fill(batch, count: 600, endingBy: Timestamp(seconds: 1_700_000_000))
          try sender.send(batch, exportTime: Timestamp(seconds: 1_700_000_000))
        }
      }
      let file = try #require(files.first)
      let (count, different) = try differences(file)
      #expect(count > 1_600)
      #expect(different.isEmpty, "\(different.prefix(10))")
    }
  }

  @Test(
    "elements of vendors read as nfdump prints them",
    .enabled(if: hasNfdump && SharedData.isPresent))
  func vendors() throws {
    var total = 0
    for (name, files) in VendorDatagramTests.groups {
      // Its flows end before they start, which nfdump 1.7.1 prints as 1970 or as years.
      if name.contains("asa_1") || name.contains("invalid") { continue }
      try withTemporaryDirectory { directory in
        let payloads = try files.map { try SharedData.octets($0) }
        let stored = try NfdumpArchive.collect(in: directory) { port in
          try NfdumpArchive.sendDatagrams(payloads, to: port)
        }
        for file in stored {
          let (count, different) = try differences(file)
          total += count
          #expect(different.isEmpty, "\(name): \(different.prefix(6))")
        }
      }
    }
    #expect(total > 200)
  }

  @Test("a file that ends early is read up to the break", .enabled(if: hasNfdump))
  func truncated() throws {
    try withTemporaryDirectory { directory in
      let files = try NfdumpArchive.collect(options: ["-y"], in: directory) { port in
        let sender = try FlowSender(
          to: loopback(port), EncoderParameters(version: .netflow9), flowsPerSecond: 50_000)
        var generator = FlowGenerator(seed: 5)
        let batch = FlowBatch(capacity: 500)
        generator.fill(batch, count: 500, endingBy: Timestamp(seconds: 1_700_000_000))
        try sender.send(batch, exportTime: Timestamp(seconds: 1_700_000_000))
      }
      let whole = Array(try Data(contentsOf: URL(fileURLWithPath: try #require(files.first))))
      let path = directory + "/cut"
      for length in stride(from: 0, to: whole.count, by: max(whole.count / 12, 1)) {
        try Data(whole[0..<length]).write(to: URL(fileURLWithPath: path))
        if length < 40 {
          #expect(throws: NfcapdError.self) { try NfcapdReader(path: path) }
        } else {
          #expect(try flows(path).reader.isTruncated || (try flows(path).flows.count == 500))
        }
      }
      // Every octet wrong once: never a trap.
      for place in stride(from: 0, to: min(whole.count, 4_000), by: 97) {
        var broken = whole
        broken[place] ^= 0xff
        try Data(broken).write(to: URL(fileURLWithPath: path))
        _ = try? flows(path)
      }
    }
  }

  @Test("files of nfdump 1.6 and other files are refused with what to do")
  func refusals() throws {
    try withTemporaryDirectory { directory in
      let path = directory + "/file"
      var header = [UInt8](repeating: 0, count: 40)
      header[0...3] = [0x0c, 0xa5, 1, 0]
      try Data(header).write(to: URL(fileURLWithPath: path))
      #expect(throws: NfcapdError.oldLayout(path: path, version: 1)) {
        try NfcapdReader(path: path)
      }
      header[2] = 2
      header[16] = 2
      try Data(header).write(to: URL(fileURLWithPath: path))
      #expect(throws: NfcapdError.unsupportedCompression(path: path, name: "bzip2")) {
        try NfcapdReader(path: path)
      }
      header[0] = 1
      try Data(header).write(to: URL(fileURLWithPath: path))
      #expect(throws: NfcapdError.notNfcapd(path: path)) { try NfcapdReader(path: path) }
    }
  }

  private func lz4(_ block: some Sequence<UInt8>, limit: Int) -> [UInt8]? {
    let octets = Array(block)
    return BlockCompression.lz4(octets.span.bytes, limit: limit)
  }

  private func lzo(_ block: some Sequence<UInt8>, limit: Int) -> [UInt8]? {
    let octets = Array(block)
    return BlockCompression.lzo(octets.span.bytes, limit: limit)
  }

  @Test("hand-made blocks decompress, and broken ones give nothing")
  func blocks() {
    // "abc", then a match that repeats it twice over itself, then "z".
    let lz4Block: [UInt8] = [0x32, 97, 98, 99, 3, 0, 0x10, 122]
    #expect(lz4(lz4Block, limit: 100) == Array("abcabcabcz".utf8))
    #expect(lz4(lz4Block, limit: 5) == nil)
    #expect(lz4(lz4Block.dropLast(3), limit: 100) == nil)
    // Distance 0 and distances past the start.
    #expect(lz4([0x12, 97, 0, 0, 0], limit: 100) == nil)
    #expect(lz4([0x12, 97, 9, 0, 0], limit: 100) == nil)
    // LZO: four literals, and the end.
    let lzoBlock: [UInt8] = [21, 97, 98, 99, 100, 17, 0, 0]
    #expect(lzo(lzoBlock, limit: 100) == Array("abcd".utf8))
    #expect(lzo(lzoBlock, limit: 3) == nil)
    var numbers = SeededNumbers(seed: 1)
    for _ in 0..<20_000 {
      let noise = (0..<Int(numbers.below(60))).map { _ in UInt8(truncatingIfNeeded: numbers.next())
      }
      _ = lz4(noise, limit: 4_096)
      _ = lzo(noise, limit: 4_096)
    }
  }
}
