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
    guard let exporter = index(of: record.exporter), let row = extend(by: 1) else { return false }
    func put(_ column: FlowColumn, _ value: some FixedWidthInteger) {
      set(column, row: row, to: UInt64(truncatingIfNeeded: value))
    }
    set(.sourceAddress, row: row, to: record.source)
    set(.destinationAddress, row: row, to: record.destination)
    set(.nextHop, row: row, to: record.nextHop)
    set(.bgpNextHop, row: row, to: record.bgpNextHop)
    set(.postSourceAddress, row: row, to: record.postSource)
    set(.postDestinationAddress, row: row, to: record.postDestination)
    put(.start, record.start.nanoseconds)
    put(.end, record.end.nanoseconds)
    put(.sourcePort, record.sourcePort)
    put(.destinationPort, record.destinationPort)
    put(.transport, record.transport.rawValue)
    put(.tcpFlags, record.tcpFlags)
    put(.typeOfService, record.typeOfService)
    put(.packets, record.packets)
    put(.bytes, record.bytes)
    put(.samplingRate, record.sampling.rate)
    put(.samplingSource, record.sampling.source.rawValue)
    put(.sourceAS, record.sourceAS)
    put(.destinationAS, record.destinationAS)
    put(.inputInterface, record.inputInterface)
    put(.outputInterface, record.outputInterface)
    put(.sourceMask, record.sourceMask)
    put(.destinationMask, record.destinationMask)
    put(.sourceVLAN, record.sourceVLAN)
    put(.destinationVLAN, record.destinationVLAN)
    put(.sourceMAC, record.sourceMAC)
    put(.destinationMAC, record.destinationMAC)
    put(.postSourceMAC, record.postSourceMAC)
    put(.postDestinationMAC, record.postDestinationMAC)
    put(.icmpType, record.icmpType)
    put(.icmpCode, record.icmpCode)
    put(.direction, record.direction)
    put(.forwardingStatus, record.forwardingStatus)
    put(.endReason, record.endReason)
    put(.reversePackets, record.reversePackets)
    put(.reverseBytes, record.reverseBytes)
    put(.reverseTCPFlags, record.reverseTCPFlags)
    put(.postSourcePort, record.postSourcePort)
    put(.postDestinationPort, record.postDestinationPort)
    put(.mplsTopLabel, record.mplsTopLabel)
    put(.aggregatedFlows, record.aggregatedFlows)
    put(.postTypeOfService, record.postTypeOfService)
    put(.ingressVRF, record.ingressVRF)
    put(.egressVRF, record.egressVRF)
    put(.event, record.event)
    put(.received, record.received.nanoseconds)
    put(.exporter, exporter)
    return true
  }

  /// All rows as values, in order.
  public var records: [FlowRecord] { (0..<count).map { self[$0] } }
}
