import FlowAnalysis
import FlowRecords
import NetworkTypes
import Testing

@Suite("Attacks in flows")
struct AttackMonitorTests {
  @Test("a flood of 40,000 packets a second is noticed within a second, with its sources")
  func flood() throws {
    var numbers = SeededNumbers(seed: 1)
    let monitor = AttackMonitor(protecting: [ProtectedNetwork(AttackTraffic.network)])
    var noticed: Attack?
    for step in 0..<800 {
      let now = Double(step) * 0.05
      for flow in AttackTraffic.ordinary(&numbers, at: now, flows: 30) {
        var flow = flow
        flow.end = AttackTraffic.at(now).nanoseconds
        flow.start = flow.end - 1_000_000_000
        monitor.ingest(flow)
      }
      guard now >= 15 else { continue }
      for _ in 0..<5 {
        monitor.ingest(
          AttackTraffic.flow(
            IPAddress(v4: UInt32(truncatingIfNeeded: numbers.next())), at: now, lasting: 1,
            packets: 400, sourcePort: 53,
            destinationPort: UInt16(1_024 + numbers.next() % 60_000)))
      }
      if noticed == nil, case .began(let attack)? = monitor.takeEvents().first { noticed = attack }
    }
    let attack = try #require(noticed)
    #expect(attack.target == IPPrefix(AttackTraffic.victim))
    #expect(attack.name == "udp-flood")
    #expect(attack.detected.seconds(since: AttackTraffic.at(15)) <= 1)
    #expect(attack.sources.count >= 40)
    #expect(attack.sources.allSatisfy { $0.packets == 400 && $0.error == 0 })
    monitor.finish()
    let last = try #require(AttackTraffic.ended(monitor.takeEvents()).first)
    #expect(last.vectors.first?.nature == .forged)
    #expect(abs(last.peak.packetsPerSecond - 40_000) < 2_000)
    #expect(last.vectors.first?.volume.packets == 25 * 20 * 5 * 400)
  }

  @Test("a long flow counts in the seconds that it lasted and makes no spike")
  func longFlow() {
    // 900,000 packets in 30 seconds are 30,000 a second, below the limit for all traffic.
    let flow = AttackTraffic.flow(
      IPAddress(v4: 0x0808_0808), at: 100, lasting: 60, packets: 900_000, octetsPerPacket: 1_000,
      transport: .tcp, flags: 0b1_1011)
    #expect(AttackTraffic.run([flow]).attacks.isEmpty)
    let burst = AttackTraffic.flow(
      IPAddress(v4: 0x0808_0808), at: 100, lasting: 1, packets: 900_000, octetsPerPacket: 1_000,
      transport: .tcp, flags: 0b1_1011)
    #expect(AttackTraffic.run([burst]).attacks.count == 1)
  }

  @Test("each kind of flood is named by what it is")
  func kinds() throws {
    struct Case {
      var name: String
      var transport: IPProtocol
      var flags: UInt8 = 0
      var sourcePort: UInt16 = 40_000
      var destinationPort: UInt16 = 80
      var size: UInt64 = 60
      var icmp: UInt8 = 0
      var nature: SourceNature = .direct
    }
    let cases = [
      Case(name: "udp-flood", transport: .udp),
      Case(name: "tcp-syn-flood", transport: .tcp, flags: 2),
      Case(name: "tcp-ack-flood", transport: .tcp, flags: 16),
      Case(name: "tcp-rst-flood", transport: .tcp, flags: 4),
      Case(
        name: "tcp-syn-ack-flood", transport: .tcp, flags: 18, sourcePort: 443, nature: .reflector),
      Case(name: "icmp-flood", transport: .icmp, icmp: 8),
      Case(name: "fragments", transport: .udp, sourcePort: 0, destinationPort: 0, size: 1_400),
      Case(name: "gre-flood", transport: .gre),
      Case(
        name: "dns-amplification", transport: .udp, sourcePort: 53, size: 1_200, nature: .reflector),
      Case(
        name: "ntp-amplification", transport: .udp, sourcePort: 123, size: 468, nature: .reflector),
      Case(
        name: "memcached-amplification", transport: .udp, sourcePort: 11_211, size: 1_400,
        nature: .reflector),
      Case(
        name: "cldap-amplification", transport: .udp, sourcePort: 389, size: 1_400,
        nature: .reflector),
    ]
    for item in cases {
      var flows: [AttackFlow] = []
      for step in 0..<100 {
        for source in 0..<20 as Range<UInt32> {
          flows.append(
            AttackTraffic.flow(
              IPAddress(v4: 0x5010_0000 + source * 257), at: Double(step) * 0.1, lasting: 0.1,
              packets: 600, octetsPerPacket: item.size, sourcePort: item.sourcePort,
              destinationPort: item.destinationPort, transport: item.transport, flags: item.flags,
              icmpType: item.icmp))
        }
      }
      let attack = try #require(AttackTraffic.run(flows).attacks.first, "\(item.name)")
      #expect(attack.name == item.name)
      #expect(attack.vectors.first?.nature == item.nature, "\(item.name)")
      #expect(attack.sourceCount == 20)
      #expect(attack.total.packets == 1_200_000)
    }
  }

