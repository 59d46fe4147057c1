import Glibc

/// An open file or pipe whose compression is known.
struct OpenedCapture {
  private let path: String
  private let descriptor: Int32
  private let input: ByteInput?
  /// The size of a regular file; nil for a pipe.
  let length: Int?
  let compression: CaptureReader.Compression

  init(path: String) throws(CaptureError) {
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
    var start = [UInt8](repeating: 0, count: 4)
    if kind == S_IFREG, path != "-", status.st_size > 0 {
      let got = pread(descriptor, &start, 4, 0)
      guard got >= 0 else {
        let reason = String(cString: strerror(errno))
        close(descriptor)
        throw .readFailed(path: path, reason: reason)
      }
      compression = CaptureReader.Compression(magic: Array(start.prefix(got)))
      // The descriptor is closed by `window()` once it is mapped.
      input =
        compression == .none
        ? nil : ByteInput(descriptor: descriptor, path: path, closes: true)
    } else {
      let input = ByteInput(descriptor: descriptor, path: path, closes: path != "-")
      compression = CaptureReader.Compression(magic: try input.peek(4))
      self.input = input
    }
  }

  /// The window to read it through; called once.
  func window() throws(CaptureError) -> CaptureWindow {
    guard let input else {
      defer { close(descriptor) }
      return try CaptureWindow(mapping: descriptor, length: length ?? 0, path: path)
    }
    return switch compression {
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
