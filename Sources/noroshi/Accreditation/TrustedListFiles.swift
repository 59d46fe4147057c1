import ArgumentParser
import Foundation
import Logging
import NetworkTypes
import Settings
import Store
import TrustServices

/// What the commands have in common about lists.
enum TrustedListFiles {
  /// Judges a list's seal as of now.
  static func validator(_ operators: [String], crl: [String]) throws -> SealValidator {
    var validator = SealValidator(anchors: [], moment: currentMoment())
    for file in operators {
      // The first of a file is the operator's own; those above it certify others too, and are not
      // trusted for it.
      let chain = try SealFiles.certificates(file)
      do { validator.anchors.append(try TrustAnchor(chain[0])) } catch {
        throw CommandFailure("\(chain[0].subject): \(error)", status: .badData)
      }
      validator.certificates += chain.dropFirst()
    }
    validator.evidence = RevocationEvidence(crls: try crl.map(SealFiles.crl))
    return validator
  }

  static func sheet(_ list: TrustedList, _ title: String?) -> Sheet {
    var sheet = Sheet(title)
    sheet.add("operator", "\(list.schemeOperator.name.ja) / \(list.schemeOperator.name.en)")
    sheet.add("list", list.schemeOperator.schemeName.en)
    sheet.add("number", .count(list.sequence))
    sheet.add("issued", .time(list.issued))
    sheet.add("next update", list.nextUpdate.map { "\($0)" } ?? "none: the list is closed")
    sheet.add("services", .count(list.services.count))
    sheet.add("sha-256", list.sha256)
    return sheet
  }
}
