import Foundation
import NetworkTypes
import Testing

@testable import FlowRecords

@Suite("Datagrams of 30 groups of exporters", .enabled(if: SharedData.isPresent))
struct VendorDatagramTests {
  /// The flows that nfcapd 1.7.1 stores, by group.
  static let expected: [String: Int] = {
    let file = SharedData.folder("logstash").appendingPathComponent("nfcapd-1.7.1.counts")
    guard let text = try? String(contentsOf: file, encoding: .utf8) else { return [:] }
    var counts: [String: Int] = [:]
    for line in text.split(separator: "\n") {
      let words = line.split(separator: " ")
      if words.count >= 5, words[0] != "total", let flows = Int(words[words.count - 1]) {
        counts[String(words[0])] = flows
      }
    }
    return counts
  }()

  static func group(of name: String) -> String {
    var name = name.replacingOccurrences(of: "spec_codecs_", with: "")
    for pattern in [
      "_(opt)?tpl.*", "_data.*", "_tpls.*", "_tplopt.*", #"\.dat$"#, "_valid.*", "_invalid.*",
    ] {
      if let range = name.range(of: pattern, options: .regularExpression) {
        name.removeSubrange(range)
      }
    }
    return name
  }

  static func order(_ name: String) -> Int {
    name.contains("opttpl") || name.contains("option_tpl") ? 0 : name.contains("tpl") ? 1 : 2
  }

  static let groups: [String: [URL]] = {
    var groups: [String: [URL]] = [:]
    for file in SharedData.files(in: "logstash", suffixes: [".dat"]) {
      groups[group(of: file.lastPathComponent), default: []].append(file)
    }
    return groups.mapValues { files in
      files.sorted {
        (order($0.lastPathComponent), $0.lastPathComponent)
          < (order($1.lastPathComponent), $1.lastPathComponent)
      }
    }
  }()

  @Test("each group gives at least as many flows as nfcapd stores")
  func groupsGiveAllFlows() throws {
    #expect(Self.groups.count == 30)
    var total = 0
    for (name, files) in Self.groups.sorted(by: { $0.key < $1.key }) {
      let collected = CollectedFlows()
      for file in files { collected.feed(try SharedData.octets(file)) }
      let flows = collected.finish()
      let expected = try #require(Self.expected[name], "no count for \(name)")
      #expect(flows.count >= expected, "\(name)")
      total += flows.count
    }
    #expect(total >= 300)
  }
}
