import NetworkTypes

@testable import FlowRecords

/// Bounds small enough to be met by inputs of some hundred octets.
private func smallParameters() -> FlowParameters {
  var parameters = FlowParameters()
  parameters.largestExporterCount = 4
  parameters.largestTemplateCount = 4
  parameters.largestSamplerCount = 4
  parameters.heldOctets = 512
  parameters.heldOctetsPerExporter = 256
  return parameters
}

/// Reads the input as datagrams of two exporters, each with its length of two octets in front, and
/// then as a compressed block of nfcapd.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzFlows(_ start: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
  guard let start, count > 0 else { return 0 }
  let input = UnsafeBufferPointer(start: start, count: count)
  var handedOver: UInt64 = 0
  let decoder = FlowDecoder(parameters: smallParameters(), batchCapacity: 16) { batch in
    precondition(batch.count <= 16 && batch.exporters.count <= 16)
    for row in 0..<batch.count {
      let record = batch[row]
      precondition(!batch.isIPv4 || record.source.isIPv4 || record.source.bits == 0)
      precondition(record.sampling.rate > 0 || record.sampling.source == .unknown)
    }
    handedOver += UInt64(batch.count)
    return batch
  }
  var at = 0
  var number: UInt32 = 0
  while count - at >= 2 {
    let length = min(Int(input[at]) << 8 | Int(input[at + 1]), count - at - 2)
    let datagram = UnsafeBufferPointer(rebasing: input[at + 2..<at + 2 + length])
    decoder.decode(
      RawSpan(_unsafeElements: datagram), from: IPAddress(v4: number % 2),
      received: Timestamp(seconds: 1_700_000_000 + Int64(number)), session: UInt64(number % 3))
    at += 2 + length
    number += 1
  }
  decoder.flush()
  let statistics = decoder.statistics
  precondition(statistics.count <= 4)
  precondition(statistics.allSatisfy { $0.templates <= 4 && $0.heldOctets <= 256 })
  precondition(statistics.reduce(0) { $0 + $1.flows } == handedOver)
  let remembered = decoder.remembered()
  decoder.restore(remembered)

  let block = RawSpan(_unsafeElements: input)
  precondition((BlockCompression.lz4(block, limit: 4_096)?.count ?? 0) <= 4_096)
  precondition((BlockCompression.lzo(block, limit: 4_096)?.count ?? 0) <= 4_096)
  _ = NfcapdFlow.read(block, [:])
  _ = NfcapdFlow.exporter(block)
  return 0
}
