import NetworkTypes
import PacketCapture

/// sFlow version 5 (sflow.org, "sFlow Version 5", July 2004): XDR, so everything is a multiple of
/// four octets.
enum SFlow5 {
  /// Sample formats of enterprise 0.
  static let flowSample: UInt32 = 1
  static let counterSample: UInt32 = 2
  static let expandedFlowSample: UInt32 = 3
  static let expandedCounterSample: UInt32 = 4

  /// What one flow sample says, put together from its records.
  struct Sample {
    var record = FlowRecord()
    var hasPacket = false
    var isOther = false
    var hasFault = false
  }
}

/// Reads XDR within bounds; past the end everything is zero and ``isBroken``.
struct XDRReader: ~Escapable {
  let octets: RawSpan
  private(set) var at: Int
  private(set) var isBroken = false

  @_lifetime(copy octets)
  init(_ octets: RawSpan, at: Int = 0) {
    self.octets = octets
    self.at = at
  }

  var left: Int { octets.byteCount - at }

  mutating func u32() -> UInt32 {
    guard left >= 4 else {
      isBroken = true
      return 0
    }
    defer { at += 4 }
    return octets.u32(at)
  }

  mutating func u64() -> UInt64 { UInt64(u32()) << 32 | UInt64(u32()) }

  /// Where `count` octets start, which are then passed over with their padding; nil past the end.
  mutating func opaque(_ count: Int) -> Int? {
    guard count >= 0, count <= left else {
      isBroken = true
      return nil
    }
    defer { at = min(at + (count + 3) & ~3, octets.byteCount) }
    return at
  }

  /// A type (1 IPv4, 2 IPv6) and an address.
  mutating func address() -> IPAddress {
    switch u32() {
    case 1: return IPAddress(v4: u32())
    case 2: return IPAddress(high: u64(), low: u64())
    default: return IPAddress(bits: 0)
    }
  }
}

extension FlowDecoder {
  func decodeSFlow5(_ datagram: RawSpan, _ arrival: Arrival) {
    var reader = XDRReader(datagram, at: 4)
    let agent = reader.address()
    let subAgent = reader.u32()
    let sequence = reader.u32()
    let uptime = reader.u32()
    let count = reader.u32()
    guard !reader.isBroken else { return stray(.truncatedHeader) }
    // The agent's address is the device's; the datagram's may be a relay's.
    let device = Arrival(
      address: agent.bits == 0 ? arrival.address : agent, received: arrival.received,
      session: arrival.session, isTruncated: arrival.isTruncated)
    guard
      let state = state(.sflow5, domain: subAgent, device, octets: datagram.byteCount)
    else { return }
    if restarted(state, uptime: uptime, seconds: nil, device) {
      state.statistics.restarts &+= 1
      state.expectedSequence = nil
    }
    noteSequence(state, sequence, counts: 1)
    var samples: UInt32 = 0
    while samples < count {
      let format = reader.u32()
      let length = Int(reader.u32())
      guard !reader.isBroken, let start = reader.opaque(length) else {
        state.statistics.faults.add(.wrongLength)
        return
      }
      let body = datagram.extracting(start..<start + length)
      switch format {
      case SFlow5.flowSample: flowSample(body, isExpanded: false, state, arrival)
      case SFlow5.expandedFlowSample: flowSample(body, isExpanded: true, state, arrival)
      case SFlow5.counterSample, SFlow5.expandedCounterSample:
        state.statistics.counterSamples &+= 1
      default: state.statistics.otherRecords &+= 1
      }
      samples += 1
    }
  }

  private func flowSample(
    _ body: RawSpan, isExpanded: Bool, _ state: ExporterState, _ arrival: Arrival
  ) {
    var reader = XDRReader(body)
    _ = reader.u32()  // sequence of the source
    _ = reader.u32()  // source: type and index
    if isExpanded { _ = reader.u32() }
    let rate = reader.u32()
    _ = reader.u32()  // packets that could have been sampled
    _ = reader.u32()  // samples the agent had to drop
    var (inputFormat, input, outputFormat, output): (UInt32, UInt32, UInt32, UInt32)
    if isExpanded {
      (inputFormat, input) = (reader.u32(), reader.u32())
      (outputFormat, output) = (reader.u32(), reader.u32())
    } else {
      (input, output) = (reader.u32(), reader.u32())
      (inputFormat, outputFormat) = (input >> 30, output >> 30)
    }
    let count = reader.u32()
    guard !reader.isBroken else {
      state.statistics.faults.add(.malformedSample)
      return
    }
    var sample = SFlow5.Sample()
    // Format 0 is one interface; 1 says why the packet was dropped, 2 how many it went to. All ones
    // is "unknown".
    if inputFormat == 0, input != 0x3fff_ffff { sample.record.inputInterface = input }
    if outputFormat == 0, output != 0x3fff_ffff { sample.record.outputInterface = output }
    if outputFormat == 1 { sample.record.forwardingStatus = 0x80 }
    var records: UInt32 = 0
    while records < count {
      let format = reader.u32()
      let length = Int(reader.u32())
      guard !reader.isBroken, let start = reader.opaque(length) else {
        sample.hasFault = true
        break
      }
      sample.add(format, body.extracting(start..<start + length))
      records += 1
    }
    if sample.hasFault { state.statistics.faults.add(.malformedSample) }
    guard sample.hasPacket else {
      if sample.isOther { state.statistics.otherRecords &+= 1 }
      if !sample.isOther, !sample.hasFault { state.statistics.faults.add(.undecodablePacket) }
      return
    }
    emit(&sample.record, rate: rate, state, arrival)
  }

  private func emit(
    _ record: inout FlowRecord, rate: UInt32, _ state: ExporterState, _ arrival: Arrival
  ) {
    record.packets = 1
    record.start = Timestamp(nanoseconds: arrival.received)
    record.end = record.start
    if parameters.keepsReceivedTime { record.received = record.start }
    if state.configured?.overrides != true, rate > 0 {
      record.sampling = SamplingRate(rate: rate, source: .record)
    } else {
      record.sampling = state.rate()
    }
    state.statistics.sampling = record.sampling
    let isWide =
      !record.source.isIPv4 || !record.destination.isIPv4
      || record.nextHop.isOther || record.bgpNextHop.isOther || record.postSource.isOther
      || record.postDestination.isOther
    let (batch, exporter) = openBatch(wide: isWide, state.key.exporter)
    _ = batch.append(record, exporter: exporter)
    state.statistics.flows &+= 1
    if batch.isFull { if isWide { handOverWide() } else { handOverNarrow() } }
  }
}

extension IPAddress {
  /// Neither IPv4 nor "none".
  fileprivate var isOther: Bool { bits != 0 && !isIPv4 }
}
