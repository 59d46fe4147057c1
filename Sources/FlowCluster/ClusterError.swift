/// Why a cluster could not be written to or asked.
public enum ClusterError: Error, Hashable, Sendable, CustomStringConvertible {
  /// An address that makes no sense.
  case address(String)
  /// No answer from a server.
  case unreachable(server: String, reason: String)
  /// A server refused. `code` is ClickHouse's, 0 where it gave none.
  case server(server: String, code: Int, message: String)
  /// An answer that is not what was asked for.
  case badReply(server: String, reason: String)
  /// The table is not one of flows, or cannot be written to.
  case table(server: String, reason: String)
  /// A test or element that has no equal on the server.
  case inexpressible(String)
  /// The spool's folder refused an operation.
  case spool(operation: String, path: String, reason: String)

  /// What happened, where, and what to do.
  public var description: String {
    switch self {
    case .address(let reason): return reason
    case .unreachable(let server, let reason):
      return "\(server) does not answer: \(reason); check that the server runs and that its HTTP "
        + "port can be reached"
    case .server(let server, let code, let message):
      return "\(server) refused\(code == 0 ? "" : " (code \(code))"): \(message)"
        + (Self.advice(code).map { "; " + $0 } ?? "")
    case .badReply(let server, let reason):
      return "\(server) gave an answer that cannot be read: \(reason); check that its version is "
        + "18.16 or later and that no proxy changes its answers"
    case .table(let server, let reason): return "\(server): \(reason)"
    case .inexpressible(let what):
      return "\(what) cannot be asked of a cluster; ask the archive of a collector"
    case .spool(let operation, let path, let reason):
      return "\(operation) \(path): \(reason); check the folder, its permissions and the free space"
    }
  }

  /// For ClickHouse's error codes (ErrorCodes.cpp) that operators meet.
  private static func advice(_ code: Int) -> String? {
    switch code {
    case 60, 81: "make the tables with noroshi flows cluster ddl, or check the names in the address"
    case 159, 160, 307, 158:
      "narrow the time window or the filter, or raise max_execution_time or the read limits"
    case 192, 193, 194, 516: "check user and password in the address"
    case 241, 191, 396:
      "narrow the time window or the filter, aggregate by fewer elements, or raise the server's "
        + "max_memory_usage"
    case 242: "the table is read-only: check ZooKeeper or Keeper"
    case 252: "the server cannot merge fast enough; it is asked again later"
    case 279, 209, 210: "a shard of the cluster does not answer; no part of the answer is left out"
    case 497: "the user lacks the right to do this"
    default: nil
    }
  }

  /// Whether another replica or a later moment may do better.
  var isPassing: Bool {
    switch self {
    case .unreachable, .server, .badReply, .table: true
    case .address, .inexpressible, .spool: false
    }
  }
}
