import Dispatch
import Foundation

/// What chrony says of the clock that it keeps: `chronyc -c tracking`.
enum ChronyTracking {
  /// Reads the line of comma-separated values (chronyc(1), "tracking").
  static func read(_ text: String) throws(ClockSourceError) -> ClockObservation {
    let fields = text.trimmingCharacters(in: .whitespacesAndNewlines).split(
      separator: ",", omittingEmptySubsequences: false)
    guard fields.count >= 14, let stratum = Int(fields[2]), let system = Double(fields[4]),
      let rms = Double(fields[6]), let delay = Double(fields[10]),
      let dispersion = Double(fields[11]), [system, rms, delay, dispersion].allSatisfy(\.isFinite)
    else { throw .malformedAnswer("not the line of `chronyc -c tracking`") }
    let leap = fields[13]
    guard leap != "Not synchronised", stratum > 0, stratum < 16 else { throw .unsynchronised }
    // "System time" is how far our clock is behind NTP's; positive where it is slow.
    return ClockObservation(
      source: "chrony", offset: system, uncertainty: abs(delay) / 2 + abs(dispersion) + abs(rms),
      stratum: stratum,
      leap: leap == "Insert second" ? .insertion : leap == "Delete second" ? .deletion : .none)
  }

  /// Runs the command; it answers from the daemon on this machine within a second.
  static func ask() async throws -> ClockObservation {
    try await withCheckedThrowingContinuation { continuation in
      DispatchQueue.global().async { continuation.resume(with: Result { try askBlocking() }) }
    }
  }

  private static func askBlocking() throws -> ClockObservation {
    let folders =
      (ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin").split(separator: ":") + [
        "/usr/bin", "/usr/sbin",
      ]
    let program = folders.map { "\($0)/chronyc" }.first {
      FileManager.default.isExecutableFile(atPath: $0)
    }
    guard let program else { throw ClockSourceError.unreachable("chronyc is not installed") }
    let process = Process()
    process.executableURL = URL(fileURLWithPath: program)
    process.arguments = ["-c", "tracking"]
    process.standardInput = FileHandle.nullDevice
    process.standardError = FileHandle.nullDevice
    let pipe = Pipe()
    process.standardOutput = pipe
    do { try process.run() } catch {
      throw ClockSourceError.unreachable(error.localizedDescription)
    }
    let output = pipe.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    guard process.terminationStatus == 0 else { throw ClockSourceError.noAnswer }
    return try read(String(decoding: output, as: UTF8.self))
  }
}
