import ArgumentParser
import FlowAnalysis
import FlowArchive
import FlowRecords
import Foundation
import NetworkTypes
import PacketCapture
import Store

/// Where the flows of a command come from: files of nfcapd, captures, or a time of the archive.
struct FlowInput: ParsableArguments {
  @Argument(
    help: "Files of nfcapd, or captures; without any, the flow archive.", completion: .file())
  var files: [String] = []

  @Option(name: .long, help: "Of the archive: from this moment on.")
  var from: String?

  @Option(name: .long, help: "Of the archive: up to this moment.")
  var to: String?

  @Option(name: .long, help: "The archive. Default: flows in the data directory.")
  var archive: String?

  @Option(
    name: .long, help: "Why these flows are looked at; it goes into the audit trail (archive).")
  var purpose: String?

  func validate() throws {
    if files.isEmpty, purpose?.contains(where: { !$0.isWhitespace }) != true {
      throw ValidationError(
        "Name files, or say with --purpose why the flows of the archive are looked at.")
    }
    _ = try QueryWindow.read(from: from, to: to)
  }

  /// Hands over all flows in the order of their ends, and gives back how many there were.
  func forEach(_ house: House, title: String, _ body: (AttackFlow) -> Void) throws -> UInt64 {
    let bar = ProgressBar(title, unit: "flows")
    defer { bar.finish() }
    var sorter = FlowSorter()
    var count: UInt64 = 0
    func add(_ flow: AttackFlow) {
      count += 1
      sorter.add(flow, body)
    }
    func add(_ batch: FlowBatch) {
      let isBiflow = batch.has(.reversePackets)
      for row in 0..<batch.count {
        if let flow = AttackFlow(batch, row: row) { add(flow) }
        if isBiflow, let flow = AttackFlow.reverse(of: batch, row: row) { add(flow) }
      }
    }
    if files.isEmpty { try readArchive(house, bar) { add($0) } }
    for (index, path) in files.enumerated() {
      try Task.checkCancellation()
      let fraction = Double(index) / Double(files.count)
      if try !readNfcapd(
        path,
        {
          add($0)
          bar.update(count, fraction: fraction, detail: path)
        })
      {
        try PacketFlows.read(path) { flow in
          add(flow)
          if count % 4_096 == 0 { bar.update(count, fraction: fraction, detail: path) }
        }
      }
    }
    sorter.finish(body)
    return count
  }

  /// False where it is no file of nfcapd.
  private func readNfcapd(_ path: String, _ body: (FlowBatch) -> Void) throws -> Bool {
    // nfdump's files begin with 0xa50c in the byte order of the machine that wrote them.
    guard let file = FileHandle(forReadingAtPath: path) else {
      throw CommandFailure("There is no readable \(path)", status: .noInput)
    }
    let magic = [UInt8](try file.read(upToCount: 2) ?? Data())
    try file.close()
    guard magic == [0x0c, 0xa5] || magic == [0xa5, 0x0c] else { return false }
    var reader = try NfcapdReader(path: path)
    let batch = FlowBatch()
    while reader.read(into: batch) {
      body(batch)
      batch.removeAll()
    }
    if reader.brokenBlocks > 0 || reader.brokenRecords > 0 || reader.isTruncated {
      Terminal.error.line(
        "\(path): \(reader.brokenBlocks) blocks and \(reader.brokenRecords) records are broken"
          + (reader.isTruncated ? ", and it ends early." : "."))
    }
    return true
  }

  private func readArchive(
    _ house: House, _ bar: ProgressBar, _ body: (FlowBatch) -> Void
  ) throws {
    let store = try house.store()
    var search = FlowSearch(
      archive: archive ?? house.data.flows,
      purpose: try SearchPurpose(actor: House.operatorName, purpose: purpose ?? "")
    ) { record in
      try house.record(
        "flows.search." + record.stage.rawValue, subject: record.archive,
        details: record.details, in: store)
    }
    search.isCancelled = { Task.isCancelled }
    var query = try FlowQuery(.listing)
    query.window = try QueryWindow.read(from: from, to: to)
    query.windowRule = .overlapping
    var flows: UInt64 = 0
    try search.forEachBatch(query) { batch in
      flows += UInt64(batch.count)
      bar.update(flows)
      body(batch)
    }
  }
}

/// Makes flows of a capture's packets: one for each key and second.
enum PacketFlows {
  private struct Key: Hashable {
    var source: IPAddress
    var destination: IPAddress
    var ports: UInt32
    var transport: UInt8
    var icmpType: UInt8
  }

  /// Keys of a second; more begin the next portion before it is over, which changes no sums.
  private static let largestKeyCount = 1 << 18

  static func read(_ path: String, _ body: (AttackFlow) -> Void) throws {
    var reader = try CaptureReader(path: path)
    var headers = PacketHeaders()
    var flows: [Key: AttackFlow] = [:]
    var second = Int64.min
    func flush() {
      for flow in flows.values.sorted(by: { ($0.end, $0.source) < ($1.end, $1.source) }) {
        body(flow)
      }
      flows.removeAll(keepingCapacity: true)
    }
    while try reader.read(
      limit: 4_096,
      { record, bytes in
        let outcome = PacketDecoder.decode(record, bytes, into: &headers)
        guard
          outcome == .decoded || outcome == .truncatedTransport || outcome == .malformedTCPHeader
        else { return }
        if headers.timestamp.seconds != second || flows.count >= largestKeyCount {
          flush()
          second = headers.timestamp.seconds
        }
        let isICMP = headers.transport == .icmp || headers.transport == .icmpv6
        // A later fragment has no ports, and so is told from the first.
        let ports = isICMP ? 0 : UInt32(headers.sourcePort) << 16 | UInt32(headers.destinationPort)
        let key = Key(
          source: headers.source, destination: headers.destination, ports: ports,
          transport: headers.transport.rawValue, icmpType: isICMP ? headers.icmpType : 0)
        let flow = AttackFlow(
          start: headers.timestamp, end: headers.timestamp, source: headers.source,
          destination: headers.destination, sourcePort: UInt16(truncatingIfNeeded: ports >> 16),
          destinationPort: UInt16(truncatingIfNeeded: ports), transport: headers.transport,
          tcpFlags: headers.tcpFlags | (flows[key]?.tcpFlags ?? 0), icmpType: key.icmpType,
          packets: 1, octets: UInt64(headers.ipLength))
        guard var known = flows[key] else {
          flows[key] = flow
          return
        }
        known.tcpFlags = flow.tcpFlags
        known.kind = flow.kind
        known.end = max(known.end, flow.end)
        known.packets &+= 1
        known.octets &+= flow.octets
        flows[key] = known
      }) > 0
    {}
    flush()
    if case .broken(let offset, let reason) = reader.ending {
      Terminal.error.line("\(path) breaks off at octet \(offset): \(reason)")
    }
  }
}
