internal import CMaxMindDB
import Foundation
import Glibc
import NetworkTypes

/// One MaxMind DB file, opened through libmaxminddb; this is the one file that speaks to it.
///
/// Understood are the layouts of MaxMind (GeoLite2 and GeoIP2 Country, City, ASN, Enterprise) and of
/// those that follow it (DB-IP, IP2Location), and IPinfo's flat ones. libmaxminddb checks every
/// offset against the file's size, so a damaged file gives errors, not reads outside.
@usableFromInline
final class MaxMindDatabase: Sendable {
  // Written by `init`, read by libmaxminddb's look-ups, which its documentation allows from many
  // threads at once.
  private nonisolated(unsafe) let database: UnsafeMutablePointer<MMDB_s>
  private let path: String
  private let layout = MaxMindLayout()
  let provenance: GeoProvenance

  /// Opens the file and maps it into memory.
  init(path: String) throws {
    let database = UnsafeMutablePointer<MMDB_s>.allocate(capacity: 1)
    database.initialize(to: MMDB_s())
    let status = MMDB_open(path, UInt32(MMDB_MODE_MMAP), database)
    guard status == MMDB_SUCCESS else {
      database.deallocate()
      throw GeoError(
        "The MMDB file \(path) cannot be opened: \(String(cString: MMDB_strerror(status))). "
          + "Check the path, or download the file again.")
    }
    self.database = database
    self.path = path
    let metadata = database.pointee.metadata
    provenance = GeoProvenance(
      kind: .maxMindDB, file: (path as NSString).lastPathComponent,
      date: Timestamp(seconds: Int64(clamping: metadata.build_epoch)),
      description: metadata.database_type.map { String(cString: $0) } ?? "",
      entries: Int(metadata.node_count), skipped: 0, firstSkippedLine: 0, multipleOrigins: 0)
  }

  deinit {
    MMDB_close(database)
    database.deallocate()
  }

  /// What the file says of the address, nil where it says nothing.
  func lookup(_ address: IPAddress) -> GeoRecord? {
    var problem: Int32 = 0
    let result: MMDB_lookup_result_s
    if let v4 = address.v4 {
      var socket = sockaddr_in()
      socket.sin_family = sa_family_t(AF_INET)
      socket.sin_addr.s_addr = v4.bigEndian
      result = withUnsafePointer(to: &socket) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
          MMDB_lookup_sockaddr(database, $0, &problem)
        }
      }
    } else {
      guard database.pointee.metadata.ip_version == 6 else { return nil }
      var socket = sockaddr_in6()
      socket.sin6_family = sa_family_t(AF_INET6)
      withUnsafeMutableBytes(of: &socket.sin6_addr) {
        $0.storeBytes(of: address.bits.bigEndian, as: UInt128.self)
      }
      result = withUnsafePointer(to: &socket) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
          MMDB_lookup_sockaddr(database, $0, &problem)
        }
      }
    }
    guard problem == MMDB_SUCCESS, result.found_entry else { return nil }
    var entry = result.entry
    return GeoRecord(
      country: CountryCode(packed: UInt16(truncatingIfNeeded: layout.country(&entry)))
        .orUnknown,
      asn: ASN(layout.asn(&entry)))
  }

  /// Walks the whole tree.
  ///
  /// - Throws: ``GeoError`` where the tree is damaged.
  func layer(progress: (Double) -> Void) throws -> GeoLayer {
    var layer = GeoLayer()
    layer.date = provenance.date
    layer.description = provenance.description
    let metadata = database.pointee.metadata
    let isIPv6 = metadata.ip_version == 6
    let width = isIPv6 ? 128 : 32
    let ipv4Root = database.pointee.ipv4_start_node.node_value
    var answers: [UInt32: (country: UInt32, asn: UInt32)] = [:]
    var stack: [(node: UInt32, bits: UInt128, depth: Int)] = [(0, 0, 0)]
    var visits: UInt64 = 0
    // A sound tree is entered once a node, plus the aliases of IPv4 that are left out below.
    let greatestVisits = UInt64(metadata.node_count) * 4 + 1024
    while let (node, bits, depth) = stack.popLast() {
      visits += 1
      guard visits <= greatestVisits else { throw damaged("its search tree has loops") }
      if visits & 0xffff == 0 { progress(Double(visits) / Double(max(1, metadata.node_count))) }
      var both = MMDB_search_node_s()
      guard MMDB_read_node(database, node, &both) == MMDB_SUCCESS else {
        throw damaged("node \(node) of its search tree cannot be read")
      }
      let right = bits | 1 << UInt128(width - 1 - depth)
      for (kind, record, entry, bits) in [
        (both.right_record_type, both.right_record, both.right_record_entry, right),
        (both.left_record_type, both.left_record, both.left_record_entry, bits),
      ] {
        switch Int32(kind) {
        case MMDB_RECORD_TYPE_SEARCH_NODE:
          guard depth + 1 < width else { throw damaged("its search tree is too deep") }
          let child = UInt32(truncatingIfNeeded: record)
          // 2002::/16, ::ffff:0:0/96 and the like point back at the IPv4 tree.
          if isIPv6, child == ipv4Root, bits != 0 { continue }
          stack.append((child, bits, depth + 1))
        case MMDB_RECORD_TYPE_DATA:
          var entry = entry
          let answer: (country: UInt32, asn: UInt32)
          if let known = answers[entry.offset] {
            answer = known
          } else {
            answer = (layout.country(&entry), layout.asn(&entry))
            answers[entry.offset] = answer
            if answer.asn != 0, layer.names[answer.asn] == nil, let name = layout.name(&entry) {
              layer.names[answer.asn] = name
            }
          }
          add(&layer, bits: bits, length: depth + 1, isIPv6: isIPv6, answer)
        case MMDB_RECORD_TYPE_EMPTY: continue
        default: throw damaged("node \(node) of its search tree points outside the file")
        }
      }
    }
    return layer
  }

  private func add(
    _ layer: inout GeoLayer, bits: UInt128, length: Int, isIPv6: Bool,
    _ answer: (country: UInt32, asn: UInt32)
  ) {
    let network: IPPrefix?
    if !isIPv6 {
      network = IPPrefix(IPAddress(v4: UInt32(truncatingIfNeeded: bits)), length: length)
    } else if bits >> 32 == 0, length >= 96 {
      // In an IPv6 file the IPv4 space lies at ::/96.
      network = IPPrefix(IPAddress(v4: UInt32(truncatingIfNeeded: bits)), length: length - 96)
    } else {
      let address = IPAddress(bits: bits)
      network = address.isIPv4 ? nil : IPPrefix(address, length: length)
      if bits == 0 {
        layer.add(
          first: IPAddress(v4: 0), last: IPAddress(v4: .max), country: answer.country,
          asn: answer.asn)
      }
    }
    guard let network else { return }
    layer.add(first: network.first, last: network.last, country: answer.country, asn: answer.asn)
  }

  private func damaged(_ what: String) -> GeoError {
    GeoError("The MMDB file \(path) is damaged: \(what). Download it again.")
  }
}

