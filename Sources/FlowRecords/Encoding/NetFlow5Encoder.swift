public import NetworkTypes

/// NetFlow version 5.
public struct NetFlow5Encoder: FlowEncoder {
  public private(set) var skipped: UInt64 = 0
  private let parameters: EncoderParameters
  private let recordsPerDatagram: Int
  private var clock = ExporterClock()
  private var sequence: UInt32 = 0
  private var writer: DatagramWriter

  public init(_ parameters: EncoderParameters) {
    self.parameters = parameters
    let fitting = (parameters.largestDatagram - NetFlow5.headerLength) / NetFlow5.recordLength
    recordsPerDatagram = min(max(fitting, 1), 30)
    writer = DatagramWriter(reserving: 1_500)
  }

  public mutating func encode(
    _ batch: FlowBatch, rows: Range<Int>, exportTime: Timestamp, send: (RawSpan) throws -> Void
  ) rethrows {
    let export = exportTime.seconds
    var row = rows.lowerBound
    while row < rows.upperBound {
      writer.removeAll()
      let uptime = clock.uptime(export &* 1_000_000_000, exportTime: export &* 1_000_000_000)
      writer.u16(5)
      writer.u16(0)
      writer.u32(uptime)
      writer.u32(UInt32(truncatingIfNeeded: export))
      writer.u32(0)
      writer.u32(sequence)
      writer.u16(UInt16(truncatingIfNeeded: parameters.domain))
      // Mode 1 is "one in so many, counted".
      writer.u16(parameters.samplingRate.map { 0x4000 | UInt16(clamping: min($0, 0x3fff)) } ?? 0)
      var count: UInt16 = 0
      while row < rows.upperBound, Int(count) < recordsPerDatagram {
        if put(batch, row, export &* 1_000_000_000) { count += 1 } else { skipped &+= 1 }
        row += 1
      }
      guard count > 0 else { return }
      writer.patch16(count, at: 2)
      sequence &+= UInt32(count)
      try send(writer.octets.span.bytes)
    }
  }

  private mutating func put(_ batch: FlowBatch, _ row: Int, _ export: Int64) -> Bool {
    guard let source = batch.address(.sourceAddress, row: row).v4,
      let destination = batch.address(.destinationAddress, row: row).v4
    else { return false }
    func number(_ column: FlowColumn) -> UInt64 { batch.number(column, row: row) }
    writer.u32(source)
    writer.u32(destination)
    writer.u32(batch.address(.nextHop, row: row).v4 ?? 0)
    writer.u16(UInt16(truncatingIfNeeded: number(.inputInterface)))
    writer.u16(UInt16(truncatingIfNeeded: number(.outputInterface)))
    writer.u32(UInt32(clamping: number(.packets)))
    writer.u32(UInt32(clamping: number(.bytes)))
    writer.u32(clock.uptime(Int64(bitPattern: number(.start)), exportTime: export))
    writer.u32(clock.uptime(Int64(bitPattern: number(.end)), exportTime: export))
    writer.u16(UInt16(truncatingIfNeeded: number(.sourcePort)))
    writer.u16(UInt16(truncatingIfNeeded: number(.destinationPort)))
    writer.u8(0)
    writer.u8(UInt8(truncatingIfNeeded: number(.tcpFlags)))
    writer.u8(UInt8(truncatingIfNeeded: number(.transport)))
    writer.u8(UInt8(truncatingIfNeeded: number(.typeOfService)))
    // A number that does not fit 16 bits is AS_TRANS (RFC 6793 §9).
    writer.u16(UInt16(exactly: number(.sourceAS)) ?? 23_456)
    writer.u16(UInt16(exactly: number(.destinationAS)) ?? 23_456)
    writer.u8(UInt8(truncatingIfNeeded: number(.sourceMask)))
    writer.u8(UInt8(truncatingIfNeeded: number(.destinationMask)))
    writer.u16(0)
    return true
  }
}
