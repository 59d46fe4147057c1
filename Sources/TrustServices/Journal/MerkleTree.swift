import Crypto

/// The Merkle tree of RFC 9162 2.1 with SHA-256: hashes, proofs and their verification.
public enum MerkleTree {
  /// The hash of a record (RFC 9162 2.1.1).
  public static func leafHash(_ record: some Collection<UInt8>) -> [UInt8] {
    SHA256.digest(0, record, [])
  }

  static func nodeHash(_ left: [UInt8], _ right: [UInt8]) -> [UInt8] {
    SHA256.digest(1, left, right)
  }

  /// The root of the empty tree.
  public static var emptyRoot: [UInt8] { HashAlgorithm.sha256.hash([]) }

  /// Verifies that the record of `leafHash` is number `index` of the `size` records under `root`
  /// (RFC 9162 2.1.3.2).
  public static func verifyInclusion(
    leafHash: [UInt8], index: UInt64, size: UInt64, path: [[UInt8]], root: [UInt8]
  ) -> Bool {
    guard index < size else { return false }
    var position = index
    var last = size - 1
    var hash = leafHash
    for sibling in path {
      guard last != 0 else { return false }
      if position & 1 == 1 || position == last {
        hash = nodeHash(sibling, hash)
        while position & 1 == 0 && position != 0 {
          position >>= 1
          last >>= 1
        }
      } else {
        hash = nodeHash(hash, sibling)
      }
      position >>= 1
      last >>= 1
    }
    return last == 0 && hash == root
  }

  /// Verifies that the first `firstSize` records under `secondRoot` are those under `firstRoot`
  /// (RFC 9162 2.1.4.2): nothing was changed or taken away.
  public static func verifyConsistency(
    firstSize: UInt64, firstRoot: [UInt8], secondSize: UInt64, secondRoot: [UInt8],
    path: [[UInt8]]
  ) -> Bool {
    guard firstSize <= secondSize else { return false }
    if firstSize == secondSize { return path.isEmpty && firstRoot == secondRoot }
    // An empty log is the beginning of every log.
    if firstSize == 0 { return path.isEmpty && firstRoot == emptyRoot }
    var rest = path[...]
    if firstSize & (firstSize - 1) == 0 { rest = ([firstRoot] + path)[...] }
    guard let start = rest.popFirst() else { return false }
    var position = firstSize - 1
    var last = secondSize - 1
    while position & 1 == 1 {
      position >>= 1
      last >>= 1
    }
    var first = start
    var second = start
    for sibling in rest {
      guard last != 0 else { return false }
      if position & 1 == 1 || position == last {
        first = nodeHash(sibling, first)
        second = nodeHash(sibling, second)
        while position & 1 == 0 && position != 0 {
          position >>= 1
          last >>= 1
        }
      } else {
        second = nodeHash(second, sibling)
      }
      position >>= 1
      last >>= 1
    }
    return last == 0 && first == firstRoot && second == secondRoot
  }
}

/// The complete subtrees of a growing tree, from which its root follows: at most 64 hashes.
struct MerkleFrontier: Sendable {
  private(set) var size: UInt64 = 0
  /// The roots of the complete subtrees, the largest first.
  private var peaks: [[UInt8]] = []

  /// Adds a record and gives every node that this completes, the leaf first: the order in which
  /// nodes are stored.
  mutating func append(_ leafHash: [UInt8]) -> [[UInt8]] {
    var completed = [leafHash]
    var hash = leafHash
    var position = size
    while position & 1 == 1, let left = peaks.popLast() {
      hash = MerkleTree.nodeHash(left, hash)
      completed.append(hash)
      position >>= 1
    }
    peaks.append(hash)
    size += 1
    return completed
  }

  var root: [UInt8] {
    guard var hash = peaks.last else { return MerkleTree.emptyRoot }
    for peak in peaks.dropLast().reversed() { hash = MerkleTree.nodeHash(peak, hash) }
    return hash
  }
}

/// Proofs from stored nodes, in the order in which ``MerkleFrontier`` completes them.
struct MerkleProver {
  /// Reads the node at a position of the store.
  let node: (UInt64) throws -> [UInt8]

  /// How many nodes precede leaf `index`: each leaf, and each completed pair once.
  static func position(ofLeaf index: UInt64) -> UInt64 { 2 * index - UInt64(index.nonzeroBitCount) }

  /// The hash over the records from `start` to before `end`, which have to begin at a multiple of
  /// the power of two that holds them.
  private func hash(_ start: UInt64, _ end: UInt64) throws -> [UInt8] {
    let count = end - start
    if count & (count - 1) == 0 {
      return try node(
        Self.position(ofLeaf: end - 1) + UInt64(count.trailingZeroBitCount))
    }
    let half = Self.half(count)
    return MerkleTree.nodeHash(try hash(start, start + half), try hash(start + half, end))
  }

  /// The largest power of two below `count`, which is at least 2.
  private static func half(_ count: UInt64) -> UInt64 {
    1 << UInt64(63 - (count - 1).leadingZeroBitCount)
  }

  func root(size: UInt64) throws -> [UInt8] {
    size == 0 ? MerkleTree.emptyRoot : try hash(0, size)
  }

  /// PATH of RFC 9162 2.1.3.1 for `index` below `size`.
  func inclusion(_ index: UInt64, size: UInt64) throws -> [[UInt8]] {
    var path: [[UInt8]] = []
    var (start, end) = (UInt64(0), size)
    while end - start > 1 {
      let middle = start + Self.half(end - start)
      if index < middle {
        path.append(try hash(middle, end))
        end = middle
      } else {
        path.append(try hash(start, middle))
        start = middle
      }
    }
    return path.reversed()
  }

  /// PROOF of RFC 9162 2.1.4.1 for `0 < first <= size`.
  func consistency(_ first: UInt64, size: UInt64) throws -> [[UInt8]] {
    var path: [[UInt8]] = []
    var (start, end) = (UInt64(0), size)
    var isWhole = true
    while first < end {
      let middle = start + Self.half(end - start)
      if first <= middle {
        path.append(try hash(middle, end))
        end = middle
      } else {
        path.append(try hash(start, middle))
        start = middle
        isWhole = false
      }
    }
    if !isWhole { path.append(try hash(start, end)) }
    return path.reversed()
  }
}

extension SHA256 {
  /// The hash over a domain octet and two pieces, without copying them together.
  fileprivate static func digest(
    _ domain: UInt8, _ first: some Collection<UInt8>, _ second: [UInt8]
  ) -> [UInt8] {
    var hash = SHA256()
    withUnsafeBytes(of: domain) { hash.update(bufferPointer: $0) }
    let isFed: Void? = first.withContiguousStorageIfAvailable {
      hash.update(bufferPointer: UnsafeRawBufferPointer($0))
    }
    if isFed == nil { Array(first).withUnsafeBytes { hash.update(bufferPointer: $0) } }
    second.withUnsafeBytes { hash.update(bufferPointer: $0) }
    return Array(hash.finalize())
  }
}
