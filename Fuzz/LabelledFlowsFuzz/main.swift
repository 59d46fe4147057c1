import FlowAnalysis

/// Reads the input as a file of labelled flows, or, behind a first `L`, as a threat list; what is read
/// is tracked, ranked and explained in a small memory.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzLabelledFlows(_ start: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
  let bytes = Array(UnsafeBufferPointer(start: start, count: count))
  if bytes.first == 76 {
    var list = ThreatList()
    list.add(text: String(decoding: bytes.dropFirst(), as: UTF8.self), name: "fuzz")
    precondition(list.entryCount >= 0)
    return 0
  }
  var tracking = TrackingParameters()
  tracking.pairs = 64
  tracking.timelines = 16
  tracking.addresses = 256
  tracking.services = 256
  let tracker = ContactTracker(parameters: tracking)
  var metric = GarciaMetric()
  do {
    try LabelledFlowReader(bytes: bytes).forEachFlow { flow in
      precondition(flow.contact.end >= flow.contact.start)
      tracker.add(flow.contact)
      metric.add(
        nanoseconds: flow.contact.start, source: flow.contact.client, label: flow.label,
        isFlagged: flow.contact.isAnswered)
    }
  } catch {
    return 0
  }
  precondition(tracker.pairCount <= 64)
  for server in ServerRanking().rank(tracker).servers.prefix(4) {
    precondition(server.probability >= 0 && server.probability <= 1)
    precondition(!ServerExplanation(server).text().isEmpty)
    precondition(Service(text: server.service.description) == server.service)
  }
  precondition(metric.result.f1 >= 0)
  return 0
}
