public import NetworkTypes

/// ASiC-E with CAdES (EN 319 162-1 4.4): several files and seals over them in one ZIP file.
public struct ASiCContainer: Sendable {
  /// The content of the `mimetype` file.
  public static let mediaType = "application/vnd.etsi.asic-e+zip"

  /// A file to be sealed.
  public struct File: Hashable, Sendable {
    public let name: String
    public let content: [UInt8]
    /// Such as `text/csv`; goes into the manifest.
    public let mediaType: String?

    /// A file; the name may hold folders, with `/`.
    public init(name: String, content: [UInt8], mediaType: String? = nil) {
      self.name = name
      self.content = content
      self.mediaType = mediaType
    }
  }

  /// Seals files together; `sealer` makes the CAdES over the manifest at any level.
  ///
  /// Names must be relative, without `..`, each once, and outside `META-INF`.
  public static func seal(
    _ files: [File], with sealer: CAdESSealer, level: SealLevel = .basic, at moment: Timestamp
  ) async throws -> [UInt8] {
    var names: Set<String> = []
    for file in files where !names.insert(file.name).inserted {
      throw SealError.nameTwice(file.name)
    }
    let hash = sealer.identity.contentHash
    let signatureName = "META-INF/signature001.p7s"
    let manifest = ASiCManifest(
      signature: signatureName,
      references: files.map {
        ASiCManifest.Reference(
          name: $0.name, mediaType: $0.mediaType, hash: hash, digest: hash.hash($0.content))
      })
    let content = manifest.encoded
    let seal = try await sealer.seal(
      ContentDigests(content), level: level, isDetached: true, at: moment)
    let archive = ZipArchive(
      [ZipArchive.Entry(name: "mimetype", content: Array(mediaType.utf8))]
        + files.map { ZipArchive.Entry(name: $0.name, content: $0.content) }
        + [
          ZipArchive.Entry(name: "META-INF/ASiCManifest001.xml", content: content),
          ZipArchive.Entry(name: signatureName, content: seal.encoded),
        ])
    let encoded = try archive.encoded()
    // What would be refused by a reader is refused here: wrong names, doubled names.
    var limits = ZipLimits()
    limits.maximumEntrySize = .max
    limits.maximumTotalSize = .max
    _ = try ZipArchive(reading: encoded, limits: limits)
    guard !files.isEmpty, !files.contains(where: { $0.name.hasPrefix("META-INF/") }) else {
      throw SealError.unsupported("A container without files, or files in META-INF,")
    }
    return encoded
  }

  /// The files of a container, to be taken out; signatures are not looked at.
  public static func files(_ bytes: [UInt8], limits: ZipLimits = .init()) throws -> [File] {
    try ZipArchive(reading: bytes, limits: limits).entries.filter {
      $0.name != "mimetype" && !$0.name.hasPrefix("META-INF/")
    }.map { File(name: $0.name, content: $0.content) }
  }
}
