/// Why a capture cannot be read or written at all.
///
/// Damage inside a capture is not an error: it is read up to the break, see ``CaptureEnding``.
public enum CaptureError: Error, Equatable, Sendable, CustomStringConvertible {
  /// The file cannot be opened or created.
  case cannotOpen(path: String, reason: String)
  /// The first octets are those of no capture format.
  case notACapture(path: String, reason: String)
  /// A known format that is not read here; the reason names what to do.
  case unsupportedFormat(path: String, reason: String)
  /// The system failed to deliver more of the file.
  case readFailed(path: String, reason: String)
  /// The system did not take what was written.
  case writeFailed(path: String, reason: String)
  /// A live capture needs a privilege that the process lacks.
  case noPermission(interface: String, reason: String)
  /// A live capture could not be started or went away.
  case captureFailed(interface: String, reason: String)
  /// The filter expression does not compile.
  case badFilter(expression: String, reason: String)

  public var description: String {
    switch self {
    case .cannotOpen(let path, let reason): "\(path): cannot be opened: \(reason)"
    case .notACapture(let path, let reason):
      "\(path): not a pcap or pcapng capture: \(reason)"
    case .unsupportedFormat(let path, let reason): "\(path): \(reason)"
    case .readFailed(let path, let reason): "\(path): reading failed: \(reason)"
    case .writeFailed(let path, let reason): "\(path): writing failed: \(reason)"
    case .noPermission(let interface, let reason):
      "\(interface): no permission to capture (\(reason)): run as root, or give the program "
        + "CAP_NET_RAW with: setcap cap_net_raw,cap_net_admin=eip PROGRAM"
    case .captureFailed(let interface, let reason): "\(interface): capture failed: \(reason)"
    case .badFilter(let expression, let reason):
      "the filter \"\(expression)\" is not understood: \(reason)"
    }
  }
}

/// How a capture ended.
public enum CaptureEnding: Equatable, Sendable, CustomStringConvertible {
  /// The last record ended where the file ends.
  case complete
  /// The record at `offset`, in octets of the uncompressed stream, cannot be read; nothing behind
  /// it was delivered.
  case broken(offset: Int, reason: String)

  public var description: String {
    switch self {
    case .complete: "complete"
    case .broken(let offset, let reason): "broken at octet \(offset): \(reason)"
    }
  }
}
