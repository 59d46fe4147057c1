internal import CZstd

/// A Zstandard stream of one or more frames (RFC 8878 §3.1), through libzstd.
final class ZstdSource: ByteSource {
  let input: ByteInput
  private let stream: OpaquePointer
  private var frameOpen = true
  private var ended = false
  private(set) var damage: String?
  var consumed: Int { input.consumed }

  init(_ input: ByteInput) throws(CaptureError) {
    self.input = input
    guard let stream = ZSTD_createDStream() else {
      throw .cannotOpen(path: input.path, reason: "no memory for decompression")
    }
    self.stream = stream
  }

  deinit { ZSTD_freeDStream(stream) }

  func fill(_ buffer: UnsafeMutableRawBufferPointer) throws(CaptureError) -> Int {
    var output = ZSTD_outBuffer(dst: buffer.baseAddress, size: buffer.count, pos: 0)
    while !ended, output.pos == 0 {
      let chunk = try input.chunk()
      if chunk.isEmpty, !frameOpen {
        ended = true
        break
      }
      // An empty chunk is offered too: the decoder may still hold octets that did not fit before.
      var offered = ZSTD_inBuffer(src: chunk.baseAddress, size: chunk.count, pos: 0)
      let result = ZSTD_decompressStream(stream, &output, &offered)
      input.take(offered.pos)
      if ZSTD_isError(result) != 0 {
        ended = true
        damage = "the zstd stream is damaged: \(String(cString: ZSTD_getErrorName(result)))"
      } else {
        frameOpen = result != 0
        if chunk.isEmpty, output.pos == 0, frameOpen {
          ended = true
          damage = "the zstd stream is cut off"
        }
      }
    }
    return output.pos
  }
}
