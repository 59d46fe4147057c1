import Geolocation
import NetworkTypes

/// Asks at the edges of the address spaces and at the places that the input itself names.
private func ask(_ geo: GeoDatabase, _ input: UnsafeBufferPointer<UInt8>) {
  var address: UInt128 = 0
  for byte in input.prefix(256) {
    address = address << 8 | UInt128(byte)
    let record = geo.lookup(IPAddress(bits: address))
    _ = geo.asnName(record.asn)
    let v4 = UInt32(truncatingIfNeeded: address)
    precondition(geo.lookup(v4: v4) == geo.lookup(IPAddress(v4: v4)))
  }
  for edge in [UInt128(0), 0xffff_0000_0000, 0xffff_ffff_ffff, .max] {
    _ = geo.lookup(IPAddress(bits: edge)).country.name(in: .japanese)
  }
}

/// CRC-32 bit by bit, so that mutations get behind the checksum.
private func checksum(_ bytes: [UInt8]) -> [UInt8] {
  var crc: UInt32 = 0xffff_ffff
  for byte in bytes {
    crc ^= UInt32(byte)
    for _ in 0..<8 { crc = crc & 1 == 1 ? crc >> 1 ^ 0xedb8_8320 : crc >> 1 }
  }
  return (0..<4).map { UInt8(truncatingIfNeeded: ~crc >> UInt32(8 * $0)) }
}

/// Reads the input as each text table and as the content of a snapshot.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzGeo(_ start: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
  guard let start, count > 0 else { return 0 }
  let input = UnsafeBufferPointer(start: start, count: count)
  switch input[0] % 4 {
  case 0:
    let body = Array("NOROSHIG".utf8) + [1] + input.dropFirst()
    if let geo = try? GeoDatabase(snapshotBytes: body + checksum(body)) { ask(geo, input) }
  case 1: ask(GeoDatabase(text: Array(input.dropFirst()), kind: .prefixToAS), input)
  case 2: ask(GeoDatabase(text: Array(input.dropFirst()), kind: .ipfireLocation), input)
  default: ask(GeoDatabase(text: Array(input.dropFirst()), kind: .torGeoIP), input)
  }
  return 0
}
