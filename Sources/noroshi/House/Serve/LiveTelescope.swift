import Casework
import Findings
import Foundation
import Logging
import NetworkTypes
import PacketCapture
import ServiceLifecycle
import Settings
import Telescope

/// Observes the configured interfaces, and makes cases of what it finds, for as long as the house
/// serves.
///
/// The packets are read on a thread of its own: reading waits for the kernel, which a task must not.
struct LiveTelescope: Service {
  let house: House

  /// What was seen is stored, and becomes cases, this often: our own choice; a crash loses no more.
  private static let commitSeconds = 300.0

  /// Once a day, what is older than telescope.retention goes.
  private static let forgetSeconds = 86_400.0

  func run() async throws {
    let captures = try house.configuration.telescope.live.interfaces.map {
      try LiveCapture(interface: $0)
    }
    try await withTaskCancellationHandler {
      try await withGracefulShutdownHandler {
        try await withCheckedThrowingContinuation { (done: CheckedContinuation<Void, any Error>) in
          Thread.detachNewThread {
            done.resume(with: Result { try observe(captures) })
          }
        }
      } onGracefulShutdown: {
        for capture in captures { capture.stop() }
      }
    } onCancel: {
      for capture in captures { capture.stop() }
    }
  }

  private func observe(_ captures: [LiveCapture]) throws {
    let session = try house.telescopeSession(networks: [], threads: nil, captures: [])
    let clock = ContinuousClock()
    var last = clock.now
    var lastForgotten = clock.now
    // One interface waits for its packets; several take turns, so that none waits for the others.
    let patience = max(10, 200 / captures.count)
    while captures.contains(where: { !$0.isStopped }) {
      for capture in captures where !capture.isStopped {
        _ = try session.engine.read(capture, limit: 100_000, timeoutMilliseconds: patience)
      }
      if clock.now - last >= .seconds(Self.commitSeconds) {
        try commit(session)
        last = clock.now
        if clock.now - lastForgotten >= .seconds(Self.forgetSeconds),
          let moment = session.engine.now
        {
          try house.forgetOldObservations(asOf: moment, in: house.store())
          lastForgotten = clock.now
        }
      }
    }
    try commit(session)
  }

  private func commit(_ session: TelescopeSession) throws {
    let results = try session.commit([])
    let findings = results.findings(sensor: house.configuration.telescope.sensor)
    let changes = try house.take(findings, at: session.engine.now)
    if !changes.isEmpty {
      house.logger.info(
        """
        cases: \(changes.opened.count) opened, \(changes.reopened.count) reopened, \
        \(changes.updated.count) updated
        """)
    }
  }
}
