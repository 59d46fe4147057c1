import Settings

/// Reads the input as noroshi.yaml; with a zero octet in it, what follows is one environment variable.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzSettings(_ start: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
  guard let start, count > 0 else { return 0 }
  let parts = UnsafeBufferPointer(start: start, count: count)
    .split(separator: 0, maxSplits: 2, omittingEmptySubsequences: false)
    .map { String(decoding: $0, as: UTF8.self) }
  var environment: [String: String] = [:]
  if parts.count == 3 { environment["NOROSHI_" + parts[1]] = parts[2] }
  do {
    let read = try ConfigurationReader.read(
      yaml: parts[0], named: "/etc/noroshi.yaml", environment: environment)
    // What is accepted can be told where it came from, and means the same the second time.
    for key in ConfigurationKey.all { _ = read.origin(of: key) }
    let again = try ConfigurationReader.read(
      yaml: parts[0], named: "/etc/noroshi.yaml", environment: environment)
    precondition(read.values == again.values)
  } catch {
    precondition(!error.problems.isEmpty)
    for problem in error.problems { precondition(!"\(problem)".isEmpty) }
  }
  return 0
}
