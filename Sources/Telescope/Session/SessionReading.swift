import Foundation
import PacketCapture

/// Reading captures into the memory.
///
/// A file that was read before is known by its digest and left out beforehand. A pipe's digest is known
/// only at its end: nothing is committed until then, and when it shows that the same octets were read
/// before, the session goes back to its last checkpoint and reads the files alone. So a pipe counts
/// once, like a file, and a file that is poured into a pipe is the same capture.
extension TelescopeSession {
  /// Reads captures in the order of their packets, whatever order they are named in, and leaves out
  /// those that were read before. Captures that overlap in time are merged.
  ///
  /// - Parameters:
  ///   - paths: files, and at most one pipe; `-` is standard input.
  ///   - progress: called several times a second with the file, the octets read of all files and their
  ///     sum (nil with a pipe).
  public func read(
    paths: [String], progress: (_ path: String, _ done: Int, _ total: Int?) -> Void
  ) throws -> [Reading] {
    var known: [Reading] = []
    var fresh: [String] = []
    var digests: [String: String] = [:]
    var pipe: String?
    var done = 0
    var total = 0
    for path in paths {
      if CaptureReader.isPipe(path: path) {
        guard pipe == nil || pipe == path else {
          throw TelescopeError.storage(
            "only one pipe can be read at a time, and \(path) is a second one; "
              + "store it in a file, or read it afterwards")
        }
        if pipe == nil { fresh.append(path) }
        pipe = path
        continue
      }
      let size =
        (try FileManager.default.attributesOfItem(atPath: path)[.size] as? NSNumber)?.intValue ?? 0
      total += size
      let digest = try InputDigest.of(path: path)
      if try store.hasRead(digest: digest) || digests.values.contains(digest) {
        known.append(reading(ofKnown: path, digest))
        done += size
      } else {
        digests[path] = digest
        fresh.append(path)
      }
    }
    // What a pipe may make us forget must not include what was observed before.
    if pipe != nil, isAhead { try commit([]) }
    var pipeDigest = InputDigest()
    let parts = try observe(
      fresh, tap: { pipeDigest.add($0) },
      progress: { path, bytes in progress(path, done + bytes, pipe == nil ? total : nil) })
    if let pipe {
      let digest = pipeDigest.finish()
      if try store.hasRead(digest: digest) || digests.values.contains(digest) {
        try goBack()
        let others = try read(paths: paths.filter { $0 != pipe }, progress: progress)
        return others + [reading(ofKnown: pipe, digest)]
      }
      digests[pipe] = digest
    }
    let readings = parts.map { part in
      Reading(
        input: .init(
          digest: digests[part.path] ?? "", name: part.path, readAt: clock(),
          firstPacket: part.firstPacket, lastPacket: part.lastPacket,
          packets: UInt64(part.packets), ending: part.ending.description),
        wasKnown: false)
    }
    try commit(readings.map(\.input))
    return known + readings
  }

  /// Observes all packets of captures.
  private func observe(
    _ paths: [String], tap: @escaping (UnsafeRawBufferPointer) -> Void,
    progress: (_ path: String, _ bytes: Int) -> Void
  ) throws -> [MergedCapture.Part] {
    var captures = try MergedCapture(paths: paths, tap: tap)
    while try engine.read(&captures, limit: 1 << 18) > 0 {
      progress(captures.currentPath, captures.bytesRead)
    }
    return captures.parts
  }

  private func reading(ofKnown path: String, _ digest: String) -> Reading {
    let input = TelescopeStore.Input(
      digest: digest, name: path, readAt: clock(), firstPacket: nil, lastPacket: nil, packets: 0,
      ending: "complete")
    return Reading(input: input, wasKnown: true)
  }
}
