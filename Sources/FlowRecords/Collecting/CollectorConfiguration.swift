public import NetworkTypes

/// Where a collector listens, whom it listens to, and within which bounds.
public struct CollectorConfiguration: Sendable {
  /// An address and a port to listen on.
  public struct Endpoint: Sendable, Hashable, CustomStringConvertible {
    public var address: IPAddress
    public var port: UInt16

    public init(address: IPAddress, port: UInt16) {
      self.address = address
      self.port = port
    }

    public var description: String {
      address.isIPv4 ? "\(address):\(port)" : "[\(address)]:\(port)"
    }
  }

  /// UDP: NetFlow v5 and v9, IPFIX and sFlow, each on any of the ports.
  public var datagrams: [Endpoint]
  /// TCP: IPFIX.
  public var streams: [Endpoint] = []
  /// Octets of socket buffer to ask for. Above `net.core.rmem_max` it takes CAP_NET_ADMIN. 4 MB is
  /// what nfcapd is commonly run with, and about 80 ms of 1 M flows a second.
  public var receiveBuffer = 4 << 20
  /// Sockets per port, each with a thread that receives and one that decodes. Exporters are spread
  /// over them by address. One takes some millions of flows a second.
  public var shards = 1
  /// Blocks of 128 datagrams per shard that may wait to be decoded. When all are full, datagrams wait
  /// in the socket's buffer, and what does not fit there the kernel drops and counts.
  public var blocks = 32
  /// Seconds after which flows are handed on though their batch is not full.
  public var flushSeconds = 1.0
  /// Only these exporters are listened to; all when empty.
  public var allowed: [IPPrefix] = []
  /// Datagrams that one exporter may send in a second; nil for as many as it likes. Twice as many may
  /// come at once.
  public var datagramsPerSecond: Double?
  /// Connections at the same time; more are refused.
  public var largestConnectionCount = 256
  /// Seconds after which a silent TCP connection is closed.
  public var connectionIdleSeconds = 1_800.0
  /// The file that templates are kept in over restarts; nil for none.
  public var stateFile: String?
  /// Seconds between two writings of that file.
  public var stateSeconds = 60.0
  public var parameters = FlowParameters()

  public init(datagrams: [Endpoint]) {
    self.datagrams = datagrams
  }

  /// The port that NetFlow has no number for but is used most, and those of IPFIX and sFlow.
  public static let usualPorts: [UInt16] = [2055, 4739, 6343]
}

/// Why a collector cannot run.
public enum CollectorError: Error, CustomStringConvertible, Equatable {
  case socket(endpoint: String, call: String, reason: String)
  case nothingToListenOn
  case invalid(String)

  public var description: String {
    switch self {
    case .socket(let endpoint, let call, let reason):
      "\(endpoint): \(call): \(reason); choose another address or port, or stop what uses it"
    case .nothingToListenOn:
      "no address to listen on; name at least one, such as 0.0.0.0:2055"
    case .invalid(let reason): reason
    }
  }
}