  @Test("two kinds at once are a multi-vector attack with both")
  func mixed() throws {
    var flows: [AttackFlow] = []
    for step in 0..<100 {
      let now = Double(step) * 0.1
      flows.append(
        AttackTraffic.flow(
          IPAddress(v4: 0x5010_0001), at: now, lasting: 0.1, packets: 3_000, octetsPerPacket: 1_200,
          sourcePort: 53))
      flows.append(
        AttackTraffic.flow(
          IPAddress(v4: 0x5010_0002), at: now, lasting: 0.1, packets: 3_000, transport: .tcp,
          flags: 2))
    }
    let attack = try #require(AttackTraffic.run(flows).attacks.first)
    #expect(attack.name == "multi-vector")
    #expect(Set(attack.vectors.map(\.name)) == ["dns-amplification", "tcp-syn-flood"])
  }

  @Test("an attack on all hosts of a prefix is one on the prefix, though no host has much")
  func carpet() throws {
    var numbers = SeededNumbers(seed: 2)
    var flows: [AttackFlow] = []
    for step in 0..<200 {
      for host in 0..<250 as Range<UInt32> {
        flows.append(
          AttackTraffic.flow(
            AttackTraffic.host(&numbers), IPAddress(v4: 0xcb00_7100 + host),
            at: Double(step) * 0.1, lasting: 0.1, packets: 80, destinationPort: 53))
      }
    }
    let attacks = AttackTraffic.run(flows).attacks
    let attack = try #require(attacks.first)
    #expect(attacks.count == 1)
    #expect(attack.target == AttackTraffic.network)
    #expect(attack.isCarpet)
    #expect(attack.name == "carpet-bombing-udp-flood")
    #expect(attack.destinationCount > 240)
    // Host and prefix are counted from the same flows.
    #expect(abs(attack.peak.packetsPerSecond - 200_000) < 10_000)
  }

  @Test("an attack on one host is not told again for its prefix")
  func oneHost() {
    var flows: [AttackFlow] = []
    for step in 0..<100 {
      flows.append(
        AttackTraffic.flow(
          IPAddress(v4: 0x5010_0001), at: Double(step) * 0.1, lasting: 0.1, packets: 40_000))
    }
    let attacks = AttackTraffic.run(flows).attacks
    #expect(attacks.map(\.target) == [IPPrefix(AttackTraffic.victim)])
  }

  @Test(
    "an attack ends after the quiet time, at its last strong second; a short pause is part of it")
  func hysteresis() throws {
    var flows: [AttackFlow] = []
    for step in 0..<1_000 {
      let now = Double(step) * 0.1
      // Pauses from second 20 to 50.
      if now > 20, now < 50 { continue }
      flows.append(
        AttackTraffic.flow(IPAddress(v4: 0x5010_0001), at: now, lasting: 0.1, packets: 3_000))
    }
    flows.append(AttackTraffic.flow(IPAddress(v4: 0x5010_0009), at: 300, packets: 1))
    let attacks = AttackTraffic.run(flows).attacks
    let attack = try #require(attacks.first)
    #expect(attacks.count == 1)
    #expect(attack.isOver)
    #expect(abs(attack.start.seconds(since: AttackTraffic.epoch)) <= 1)
    #expect(abs(attack.end.seconds(since: AttackTraffic.at(100))) <= 1)
  }

  @Test("sampled packets are scaled, and a few of them are no attack")
  func sampling() throws {
    var numbers = SeededNumbers(seed: 3)
    // 1:1000 of 15,000 packets a second: now and then more than 20 samples fall into a second.
    let ordinary = (0..<900).map { _ in
      AttackTraffic.flow(
        IPAddress(v4: 0x5010_0001), at: Double(numbers.next() % 60_000) / 1_000, packets: 1_000,
        rate: 1_000)
    }
    #expect(AttackTraffic.run(ordinary).attacks.isEmpty)
    let flood = (0..<6_000).map { _ in
      AttackTraffic.flow(
        IPAddress(v4: 0x5010_0001), at: Double(numbers.next() % 60_000) / 1_000, packets: 1_000,
        rate: 1_000)
    }
    let attack = try #require(AttackTraffic.run(flood).attacks.first)
    #expect(attack.samplingRate == 1_000)
    #expect(attack.total.packets > 5_900_000)
  }

