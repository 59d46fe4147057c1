import Foundation

/// The lines of a text file, plain or compressed by gzip, xz, zstd or bzip2, read in pieces.
///
/// Compressed files go through the system's own tool: labelled sets come in four formats, and whoever
/// has them has the tools.
struct LineSource: ~Copyable {
  private let path: String
  private let handle: FileHandle?
  private let process: Process?
  private let tool: String?
  private var buffer: [UInt8] = []
  private var position = 0
  private var isAtEnd = false
  /// A longer line is not text of flows; it is cut here.
  private static let longestLine = 1 << 20

  /// Lines that are in memory.
  init(bytes: [UInt8]) {
    path = "the text"
    handle = nil
    process = nil
    tool = nil
    buffer = bytes
    isAtEnd = true
  }

  init(path: String) throws(LabelledFlowError) {
    self.path = path
    let tools = ["gz": "gzip", "xz": "xz", "zst": "zstd", "bz2": "bzip2"]
    let tool = path.split(separator: ".").last.flatMap { tools[String($0)] }
    self.tool = tool
    guard FileManager.default.isReadableFile(atPath: path) else {
      throw .cannotOpen(path: path, reason: "there is no such readable file")
    }
    guard let tool else {
      guard let handle = FileHandle(forReadingAtPath: path) else {
        throw .cannotOpen(path: path, reason: "it cannot be opened")
      }
      self.handle = handle
      process = nil
      return
    }
    let process = Process()
    let pipe = Pipe()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = [tool, "-dc", "--", path]
    process.standardOutput = pipe
    process.standardError = FileHandle.nullDevice
    do { try process.run() } catch {
      throw .cannotDecompress(path: path, tool: tool, reason: "\(error)")
    }
    self.process = process
    handle = pipe.fileHandleForReading
  }

  deinit {
    if let process, process.isRunning { process.terminate() }
    process?.waitUntilExit()
  }

  /// The next line without its end; nil at the end of the file.
  mutating func next() throws(LabelledFlowError) -> ArraySlice<UInt8>? {
    var searched = position
    while true {
      if let end = buffer[searched...].firstIndex(of: 10) {
        let start = position
        position = end + 1
        let stop = end > start && buffer[end - 1] == 13 ? end - 1 : end
        return buffer[start..<stop]
      }
      if isAtEnd || buffer.count - position > Self.longestLine {
        guard position < buffer.count else { return nil }
        let rest = buffer[position...]
        position = buffer.count
        return rest
      }
      searched = try refill()
    }
  }

  /// Reads one more piece; gives back where to go on searching.
  private mutating func refill() throws(LabelledFlowError) -> Int {
    buffer.removeSubrange(..<position)
    position = 0
    let searched = buffer.count
    let piece: Data?
    do { piece = try handle?.read(upToCount: 1 << 20) } catch {
      throw .cannotOpen(path: path, reason: "\(error)")
    }
    if let piece, !piece.isEmpty {
      buffer.append(contentsOf: piece)
    } else {
      isAtEnd = true
      if let process, let tool {
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
          throw .cannotDecompress(
            path: path, tool: tool, reason: "it ended with \(process.terminationStatus)")
        }
      }
    }
    return searched
  }
}
