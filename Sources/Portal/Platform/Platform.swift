import Logging
import NetworkTypes

/// What every page of the portal stands on.
struct Platform: Sendable {
  let configuration: PortalConfiguration
  let catalogue: Catalogue
  let assets: Assets
  let accounts: Accounts
  let metrics: MetricsRegistry
  let traffic: Traffic
  let uploads: UploadGate
  let navigation: [NavigationItem]
  let now: @Sendable () -> Timestamp
  let logger: Logger

  var defaultLanguage: Language { Language(rawValue: configuration.defaultLanguage) ?? .ja }
}

/// An entry of the header's navigation: `nav.NAME` in the catalogue.
struct NavigationItem: Sendable {
  let name: String
  let path: String
  let audience: Route.Audience
}
