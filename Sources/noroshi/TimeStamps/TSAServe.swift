import ArgumentParser
import Logging
import Portal
import ServiceLifecycle
import Settings
import TrustServices
import UnixSignals

struct TSAServe: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "serve",
    abstract: "Give time stamps over HTTP, without the portal.",
    discussion: """
      Answers POST of application/timestamp-query at /tsa (RFC 3161), and the journal's proofs below \
      /tsa/journal. Stops cleanly on Ctrl-C and SIGTERM.

      Examples:
        noroshi tsa serve
        noroshi tsa serve --listen 0.0.0.0:3161
        noroshi tsa serve --trust-clock     for trying it out without clock sources
      """)

  @OptionGroup var options: HouseOptions

  @Option(name: .long, help: "Where to listen (tsa.listen); port 0 takes a free one.")
  var listen: String?

  @Flag(name: .long, help: "Do not compare the clock with sources (tsa.clock.guarded: no).")
  var trustClock = false

  func run() async throws {
    let house = try options.house()
    try house.requireData()
    let (authority, chain) = try house.timeStampAuthority(isGuarded: trustClock ? false : nil)
    var answers = TrustAnswers(now: { House.now })
    answers.authority = authority
    answers.chain = chain
    let text = listen ?? house.configuration.tsa.listen.configurationText
    guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...])
    else {
      throw CommandFailure("--listen: expected an address such as 127.0.0.1:3161", status: .usage)
    }
    var host = String(text[..<colon])
    if host.hasPrefix("["), host.hasSuffix("]") { host = String(host.dropFirst().dropLast()) }
    if authority.clock.isGuarding {
      let judgement = await authority.clock.check()
      for reason in judgement.reasons { house.logger.warning("clock: \(reason)") }
    } else {
      house.logger.warning("the system clock is trusted unseen")
    }
    try house.audit("tsa.started", authority.unit.certificate.serialNumberText)
    let shown = host.contains(":") ? "[\(host)]" : host
    let server = TrustServer(
      answers, host: host, port: Int(port), logger: house.logger,
      onServerRunning: { port in
        Terminal.error.line("Time stamps are given at http://\(shown):\(port)/tsa.")
      })
    try await house.runServices([server, TrustWatch(answers)], port: Int(port))
  }
}

extension House {
  /// Runs services until a signal ends them.
  func runServices(_ services: [any Service], port: Int) async throws {
    let group = ServiceGroup(
      configuration: ServiceGroupConfiguration(
        services: services.map { ServiceGroupConfiguration.ServiceConfiguration(service: $0) },
        gracefulShutdownSignals: [.sigterm, .sigint], logger: logger))
    do {
      try await group.run()
    } catch  where "\(error)".contains("errno: 98") {
      throw CommandFailure(
        "Port \(port) is in use by another program",
        advice: "`ss -ltnp 'sport = :\(port)'` says which; --listen sets another.",
        status: .unavailable)
    }
  }
}
