import Crypto
import Foundation
import NetworkTypes
import PacketCapture

@testable import Telescope

private let space = DarkSpace(prefixes: [IPPrefix("198.18.0.0/15")].compactMap { $0 })

private func engine() -> TelescopeEngine {
  var surroundings = TelescopeEngine.Surroundings()
  surroundings.threads = 1
  surroundings.parameters.memoryLimit = 64 << 20
  return TelescopeEngine(space: space, surroundings: surroundings)
}

/// A few packets of several classes, so that the tables hold something.
private let capture: [UInt8] = {
  var bytes: [UInt8] = [0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0]
  bytes += [101, 0, 0, 0]
  for index in 0..<40 as Range<UInt8> {
    let source: [UInt8] = [20, 1, 1, index % 7]
    let ports: [UInt8] = index % 3 == 0 ? [0, 80, 4, 210] : [4, 210, 0, 23]
    let flags: UInt8 = index % 3 == 0 ? 0x12 : 2
    var packet: [UInt8] = [0x45, 0, 0, 40, 0, 7, 0, 0, 50, 6, 0, 0] + source + [198, 18, 0, index]
    packet += ports + [198, 18, 0, index, 0, 0, 0, 0, 0x50, flags, 4, 0, 0, 0, 0, 0]
    bytes += [index &* 5, 0, 0, 0x60, 0, 0, 0, 0, 40, 0, 0, 0, 40, 0, 0, 0] + packet
  }
  return bytes
}()

private func observe(_ engine: TelescopeEngine) {
  guard var reader = try? CaptureReader(bytes: capture) else { return }
  while let count = try? engine.read(&reader, limit: 1_000), count > 0 {}
}

/// The state of an engine that has seen ``capture``, without its seal.
private let state: [UInt8] = {
  let engine = engine()
  observe(engine)
  _ = engine.checkpoint()
  return ((try? engine.state()) ?? []).dropLast(32)
}()

/// Changes a good state at the places that the input names, seals it, and takes it up: a refusal or an
/// engine that goes on, never a trap. Every five octets are a place, counted from the start or, with
/// the highest bit, from the end, and a value.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzCheckpoint(_ start: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
  guard let start, count > 0 else { return 0 }
  let input = Array(UnsafeBufferPointer(start: start, count: count))
  var changed = state
  for offset in stride(from: 0, to: input.count - 4, by: 5) where !changed.isEmpty {
    let number = input[offset..<offset + 4].reduce(0) { $0 << 8 | Int($1) }
    let place = (number & 0x7fff_ffff) % changed.count
    changed[number >> 31 == 1 ? changed.count - 1 - place : place] = input[offset + 4]
  }
  if input.count % 5 == 4 { changed.removeLast(min(changed.count, Int(input[input.count - 1]))) }
  changed += Array(SHA256.hash(data: changed))
  let engine = engine()
  guard (try? engine.restore(changed)) != nil else { return 0 }
  observe(engine)
  _ = engine.checkpoint()
  engine.forEachOpenEvent { _ in }
  guard (try? engine.state()) != nil else { return 0 }
  return 0
}
