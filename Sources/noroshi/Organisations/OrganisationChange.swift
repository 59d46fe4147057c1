import ArgumentParser
import Constituency
import NetworkTypes

/// The organisation that a command changes, and the frame of every such change.
struct OrganisationChange: ParsableArguments {
  @OptionGroup var options: HouseOptions

  @Argument(help: "The organisation, by its identifier.")
  var id: String

  /// Changes the constituency, says so in the audit trail and at the terminal.
  ///
  /// - Parameters:
  ///   - action: in the audit trail, behind `organisation.`.
  ///   - done: the sentence for the person at the terminal.
  func make(
    _ action: String, details: [String: String] = [:], done: String,
    _ change: (inout Constituency) throws -> Void
  ) throws {
    let house = try options.house()
    try house.requireOrganisation(id)
    try house.editConstituency(
      action: "organisation.\(action)", subject: id, details: details, change)
    Terminal.error.line(done)
  }
}
