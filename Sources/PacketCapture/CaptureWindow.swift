import Glibc

/// Memory that holds captured octets, given back when nothing refers to it.
final class CaptureMemory {
  let octets: UnsafeMutableRawBufferPointer

  init(length: Int) {
    octets = .allocate(byteCount: max(length, 1), alignment: 16)
  }

  deinit { octets.deallocate() }
}

/// The part of a capture that is in memory: a moving window over a file or stream, or all of it.
///
/// A file is read and not mapped: a rotation that shortens a mapped file would end the process.
///
/// Captured memory is touched through this type only, and read as a `RawSpan`, whose loads are
/// bounds-checked.
@usableFromInline
struct CaptureWindow: ~Copyable {
  /// The first octet of the window, which ``memory`` keeps alive.
  @usableFromInline var base: UnsafeRawPointer
  /// Valid octets from ``base`` on.
  @usableFromInline var end: Int
  /// The next octet to be read; callers keep it at or below ``end``.
  @usableFromInline var position = 0
  /// Where ``base`` lies in the uncompressed stream.
  @usableFromInline var streamOffset = 0

  private var memory: CaptureMemory
  let source: (any ByteSource)?

  /// A window over memory whose first `length` octets are initialised, or over a stream.
  private init(_ memory: CaptureMemory, length: Int, source: (any ByteSource)?) {
    self.memory = memory
    self.source = source
    base = Self.start(of: memory)
    end = length
  }

  /// A window over a copy of octets in memory.
  init(bytes: [UInt8]) {
    let memory = CaptureMemory(length: bytes.count)
    memory.octets.copyBytes(from: bytes)
    self.init(memory, length: bytes.count, source: nil)
  }

  /// A window that moves over a stream.
  init(source: any ByteSource) {
    self.init(
      CaptureMemory(length: CaptureParameters.windowLength), length: 0, source: source)
  }

  private static func start(of memory: CaptureMemory) -> UnsafeRawPointer {
    // `allocate` does not give nil.
    UnsafeRawPointer(memory.octets.baseAddress.unsafelyUnwrapped)
  }

  /// All octets of the window.
  @usableFromInline
  var bytes: RawSpan {
    @inlinable @inline(__always) @_lifetime(borrow self)
    get {
      // `end` octets from `base` on are initialised and live as long as self.
      _overrideLifetime(RawSpan(_unsafeStart: base, byteCount: end), borrowing: self)
    }
  }

  @usableFromInline
  var available: Int {
    @inlinable @inline(__always) get { end &- position }
  }

  /// Where the next octet lies in the uncompressed stream.
  var offset: Int { streamOffset + position }

  /// Reads on until `count` octets are available, and says whether they are.
  ///
  /// `count` is bounded by the callers' limits on records and blocks, and so is the memory.
  mutating func fill(_ count: Int) throws(CaptureError) -> Bool {
    if available >= count { return true }
    guard let source else { return false }
    let rest = available
    var target = memory
    if count > memory.octets.count {
      target = CaptureMemory(length: max(count, 2 * memory.octets.count))
    }
    // The rest fits: it is shorter than `count`. The two may overlap.
    memmove(target.octets.baseAddress.unsafelyUnwrapped, base + position, rest)
    memory = target
    base = Self.start(of: target)
    streamOffset += position
    position = 0
    end = rest
    while end < count {
      let got = try source.fill(UnsafeMutableRawBufferPointer(rebasing: memory.octets[end...]))
      if got == 0 { return false }
      end += got
    }
    return true
  }
}
