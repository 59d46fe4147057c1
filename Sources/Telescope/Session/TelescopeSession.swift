import Foundation
import Glibc
public import NetworkTypes

/// A telescope with a memory: an engine whose state and conclusions outlive the process.
///
/// Each checkpoint writes the engine's state to a file of its own generation, then stores the
/// conclusions and that generation's number in one transaction, then removes the state before it. A
/// crash at any moment leaves the last completed checkpoint, and the captures read since then are read
/// again. Files of events are written before that transaction, which names them; those it does not name
/// are removed by the next session. One process at a time may have a session on a directory.
public final class TelescopeSession {
  public private(set) var engine: TelescopeEngine
  public let store: TelescopeStore
  private let directory: String
  private let lock: SessionLock
  private var generation: Int
  let clock: () -> Timestamp
  private var committedPackets: UInt64 = 0
  /// Whether packets were observed since the last ``commit(_:)``.
  var isAhead: Bool { engine.counters.packets != committedPackets }

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
    lock = try SessionLock(directory: directory)
    generation = try store.generation()
    try resume()
    try removeStates(except: generation)
    try store.removeUnnamedEventFiles()
  }

  /// Takes up the state of the last checkpoint, in an engine that has not read anything.
  private func resume() throws {
    guard generation > 0 else { return }
    let path = Self.statePath(directory, generation)
    // Mapped: the session's lock keeps others from shortening it.
    guard let data = try? Data(contentsOf: URL(fileURLWithPath: path), options: .alwaysMapped)
    else { throw TelescopeError.damagedCheckpoint("\(path) is missing") }
    try data.withUnsafeBytes { try engine.restore($0) }
    engine.resumeCounters(try store.counters())
    committedPackets = engine.counters.packets
  }

  /// Forgets what was read since the last ``commit(_:)``, with an engine that takes up its state.
  func goBack() throws {
    engine = engine.unused()
    try resume()
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

  /// Stores everything concluded so far.
  ///
  /// - Returns: the conclusions, for whoever makes findings of them.
  @discardableResult
  public func commit(_ inputs: [TelescopeStore.Input]) throws -> TelescopeResults {
    let results = engine.checkpoint()
    latest = results
    let next = generation + 1
    let path = Self.statePath(directory, next)
    try store.record(results, inputs: inputs, generation: next, now: engine.now) { consume in
      try engine.forEachOpenEvent(consume)
      // Beside the writing of the last events and the database's work, and before the transaction that
      // makes it count.
      try writeState(to: path)
    }
    generation = next
    committedPackets = engine.counters.packets
    try removeStates(except: next)
    return results
  }

  /// The conclusions of the last commit.
  public private(set) var latest = TelescopeResults()

  /// Writes the engine's state beside, syncs it and renames it.
  private func writeState(to path: String) throws {
    let part = path + ".part"
    guard FileManager.default.createFile(atPath: part, contents: nil),
      let handle = FileHandle(forWritingAtPath: part)
    else {
      throw TelescopeError.storage(
        "\(part) cannot be created; check the data directory's permissions and free space")
    }
    var failure: (any Error)?
    try engine.writeState { portion in
      guard failure == nil else { return }
      do { try handle.write(contentsOf: portion) } catch { failure = error }
    }
    if let failure { throw failure }
    try handle.synchronize()
    try handle.close()
    guard rename(part, path) == 0 else {
      throw TelescopeError.storage("\(part) cannot be renamed to \(path)")
    }
  }
}
