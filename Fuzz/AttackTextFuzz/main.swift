import FlowAnalysis
import Foundation

/// Reads the input as an attack's fingerprint that others wrote.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzAttackText(_ start: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
  let bytes = Data(UnsafeBufferPointer(start: start, count: count))
  do {
    let fingerprint = try ReceivedFingerprint(json: bytes)
    precondition(!fingerprint.vectors.isEmpty)
    precondition(fingerprint.vectors.allSatisfy { (0...1).contains($0.fraction ?? 0) })
    precondition((fingerprint.durationSeconds ?? 0) >= 0)
    precondition(fingerprint.sources.count <= count)
  } catch {
    precondition(!"\(error)".isEmpty)
  }
  return 0
}