extension CountryCode {
  fileprivate var orUnknown: CountryCode { packed == 0 ? .unknown : self }
}

/// Under which keys the publishers keep country, system and name.
private struct MaxMindLayout: Sendable {
  // MaxMind, DB-IP, IP2Location: the country where the block is used before where it is registered.
  // IPinfo Lite: `country_code`; IPinfo's older files: two letters in `country`.
  private let countryPaths = [
    KeyPath("country", "iso_code"), KeyPath("country_code"), KeyPath("country"),
    KeyPath("registered_country", "iso_code"),
  ]
  private let asnPaths = [
    KeyPath("autonomous_system_number"), KeyPath("asn"),
    KeyPath("traits", "autonomous_system_number"),
  ]
  private let namePaths = [
    KeyPath("autonomous_system_organization"), KeyPath("as_name"), KeyPath("name"),
    KeyPath("traits", "autonomous_system_organization"),
  ]

  /// A path of keys as libmaxminddb takes it: C strings, then null.
  private struct KeyPath: Sendable {
    // Static strings live for ever and end in a zero byte.
    nonisolated(unsafe) let keys: [UnsafePointer<CChar>?]

    init(_ names: StaticString...) {
      keys =
        names.map {
          UnsafeRawPointer($0.utf8Start).assumingMemoryBound(to: CChar.self)
        } + [nil]
    }
  }

  private func value(_ entry: inout MMDB_entry_s, _ path: KeyPath) -> MMDB_entry_data_s? {
    var data = MMDB_entry_data_s()
    let status = path.keys.withUnsafeBufferPointer {
      MMDB_aget_value(&entry, &data, $0.baseAddress)
    }
    return status == MMDB_SUCCESS && data.has_data ? data : nil
  }

  private func text(_ data: MMDB_entry_data_s, longest: Int) -> String? {
    guard data.type == UInt32(MMDB_DATA_TYPE_UTF8_STRING), let start = data.utf8_string else {
      return nil
    }
    let bytes = UnsafeRawBufferPointer(start: start, count: min(Int(data.data_size), longest))
    return String(decoding: bytes, as: UTF8.self)
  }

  func country(_ entry: inout MMDB_entry_s) -> UInt32 {
    for path in countryPaths {
      guard let data = value(&entry, path), let text = text(data, longest: 64),
        let code = CountryCode(text), code != .unknown
      else { continue }
      return UInt32(code.packed)
    }
    return 0
  }

  func asn(_ entry: inout MMDB_entry_s) -> UInt32 {
    for path in asnPaths {
      guard let data = value(&entry, path) else { continue }
      switch data.type {
      case UInt32(MMDB_DATA_TYPE_UINT32): return data.uint32
      case UInt32(MMDB_DATA_TYPE_UINT16): return UInt32(data.uint16)
      case UInt32(MMDB_DATA_TYPE_UINT64): return UInt32(exactly: data.uint64) ?? 0
      default:
        if let text = text(data, longest: 24), let asn = ASN(text: text) { return asn.number }
      }
    }
    return 0
  }

  func name(_ entry: inout MMDB_entry_s) -> String? {
    for path in namePaths {
      if let data = value(&entry, path), let text = text(data, longest: 200), !text.isEmpty {
        return text
      }
    }
    return nil
  }
}
