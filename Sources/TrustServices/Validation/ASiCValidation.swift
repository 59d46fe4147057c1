extension SealValidator {
  /// Validates an ASiC container with CAdES: ASiC-E by its manifests, ASiC-S by its only file.
  public func validate(container bytes: [UInt8], limits: ZipLimits = .init()) -> ValidationReport {
    func unreadable(_ reason: String) -> ValidationReport {
      ValidationReport(format: .asic, checkedAt: moment, unreadable: reason)
    }
    let archive: ZipArchive
    do throws(MalformedStructure) {
      archive = try ZipArchive(reading: bytes, limits: limits)
    } catch { return unreadable("\(error)") }
    var signatures: [SignatureUnderTest] = []
    var notes: [String] = []
    let files = archive.entries.filter {
      $0.name != "mimetype" && !$0.name.hasPrefix("META-INF/")
    }
    var sealed: Set<String> = []
    for entry in archive.entries where Self.isManifest(entry.name) {
      let manifest: ASiCManifest
      let message: SignedData
      do {
        manifest = try ASiCManifest(reading: entry.content)
        guard let signature = archive[manifest.signature] else {
          throw MalformedStructure("ASiCManifest", "SigReference", "names a file that is missing")
        }
        message = try SignedData(filed: signature)
      } catch {
        signatures.append(
          SignatureUnderTest(
            outcome: .refused(.failed(.formatFailure, "\(error)"), nil), level: .basic))
        continue
      }
      sealed.insert(manifest.signature)
      let covers = manifest.references.map { reference in
        let found = archive[reference.name]
        return CoveredContent(
          name: reference.name, digestAlgorithm: reference.hash.rawValue,
          digest: Hexadecimal.text(reference.digest), isEnclosed: true,
          isIntact: found.map { reference.hash.hash($0) == reference.digest } ?? false)
      }
      for var signature in self.signatures(
        in: message, content: ContentDigests(entry.content), name: entry.name)
      {
        signature.covers = covers
        let left = files.filter { file in !covers.contains { $0.name == file.name } }
        if !left.isEmpty {
          signature.notes.append(
            "Not covered: \(left.map(\.name).joined(separator: ", ")).")
        }
        if let broken = covers.first(where: { !$0.isIntact }) {
          let name = broken.name ?? ""
          let isMissing = archive[name] == nil
          let reason: Conclusion =
            isMissing
            ? .indeterminate(
              .signedDataNotFound, "\(name) is missing. Ask for the whole container.")
            : .failed(.hashFailure, "\(name) is not what was signed. Do not rely on it.")
          switch signature.outcome {
          case .verified(let facts): signature.outcome = .refused(reason, facts.certificate)
          case .refused: break
          }
        }
        signatures.append(signature)
      }
    }
    // ASiC-S: one file, one signature over it.
    for entry in archive.entries
    where entry.name.hasPrefix("META-INF/") && entry.name.hasSuffix(".p7s")
      && !sealed.contains(entry.name)
    {
      guard files.count == 1, let message = try? SignedData(filed: entry.content) else {
        notes.append("\(entry.name) belongs to no manifest and was not looked at.")
        continue
      }
      signatures += self.signatures(
        in: message, content: ContentDigests(files[0].content), name: files[0].name)
    }
    if archive.entries.contains(where: {
      $0.name.hasPrefix("META-INF/") && $0.name.hasSuffix(".xml")
        && $0.name.contains("signatures")
    }) {
      notes.append("XAdES signatures are in it, which are not read here.")
    }
    return report(on: signatures, format: .asic, notes: notes)
  }

  /// Manifests of signatures; those of archives and evidence records are others (A.4, A.7).
  private static func isManifest(_ name: String) -> Bool {
    name.hasPrefix("META-INF/ASiCManifest") && name.hasSuffix(".xml")
  }
}