  @Test("what is usual is learned, more is an attack, and the attack is not learned")
  func learning() throws {
    var parameters = AttackParameters()
    parameters.warmUpMinutes = 20
    var flows: [AttackFlow] = []
    func add(_ second: Int, _ packets: UInt64) {
      flows.append(
        AttackTraffic.flow(
          IPAddress(v4: 0x5010_0001), at: Double(second) + 0.9, lasting: 0.9, packets: packets))
    }
    for second in 0..<3_600 { add(second, 1_000 + UInt64(second % 7) * 20) }
    // Six times the usual, which is below the fixed limit of 20,000, for half an hour.
    for second in 3_600..<5_400 { add(second, 7_000) }
    for second in 5_400..<9_000 { add(second, 1_000) }
    for second in 9_000..<9_060 { add(second, 7_000) }
    let attacks = AttackTraffic.run(flows, parameters: parameters).attacks
    #expect(attacks.count == 2)
    #expect(attacks.allSatisfy { $0.trigger.basis == .learned })
    let first = try #require(attacks.first)
    #expect(abs(first.start.seconds(since: AttackTraffic.at(3_600))) <= 2)
    #expect(abs(first.seconds - 1_800) <= 3)
    // The second one is noticed although the first was as strong.
    #expect(abs(attacks[1].start.seconds(since: AttackTraffic.at(9_000))) <= 2)
  }

  @Test("what was learned of prefixes goes over a restart")
  func restart() {
    var parameters = AttackParameters()
    parameters.warmUpMinutes = 5
    let first = AttackMonitor(
      protecting: [ProtectedNetwork(AttackTraffic.network)], parameters: parameters)
    for second in 0..<1_200 {
      first.ingest(
        AttackTraffic.flow(IPAddress(v4: 0x5010_0001), at: Double(second), packets: 2_000))
    }
    let learned = first.learned
    #expect(learned.contains { $0.kind == .udp && $0.minutes >= 15 })
    let second = AttackMonitor(
      protecting: [ProtectedNetwork(AttackTraffic.network)], parameters: parameters)
    second.restore(learned)
    #expect(second.learned.map(\.mean) == learned.map(\.mean))
  }

  @Test("memory is bounded: hosts beyond the limit push out the quietest, and are counted")
  func bounded() {
    var parameters = AttackParameters()
    parameters.largestHostCount = 1_000
    parameters.largestMeterCount = 2_000
    let monitor = AttackMonitor(parameters: parameters)
    for index in 0..<50_000 as Range<UInt32> {
      monitor.ingest(
        AttackTraffic.flow(
          IPAddress(v4: 0x5010_0001), IPAddress(v4: 0x0a00_0000 + index * 3),
          at: Double(index) / 500, packets: 2))
    }
    let counters = monitor.counters
    #expect(counters.hosts <= 1_000)
    #expect(counters.droppedIdleHosts + counters.droppedActiveHosts > 40_000)
  }

  @Test("hostile values neither trap nor make attacks of nothing")
  func hostile() {
    let monitor = AttackMonitor(protecting: [ProtectedNetwork(AttackTraffic.network)])
    for start in [Int64.min, -1, 0, 1, .max - 1, .max] {
      for end in [Int64.min, 0, 1, .max - 1, .max] {
        for packets in [UInt64(1), .max] {
          var flow = AttackTraffic.flow(IPAddress(v4: 1), at: 0, packets: packets)
          flow.start = min(start, end)
          flow.end = end
          flow.octets = .max
          monitor.ingest(flow)
        }
      }
    }
    monitor.finish()
    #expect(monitor.counters.flows == 60)
  }

  @Test("forged sources of a random flood and steady sources are told apart")
  func natures() throws {
    var numbers = SeededNumbers(seed: 5)
    let random = (0..<20_000).map { index in
      AttackTraffic.flow(
        AttackTraffic.host(&numbers), at: Double(index) / 2_000, packets: 20)
    }
    let forged = try #require(AttackTraffic.run(random).attacks.first)
    #expect(forged.vectors.first?.nature == .forged)
    #expect(abs(forged.sourceCount - 20_000) < 20_000 * 4 * forged.sourceCountError)
    #expect(forged.sourceCountError > 0)
    let bots = (0..<20_000).map { index in
      AttackTraffic.flow(
        IPAddress(v4: 0x5010_0000 + UInt32(index % 500) * 7), at: Double(index) / 2_000,
        packets: 20)
    }
    let direct = try #require(AttackTraffic.run(bots).attacks.first)
    #expect(direct.vectors.first?.nature == .direct)
    #expect(direct.sourceCount == 500)
    #expect(direct.sources.count == 500)
    #expect(direct.sources.allSatisfy { $0.packets == 800 && $0.flows == 40 })
  }
}
