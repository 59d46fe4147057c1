import Glibc
import Synchronization

/// Memory for large tables that are read at random: pieces cut from regions of huge pages.
///
/// A table of some hundred megabytes in pages of 4 KiB misses the translation buffer at almost every
/// access, which costs more than the cache miss itself. Pieces are handed out densely, so that a small
/// table costs a few pages and not one huge page each; pieces given back are handed out again to whoever
/// asks for the same size. Regions stay with the process.
///
/// Safe for several threads at once. It is meant for pieces of 4 KiB and more, some thousand times a
/// second at most.
public enum ChunkMemory {
  /// Octets of address space taken from the system at once.
  static let regionBytes = 64 << 20
  /// What every piece is aligned to: a cache line.
  static let alignment = 64

  private struct Regions: ~Copyable {
    var next: UInt = 0
    var end: UInt = 0
    var free: [Int: [UInt]] = [:]
  }

  private static let regions = Mutex(Regions())

  /// Octets that a piece of `byteCount` octets takes.
  private static func rounded(_ byteCount: Int) -> Int {
    (byteCount + alignment - 1) / alignment * alignment
  }

  /// A piece of memory, not cleared, aligned to a cache line.
  ///
  /// Out of memory ends the process, as when the standard library's own arrays cannot grow.
  public static func allocate(byteCount: Int) -> UnsafeMutableRawPointer {
    let size = rounded(byteCount)
    let address = regions.withLock { regions -> UInt in
      if let address = regions.free[size]?.popLast() { return address }
      if size > regionBytes / 4 { return newRegion(byteCount: size) }
      if regions.end - regions.next < UInt(size) {
        regions.next = newRegion(byteCount: regionBytes)
        regions.end = regions.next + UInt(regionBytes)
      }
      defer { regions.next += UInt(size) }
      return regions.next
    }
    // `newRegion` never returns null, and what is cut from it lies behind its start.
    return UnsafeMutableRawPointer(bitPattern: address)!
  }

  /// Gives a piece back that ``allocate(byteCount:)`` made for the same size.
  public static func deallocate(_ pointer: UnsafeMutableRawPointer, byteCount: Int) {
    regions.withLock {
      $0.free[rounded(byteCount), default: []].append(UInt(bitPattern: pointer))
    }
  }

  /// Address space aligned to huge pages. Memory is taken as it is first written.
  private static func newRegion(byteCount: Int) -> UInt {
    let hugePage = 2 << 20
    let size = (byteCount + hugePage - 1) / hugePage * hugePage + hugePage
    let start = mmap(
      nil, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0)
    guard let start, start != MAP_FAILED else {
      // Out of memory: nothing here can go on, as when the standard library's own arrays cannot grow.
      fatalError("no memory for \(byteCount) octets of tables: \(String(cString: strerror(errno)))")
    }
    let aligned =
      (UInt(bitPattern: start) + UInt(hugePage) - 1) / UInt(hugePage) * UInt(hugePage)
    // A kernel without huge pages refuses; small pages serve as well, only slower.
    _ = madvise(
      UnsafeMutableRawPointer(bitPattern: aligned), size - hugePage, MADV_HUGEPAGE)
    return aligned
  }
}

/// Records of one size in chunks of 2^`chunkShift` that never move: growing copies nothing.
///
/// Every record number that comes in must lie below ``capacity``; the callers check it against their
/// own count.
public struct ChunkedMemory: ~Copyable {
  /// Octets of a record.
  public let recordBytes: Int
  @usableFromInline let shift: Int
  @usableFromInline let mask: Int
  @usableFromInline var chunks: UnsafeMutablePointer<UnsafeMutableRawPointer>
  private var chunkCount = 0
  private var chunkCapacity = 8

  /// No memory yet; each chunk will hold 2^`chunkShift` records.
  public init(recordBytes: Int, chunkShift: Int) {
    self.recordBytes = recordBytes
    shift = chunkShift
    mask = 1 << chunkShift - 1
    chunks = .allocate(capacity: chunkCapacity)
  }

  deinit {
    for index in 0..<chunkCount {
      ChunkMemory.deallocate(chunks[index], byteCount: growthBytes)
    }
    chunks.deallocate()
  }

  /// Records that there is memory for.
  public var capacity: Int { chunkCount << shift }
  /// Octets of that memory.
  public var memoryBytes: Int { chunkCount * growthBytes }
  /// Octets that one more chunk takes.
  public var growthBytes: Int { recordBytes << shift }

  /// One more chunk; its records are not initialised.
  public mutating func grow() {
    if chunkCount == chunkCapacity {
      let larger = UnsafeMutablePointer<UnsafeMutableRawPointer>.allocate(
        capacity: chunkCapacity * 2)
      larger.update(from: chunks, count: chunkCount)
      chunks.deallocate()
      chunks = larger
      chunkCapacity *= 2
    }
    chunks[chunkCount] = ChunkMemory.allocate(byteCount: growthBytes)
    chunkCount += 1
  }

  @inlinable @inline(__always)
  public func pointer(_ record: Int) -> UnsafeMutableRawPointer {
    chunks[record &>> shift] + (record & mask) &* recordBytes
  }

  /// The octets of records from `record` to the end of its chunk or to `end`, whichever comes first.
  public func run(from record: Int, to end: Int) -> UnsafeMutableRawBufferPointer {
    UnsafeMutableRawBufferPointer(
      start: pointer(record), count: recordCount(from: record, to: end) * recordBytes)
  }

  /// How many records ``run(from:to:)`` covers.
  public func recordCount(from record: Int, to end: Int) -> Int {
    min(end - record, 1 << shift - record & mask)
  }
}
