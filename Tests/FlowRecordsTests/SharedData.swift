import Foundation
import NetworkTypes
import PacketCapture

@testable import FlowRecords

/// Where the data that are not part of the repository are: `NOROSHI_SHARED`, or `../shared` beside
/// the package.
enum SharedData {
  static let flows: URL? = {
    let fileManager = FileManager.default
    var roots: [URL] = []
    if let named = ProcessInfo.processInfo.environment["NOROSHI_SHARED"] {
      roots.append(URL(fileURLWithPath: named))
    }
    let package = URL(fileURLWithPath: #filePath).resolvingSymlinksInPath()
      .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    roots.append(package.deletingLastPathComponent().appendingPathComponent("shared"))
    return roots.map { $0.appendingPathComponent("data/flows") }
      .first { fileManager.fileExists(atPath: $0.path) }
  }()

  static var isPresent: Bool { flows != nil }

  static func folder(_ name: String) -> URL {
    (flows ?? URL(fileURLWithPath: "/nonexistent")).appendingPathComponent("netflow-pcaps/\(name)")
  }

  static func files(in folder: String, suffixes: [String]) -> [URL] {
    let names =
      (try? FileManager.default.contentsOfDirectory(atPath: self.folder(folder).path)) ?? []
    return names.filter { name in suffixes.contains { name.hasSuffix($0) } }.sorted()
      .map { self.folder(folder).appendingPathComponent($0) }
  }

  static func octets(_ file: URL) throws -> [UInt8] { Array(try Data(contentsOf: file)) }
}

/// A datagram as it was captured.
struct CapturedDatagram {
  var source: IPAddress
  var time: Timestamp
  var payload: [UInt8]
}

/// The UDP payloads of a capture file; fragments are left out.
func datagrams(of capture: URL, toPorts ports: Set<UInt16>? = nil) throws -> [CapturedDatagram] {
  var reader = try CaptureReader(path: capture.path)
  var found: [CapturedDatagram] = []
  var headers = PacketHeaders()
  while try reader.read(
    limit: 1_000,
    { record, bytes in
      guard PacketDecoder.decode(copy record, bytes, into: &headers) == .decoded,
        headers.transport == .udp, !headers.traits.contains(.fragment),
        ports.map({ $0.contains(headers.destinationPort) }) ?? true
      else { return }
      let start = Int(headers.payloadOffset)
      let end = start + Int(headers.payloadLength)
      var payload: [UInt8] = []
      for index in start..<end {
        payload.append(bytes.unsafeLoad(fromByteOffset: index, as: UInt8.self))
      }
      found.append(
        CapturedDatagram(source: headers.source, time: headers.timestamp, payload: payload))
    }) > 0
  {}
  return found
}

/// A decoder that collects its flows as values.
final class CollectedFlows {
  private(set) var flows: [FlowRecord] = []
  private(set) var decoder: FlowDecoder!

  init(_ parameters: FlowParameters = FlowParameters(), batchCapacity: Int = 64) {
    decoder = FlowDecoder(parameters: parameters, batchCapacity: batchCapacity) {
      [unowned self] batch in
      flows.append(contentsOf: batch.records)
      return batch
    }
  }

  func feed(
    _ payload: [UInt8], from source: IPAddress = IPAddress(v4: 0x7f00_0001),
    at time: Timestamp = Timestamp(seconds: 1_700_000_000)
  ) {
    decoder.decode(payload.span.bytes, from: source, received: time)
  }

  @discardableResult
  func finish() -> [FlowRecord] {
    decoder.flush()
    return flows
  }

  var faults: FaultCounts {
    var sum = decoder.strayFaults
    for exporter in decoder.statistics { sum += exporter.faults }
    return sum
  }
}
