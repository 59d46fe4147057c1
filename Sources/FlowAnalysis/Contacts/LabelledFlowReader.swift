import FlowRecords
import Foundation

/// Reads flows with their labels from files of others: CTU-13 binetflow, Zeek conn.log, CSV, nfcapd;
/// text plain or compressed by gzip, xz, zstd or bzip2. The form is told from the first line.
///
/// ```swift
/// let counts = try LabelledFlowReader(path: "capture20110816.binetflow.xz").forEachFlow { flow in … }
/// ```
public struct LabelledFlowReader: Sendable {
  /// What a file held.
  public struct Counts: Hashable, Sendable {
    public var flows = 0
    /// Lines of other protocols, or not complete.
    public var passedOver = 0

    public init() {}
  }

  /// The file; nil for text in memory.
  public let path: String?
  private let bytes: [UInt8]

  public init(path: String) {
    self.path = path
    bytes = []
  }

  /// Text in memory.
  public init(bytes: [UInt8]) {
    path = nil
    self.bytes = bytes
  }

  /// Hands over every flow in the order of the file.
  ///
  /// - Throws: ``LabelledFlowError``, or what `body` throws.
  @discardableResult
  public func forEachFlow(_ body: (LabelledFlow) throws -> Void) throws -> Counts {
    var counts = Counts()
    if let path, try isNfcapd(path) {
      try readNfcapd(path, &counts, body)
      return counts
    }
    var lines = if let path { try LineSource(path: path) } else { LineSource(bytes: bytes) }
    let name = path ?? "the text"
    var labels = LabelTexts()
    var zeek = ZeekLines()
    var binetflow: BinetflowLines?
    var own: ContactLines?
    var isKnown = false
    while let line = try lines.next() {
      guard let first = line.first else { continue }
      if first == 35 {  // #
        zeek.readHeader(line)
        isKnown = isKnown || zeek.isReady
        continue
      }
      let flow: LabelledFlow?
      if first == 123 {  // {
        isKnown = true
        flow = zeek.flow(json: line, labels: &labels)
      } else if let binetflow {
        flow = binetflow.flow(line, labels: &labels)
      } else if let own {
        flow = own.flow(line, labels: &labels)
      } else if zeek.isReady {
        flow = zeek.flow(line, labels: &labels)
      } else {
        let text = FieldText.string(line)
        if text.hasPrefix("StartTime,") {
          binetflow = try BinetflowLines(header: line, path: name)
        } else if text.lowercased().split(separator: ",").contains("start") {
          own = try ContactLines(header: line, path: name)
        } else {
          throw LabelledFlowError.unknownFormat(path: name)
        }
        isKnown = true
        continue
      }
      if let flow {
        counts.flows += 1
        try body(flow)
      } else {
        counts.passedOver += 1
      }
    }
    guard isKnown else { throw LabelledFlowError.unknownFormat(path: name) }
    return counts
  }

  /// nfcapd files begin with the octets A5 0C or 0C A5.
  private func isNfcapd(_ path: String) throws -> Bool {
    guard let handle = FileHandle(forReadingAtPath: path) else {
      throw LabelledFlowError.cannotOpen(path: path, reason: "there is no such readable file")
    }
    defer { try? handle.close() }
    let magic = try handle.read(upToCount: 2).map { Array($0) }
    return magic == [0x0c, 0xa5] || magic == [0xa5, 0x0c]
  }

  private func readNfcapd(
    _ path: String, _ counts: inout Counts, _ body: (LabelledFlow) throws -> Void
  ) throws {
    var reader = try NfcapdReader(path: path)
    let batch = FlowBatch()
    while reader.read(into: batch) {
      for row in 0..<batch.count {
        if let contact = Orientation.contact(batch, row: row) {
          counts.flows += 1
          let source = batch.address(.sourceAddress, row: row)
          try body(
            LabelledFlow(
              contact: contact, sourceIsClient: source == contact.client, label: .background))
        } else {
          counts.passedOver += 1
        }
      }
      batch.removeAll()
    }
  }
}
