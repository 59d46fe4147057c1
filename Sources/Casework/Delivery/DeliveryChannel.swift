import Constituency
import Foundation
import Store

/// A notice ready to be brought to one recipient.
public struct DeliveryPackage: Sendable {
  public let delivery: Delivery
  /// The number and the identifier of the notice.
  public let number: String
  /// What bounces go to.
  public let sender: String
  /// The whole mail.
  public let message: [UInt8]
  public let parts: [NoticePart]
  /// Whether an earlier attempt got as far as transmitting.
  public let isResumed: Bool
}

/// A way to bring notices.
public struct DeliveryChannel: Sendable {
  /// Brings the package. It must call `willTransmit` once before anything can reach the recipient.
  ///
  /// Throws only what `willTransmit` throws; every other failure is an outcome.
  public var deliver:
    @Sendable (DeliveryPackage, _ willTransmit: @Sendable () async throws -> Void) async throws
      -> MailOutcome
  /// Whether a broken transmission can be finished without a double.
  public var isResumable: Bool

  public init(
    isResumable: Bool,
    deliver:
      @escaping @Sendable (DeliveryPackage, _ willTransmit: @Sendable () async throws -> Void)
      async throws -> MailOutcome
  ) {
    self.isResumable = isResumable
    self.deliver = deliver
  }

  /// By mail.
  public static func smtp(_ client: SMTPClient) -> DeliveryChannel {
    DeliveryChannel(isResumable: false) { package, willTransmit in
      let target = package.delivery.target
      guard Contact.isValidEmail(target), Contact.isValidEmail(package.sender) else {
        return .permanent("“\(MailText.plain(target))” is no mail address; correct the contact")
      }
      let outcomes = try await client.send(
        MailEnvelope(sender: package.sender, recipients: [target], message: package.message),
        willTransmit: willTransmit)
      return outcomes[target] ?? .temporary("the server said nothing about \(target)")
    }
  }

  /// Into a folder for each organisation below `root`: the mail as `.eml`, the table as `.csv`, the
  /// reports as `.xarf.json`.
  ///
  /// All files are first written and synchronised under hidden names, then that is recorded, then each
  /// is renamed, the mail last. After a crash the missing hidden file says that the rename was done:
  /// so nothing comes twice, even when somebody has already taken the file away.
  public static func directory(_ root: String) -> DeliveryChannel { directory(root) { _ in } }

  static func directory(
    _ root: String, checkpoint: @escaping @Sendable (DeliveryPoint) throws -> Void
  ) -> DeliveryChannel {
    DeliveryChannel(isResumable: true) { package, willTransmit in
      let name = package.delivery.target
      guard !name.isEmpty, name.utf8.allSatisfy(isFolderOctet) else {
        return .permanent(
          "“\(MailText.plain(name))” cannot name a folder; correct the organisation")
      }
      let folder = "\(root)/\(name)"
      let stem = "\(package.number).\(package.delivery.notice.prefix(8))"
      let isSealed = package.parts.contains(where: \.isSeal)
      var files = package.parts.filter {
        $0.isFile(in: package.delivery.language, sealed: isSealed)
      }.map {
        (name: stem + $0.name.dropFirst(package.number.count), content: $0.content)
      }
      files.append((name: stem + ".eml", content: package.message))
      do {
        if !package.isResumed {
          try prepare(folder)
          for file in files {
            try DurableFile.write(file.content, to: hidden(file.name, folder), mode: 0o640)
          }
          try checkpoint(.filesWritten)
        }
      } catch let error as StoreError { return .temporary("\(error)") }
      try await willTransmit()
      do {
        for file in files {
          let part = hidden(file.name, folder)
          guard FileManager.default.fileExists(atPath: part) else { continue }
          try DurableFile.publish(part, as: "\(folder)/\(file.name)")
          try checkpoint(.filePublished)
        }
      } catch let error as StoreError { return .temporary("\(error)") }
      return .accepted("\(folder)/\(stem).eml")
    }
  }

  private static func hidden(_ name: String, _ folder: String) -> String {
    "\(folder)/.\(name).part"
  }

  /// An organisation's identifier and nothing that leaves the folder.
  private static func isFolderOctet(_ octet: UInt8) -> Bool {
    (0x61...0x7a).contains(octet) || (0x30...0x39).contains(octet) || octet == 0x2d
  }

  private static func prepare(_ folder: String) throws {
    do {
      try FileManager.default.createDirectory(
        atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o750])
    } catch {
      throw StoreError.cannotWrite(path: folder, reason: error.localizedDescription)
    }
    // What a killed process left half-written: only one process delivers at a time.
    let leftovers = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    let halves = leftovers.filter {
      // Foundation writes a new file under a name of its own first.
      $0.hasPrefix(".N-") && $0.contains(".part.") || $0.hasPrefix(".dat.nosync")
    }
    for name in halves {
      try? FileManager.default.removeItem(atPath: "\(folder)/\(name)")
    }
  }
}
