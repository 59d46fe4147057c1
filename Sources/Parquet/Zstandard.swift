import CZstd

/// The Zstandard library (RFC 8878); the only file of this target that calls it.
final class ZstandardCompressor {
  private let context: OpaquePointer
  private let level: Int32

  /// A compressor of a level of 1...19; nil when there is no memory for it.
  init?(level: Int) {
    guard let context = ZSTD_createCCtx() else { return nil }
    self.context = context
    self.level = Int32(min(19, max(1, level)))
  }

  deinit { ZSTD_freeCCtx(context) }

  /// Appends one frame.
  func compress(
    _ input: borrowing OctetSink, into sink: inout OctetSink
  ) throws(ParquetError) {
    let context = context
    let level = level
    let input = input.bytes
    try sink.appendFilled(ZSTD_compressBound(input.byteCount)) { target throws(ParquetError) in
      let written = input.withUnsafeBytes { source in
        ZSTD_compressCCtx(
          context, target.baseAddress, target.count, source.baseAddress, source.count, level)
      }
      // `compressBound` is enough for any input; only the allocator can refuse.
      guard ZSTD_isError(written) == 0 else {
        throw .system(operation: "compressing", path: "a page", code: 12)
      }
      return written
    }
  }
}

/// The content of one or more frames that must be exactly `length` octets, which the caller has bounded.
func zstandardContent(_ input: RawSpan, length: Int, offset: UInt64) throws(ParquetError) -> [UInt8]
{
  var isWhole = false
  let content = input.withUnsafeBytes { source in
    [UInt8](unsafeUninitializedCapacity: max(1, length)) { target, initialized in
      let written = ZSTD_decompress(target.baseAddress, length, source.baseAddress, source.count)
      isWhole = ZSTD_isError(written) == 0 && written == length
      initialized = isWhole ? written : 0
    }
  }
  guard isWhole else {
    throw .damaged(offset: offset, expected: "a Zstandard frame of \(length) octets of content")
  }
  return content
}

/// A decompressor that keeps its working memory.
final class ZstandardDecompressor {
  private let context: OpaquePointer?

  init() { context = ZSTD_createDCtx() }

  deinit { ZSTD_freeDCtx(context) }

  /// Fills `target` with the content of one or more frames, which must be exactly that long.
  func decompress(
    _ input: UnsafeRawBufferPointer, into target: UnsafeMutableRawBufferPointer, offset: UInt64
  ) throws(ParquetError) {
    let written = ZSTD_decompressDCtx(
      context, target.baseAddress, target.count, input.baseAddress, input.count)
    guard ZSTD_isError(written) == 0, written == target.count else {
      throw .damaged(
        offset: offset, expected: "a Zstandard frame of \(target.count) octets of content")
    }
  }
}
