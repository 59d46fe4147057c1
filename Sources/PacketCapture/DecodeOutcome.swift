/// What became of one packet in ``PacketDecoder``: decoded, or the first reason why not.
@frozen
public enum DecodeOutcome: UInt8, CaseIterable, Sendable, BitwiseCopyable {
  /// The headers down to the transport are filled in.
  case decoded
  /// The capture ends within the link-layer headers.
  case truncatedLink
  /// The capture ends within the IP header or an extension header.
  case truncatedIP
  /// The capture, or the IP length, ends within the transport header; the IP fields are filled in.
  case truncatedTransport
  /// The IP version, header length or total length contradict each other.
  case malformedIPHeader
  /// The TCP data offset is below 5 or past the end of the packet; the IP fields and the fixed TCP
  /// fields are filled in.
  case malformedTCPHeader
  /// A link type that is not read.
  case unsupportedLinkType
  /// ARP, PPPoE discovery, spanning tree and everything else that is not IP.
  case notIP
  /// More nested link layers or IPv6 extension headers than ``CaptureParameters`` allows.
  case tooManyLayers

  /// The name of this outcome's counter.
  public var name: String {
    switch self {
    case .decoded: "decoded"
    case .truncatedLink: "truncated_link"
    case .truncatedIP: "truncated_ip"
    case .truncatedTransport: "truncated_transport"
    case .malformedIPHeader: "malformed_ip_header"
    case .malformedTCPHeader: "malformed_tcp_header"
    case .unsupportedLinkType: "unsupported_link_type"
    case .notIP: "not_ip"
    case .tooManyLayers: "too_many_layers"
    }
  }
}
