import Foundation
import Logging
import NetworkTypes
import Portal
import ServiceLifecycle
import Store
import Synchronization
import TrustServices

/// Has the end of the audit trail time-stamped once a day for as long as the house serves. Where the
/// authority is away it is asked again.
final class AuditStamping: ServiceLifecycle.Service, Sendable {
  private struct State {
    var stamps: UInt64 = 0
    var failures: UInt64 = 0
    var last: Timestamp?
  }

  private let house: House
  private let source: any TimeStampSource
  private let state = Mutex(State())

  /// Once a day; a failure is tried again after five minutes. Our own choice.
  private static let daySeconds = 86_400.0
  private static let lookSeconds = 300.0

  init(_ house: House) throws {
    self.house = house
    source = try house.stampSource()
    let last = try house.auditStamps.list().last?.token.info.genTime
    state.withLock { $0.last = last }
  }

  func run() async throws {
    await cancelWhenGracefulShutdown {
      // Where the authority is the house's own, its portal is just starting.
      var pause = 2.0
      while !Task.isCancelled {
        // Cancellation ends the sleep and the loop.
        try? await Task.sleep(for: .seconds(pause))
        pause = Self.lookSeconds
        let last = self.state.withLock { $0.last }
        if let last, House.now.seconds(since: last) < Self.daySeconds { continue }
        if Task.isCancelled { break }
        await self.stamp()
      }
    }
  }

  private func stamp() async {
    do {
      let stamp = try await house.auditStamps.stamp(
        AuditTrail(store: try house.store()), of: house, by: source)
      state.withLock {
        $0.stamps &+= 1
        $0.last = stamp.token.info.genTime
      }
      house.logger.info(
        "audit: entry \(stamp.head.sequence) time-stamped at \(stamp.token.info.genTime)")
    } catch {
      state.withLock { $0.failures &+= 1 }
      house.logger.error("the audit trail cannot be time-stamped: \(error)")
    }
  }

  var families: [MetricFamily] {
    let state = state.withLock { $0 }
    return [
      MetricFamily(
        name: "noroshi_audit_stamps_total", help: "Time stamps taken of the audit trail's end.",
        kind: .counter, samples: [MetricSample(value: Double(state.stamps))]),
      MetricFamily(
        name: "noroshi_audit_stamp_failures_total", help: "Times that no stamp could be had.",
        kind: .counter, samples: [MetricSample(value: Double(state.failures))]),
      MetricFamily(
        name: "noroshi_audit_stamp_time_seconds", help: "When the last stamp was given, Unix time.",
        kind: .gauge,
        samples: state.last.map { [MetricSample(value: Double($0.seconds))] } ?? []),
    ]
  }
}
