import FlowArchive

/// Reads the input as a flow filter: it is read, or refused with a place inside it.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzFilter(_ start: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
  let text = String(decoding: UnsafeBufferPointer(start: start, count: count), as: UTF8.self)
  do throws(FilterError) {
    let filter = try FlowFilter(text)
    precondition(filter == filter)
  } catch {
    precondition(error.offset >= 0 && error.offset <= text.utf8.count)
    precondition(!error.description.isEmpty)
  }
  _ = try? FlowElement.aggregation(text)
  _ = FlowElement.statistic(text)
  return 0
}
