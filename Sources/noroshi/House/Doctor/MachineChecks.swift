import Foundation
import Glibc
import PacketCapture
import Settings

/// Tools, the kernel, and the right to capture.
enum MachineChecks {
  /// A second of a gigabit of small packets needs some 16 MB: our own choice.
  private static let goodReceiveBuffer = 16_000_000

  static func run(_ house: House) -> [Diagnosis] {
    var diagnoses: [Diagnosis] = []
    for (tool, package, use) in [
      ("gzip", "gzip", "compressed tables for `geo import`"),
      ("location", "location", "IPFire's location database for `geo import`"),
    ] {
      diagnoses.append(
        isInstalled(tool)
          ? .ok(tool, "installed")
          : .note(tool, "not installed; it reads \(use)", "sudo apt install \(package)"))
    }
    diagnoses += capture(house.configuration)
    return diagnoses
  }

  private static func capture(_ configuration: NoroshiConfiguration) -> [Diagnosis] {
    let wanted = configuration.telescope.live.interfaces
    guard !wanted.isEmpty else {
      return [.ok("live capture", "not configured (telescope.live.interfaces)")]
    }
    var diagnoses: [Diagnosis] = []
    if mayCapture {
      diagnoses.append(.ok("live capture", "this process may capture"))
    } else {
      let program = CommandLine.arguments.first ?? "noroshi"
      diagnoses.append(
        .fault(
          "live capture", "this process may not capture (CAP_NET_RAW)",
          "sudo setcap cap_net_raw=eip \(program), or AmbientCapabilities=CAP_NET_RAW in the service"
        ))
    }
    do {
      let present = try LiveCapture.interfaces()
      for name in wanted {
        guard let interface = present.first(where: { $0.name == name }) else {
          diagnoses.append(
            .fault(
              "interface \(name)", "does not exist",
              "there are: \(present.map(\.name).joined(separator: ", "))"))
          continue
        }
        diagnoses.append(
          interface.isUp
            ? .ok("interface \(name)", "is up")
            : .fault("interface \(name)", "is down", "sudo ip link set \(name) up"))
      }
    } catch {
      diagnoses.append(.fault("interfaces", "\(error)", "check that libpcap works"))
    }
    if let bytes = largestReceiveBuffer {
      diagnoses.append(
        bytes >= goodReceiveBuffer
          ? .ok("receive buffer", "\(Quantity.bytes(bytes)) (net.core.rmem_max)")
          : .note(
            "receive buffer", "\(Quantity.bytes(bytes)); bursts may be lost",
            "sudo sysctl -w net.core.rmem_max=\(goodReceiveBuffer * 4)"))
    }
    return diagnoses
  }

  /// Octets of receive buffer that a socket gets without CAP_NET_ADMIN (`net.core.rmem_max`).
  static var largestReceiveBuffer: Int? {
    let text = try? String(contentsOfFile: "/proc/sys/net/core/rmem_max", encoding: .utf8)
    return text.flatMap { Int($0.trimmingCharacters(in: .whitespacesAndNewlines)) }
  }

  /// Root, or bit 13 (CAP_NET_RAW, linux/capability.h) of the effective set.
  private static var mayCapture: Bool {
    if geteuid() == 0 { return true }
    guard let status = try? String(contentsOfFile: "/proc/self/status", encoding: .utf8),
      let line = status.split(separator: "\n").first(where: { $0.hasPrefix("CapEff:") }),
      let bits = UInt64(line.dropFirst(7).filter { !$0.isWhitespace }, radix: 16)
    else { return false }
    return bits & 1 << 13 != 0
  }

  static func isInstalled(_ tool: String) -> Bool {
    let path = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin"
    return path.split(separator: ":").contains {
      FileManager.default.isExecutableFile(atPath: "\($0)/\(tool)")
    }
  }
}
