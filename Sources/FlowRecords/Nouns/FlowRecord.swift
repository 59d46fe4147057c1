public import NetworkTypes

/// One flow as a plain value, for code that is not hot: tests, pages, commands.
///
/// Zero, and the address of all zero bits, mean "the exporter did not say".
public struct FlowRecord: Hashable, Sendable, Codable {
  public var start = Timestamp(nanoseconds: 0)
  public var end = Timestamp(nanoseconds: 0)
  public var source = IPAddress(bits: 0)
  public var destination = IPAddress(bits: 0)
  public var sourcePort: UInt16 = 0
  public var destinationPort: UInt16 = 0
  public var transport = IPProtocol(rawValue: 0)
  public var tcpFlags: UInt8 = 0
  public var typeOfService: UInt8 = 0
  /// As counted, not scaled.
  public var packets: UInt64 = 0
  /// Octets of layer 3 as counted, not scaled.
  public var bytes: UInt64 = 0
  public var sampling = SamplingRate.unknown
  public var sourceAS: UInt32 = 0
  public var destinationAS: UInt32 = 0
  public var inputInterface: UInt32 = 0
  public var outputInterface: UInt32 = 0
  public var sourceMask: UInt8 = 0
  public var destinationMask: UInt8 = 0
  public var nextHop = IPAddress(bits: 0)
  public var bgpNextHop = IPAddress(bits: 0)
  public var sourceVLAN: UInt16 = 0
  public var destinationVLAN: UInt16 = 0
  /// MAC addresses are 48 bits, the first octet highest.
  public var sourceMAC: UInt64 = 0
  public var destinationMAC: UInt64 = 0
  public var postSourceMAC: UInt64 = 0
  public var postDestinationMAC: UInt64 = 0
  public var icmpType: UInt8 = 0
  public var icmpCode: UInt8 = 0
  public var direction: UInt8 = 0
  public var forwardingStatus: UInt8 = 0
  public var endReason: UInt8 = 0
  public var reversePackets: UInt64 = 0
  public var reverseBytes: UInt64 = 0
  public var reverseTCPFlags: UInt8 = 0
  public var postSource = IPAddress(bits: 0)
  public var postDestination = IPAddress(bits: 0)
  public var postSourcePort: UInt16 = 0
  public var postDestinationPort: UInt16 = 0
  public var mplsTopLabel: UInt32 = 0
  public var exporter = FlowExporter.unknown
  public var aggregatedFlows: UInt32 = 0
  public var postTypeOfService: UInt8 = 0
  public var ingressVRF: UInt32 = 0
  public var egressVRF: UInt32 = 0
  public var event: UInt8 = 0
  public var received = Timestamp(nanoseconds: 0)

  public init() {}

  /// Packets times the sampling rate.
  public var scaledPackets: UInt64 { SamplingRate.scaled(packets, by: sampling.rate) }
  /// Octets times the sampling rate.
  public var scaledBytes: UInt64 { SamplingRate.scaled(bytes, by: sampling.rate) }
}

extension FlowBatch {
  /// One row as a value. The row must exist.
  public subscript(row: Int) -> FlowRecord {
    var record = FlowRecord()
    func number<Value: FixedWidthInteger>(_ column: FlowColumn) -> Value {
      Value(truncatingIfNeeded: self.number(column, row: row))
    }
    record.start = Timestamp(nanoseconds: number(.start))
    record.end = Timestamp(nanoseconds: number(.end))
    record.source = address(.sourceAddress, row: row)
    record.destination = address(.destinationAddress, row: row)
    record.sourcePort = number(.sourcePort)
    record.destinationPort = number(.destinationPort)
    record.transport = IPProtocol(rawValue: number(.transport))
    record.tcpFlags = number(.tcpFlags)
    record.typeOfService = number(.typeOfService)
    record.packets = number(.packets)
    record.bytes = number(.bytes)
    record.sampling = SamplingRate(
      rate: number(.samplingRate),
      source: SamplingSource(rawValue: number(.samplingSource)) ?? .unknown)
    record.sourceAS = number(.sourceAS)
    record.destinationAS = number(.destinationAS)
    record.inputInterface = number(.inputInterface)
    record.outputInterface = number(.outputInterface)
    record.sourceMask = number(.sourceMask)
    record.destinationMask = number(.destinationMask)
    record.nextHop = address(.nextHop, row: row)
    record.bgpNextHop = address(.bgpNextHop, row: row)
    record.sourceVLAN = number(.sourceVLAN)
    record.destinationVLAN = number(.destinationVLAN)
    record.sourceMAC = number(.sourceMAC)
    record.destinationMAC = number(.destinationMAC)
    record.postSourceMAC = number(.postSourceMAC)
    record.postDestinationMAC = number(.postDestinationMAC)
    record.icmpType = number(.icmpType)
    record.icmpCode = number(.icmpCode)
    record.direction = number(.direction)
    record.forwardingStatus = number(.forwardingStatus)
    record.endReason = number(.endReason)
    record.reversePackets = number(.reversePackets)
    record.reverseBytes = number(.reverseBytes)
    record.reverseTCPFlags = number(.reverseTCPFlags)
    record.postSource = address(.postSourceAddress, row: row)
    record.postDestination = address(.postDestinationAddress, row: row)
    record.postSourcePort = number(.postSourcePort)
    record.postDestinationPort = number(.postDestinationPort)
    record.mplsTopLabel = number(.mplsTopLabel)
    record.aggregatedFlows = number(.aggregatedFlows)
    record.postTypeOfService = number(.postTypeOfService)
    record.ingressVRF = number(.ingressVRF)
    record.egressVRF = number(.egressVRF)
    record.event = number(.event)
    record.received = Timestamp(nanoseconds: number(.received))
    let exporter = Int(self.number(.exporter, row: row))
    if exporter < exporters.count { record.exporter = exporters[exporter] }
    return record
  }

