import Glibc

/// An open file or pipe whose compression is known.
struct OpenedCapture {
  private let path: String
  private let descriptor: Int32
  private let input: ByteInput
  /// The size of a regular file; nil for a pipe.
  let length: Int?
  let compression: CaptureReader.Compression

  init(
    path: String, tap: ((UnsafeRawBufferPointer) -> Void)?
  ) throws(CaptureError) {
    self.path = path
    descriptor = path == "-" ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else {
      throw .cannotOpen(path: path, reason: String(cString: strerror(errno)))
    }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else {
      let reason = String(cString: strerror(errno))
      if path != "-" { close(descriptor) }
      throw .cannotOpen(path: path, reason: reason)
    }
    let kind = status.st_mode & S_IFMT
    guard kind != S_IFDIR else {
      if path != "-" { close(descriptor) }
      throw .cannotOpen(path: path, reason: "it is a directory; name the files in it")
    }
    length = kind == S_IFREG ? Int(status.st_size) : nil
    let isFile = kind == S_IFREG && path != "-"
    input = ByteInput(
      descriptor: descriptor, path: path, closes: path != "-", tap: isFile ? nil : tap)
    compression = CaptureReader.Compression(magic: try input.peek(4))
  }

  /// The window to read it through; called once.
  func window() throws(CaptureError) -> CaptureWindow {
    switch compression {
    case .none: CaptureWindow(source: PlainSource(input))
    case .gzip: CaptureWindow(source: try GzipSource(input))
    case .zstd: CaptureWindow(source: try ZstdSource(input))
    }
  }
}

extension CaptureReader.Compression {
  /// Known by the first octets: RFC 1952 §2.3.1, RFC 8878 §3.1.1 and its skippable frames §3.1.2.
  init(magic: [UInt8]) {
    if magic.starts(with: [0x1f, 0x8b]) {
      self = .gzip
    } else if magic.starts(with: [0x28, 0xb5, 0x2f, 0xfd])
      || (magic.count >= 4 && magic[0] & 0xf0 == 0x50 && magic[1...3] == [0x2a, 0x4d, 0x18])
    {
      self = .zstd
    } else {
      self = .none
    }
  }
}
