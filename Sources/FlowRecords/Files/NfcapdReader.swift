import CZstd
import Foundation
import NetworkTypes

/// Reads files of nfcapd and nfdump 1.7 (layout 2), plain or compressed with LZO, LZ4 or zstd, so
/// that an archive of theirs can be taken over.
///
/// nfcapd multiplies counters by the sampling rate before it writes them; the rate is not in the
/// record, and so it is "unknown" here. A file that ends early is read up to the break, and a block
/// that is broken is passed over; both are counted.
///
/// ```swift
/// var reader = try NfcapdReader(path: "nfcapd.202611250905")
/// let batch = FlowBatch()
/// while try reader.read(into: batch) { …; batch.removeAll() }
/// ```
public struct NfcapdReader {
  /// Records that were read.
  public private(set) var flows: UInt64 = 0
  /// Records that are no flows: statistics, samplers, and what this reader does not know.
  public private(set) var otherRecords: UInt64 = 0
  /// Blocks that could not be read.
  public private(set) var brokenBlocks: UInt64 = 0
  /// Records that are longer than their block, or inconsistent; the rest of the block is left out.
  public private(set) var brokenRecords: UInt64 = 0
  /// Whether the file ends before its last block does.
  public private(set) var isTruncated = false

  private let path: String
  private let file: Data
  private let compression: UInt8
  private let blockCount: UInt32
  private var blocksRead: UInt32 = 0
  private var at = NfcapdLayout.headerLength
  private var exporters: [UInt16: FlowExporter] = [:]
  private var block: [UInt8] = []
  private var blockAt = 0

  /// Octets of a block at most: nfdump writes blocks of 1 or 5 MB.
  private static let largestBlock = 64 << 20

  public init(path: String) throws(NfcapdError) {
    do {
      file = try Data(contentsOf: URL(fileURLWithPath: path), options: .alwaysMapped)
    } catch {
      throw .unreadable(path: path, reason: error.localizedDescription)
    }
    self.path = path
    guard file.count >= NfcapdLayout.headerLength else { throw .notNfcapd(path: path) }
    let header = Array(file.prefix(NfcapdLayout.headerLength))
    let span = header.span.bytes
    switch span.little16(0) {
    case NfcapdLayout.magic: break
    case NfcapdLayout.magic.byteSwapped: throw .otherByteOrder(path: path)
    default: throw .notNfcapd(path: path)
    }
    let version = Int(span.little16(2))
    guard version >= 2 else { throw .oldLayout(path: path, version: version) }
    guard version == 2 else { throw .notNfcapd(path: path) }
    compression = span.u8(16)
    guard span.u8(17) == 0 else { throw .encrypted(path: path) }
    switch compression {
    case NfcapdLayout.plain, NfcapdLayout.lzo, NfcapdLayout.lz4, NfcapdLayout.zstd: break
    case NfcapdLayout.bzip2: throw .unsupportedCompression(path: path, name: "bzip2")
    default: throw .unsupportedCompression(path: path, name: "method \(compression)")
    }
    blockCount = span.little32(36)
  }

  /// Adds flows until the batch is full or the file ends; false when there are no more.
  public mutating func read(into batch: FlowBatch) -> Bool {
    let before = batch.count
    while !batch.isFull {
      if blockAt >= block.count, !nextBlock() { break }
      readRecords(into: batch)
    }
    return batch.count > before
  }

  /// Brings the next block of records into memory; false at the end of the file.
  private mutating func nextBlock() -> Bool {
    while blocksRead < blockCount {
      guard file.count - at >= NfcapdLayout.blockHeaderLength else {
        isTruncated = true
        return false
      }
      let header = Array(file[at..<at + NfcapdLayout.blockHeaderLength])
      let length = Int(header.span.bytes.little32(4))
      let type = header.span.bytes.little16(8)
      let flags = header.span.bytes.little16(10)
      at += NfcapdLayout.blockHeaderLength
      guard length <= file.count - at else {
        isTruncated = true
        return false
      }
      let stored = Array(file[at..<at + length])
      at += length
      blocksRead += 1
      guard type == NfcapdLayout.recordBlock else {
        otherRecords &+= 1
        continue
      }
      // Flag 1 marks a block that was left as it is in a compressed file.
      let plain = flags & 1 != 0 ? stored : decompress(stored)
      guard let plain else {
        brokenBlocks &+= 1
        continue
      }
      block = plain
      blockAt = 0
      return true
    }
    return false
  }

  private func decompress(_ stored: [UInt8]) -> [UInt8]? {
    switch compression {
    case NfcapdLayout.lz4:
      BlockCompression.lz4(stored.span.bytes, limit: Self.largestBlock)
    case NfcapdLayout.lzo:
      BlockCompression.lzo(stored.span.bytes, limit: Self.largestBlock)
    case NfcapdLayout.zstd: Self.zstd(stored)
    default: stored
    }
  }

  private static func zstd(_ stored: [UInt8]) -> [UInt8]? {
    let size = ZSTD_getFrameContentSize(stored, stored.count)
    // The two largest numbers mean "unknown" and "broken".
    guard size <= UInt64(largestBlock) else { return nil }
    var output = [UInt8](repeating: 0, count: Int(size))
    let written = ZSTD_decompress(&output, output.count, stored, stored.count)
    return ZSTD_isError(written) == 0 && written == output.count ? output : nil
  }

  private mutating func readRecords(into batch: FlowBatch) {
    let block = block
    let span = block.span.bytes
    while !batch.isFull, block.count - blockAt >= 4 {
      let type = span.little16(blockAt)
      let length = Int(span.little16(blockAt + 2))
      guard length >= 4, length <= block.count - blockAt else {
        brokenRecords &+= 1
        blockAt = block.count
        return
      }
      let record = span.extracting(blockAt..<blockAt + length)
      blockAt += length
      switch type {
      case NfcapdLayout.flowRecord:
        guard let flow = NfcapdFlow.read(record, exporters) else {
          brokenRecords &+= 1
          continue
        }
        batch.append(flow)
        flows &+= 1
      case NfcapdLayout.exporterRecord:
        otherRecords &+= 1
        if let (number, exporter) = NfcapdFlow.exporter(record),
          exporters.count < Int(UInt16.max)
        {
          exporters[number] = exporter
        }
      default: otherRecords &+= 1
      }
    }
    if block.count - blockAt < 4 { blockAt = block.count }
  }
}

/// The numbers of nfdump's layout 2 (nfdump 1.7, nffile.h and nfxV3.h).
enum NfcapdLayout {
  static let headerLength = 40
  static let blockHeaderLength = 12
  static let magic: UInt16 = 0xa50c
  static let plain: UInt8 = 0
  static let lzo: UInt8 = 1
  static let bzip2: UInt8 = 2
  static let lz4: UInt8 = 3
  static let zstd: UInt8 = 4
  static let recordBlock: UInt16 = 3
  static let flowRecord: UInt16 = 11
  static let exporterRecord: UInt16 = 7
}

extension RawSpan {
  func little16(_ offset: Int) -> UInt16 { u16(offset).byteSwapped }
  func little32(_ offset: Int) -> UInt32 { u32(offset).byteSwapped }
  func little64(_ offset: Int) -> UInt64 { u64(offset).byteSwapped }
}
