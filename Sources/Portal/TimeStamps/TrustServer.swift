import Hummingbird
public import Logging
import NIOCore
public import ServiceLifecycle
import TrustServices

/// The trust services alone, without the portal: one responder and no router.
public struct TrustServer: Service {
  private let answers: TrustAnswers
  private let host: String
  private let port: Int
  private let logger: Logger
  private let onServerRunning: @Sendable (Int) async -> Void

  /// A server at an address; port 0 takes a free one, which `onServerRunning` is told.
  public init(
    _ answers: TrustAnswers, host: String, port: Int, logger: Logger,
    onServerRunning: @escaping @Sendable (Int) async -> Void = { _ in }
  ) {
    self.answers = answers
    self.host = host
    self.port = port
    self.logger = logger
    self.onServerRunning = onServerRunning
  }

  /// Serves, and watches the authority's clock, until the task is cancelled or the service group
  /// shuts down.
  public func run() async throws {
    let answers = answers
    let running = onServerRunning
    let application = Application(
      responder: CallbackResponder { (request: Request, _: BasicRequestContext) in
        await answers.answer(request)
      },
      configuration: ApplicationConfiguration(
        address: .hostname(host, port: port), serverName: nil),
      onServerRunning: { channel in await running(channel.localAddress?.port ?? 0) },
      logger: logger)
    try await application.run()
  }
}

/// Watches an authority's clock and anchors its journal.
public struct TrustWatch: Service {
  private let answers: TrustAnswers

  /// Does nothing where there is no authority.
  public init(_ answers: TrustAnswers) { self.answers = answers }

  public func run() async throws {
    guard let authority = answers.authority else {
      try? await gracefulShutdown()
      return
    }
    await cancelWhenGracefulShutdown { await authority.run() }
  }
}
