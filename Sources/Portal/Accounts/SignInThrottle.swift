import NetworkTypes
import Synchronization

/// Slows down who guesses passwords: so many failures per account and per address in a window, then
/// nothing more until the window has passed. Bounded in memory.
final class SignInThrottle: Sendable {
  private struct Entry {
    var failures: Int
    var began: Timestamp
  }

  private let parameters: PortalParameters
  private let entries = Mutex<[String: Entry]>([:])

  init(parameters: PortalParameters) { self.parameters = parameters }

  /// Whether another attempt may be made. IPv6 visitors are counted by /64, which is what one
  /// subscriber has.
  func admits(account: String, address: String?, now: Timestamp) -> Bool {
    entries.withLock { entries in
      keys(account, address).allSatisfy { key, limit in
        guard let entry = entries[key] else { return true }
        return hasPassed(entry, now) || entry.failures < limit
      }
    }
  }

  /// - Returns: whether this failure was the one that closed the door.
  @discardableResult
  func failed(account: String, address: String?, now: Timestamp) -> Bool {
    entries.withLock { entries in
      var isClosing = false
      for (key, limit) in keys(account, address) {
        if let entry = entries[key], !hasPassed(entry, now) {
          entries[key] = Entry(failures: entry.failures + 1, began: entry.began)
        } else {
          if entries.count >= parameters.throttleEntries { forgetSome(&entries, now) }
          entries[key] = Entry(failures: 1, began: now)
        }
        if entries[key]?.failures == limit { isClosing = true }
      }
      return isClosing
    }
  }

  func succeeded(account: String) {
    entries.withLock { $0["account " + account.lowercased()] = nil }
  }

  var count: Int { entries.withLock { $0.count } }

  private func hasPassed(_ entry: Entry, _ now: Timestamp) -> Bool {
    now.seconds(since: entry.began) >= Double(parameters.throttleWindowSeconds)
  }

  /// Drops what has passed, and if that is not enough the tenth with the fewest failures, the
  /// oldest first: so nobody gets rid of a count by inventing names.
  private func forgetSome(_ entries: inout [String: Entry], _ now: Timestamp) {
    entries = entries.filter { !hasPassed($0.value, now) }
    guard entries.count >= parameters.throttleEntries else { return }
    let lightest = entries.sorted {
      ($0.value.failures, $0.value.began) < ($1.value.failures, $1.value.began)
    }.prefix(max(1, parameters.throttleEntries / 10))
    for (key, _) in lightest { entries[key] = nil }
  }

  private func keys(_ account: String, _ address: String?) -> [(String, limit: Int)] {
    var keys = [("account " + account.lowercased(), limit: parameters.failuresPerAccount)]
    if let text = address, let address = IPAddress(text) {
      let block = IPPrefix(address, length: address.isIPv4 ? 32 : 64)
      keys.append(("address \(block?.description ?? text)", limit: parameters.failuresPerAddress))
    }
    return keys
  }
}
