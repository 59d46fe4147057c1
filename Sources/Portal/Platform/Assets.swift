import Crypto
import HTTPTypes
import Hummingbird

/// The files that pages load: one stylesheet, a few lines of script, one mark. They are built into
/// the binary and named by their content, so that browsers may keep them for good.
struct Assets: Sendable {
  struct Asset: Sendable {
    let path: String
    let type: String
    let text: String
  }

  let stylesheet: Asset
  let script: Asset
  let mark: Asset

  init() {
    stylesheet = Self.asset("portal", "css", "text/css; charset=utf-8", PackageResources.portal_css)
    script = Self.asset(
      "portal", "js", "text/javascript; charset=utf-8", PackageResources.portal_js)
    mark = Self.asset("beacon", "svg", "image/svg+xml", PackageResources.beacon_svg)
  }

  private static func asset(_ name: String, _ ending: String, _ type: String, _ bytes: [UInt8])
    -> Asset
  {
    let digest = Secret.hex(SHA256.hash(data: bytes).prefix(6))
    return Asset(
      path: "/assets/\(name)-\(digest).\(ending)", type: type,
      text: String(decoding: bytes, as: UTF8.self))
  }

  var routes: [Route] {
    [stylesheet, script, mark].map { asset in
      Route(method: .get, path: asset.path, audience: .everyone, face: .asset) { _ in
        var response = Answer.text(asset.text, type: asset.type)
        response.headers[.cacheControl] = "public, max-age=31536000, immutable"
        return response
      }
    }
  }
}
