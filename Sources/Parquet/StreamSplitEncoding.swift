import Glibc

/// BYTE_STREAM_SPLIT of whole numbers (format/Encodings.md).
enum StreamSplitEncoding {
  /// Values that an estimate looks at, in windows spread over the chunk (our own choice: enough for
  /// the frequencies of 256 octets, and less than 1 % of the time of writing).
  private static let sampleSize = 4_096
  private static let windowSize = 256

  /// About how many octets the pages take after compression: the entropy of each octet plane, as
  /// Zstandard's literals reach it nearly.
  static func estimatedSize<Word: FixedWidthInteger & BitwiseCopyable>(_ words: Span<Word>) -> Int {
    guard words.count > windowSize else { return words.count * MemoryLayout<Word>.size }
    let windows = min(sampleSize, words.count) / windowSize
    let step = words.count / windows
    var bits = 0.0
    for octet in 0..<MemoryLayout<Word>.size {
      let shift = Word(truncatingIfNeeded: 8 * octet)
      var counts = [Int](repeating: 0, count: 256)
      for window in 0..<windows {
        for index in window * step..<window * step + windowSize {
          counts[Int(UInt8(truncatingIfNeeded: words[index] &>> shift))] += 1
        }
      }
      let total = Double(windows * windowSize)
      for count in counts where count > 0 {
        bits -= Double(count) / total * log2(Double(count) / total)
      }
    }
    return Int(Double(words.count) * bits / 8) + words.count / 64
  }
}
