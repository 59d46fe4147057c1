import Foundation
import NetworkTypes
import Settings
import Store
import Telescope

extension House {
  /// The telescope's tables, for reading.
  func telescopeStore() throws -> TelescopeStore {
    try requireData()
    return try TelescopeStore(DataStore(path: data.database))
  }

  /// A session that goes on where the last one stopped.
  ///
  /// - Parameters:
  ///   - networks: dark networks named on the command line, which take the configuration's place.
  ///   - captures: files to suggest networks from, when none are named anywhere.
  func telescopeSession(
    networks: [IPPrefix], threads: Int?, captures: [String]
  ) throws -> TelescopeSession {
    let settings = configuration.telescope
    let space =
      networks.isEmpty
      ? DarkSpace(settings.networks.map { .init($0.prefix, organisation: $0.organisation) })
      : DarkSpace(prefixes: networks)
    guard !space.networks.isEmpty else {
      throw TelescopeError.noDarkSpace(seen: try CaptureDestinations.busiest(in: captures))
    }
    var surroundings = TelescopeEngine.Surroundings()
    surroundings.parameters = parameters(settings)
    surroundings.geo = try geo()
    surroundings.surveys = try SurveyLists(files: settings.surveyScanners.map(\.path))
    surroundings.ignoredSources = settings.ignoreSources
    surroundings.members = try memberPrefixes()
    surroundings.threads =
      threads ?? settings.threads.value ?? max(1, ProcessInfo.processInfo.activeProcessorCount)
    if let file = settings.fingerprints {
      let text = try String(contentsOfFile: file.path, encoding: .utf8)
      surroundings.fingerprints = try FingerprintRules(yaml: text, extending: .standard)
    }
    return try TelescopeSession(
      engine: TelescopeEngine(space: space, surroundings: surroundings),
      store: telescopeStore(), directory: data.telescope, clock: { Self.now })
  }

  static var now: Timestamp {
    Timestamp(nanoseconds: Int64(Date().timeIntervalSince1970 * 1e9))
  }

  private func parameters(_ settings: NoroshiConfiguration.Telescope) -> TelescopeParameters {
    var parameters = TelescopeParameters()
    parameters.memoryLimit = settings.memoryLimit.bytes
    parameters.eventTimeoutSeconds = settings.eventTimeout.value?.seconds
    parameters.samplesPerEvent = settings.sampling.packetsPerEvent
    parameters.sampleLength = settings.sampling.packetLength
    parameters.seriesKeysPerBin = settings.series.keysPerBin
    parameters.victimMinimumPackets = settings.victims.minimumPackets
    parameters.victimMinimumSeconds = settings.victims.minimumSeconds
    parameters.victimMinimumDestinations = settings.victims.minimumDestinations
    if let fixed = settings.victims.packetsPerMinute.value {
      parameters.victimPacketsPerMinuteFloor = fixed
      parameters.victimPacketsPerMinuteOnSlash8 = 0
    }
    return parameters
  }
}
