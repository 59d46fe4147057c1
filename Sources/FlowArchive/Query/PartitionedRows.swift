import Foundation
import Synchronization

/// Rows of a grouping by the upper bits of their keys' hashes, so that each partition's groups fit into a
/// table that a processor's cache holds. What does not fit into memory goes to an unlinked temporary
/// file.
final class PartitionedRows: Sendable {
  /// 2^8: a partition of ten million groups then has some two megabytes.
  static let partitionBits = 8
  static let partitionCount = 1 << partitionBits
  /// Rows of a chunk: our own choice, about 50 KiB.
  static let rowsPerChunk = 1_024

  private struct State {
    var chunks: [[[UInt64]]]
    /// Parts of the spill file.
    var spilled: [[(offset: Int, words: Int)]]
    var wordsInMemory = 0
    var descriptor: Int32 = -1
    var spillOctets = 0
  }

  private let state: Mutex<State>
  private let memoryLimit: Int
  private let spillLimit: Int
  private let folder: String

  /// - Parameters:
  ///   - memoryLimit: octets of chunks in memory; beyond, they are spilled.
  ///   - spillLimit: octets of the temporary file.
  init(memoryLimit: Int, spillLimit: Int, folder: String) {
    self.memoryLimit = memoryLimit
    self.spillLimit = spillLimit
    self.folder = folder
    state = Mutex(
      State(
        chunks: Array(repeating: [], count: Self.partitionCount),
        spilled: Array(repeating: [], count: Self.partitionCount)))
  }

  deinit {
    let descriptor = state.withLock { $0.descriptor }
    if descriptor >= 0 { close(descriptor) }
  }

  var isEmpty: Bool {
    state.withLock { state in
      state.chunks.allSatisfy(\.isEmpty) && state.spilled.allSatisfy(\.isEmpty)
    }
  }

  /// Octets that were written to the temporary file.
  var spillOctets: Int { state.withLock { $0.spillOctets } }

  /// Takes a chunk of whole rows.
  func add(_ chunk: [UInt64], to partition: Int) throws(ArchiveError) {
    guard !chunk.isEmpty else { return }
    let failure: ArchiveError? = state.withLock { state in
      if state.wordsInMemory * 8 + chunk.count * 8 <= memoryLimit {
        state.wordsInMemory += chunk.count
        state.chunks[partition].append(chunk)
        return nil
      }
      return spill(chunk, partition, &state)
    }
    if let failure { throw failure }
  }

  private func spill(
    _ chunk: [UInt64], _ partition: Int, _ state: inout State
  ) -> ArchiveError? {
    guard state.spillOctets + chunk.count * 8 <= spillLimit else {
      return .tooMuchMemory(what: "this grouping", limitOctets: memoryLimit + spillLimit)
    }
    if state.descriptor < 0 {
      var template = Array((folder + "/noroshi-grouping-XXXXXX").utf8CString)
      state.descriptor = template.withUnsafeMutableBufferPointer { buffer in
        // `template` ends with a zero octet and is not empty.
        buffer.baseAddress.map { mkstemp($0) } ?? -1
      }
      guard state.descriptor >= 0 else {
        return .system(operation: "making a temporary file in", path: folder, code: errno)
      }
      template.withUnsafeBufferPointer { buffer in
        if let path = buffer.baseAddress { _ = unlink(path) }
      }
    }
    let offset = state.spillOctets
    let descriptor = state.descriptor
    let code: Int32 = chunk.withUnsafeBytes { source in
      var done = 0
      while done < source.count {
        let written = pwrite(
          descriptor, source.baseAddress.map { $0 + done }, source.count - done,
          off_t(offset + done))
        if written > 0 { done += written } else if errno != EINTR { return errno }
      }
      return 0
    }
    guard code == 0 else {
      return .system(operation: "writing a temporary file in", path: folder, code: code)
    }
    state.spilled[partition].append((offset, chunk.count))
    state.spillOctets += chunk.count * 8
    return nil
  }

  /// Gives out a partition's chunks one by one, and forgets them.
  func drain(
    _ partition: Int, _ body: ([UInt64]) throws(ArchiveError) -> Void
  ) throws(ArchiveError) {
    let (chunks, parts, descriptor) = state.withLock { state in
      let taken = (state.chunks[partition], state.spilled[partition], state.descriptor)
      state.chunks[partition] = []
      state.spilled[partition] = []
      state.wordsInMemory -= taken.0.reduce(0) { $0 + $1.count }
      return taken
    }
    for chunk in chunks { try body(chunk) }
    for part in parts {
      var code: Int32 = 0
      let chunk = [UInt64](unsafeUninitializedCapacity: part.words) { buffer, initialized in
        let target = UnsafeMutableRawBufferPointer(buffer)
        var done = 0
        let size = part.words * 8
        while done < size {
          let taken = pread(
            descriptor, target.baseAddress.map { $0 + done }, size - done,
            off_t(part.offset + done))
          if taken > 0 {
            done += taken
          } else if taken == 0 || errno != EINTR {
            code = taken == 0 ? EIO : errno
            break
          }
        }
        initialized = done / 8
      }
      guard code == 0 else {
        throw .system(operation: "reading a temporary file in", path: folder, code: code)
      }
      try body(chunk)
    }
  }
}
