import NetworkTypes

/// What no key alone can say: values that do not go together.
enum ConfigurationCheck {
  static func problems(
    of configuration: NoroshiConfiguration, origins: [String: ConfigurationOrigin]
  ) -> [ConfigurationProblem] {
    var problems: [ConfigurationProblem] = []
    func add(
      _ key: String, _ reason: String, _ severity: ConfigurationProblem.Severity = .error
    ) {
      problems.append(
        ConfigurationProblem(key, reason, at: origins[key] ?? .standard, severity: severity))
    }

    let portal = configuration.portal
    let isLoopback =
      IPAddress(portal.address).map { address in
        [IPPrefix("127.0.0.0/8"), IPPrefix("::1/128")].contains {
          $0?.contains(address) ?? false
        }
      } ?? false
    let isEncrypted = portal.publicURL?.hasPrefix("https://") == true
    if !isLoopback, !isEncrypted {
      add(
        "portal.address",
        "passwords would cross the network in the clear; put an HTTPS proxy before the portal, and "
          + "set portal.publicURL to its address", .warning)
    }
    if portal.secureCookies == .fixed(true), !isEncrypted {
      add("portal.secureCookies", "nobody can sign in, as portal.publicURL is not https", .warning)
    }

    let smtp = configuration.smtp
    if smtp.username != nil, smtp.passwordFile == nil {
      add("smtp.username", "expected smtp.passwordFile beside it, the password of the user")
    }
    if smtp.passwordFile != nil, smtp.username == nil {
      add("smtp.passwordFile", "expected smtp.username beside it, the user of the password")
    }
    if smtp.username != nil, smtp.tls == .none {
      add("smtp.tls", "the password would cross the network in the clear", .warning)
    }
    if smtp.host != nil, configuration.notices.from == nil {
      add("smtp.host", "expected notices.from, the sender's address of the mail it is to take")
    }

    if !configuration.telescope.live.interfaces.isEmpty, configuration.telescope.networks.isEmpty {
      add(
        "telescope.live.interfaces",
        "expected telescope.networks, which says which packets belong to the telescope")
    }
    if configuration.telescope.retention.eventDays > configuration.telescope.retention.seriesDays {
      add(
        "telescope.retention.eventDays",
        "events are kept longer than the time series they are part of", .warning)
    }

    let flows = configuration.flows
    if flows.enabled, flows.listen.isEmpty, flows.tcp.isEmpty {
      add("flows.enabled", "expected flows.listen or flows.tcp, which says where to receive")
    }
    if flows.enabled, flows.allow.isEmpty,
      (flows.listen + flows.tcp).contains(where: { !$0.isLoopback })
    {
      add(
        "flows.allow",
        "whoever reaches the port can write into the archive; name the networks of your routers",
        .warning)
    }
    let seal = configuration.seal
    if configuration.notices.sealed {
      for (key, isMissing) in [
        ("seal.certificate", seal.certificate == nil), ("seal.key", seal.key == nil),
        ("seal.timeStamps", seal.timeStamps == nil), ("seal.anchor", seal.anchor == nil),
      ] where isMissing {
        add("notices.sealed", "expected \(key), without which nothing is sealed and verified")
      }
    }
    if configuration.audit.stamped, seal.timeStamps == nil {
      add("audit.stamped", "expected seal.timeStamps, the authority that stamps")
    }
    if configuration.detection.enabled, !flows.enabled {
      add("detection.enabled", "expected flows.enabled, as it looks at flows that are collected")
    }
    if configuration.ddos.enabled, !flows.enabled {
      add("ddos.enabled", "expected flows.enabled, as it looks at flows that are collected")
    }
    return problems
  }
}
