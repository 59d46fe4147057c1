import Logging
import NetworkTypes
import Portal
import Settings
import TrustServices

extension House {
  /// What `noroshi serve` answers beside the portal's pages; nil where nothing of it is configured.
  func trustAnswers(_ metrics: MetricsRegistry) async throws -> TrustAnswers? {
    guard configuration.tsa.enabled || configuration.ca.publish else { return nil }
    var answers = TrustAnswers(now: { House.now })
    if configuration.tsa.enabled {
      let (authority, chain) = try timeStampAuthority()
      if authority.clock.isGuarding {
        for reason in await authority.clock.check().reasons { logger.warning("clock: \(reason)") }
      } else {
        logger.warning("the system clock is trusted unseen (tsa.clock.guarded)")
      }
      metrics.register { TrustMetrics.families(of: authority) }
      answers.authority = authority
      answers.chain = chain
    }
    if configuration.ca.publish {
      guard hasCertificateAuthority else {
        throw CommandFailure(
          "ca.publish is set, and there is no certificate authority",
          advice: "`noroshi ca init` makes one.", status: .badConfiguration)
      }
      try addCertificateAnswers(to: &answers)
    }
    return answers
  }
}
