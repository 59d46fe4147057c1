import Foundation
import Glibc
public import NetworkTypes
import PacketCapture

/// A telescope with a memory: an engine whose state and conclusions outlive the process.
///
/// Each checkpoint writes the engine's state to a file of its own generation, then stores the
/// conclusions and that generation's number in one transaction, then removes the state before it. A
/// crash at any moment leaves the last completed checkpoint, and the captures read since then are read
/// again.
public final class TelescopeSession {
  public let engine: TelescopeEngine
  public let store: TelescopeStore
  private let directory: String
  private var generation: Int
  private let clock: () -> Timestamp

  /// What reading one capture came to.
  public struct Reading: Sendable {
    public var input: TelescopeStore.Input
    /// It had been read before, and nothing was done.
    public var wasKnown: Bool
  }

  /// Takes up where the last session on this directory stopped.
  ///
  /// - Parameters:
  ///   - directory: for the engine's state; created when it is missing.
  ///   - clock: the time of day, for the record of when a capture was read.
  public init(
    engine: TelescopeEngine, store: TelescopeStore, directory: String,
    clock: @escaping () -> Timestamp
  ) throws {
    self.engine = engine
    self.store = store
    self.directory = directory
    self.clock = clock
    try FileManager.default.createDirectory(
      atPath: directory, withIntermediateDirectories: true)
    generation = try store.generation()
    if generation > 0 {
      let path = Self.statePath(directory, generation)
      guard let data = FileManager.default.contents(atPath: path) else {
        throw TelescopeError.damagedCheckpoint("\(path) is missing")
      }
      try engine.restore(Array(data))
      engine.resumeCounters(try store.counters())
    }
    try removeStates(except: generation)
  }

  private static func statePath(_ directory: String, _ generation: Int) -> String {
    "\(directory)/state-\(generation)"
  }

  private func removeStates(except kept: Int) throws {
    for name in try FileManager.default.contentsOfDirectory(atPath: directory)
    where name.hasPrefix("state-") && name != "state-\(kept)" {
      try FileManager.default.removeItem(atPath: "\(directory)/\(name)")
    }
  }

  /// Reads captures in the order of their first packets, whatever order they are named in, and leaves
  /// out those that were read before.
  ///
  /// - Parameter progress: called several times a second with the file, the octets read of all files
  ///   and their sum (nil for a pipe).
  public func read(
    paths: [String], progress: (_ path: String, _ done: Int, _ total: Int?) -> Void
  ) throws -> [Reading] {
    var readings: [Reading] = []
    let sizes = paths.map { path in
      ((try? FileManager.default.attributesOfItem(atPath: path))?[.size] as? Int) ?? 0
    }
    let total = paths.contains("-") ? nil : sizes.reduce(0, +)
    var done = 0
    for path in try Self.inOrder(paths) {
      let digest = path == "-" ? nil : try InputDigest.of(path: path)
      let size = sizes[paths.firstIndex(of: path) ?? 0]
      if let digest,
        try store.hasRead(digest: digest)
          || readings.contains(where: { $0.input.digest == digest })
      {
        let known = TelescopeStore.Input(
          digest: digest, name: path, readAt: clock(), firstPacket: nil, lastPacket: nil,
          packets: 0, ending: "complete")
        readings.append(Reading(input: known, wasKnown: true))
        done += size
        continue
      }
      var reader = try CaptureReader(path: path)
      let first = path == "-" ? nil : try CaptureReader.firstTimestamp(path: path)
      var packets: UInt64 = 0
      while true {
        let count = try engine.read(&reader, limit: 1 << 18)
        if count == 0 { break }
        packets += UInt64(count)
        progress(path, done + reader.bytesRead, total)
      }
      done += size
      let ending: String
      switch reader.ending {
      case .complete: ending = "complete"
      case .broken(let offset, let reason): ending = "broken at octet \(offset): \(reason)"
      }
      readings.append(
        Reading(
          input: .init(
            digest: digest ?? "stdin-\(clock().nanoseconds)", name: path, readAt: clock(),
            firstPacket: first, lastPacket: engine.now, packets: packets, ending: ending),
          wasKnown: false))
    }
    try commit(readings.filter { !$0.wasKnown }.map(\.input))
    return readings
  }

  /// Stores everything concluded so far.
  ///
  /// - Returns: the conclusions, for whoever makes findings of them.
  @discardableResult
  public func commit(_ inputs: [TelescopeStore.Input]) throws -> TelescopeResults {
    let results = engine.checkpoint()
    latest = results
    let next = generation + 1
    let path = Self.statePath(directory, next)
    try Self.write(try engine.state(), to: path)
    try store.record(results, inputs: inputs, generation: next, now: engine.now) { consume in
      try engine.forEachOpenEvent(consume)
    }
    generation = next
    try removeStates(except: next)
    return results
  }

  /// The conclusions of the last commit.
  public private(set) var latest = TelescopeResults()

  /// Files by the time of their first packet; empty ones and the standard input last.
  private static func inOrder(_ paths: [String]) throws -> [String] {
    var timed: [(path: String, first: Timestamp)] = []
    for path in paths {
      let first = path == "-" ? nil : try CaptureReader.firstTimestamp(path: path)
      timed.append((path, first ?? .distantFuture))
    }
    return timed.sorted { ($0.first, $0.path) < ($1.first, $1.path) }.map(\.path)
  }

  private static func write(_ bytes: [UInt8], to path: String) throws {
    let part = path + ".part"
    guard FileManager.default.createFile(atPath: part, contents: nil),
      let handle = FileHandle(forWritingAtPath: part)
    else {
      throw TelescopeError.storage(
        "\(part) cannot be created; check the data directory's permissions and free space")
    }
    try handle.write(contentsOf: Data(bytes))
    try handle.synchronize()
    try handle.close()
    guard rename(part, path) == 0 else {
      throw TelescopeError.storage("\(part) cannot be renamed to \(path)")
    }
  }
}
