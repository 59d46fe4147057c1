import NetworkTypes

@testable import TrustServices

private let moment = Timestamp("2026-11-25T09:00:00Z") ?? .distantPast

/// Asks a list that was read for everything that validation and pages ask it.
private func use(_ list: TrustedList) {
  for (_, service) in list.services {
    for date in [Timestamp.distantPast, list.issued, moment, .distantFuture] {
      let period = list.period(of: service, at: date)
      precondition(period.map { $0.since <= date } ?? true)
    }
    precondition(service.periods.allSatisfy { $0.since <= list.issued })
    precondition(list.scheme(service.scheme)?.covers(service.kind) == true)
  }
  // A list agrees with itself, and no older number follows it.
  do { try list.checkSuccession(of: list) } catch { preconditionFailure("\(error)") }
  do { try TrustedListMemory(list).check(list) } catch { preconditionFailure("\(error)") }
}

/// Reads the input as the text of a trusted list, as a sealed one, as records of a register and as the
/// words and days in them.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzAccreditation(_ start: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
  guard let start, count > 0 else { return 0 }
  let input = Array(UnsafeBufferPointer(start: start, count: count))
  var parameters = TrustedListParameters()
  parameters.maximumServices = 50
  parameters.maximumPeriods = 200
  if let list = try? TrustedList(encoded: input, parameters: parameters) {
    // One list, one text.
    precondition(list.encoded == input)
    precondition(list.services.count <= parameters.maximumServices)
    use(list)
  }
  if let sealed = try? SealedTrustedList(unverified: input, parameters: parameters) {
    use(sealed.list)
    // Nobody's anchor: whatever is read, nothing is believed.
    precondition(
      (try? SealedTrustedList(
        verifying: input, by: SealValidator(anchors: [], moment: moment), parameters: parameters))
        == nil)
    if let lists = try? TrustedLists([sealed]) { precondition(lists.lists == [sealed.list]) }
  }
  var contents = AccreditationContents()
  for (index, line) in input.split(separator: 0x0A).prefix(32).enumerated() {
    guard let record = AccreditationRecord(Array(line)) else { continue }
    let before = contents
    do throws(AccreditationError) { try contents.apply(record) } catch {
      precondition(contents == before, "record \(index) left something behind")
    }
  }
  if let list = try? contents.list(
    sequence: 1, issued: moment, nextUpdate: moment.advanced(bySeconds: 86_400),
    registerHead: nil)
  {
    // What the register says can be read by everybody.
    if (try? TrustedList(encoded: list.encoded)) == nil {
      preconditionFailure("a list of the register cannot be read")
    }
  }
  if let text = String(validating: input, as: UTF8.self) {
    if let day = JapaneseDay(text) { precondition("\(day)" == text && day.end > day.start) }
    if let kind = TrustServiceKind(text) { precondition("\(kind)" == text) }
  }
  return 0
}
