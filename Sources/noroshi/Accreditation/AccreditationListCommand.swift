import ArgumentParser
import Foundation
import Logging
import NetworkTypes
import Settings
import Store
import TrustServices

struct AccreditationListCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list", abstract: "Publish, verify and show trusted lists.",
    subcommands: [
      AccreditationListPublish.self, AccreditationListVerify.self, AccreditationListShow.self,
    ])
}
