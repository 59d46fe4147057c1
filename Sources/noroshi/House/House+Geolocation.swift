import Foundation
import Geolocation
import Settings

extension House {
  /// The geographic database: MMDB files of the configuration before the imported snapshot; empty
  /// without either.
  func geo() throws -> GeoDatabase {
    let live = configuration.geo.mmdb.map(\.path)
    guard FileManager.default.fileExists(atPath: data.geo) else {
      return live.isEmpty ? .empty : try GeoDatabase(live: live)
    }
    return try GeoDatabase(snapshot: data.geo, live: live)
  }
}
