/// Content that is signed, as octets or as digests taken while a large file was read once.
public struct ContentDigests: Sendable {
  private let bytes: [UInt8]?
  private let running: [HashAlgorithm: RunningHash]
  private let digests: [HashAlgorithm: [UInt8]]

  /// Content that is held in memory: any digest can be taken.
  public init(_ bytes: [UInt8]) {
    self.bytes = bytes
    running = [:]
    digests = [:]
  }

  /// Content of which only these digests are known.
  public init(digests: [HashAlgorithm: [UInt8]]) {
    bytes = nil
    running = [:]
    self.digests = digests
  }

  init(running: [RunningHash]) {
    bytes = nil
    digests = [:]
    self.running = Dictionary(
      running.map { ($0.algorithm, $0) }, uniquingKeysWith: { first, _ in first })
  }

  /// The digest, or nil where it was not taken.
  public func digest(_ algorithm: HashAlgorithm) -> [UInt8]? {
    digests[algorithm] ?? running[algorithm]?.finalize() ?? bytes.map { algorithm.hash($0) }
  }

  /// The digest of the content and `tail` behind it; nil where only finished digests are known.
  func digest(_ algorithm: HashAlgorithm, followedBy tail: [UInt8]) -> [UInt8]? {
    if let bytes { return algorithm.hash(bytes + tail) }
    guard var hash = running[algorithm] else { return nil }
    hash.update(tail)
    return hash.finalize()
  }

  /// The octets, where they are held.
  public var octets: [UInt8]? { bytes }
}

/// Takes several digests of content that arrives in pieces.
public struct ContentDigester: Sendable {
  private var running: [RunningHash]

  /// A digester for these algorithms.
  public init(_ algorithms: [HashAlgorithm]) { running = algorithms.map { RunningHash($0) } }

  /// Adds the next piece.
  public mutating func update(_ piece: some Collection<UInt8>) {
    for index in running.indices { running[index].update(piece) }
  }

  /// The digests of everything added.
  public func finalize() -> ContentDigests { ContentDigests(running: running) }
}

/// Content with the name under which a signature may speak of it.
public struct NamedContent: Sendable {
  public let name: String
  public let content: ContentDigests

  /// Content of a file, named without its folder.
  public init(name: String, content: ContentDigests) {
    self.name = name
    self.content = content
  }
}
