import Synchronization

/// Numbers for the exporters that a query meets, the same for all its threads.
final class ExporterNumbers: Sendable {
  private struct State {
    var addresses: [UInt128] = []
    var numbers: [UInt128: UInt64] = [:]
  }
  private let state = Mutex(State())

  func number(of address: UInt128) -> UInt64 {
    state.withLock { state in
      if let known = state.numbers[address] { return known }
      let number = UInt64(state.addresses.count)
      state.addresses.append(address)
      state.numbers[address] = number
      return number
    }
  }

  var addresses: [UInt128] { state.withLock { $0.addresses } }
}
