public import NetworkTypes

/// sFlow version 5: each flow becomes one sampled packet.
public struct SFlow5Encoder: FlowEncoder {
  public private(set) var skipped: UInt64 = 0
  private let parameters: EncoderParameters
  private var clock = ExporterClock()
  private var sequence: UInt32 = 0
  private var sampleSequence: UInt32 = 0
  private var writer: DatagramWriter

  /// A sample with an IPv6 and TCP header takes about 170 octets.
  private static let largestSample = 200

  public init(_ parameters: EncoderParameters) {
    self.parameters = parameters
    writer = DatagramWriter(reserving: max(parameters.largestDatagram, 512))
  }

  public mutating func encode(
    _ batch: FlowBatch, rows: Range<Int>, exportTime: Timestamp, send: (RawSpan) throws -> Void
  ) rethrows {
    var row = rows.lowerBound
    while row < rows.upperBound {
      writer.removeAll()
      writer.u32(5)
      let isIPv4 = parameters.agent.isIPv4
      writer.u32(isIPv4 ? 1 : 2)
      writer.address(parameters.agent, length: isIPv4 ? 4 : 16)
      writer.u32(parameters.domain)
      writer.u32(sequence)
      writer.u32(
        clock.uptime(exportTime.nanoseconds, exportTime: exportTime.nanoseconds))
      let place = writer.count
      writer.u32(0)
      var count: UInt32 = 0
      while row < rows.upperBound,
        count == 0 || writer.count + Self.largestSample <= parameters.largestDatagram
      {
        sample(batch, row)
        count += 1
        row += 1
      }
      writer.patch32(count, at: place)
      sequence &+= 1
      try send(writer.octets.span.bytes)
    }
  }

  private mutating func sample(_ batch: FlowBatch, _ row: Int) {
    func number(_ column: FlowColumn) -> UInt64 { batch.number(column, row: row) }
    let packets = max(number(.packets), 1)
    let rate =
      parameters.samplingRate ?? max(UInt32(truncatingIfNeeded: number(.samplingRate)), 1)
    writer.u32(SFlow5.flowSample)
    let lengthPlace = writer.count
    writer.u32(0)
    writer.u32(sampleSequence)
    sampleSequence &+= 1
    writer.u32(UInt32(truncatingIfNeeded: number(.inputInterface)) & 0xff_ffff)
    writer.u32(rate)
    writer.u32(sampleSequence &* rate)
    writer.u32(0)
    writer.u32(UInt32(truncatingIfNeeded: number(.inputInterface)) & 0x3fff_ffff)
    writer.u32(UInt32(truncatingIfNeeded: number(.outputInterface)) & 0x3fff_ffff)
    writer.u32(1)
    writer.u32(1)
    let recordPlace = writer.count
    writer.u32(0)
    let source = batch.address(.sourceAddress, row: row)
    let destination = batch.address(.destinationAddress, row: row)
    let isIPv4 = source.isIPv4 && destination.isIPv4
    let size = Int(min(max(number(.bytes) / packets, isIPv4 ? 40 : 60), 65_535))
    writer.u32(1)
    // With the Ethernet header and the checksum that is stripped.
    writer.u32(UInt32(size + 18))
    writer.u32(4)
    let headerPlace = writer.count
    writer.u32(0)
    let start = writer.count
    ethernet(batch, row, isIPv4)
    internet(batch, row, source, destination, isIPv4, size)
    transport(batch, row, isIPv4 ? size - 20 : size - 40)
    let header = writer.count - start
    writer.zeros((4 - header % 4) % 4)
    writer.patch32(UInt32(header), at: headerPlace)
    writer.patch32(UInt32(writer.count - recordPlace - 4), at: recordPlace)
    writer.patch32(UInt32(writer.count - lengthPlace - 4), at: lengthPlace)
  }

  private mutating func ethernet(_ batch: FlowBatch, _ row: Int, _ isIPv4: Bool) {
    writer.number(batch.number(.destinationMAC, row: row), length: 6)
    writer.number(batch.number(.sourceMAC, row: row), length: 6)
    let vlan = batch.number(.sourceVLAN, row: row)
    if vlan != 0 {
      writer.u16(0x8100)
      writer.u16(UInt16(truncatingIfNeeded: vlan) & 0xfff)
    }
    writer.u16(isIPv4 ? 0x0800 : 0x86dd)
  }

  private mutating func internet(
    _ batch: FlowBatch, _ row: Int, _ source: IPAddress, _ destination: IPAddress, _ isIPv4: Bool,
    _ size: Int
  ) {
    let tos = UInt8(truncatingIfNeeded: batch.number(.typeOfService, row: row))
    let transport = UInt8(truncatingIfNeeded: batch.number(.transport, row: row))
    if isIPv4 {
      writer.u8(0x45)
      writer.u8(tos)
      writer.u16(UInt16(clamping: size))
      writer.u32(0)
      writer.u8(64)
      writer.u8(transport)
      writer.u16(0)
    } else {
      writer.u32(0x6000_0000 | UInt32(tos) << 20)
      writer.u16(UInt16(clamping: size - 40))
      writer.u8(transport)
      writer.u8(64)
    }
    writer.address(source, length: isIPv4 ? 4 : 16)
    writer.address(destination, length: isIPv4 ? 4 : 16)
  }

  private mutating func transport(_ batch: FlowBatch, _ row: Int, _ length: Int) {
    let source = UInt16(truncatingIfNeeded: batch.number(.sourcePort, row: row))
    let destination = UInt16(truncatingIfNeeded: batch.number(.destinationPort, row: row))
    switch batch.number(.transport, row: row) {
    case 6:
      writer.u16(source)
      writer.u16(destination)
      writer.u64(0)
      writer.u8(0x50)
      writer.u8(UInt8(truncatingIfNeeded: batch.number(.tcpFlags, row: row)))
      writer.u16(65_535)
      writer.u32(0)
    case 1, 58:
      writer.u16(destination)
      writer.zeros(6)
    default:
      writer.u16(source)
      writer.u16(destination)
      writer.u16(UInt16(clamping: max(length, 8)))
      writer.u16(0)
    }
  }
}
