import Glibc

/// Where a stream's octets come from, decompressed.
@usableFromInline
protocol ByteSource: AnyObject {
  /// Puts at least one octet into the buffer and gives how many; 0 at the end or at damage.
  func fill(_ buffer: UnsafeMutableRawBufferPointer) throws(CaptureError) -> Int
  /// Why the stream ended before its end; nil for a good end.
  var damage: String? { get }
  /// Octets taken from the file or pipe so far, compressed ones for a compressed stream.
  var consumed: Int { get }
  /// What is read from the file or pipe.
  var input: ByteInput { get }
}

/// Undecoded input in chunks: an open file or pipe, or memory.
@usableFromInline
final class ByteInput {
  let path: String
  private let descriptor: Int32
  private let closes: Bool
  /// Sees all octets as they are read.
  private let tap: ((UnsafeRawBufferPointer) -> Void)?
  private let buffer: UnsafeMutableRawBufferPointer
  private var start: Int
  private var end: Int
  /// Octets that ``take(_:)`` gave away.
  private(set) var consumed = 0

  /// Reads from an open descriptor, which is closed with this object when `closes`.
  init(
    descriptor: Int32, path: String, closes: Bool,
    tap: ((UnsafeRawBufferPointer) -> Void)? = nil
  ) {
    self.descriptor = descriptor
    self.path = path
    self.closes = closes
    self.tap = tap
    buffer = .allocate(byteCount: CaptureParameters.inputLength, alignment: 16)
    start = 0
    end = 0
  }

  /// Reads from a copy of memory.
  init(bytes: [UInt8], path: String) {
    descriptor = -1
    closes = false
    tap = nil
    self.path = path
    buffer = .allocate(byteCount: max(bytes.count, 1), alignment: 16)
    buffer.copyBytes(from: bytes)
    start = 0
    end = bytes.count
  }

  deinit {
    buffer.deallocate()
    if closes { close(descriptor) }
  }

  /// The input that is at hand; reads more when there is none. Empty at the end.
  func chunk() throws(CaptureError) -> UnsafeRawBufferPointer {
    if start == end { try readMore() }
    return UnsafeRawBufferPointer(rebasing: buffer[start..<end])
  }

  /// Marks the first octets of ``chunk()`` as used.
  func take(_ count: Int) {
    start += count
    consumed += count
  }

  /// Up to `count` first octets, waiting for them, without taking them.
  func peek(_ count: Int) throws(CaptureError) -> [UInt8] {
    while end - start < count, try readMore() {}
    return Array(buffer[start..<min(end, start + count)])
  }

  @discardableResult
  private func readMore() throws(CaptureError) -> Bool {
    guard descriptor >= 0 else { return false }
    if start == end {
      start = 0
      end = 0
    }
    guard end < buffer.count else { return false }
    let got = try Self.read(
      descriptor, UnsafeMutableRawBufferPointer(rebasing: buffer[end...]), path: path)
    tap?(UnsafeRawBufferPointer(rebasing: buffer[end..<end + got]))
    end += got
    return got > 0
  }

  /// One read(2) that survives signals.
  private static func read(
    _ descriptor: Int32, _ buffer: UnsafeMutableRawBufferPointer, path: String
  ) throws(CaptureError) -> Int {
    while true {
      let got = Glibc.read(descriptor, buffer.baseAddress, buffer.count)
      if got >= 0 { return got }
      if errno != EINTR { throw .readFailed(path: path, reason: String(cString: strerror(errno))) }
    }
  }

  /// Copies input as it is; reads past the own buffer when that is empty.
  func copy(into target: UnsafeMutableRawBufferPointer) throws(CaptureError) -> Int {
    if start < end {
      let count = min(end - start, target.count)
      target.copyMemory(from: UnsafeRawBufferPointer(rebasing: buffer[start..<start + count]))
      take(count)
      return count
    }
    guard descriptor >= 0 else { return 0 }
    let got = try Self.read(descriptor, target, path: path)
    tap?(UnsafeRawBufferPointer(rebasing: target[..<got]))
    consumed += got
    return got
  }

  /// Reads to the end and throws it away, so that the tap sees all.
  func drain() throws(CaptureError) {
    repeat { take(end - start) } while try readMore()
  }
}

/// An uncompressed stream.
final class PlainSource: ByteSource {
  let input: ByteInput
  init(_ input: ByteInput) { self.input = input }
  var damage: String? { nil }
  var consumed: Int { input.consumed }
  func fill(_ buffer: UnsafeMutableRawBufferPointer) throws(CaptureError) -> Int {
    try input.copy(into: buffer)
  }
}
