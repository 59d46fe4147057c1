import Constituency
import NetworkTypes

/// What is read can be written, and is the same when it is read again.
private func check(_ constituency: Constituency) {
  guard let text = try? ConstituencyFile.text(of: constituency) else {
    preconditionFailure("what was read cannot be written")
  }
  guard let again = try? ConstituencyFile.read(text) else {
    preconditionFailure("what was written cannot be read:\n\(text)")
  }
  precondition(again == constituency)
  for organisation in constituency.organisations {
    precondition(constituency[organisation.id] == organisation)
  }
}

/// Reads the input as the constituency's YAML, or, behind a first octet of `C`, as CSV to be merged.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzConstituency(_ start: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
  guard let start, count > 0 else { return 0 }
  let input = UnsafeBufferPointer(start: start, count: count)
  let text = String(decoding: input.dropFirst(), as: UTF8.self)
  if input[0] == UInt8(ascii: "C") {
    var constituency = Constituency()
    guard let outcome = try? ConstituencyCSV.merge(text, into: &constituency) else { return 0 }
    precondition(outcome.added <= constituency.organisations.count)
    check(constituency)
  } else if let constituency = try? ConstituencyFile.read(text) {
    check(constituency)
  }
  return 0
}
