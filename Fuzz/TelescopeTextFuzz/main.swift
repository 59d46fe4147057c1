import Foundation
import NetworkTypes

@testable import Telescope

/// Reads the input as fingerprint rules, or, behind a first octet of `L`, as a list of surveyors.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzTelescopeText(_ start: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
  guard let start, count > 0 else { return 0 }
  let input = UnsafeBufferPointer(start: start, count: count)
  let rest = Array(input.dropFirst())
  if input[0] == UInt8(ascii: "L") {
    guard let lists = try? SurveyLists(texts: [(file: "list", data: Data(rest))]) else { return 0 }
    var address: UInt128 = 0
    for byte in rest.prefix(64) {
      address = address << 8 | UInt128(byte)
      _ = lists.scanner(of: IPAddress(bits: address))
    }
    _ = lists.scanner(reverseName: String(decoding: rest.prefix(64), as: UTF8.self))
  } else {
    let text = String(decoding: rest, as: UTF8.self)
    do {
      let rules = try FingerprintRules(yaml: text, extending: nil)
      _ = FingerprintMatcher(rules)
      _ = try? FingerprintRules(yaml: text, extending: .standard)
    } catch {
      precondition(!"\(error)".isEmpty)
    }
  }
  return 0
}
