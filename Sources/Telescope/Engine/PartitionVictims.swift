import Geolocation
import NetworkTypes
import PacketCapture
import Sketches

/// What a partition keeps of victims and of member organisations' addresses.
extension Partition {
  // MARK: Victims

  @inline(never)
  mutating func updateVictim(
    _ observation: Observation, _ trafficClass: TrafficClass, _ time: Int64, _ destination: UInt32
  ) {
    let packet = observation.packet
    var position = victims.find(
      hash: observation.hash, address: observation.subject.bits, detail: 0)
    if position < 0 {
      if isTight(growth: victims.memoryBytesAfterAppend - victims.memoryBytes) {
        relieveVictims()
      }
      let geo = rules.geo.lookup(observation.subject)
      position = victims.append(
        VictimEntry(
          address: observation.subject.bits, first: time, last: time, asn: geo.asn.number,
          country: geo.country.packed),
        hash: observation.hash)
    } else if time &- victims[position].last > rules.victimIdle {
      closeVictim(at: position)
      let old = victims[position]
      victims[position] = VictimEntry(
        address: old.address, first: time, last: time, asn: old.asn, country: old.country)
    }
    if time > victims[position].last { victims[position].last = time }
    victims[position].packets &+= 1
    victims[position].bytes &+= UInt64(packet.wireLength)
    distinct.insert(hash: destination, into: &victims[position].destinations)
    if let place = VictimEntry.place(of: trafficClass) {
      victims[position].classPackets[place] &+= 1
    }
    if packet.traits.contains(.quoteMismatch) { victims[position].mismatches &+= 1 }
    if observation.port != 0 {
      let transport =
        packet.traits.contains(.quotesPacket) ? packet.quotedTransport : packet.transport
      victims[position].services.add(port: observation.port, transport: transport.rawValue)
    }
    Self.slideWindow(&victims[position], time)
  }

  private static func slideWindow(_ victim: inout VictimEntry, _ time: Int64) {
    let slice = time / 10_000_000_000
    if victim.slice == .min || slice &- victim.slice >= 6 {
      victim.slices = InlineArray(repeating: 0)
      victim.slice = slice
    }
    while victim.slice < slice {
      victim.slice += 1
      victim.slices[Int(((victim.slice % 6) + 6) % 6)] = 0
    }
    victim.slices[Int(((victim.slice % 6) + 6) % 6)] &+= 1
    var sum: UInt32 = 0
    for index in 0..<6 { sum &+= victim.slices[index] }
    victim.peak = max(victim.peak, sum)
  }

  // MARK: Member alerts

  @inline(never)
  mutating func updateAlert(
    _ member: UInt16, _ observation: Observation, _ trafficClass: TrafficClass, _ time: Int64,
    _ destination: UInt32
  ) {
    guard trafficClass != .spoofedSource else { return }
    let reach: UInt8
    if trafficClass.isBackscatter {
      reach = 2
    } else {
      reach = rules.members.ownsDark(observation.packet.destination, member) ? 0 : 1
    }
    let detail = AlertEntry.detail(member: member, reach: reach)
    let hash = Self.eventHash(observation.hash, detail | 0x8000_0000)
    var position = alerts.find(hash: hash, address: observation.subject.bits, detail: detail)
    if position < 0 {
      position = alerts.append(
        AlertEntry(address: observation.subject.bits, detail: detail, first: time, last: time),
        hash: hash)
    } else if time &- alerts[position].last > rules.alertQuiet {
      closeAlert(at: position)
      alerts[position] = AlertEntry(
        address: observation.subject.bits, detail: detail, first: time, last: time)
    }
    if time > alerts[position].last { alerts[position].last = time }
    alerts[position].packets &+= 1
    distinct.insert(hash: destination, into: &alerts[position].destinations)
    alerts[position].ports.add(
      port: observation.port, transport: observation.packet.transport.rawValue)
  }
}
