import Foundation
import NetworkTypes
import Telescope

/// Telescope results, decoded from JSON because only the telescope itself makes them.
enum SampleTelescope {
  static let countries = ["JP", "US", "CN", "BR", "DE", "VN", "RU", "IN", "KR", "TW", "FR", "ZZ"]

  private static func decode<T: Decodable>(_ members: [[String: Any]]) -> [T] {
    // A sample that does not decode is a mistake in this file, which every test would show.
    let data = try! JSONSerialization.data(withJSONObject: members)
    return try! JSONDecoder().decode([T].self, from: data)
  }

  private static func moment(_ seconds: Int) -> String {
    Timestamp(seconds: SampleHouse.start.seconds + Int64(seconds)).description
  }

  private static func rate(_ value: Double) -> [String: Double] {
    ["packetsPerSecond": value, "lower": value * 0.8, "upper": value * 1.25]
  }

  private static func port(_ port: Int, _ transport: Int, _ packets: Int) -> [String: Any] {
    ["port": port, "transport": transport, "packets": packets]
  }

  static func hosts() -> [ObservedHost] {
    var dice = Dice(state: 7)
    let verdicts = ["infected", "scanner", "survey", "victim", "undecided"]
    var members: [[String: Any]] = []
    for index in 0..<140 {
      let address =
        switch index % 4 {
        case 0: "192.0.2.\(index)"
        case 1: "198.51.100.\(index)"
        case 2: "203.0.113.\(index)"
        default: "2001:db8:1::\(String(index, radix: 16))"
        }
      let verdict = index < 24 ? "infected" : verdicts[dice.next(5)]
      let packets = 10 + dice.next(90_000)
      members.append([
        "address": address, "verdict": verdict, "confidence": 50 + dice.next(50),
        "reasons": [
          ["name": "malware-fingerprint", "values": ["rule": "mirai", "share": "98"]],
          ["name": "iot-port-set", "values": ["ports": "23 2323"]],
        ], "firstSeen": moment(dice.next(100_000)),
        "lastSeen": moment(110_000 + dice.next(140_000)),
        "packets": packets, "bytes": packets * 54, "destinations": Double(1 + dice.next(500)),
        "ports": [port(23, 6, packets / 2), port(2323, 6, packets / 4), port(443, 17, 3)],
        "distinctPorts": 3.0, "classes": [3, 10],
        "tools": verdict == "infected" ? ["Mirai"] : ["ZMap ≥ 4.1"],
        "malware": verdict == "infected" ? "mirai" : NSNull(), "rate": rate(Double(packets) / 7),
        "country": countries[dice.next(countries.count)], "asn": 64_500 + dice.next(4),
        "surveyor": verdict == "survey" ? "Sample <Survey>" : NSNull(),
      ])
    }
    return decode(members)
  }

  static func events() -> [TelescopeEvent] {
    var dice = Dice(state: 11)
    return decode(
      hosts().flatMap { host in
        (0..<2).map { number -> [String: Any] in
          let packets = 1 + dice.next(4_000)
          return [
            "source": host.address.description, "port": [23, 2_323, 445, 80][dice.next(4)],
            "trafficClass": [3, 10, 4][dice.next(3)], "firstSeen": moment(number * 40_000),
            "lastSeen": moment(number * 40_000 + 3_000), "packets": packets, "bytes": packets * 54,
            "destinations": Double(packets) / 2, "destinationBlocks": 2.0,
            "rate": rate(Double(packets)), "country": host.country.description,
            "asn": host.asn.number, "tools": host.tools, "samples": [], "isClosed": true,
          ]
        }
      })
  }

  static func victims() -> [VictimEvent] {
    var dice = Dice(state: 13)
    return decode(
      (0..<30).map { index in
        let packets = 500 + dice.next(400_000)
        return [
          "victim": "203.0.113.\(index)", "start": moment(index * 7_000),
          "end": moment(index * 7_000 + 600 + dice.next(4_000)), "packets": packets,
          "bytes": packets * 60, "peakPacketsPerMinute": packets / 6,
          "destinations": Double(packets) / 3, "services": [port(443, 6, packets)],
          "evidence": [
            ["trafficClass": 4, "packets": packets - 20], ["trafficClass": 7, "packets": 20],
          ], "quoteMismatches": 0, "rate": rate(Double(packets) * 3),
          "country": countries[dice.next(countries.count)], "asn": 64_502, "isClosed": index < 28,
        ]
      })
  }

  static func alerts() -> [MemberAlert] {
    decode(
      (0..<8).map { index in
        [
          "organisation": index.isMultiple(of: 2) ? SampleHouse.aozora : SampleHouse.midori,
          "address": index.isMultiple(of: 2)
            ? "192.0.2.\(index * 4)" : "198.51.100.\(index * 4 + 1)",
          "reach": ["internal", "external", "backscatter"][index % 3],
          "state": ["new", "continuing", "closed"][index % 3], "firstSeen": moment(index * 9_000),
          "lastSeen": moment(index * 9_000 + 5_000), "packets": 40 + index * 13,
          "destinations": 12.0, "ports": [23, 2_323],
        ]
      })
  }

  static func campaigns() -> [Campaign] {
    decode(
      ["23,2323/tcp", "5555/tcp", "64:1024:mss:1460:-:0", "Mirai 23,2323,37215/tcp"].enumerated()
        .map { index, key in
          [
            "subject": ["port-set", "port", "signature", "cluster"][index], "key": key,
            "began": moment(60_000 + index * 20_000), "lastSeen": moment(240_000),
            "isOver": index == 1, "peakSources": 900.0 + Double(index) * 311, "baseline": 42.0,
            "deviations": 8.5,
            "tools": [
              ["name": "Mirai", "sources": 800.0], ["name": "ZMap ≥ 4.1", "sources": 70.0],
            ],
            "countries": [["name": "JP", "sources": 400.0], ["name": "BR", "sources": 300.0]],
          ]
        })
  }

  static func series() -> [SeriesPoint] {
    var dice = Dice(state: 17)
    let keys: [(String, [String])] = [
      ("all", [""]), ("class", ["syn-scan", "udp-probe", "syn-ack-backscatter", "icmp-request"]),
      (
        "port",
        [
          "23/tcp", "2323/tcp", "445/tcp", "80/tcp", "5060/udp", "22/tcp", "8080/tcp", "6379/tcp",
          "other",
        ]
      ),
      ("country", countries), ("asn", ["AS64500", "AS64501", "AS64502", "other"]),
      ("tool", ["Mirai", "ZMap ≥ 4.1", "masscan"]),
    ]
    var members: [[String: Any]] = []
    for resolution in [300, 3_600, 86_400] {
      for start in stride(from: 0, to: SampleHouse.hours * 3_600, by: resolution) {
        for (dimension, names) in keys {
          for (rank, name) in names.enumerated() {
            let burst = (100_000..<130_000).contains(start) && rank == 0 ? 4 : 1
            let packets = burst * (resolution / 10 + dice.next(resolution / 3)) / (rank + 1)
            members.append([
              "resolution": resolution, "start": Int(SampleHouse.start.seconds) + start,
              "dimension": dimension, "key": name, "packets": packets, "bytes": packets * 54,
              "hosts": Double(packets) / 9,
            ])
          }
        }
      }
    }
    return decode(members)
  }
}
