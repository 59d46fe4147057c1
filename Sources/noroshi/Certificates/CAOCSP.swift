import ArgumentParser
import Logging
import Portal
import ServiceLifecycle
import Settings
import TrustServices

struct CAOCSP: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "ocsp", abstract: "Answer whether certificates are revoked (OCSP).",
    subcommands: [CAOCSPServe.self])
}

struct CAOCSPServe: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "serve",
    abstract: "Answer OCSP, and publish CRL and certificate, without the portal.",
    discussion: """
      At /ca/ocsp, /ca/crl and /ca/certificate. The authority's own key is not needed for it. With \
      ca.publish, `noroshi serve` does the same.
      """)

  @OptionGroup var options: HouseOptions

  @Option(name: .long, help: "The address to listen on.")
  var address = "127.0.0.1"

  @Option(name: .long, help: "The port; 0 takes a free one.")
  var port = 8888

  func validate() throws {
    guard (0...65_535).contains(port) else { throw ValidationError("--port must be 0 to 65535.") }
  }

  func run() async throws {
    let house = try options.house()
    guard house.hasCertificateAuthority else {
      throw CommandFailure(
        "There is no certificate authority in \(house.certificateFiles.folder)",
        advice: "`noroshi ca init` makes one.", status: .noInput)
    }
    var answers = TrustAnswers(now: { House.now })
    try house.addCertificateAnswers(to: &answers)
    let shown = address.contains(":") ? "[\(address)]" : address
    let server = TrustServer(
      answers, host: address, port: port, logger: house.logger,
      onServerRunning: { port in
        Terminal.error.line("OCSP is answered at http://\(shown):\(port)/ca/ocsp.")
      })
    try await house.runServices([server], port: port)
  }
}
