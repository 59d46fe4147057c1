internal import CZlib

/// A gzip stream of one or more members (RFC 1952 §2.2), through zlib.
final class GzipSource: ByteSource {
  let input: ByteInput
  // zlib keeps the address of its state, so it lives on the heap.
  private let stream: UnsafeMutablePointer<z_stream>
  private var betweenMembers = false
  private var ended = false
  private(set) var damage: String?
  var consumed: Int { input.consumed }

  init(_ input: ByteInput) throws(CaptureError) {
    self.input = input
    stream = .allocate(capacity: 1)
    stream.initialize(to: z_stream())
    // 15 + 16: the largest window, gzip wrapping only.
    guard inflateInit2_(stream, 31, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK else {
      stream.deallocate()
      throw .cannotOpen(path: input.path, reason: "no memory for decompression")
    }
  }

  deinit {
    inflateEnd(stream)
    stream.deallocate()
  }

  func fill(_ buffer: UnsafeMutableRawBufferPointer) throws(CaptureError) -> Int {
    let limit = min(buffer.count, Int(UInt32.max))
    stream.pointee.next_out = buffer.baseAddress?.assumingMemoryBound(to: UInt8.self)
    stream.pointee.avail_out = UInt32(limit)
    while !ended {
      let produced = limit - Int(stream.pointee.avail_out)
      if produced > 0 { return produced }
      let chunk = try input.chunk()
      guard let base = chunk.baseAddress, chunk.count > 0 else {
        ended = true
        if !betweenMembers { damage = "the gzip stream is cut off" }
        return 0
      }
      if betweenMembers {
        if chunk[0] == 0 {
          // Tapes pad with zeros behind the last member.
          input.take(chunk.firstIndex { $0 != 0 } ?? chunk.count)
          continue
        }
        guard chunk[0] == 0x1f, inflateReset(stream) == Z_OK else {
          ended = true
          damage = "something other than gzip follows the gzip stream"
          return 0
        }
        betweenMembers = false
      }
      let offered = min(chunk.count, Int(UInt32.max))
      stream.pointee.next_in = UnsafeMutablePointer(
        mutating: base.assumingMemoryBound(to: UInt8.self))
      stream.pointee.avail_in = UInt32(offered)
      let result = inflate(stream, Z_NO_FLUSH)
      input.take(offered - Int(stream.pointee.avail_in))
      switch result {
      case Z_OK, Z_BUF_ERROR: break
      case Z_STREAM_END: betweenMembers = true
      default:
        ended = true
        let detail = stream.pointee.msg.map { String(cString: $0) } ?? "code \(result)"
        damage = "the gzip stream is damaged: \(detail)"
      }
    }
    return limit - Int(stream.pointee.avail_out)
  }
}
