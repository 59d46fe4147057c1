import ArgumentParser
import Casework
import Constituency
import FlowAnalysis
import FlowArchive
import FlowCluster
import FlowRecords
import Foundation
import GRDB
import Geolocation
import PacketCapture
import Settings
import Store

/// Turns whatever a command threw into one sentence, what to do next, and an exit code.
enum Failures {
  /// Reports `error` and says with which code the process ends.
  static func report(_ error: any Error) -> Int32 {
    let failure = describe(error)
    failure.report()
    return failure.status.rawValue
  }

  static func describe(_ error: any Error) -> CommandFailure {
    if let failure = error as? CommandFailure { return failure }
    if let error = error as? ConfigurationError {
      return CommandFailure(
        "The configuration cannot be used:\n"
          + error.problems.map { "  \($0)" }
          .joined(separator: "\n"),
        advice: "`noroshi config reference` explains every key.", status: .badConfiguration)
    }
    if let error = error as? CaptureError { return describe(error) }
    if error is GeoError || error is ConstituencyError || error is ListQueryError {
      return CommandFailure("\(error)", status: .badData)
    }
    if let error = error as? LabelledFlowError {
      let status: ExitStatus = if case .cannotOpen = error { .noInput } else { .badData }
      return CommandFailure("\(error)", status: status)
    }
    if let error = error as? ClusterError, case .unreachable = error {
      return CommandFailure("\(error)", status: .unavailable)
    }
    if let error = error as? CollectorError {
      return CommandFailure("\(error)", status: .unavailable)
    }
    if let error = error as? ArchiveError, case .locked = error {
      return CommandFailure("\(error)", status: .unavailable)
    }
    if let error = error as? CaseError, case .notFound = error {
      return CommandFailure("\(error)", status: .noInput)
    }
    if let error = error as? StoreError {
      let status: ExitStatus =
        switch error {
        case .cannotOpen, .cannotWrite: .inputOutput
        case .newerSchema: .unavailable
        case .damaged: .badData
        }
      return CommandFailure("\(error)", status: status)
    }
    if let error = error as? DatabaseError, error.resultCode == .SQLITE_BUSY {
      return CommandFailure(
        "The database is in use by another command", advice: "Try again in a moment.",
        status: .unavailable)
    }
    if error is CancellationError {
      return CommandFailure("Stopped before the end")
    }
    let code = (error as? CocoaError)?.code
    if code == .fileReadNoSuchFile || code == .fileNoSuchFile {
      return CommandFailure(error.localizedDescription, status: .noInput)
    }
    if code == .fileReadNoPermission || code == .fileWriteNoPermission {
      return CommandFailure(error.localizedDescription, status: .noPermission)
    }
    // The systems' own errors end in what to do.
    return CommandFailure("\(error)", status: .failure)
  }

  private static func describe(_ error: CaptureError) -> CommandFailure {
    let status: ExitStatus =
      switch error {
      case .cannotOpen: .noInput
      case .notACapture, .unsupportedFormat, .badFilter: .badData
      case .readFailed, .writeFailed, .captureFailed: .inputOutput
      case .noPermission: .noPermission
      }
    return CommandFailure("\(error)", status: status)
  }
}
