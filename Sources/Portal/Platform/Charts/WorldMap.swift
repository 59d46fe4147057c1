import Foundation

/// The world in the Equal Earth projection, each country shaded by a count.
///
/// Geometry: Natural Earth 1:110m (public domain), made by `scripts/make-world-map`. It leaves out
/// countries too small to be seen; the table beside the map has them all.
struct WorldMap: Sendable {
  private struct Land: Sendable {
    let code: String
    let path: String
  }

  private let width: Int
  private let height: Int
  private let lands: [Land]

  /// How many shades there are.
  static let shades = 5

  /// The built-in geometry.
  init() { self.init(text: String(decoding: PackageResources.world_txt, as: UTF8.self)) }

  /// `# WIDTH HEIGHT`, then `CC<TAB>path data` lines; others are passed over.
  init(text: String) {
    var (width, height) = (2_000, 870)
    var lands: [Land] = []
    for line in text.split(separator: "\n") {
      if line.hasPrefix("#") {
        let size = line.dropFirst().split(separator: " ").compactMap { Int($0) }
        if size.count == 2 { (width, height) = (size[0], size[1]) }
      } else {
        let parts = line.split(separator: "\t")
        if parts.count == 2 { lands.append(Land(code: String(parts[0]), path: String(parts[1]))) }
      }
    }
    self.width = width
    self.height = height
    self.lands = lands
  }

  var codes: [String] { lands.map(\.code) }

  /// - Parameter counts: by ISO 3166-1 alpha-2 code.
  /// - Parameter link: where a country that counts leads.
  func html(
    _ counts: [String: Double], id: String, title: String, visit: Visit,
    link: (String) -> String
  ) -> HTML {
    let bounds = Self.bounds(counts.values.max() ?? 0)
    let shapes = lands.map { land -> HTML in
      let path = HTML(trusted: land.path)
      guard let count = counts[land.code], count > 0 else {
        return "<path class=\"q0\" d=\"\(path)\"/>"
      }
      let shade = Self.shade(count, bounds)
      return """
        <a href="\(link(land.code))" tabindex="-1"><path class="q\(shade)" d="\(path)">\
        <title>\(visit.country(land.code)): \(visit.number(count))</title></path></a>
        """
    }
    let keys = bounds.indices.map { index -> HTML in
      let lower = index == 0 ? 1 : bounds[index - 1] + 1
      let text =
        lower >= bounds[index]
        ? visit.number(bounds[index]) : "\(visit.number(lower))–\(visit.number(bounds[index]))"
      return """
        <li><svg width="12" height="12" aria-hidden="true"><rect width="12" height="12" rx="2" \
        class="q\(index + 1)"/></svg>\(text)</li>
        """
    }
    return """
      <figure class="map">
      <svg role="img" aria-labelledby="\(id)-title \(id)-desc" viewBox="0 0 \(width) \(height)">
      <title id="\(id)-title">\(title)</title><desc id="\(id)-desc">\
      \(visit.t("map.description"))</desc>
      \(shapes)</svg>
      <figcaption><ul class="legend">\(keys)</ul></figcaption></figure>
      """
  }

  /// Upper bounds of the shades: geometric, because counts per country span powers of ten.
  static func bounds(_ highest: Double) -> [Double] {
    guard highest >= 1 else { return [] }
    var result: [Double] = []
    for shade in 1...shades {
      // A whole power may come out a little above itself.
      let bound = (pow(highest, Double(shade) / Double(shades)) - 1e-6).rounded(.up)
      if bound > result.last ?? 0 { result.append(bound) }
    }
    return result
  }

  static func shade(_ count: Double, _ bounds: [Double]) -> Int {
    (bounds.firstIndex { count <= $0 } ?? bounds.count - 1) + 1
  }
}