  /// Adds one flow; false when the batch is full.
  @discardableResult
  public func append(_ record: FlowRecord) -> Bool {
    guard let exporter = index(of: record.exporter) else { return false }
    return append(record, exporter: exporter)
  }

  /// Adds one flow of an exporter of the table, whatever the record says of its exporter.
  func append(_ record: borrowing FlowRecord, exporter: UInt16) -> Bool {
    guard var row = newRow() else { return false }
    set(.sourceAddress, in: &row, to: record.source)
    set(.destinationAddress, in: &row, to: record.destination)
    set(.nextHop, in: &row, to: record.nextHop)
    set(.bgpNextHop, in: &row, to: record.bgpNextHop)
    set(.postSourceAddress, in: &row, to: record.postSource)
    set(.postDestinationAddress, in: &row, to: record.postDestination)
    set(.start, in: &row, to: record.start.nanoseconds)
    set(.end, in: &row, to: record.end.nanoseconds)
    set(.sourcePort, in: &row, to: record.sourcePort)
    set(.destinationPort, in: &row, to: record.destinationPort)
    set(.transport, in: &row, to: record.transport.rawValue)
    set(.tcpFlags, in: &row, to: record.tcpFlags)
    set(.typeOfService, in: &row, to: record.typeOfService)
    set(.packets, in: &row, to: record.packets)
    set(.bytes, in: &row, to: record.bytes)
    set(.samplingRate, in: &row, to: record.sampling.rate)
    set(.samplingSource, in: &row, to: record.sampling.source.rawValue)
    set(.sourceAS, in: &row, to: record.sourceAS)
    set(.destinationAS, in: &row, to: record.destinationAS)
    set(.inputInterface, in: &row, to: record.inputInterface)
    set(.outputInterface, in: &row, to: record.outputInterface)
    set(.sourceMask, in: &row, to: record.sourceMask)
    set(.destinationMask, in: &row, to: record.destinationMask)
    set(.sourceMAC, in: &row, to: record.sourceMAC)
    set(.destinationMAC, in: &row, to: record.destinationMAC)
    set(.icmpType, in: &row, to: record.icmpType)
    set(.icmpCode, in: &row, to: record.icmpCode)
    set(.exporter, in: &row, to: exporter)
    // One question for what most flows do not have.
    let rare0 =
      UInt64(record.sourceVLAN)
      | UInt64(record.destinationVLAN)
      | record.postSourceMAC
      | record.postDestinationMAC
      | UInt64(record.direction)
    let rare1 =
      UInt64(record.forwardingStatus)
      | UInt64(record.endReason)
      | record.reversePackets
      | record.reverseBytes
      | UInt64(record.reverseTCPFlags)
    let rare2 =
      UInt64(record.postSourcePort)
      | UInt64(record.postDestinationPort)
      | UInt64(record.mplsTopLabel)
      | UInt64(record.aggregatedFlows)
      | UInt64(record.postTypeOfService)
    let rare3 =
      UInt64(record.ingressVRF)
      | UInt64(record.egressVRF)
      | UInt64(record.event)
      | UInt64(bitPattern: record.received.nanoseconds)
    if rare0 | rare1 | rare2 | rare3 != 0 {
      set(.sourceVLAN, in: &row, to: record.sourceVLAN)
      set(.destinationVLAN, in: &row, to: record.destinationVLAN)
      set(.postSourceMAC, in: &row, to: record.postSourceMAC)
      set(.postDestinationMAC, in: &row, to: record.postDestinationMAC)
      set(.direction, in: &row, to: record.direction)
      set(.forwardingStatus, in: &row, to: record.forwardingStatus)
      set(.endReason, in: &row, to: record.endReason)
      set(.reversePackets, in: &row, to: record.reversePackets)
      set(.reverseBytes, in: &row, to: record.reverseBytes)
      set(.reverseTCPFlags, in: &row, to: record.reverseTCPFlags)
      set(.postSourcePort, in: &row, to: record.postSourcePort)
      set(.postDestinationPort, in: &row, to: record.postDestinationPort)
      set(.mplsTopLabel, in: &row, to: record.mplsTopLabel)
      set(.aggregatedFlows, in: &row, to: record.aggregatedFlows)
      set(.postTypeOfService, in: &row, to: record.postTypeOfService)
      set(.ingressVRF, in: &row, to: record.ingressVRF)
      set(.egressVRF, in: &row, to: record.egressVRF)
      set(.event, in: &row, to: record.event)
      set(.received, in: &row, to: record.received.nanoseconds)
    }
    finish(row)
    return true
  }

  /// All rows as values, in order.
  public var records: [FlowRecord] { (0..<count).map { self[$0] } }
}
