import Foundation

/// A real mail server (aiosmtpd) for one test, with a folder of what it accepted.
final class MailSink {
  let folder: String
  let port: Int
  private let process = Process()
  private let input = Pipe()

  struct Silent: Error {}

  init(_ options: [String] = []) throws {
    folder = NSTemporaryDirectory() + "/sink-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    let made = folder
    var hasStarted = false
    defer { if !hasStarted { try? FileManager.default.removeItem(atPath: made) } }
    let output = Pipe()
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = ["python3", "\(PythonTool.fixtures)/smtp_sink.py", folder] + options
    process.standardInput = input
    process.standardOutput = output
    try process.run()
    var line: [UInt8] = []
    while line.last != 0x0a {
      guard let octet = try output.fileHandleForReading.read(upToCount: 1)?.first else {
        throw Silent()
      }
      line.append(octet)
    }
    guard let port = Int(String(decoding: line.dropLast(), as: UTF8.self)) else { throw Silent() }
    self.port = port
    hasStarted = true
  }

  deinit {
    try? input.fileHandleForWriting.close()
    process.terminate()
    process.waitUntilExit()
    try? FileManager.default.removeItem(atPath: folder)
  }

  private var names: [String] {
    ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).sorted()
  }

  /// The mails, in the order of their arrival.
  var mails: [String] {
    names.filter { $0.hasSuffix(".eml") }.compactMap {
      try? String(contentsOfFile: "\(folder)/\($0)", encoding: .utf8)
    }
  }

  /// `SENDER RECIPIENT…`, then how it came and who was signed in.
  var envelopes: [String] {
    names.filter { $0.hasSuffix(".txt") }.compactMap {
      try? String(contentsOfFile: "\(folder)/\($0)", encoding: .utf8)
    }
  }

  /// A certificate for `localhost` and 127.0.0.1, made with openssl.
  static func certificate() throws -> (certificate: String, key: String) {
    let base = NSTemporaryDirectory() + "/tls-\(UUID().uuidString)"
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = [
      "openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj",
      "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout",
      base + ".key", "-out", base + ".crt",
    ]
    process.standardError = FileHandle.nullDevice
    try process.run()
    process.waitUntilExit()
    return (base + ".crt", base + ".key")
  }

  static func remove(_ files: (certificate: String, key: String)) {
    for path in [files.certificate, files.key] { try? FileManager.default.removeItem(atPath: path) }
  }
}
