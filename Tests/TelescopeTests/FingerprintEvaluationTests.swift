import Foundation
import NetworkTypes
import PacketCapture
import Testing

@testable import Telescope

@Suite("Fingerprints on labelled captures")
struct FingerprintEvaluationTests {
  @Test("every source of every labelled tool is named, and nothing else")
  func labelled() throws {
    let captures = try FingerprintSamples.labelled()
    #expect(captures.count == 25)
    let evaluation = try FingerprintEvaluation(of: captures, by: FingerprintSamples.matcher)
    for row in evaluation.captures {
      let file = row.path.split(separator: "/").last.map(String.init) ?? ""
      #expect(row.wrongSources == 0, "\(file): \(row.sourcesByTool)")
      // UDP probes carry neither a formula nor an unusual field in these two.
      let isSilent = file == "zmap-git2026-udp123.pcap" || file == "nmap-7.93-udp.pcap"
      #expect(row.missedSources == (isSilent ? 1 : 0), "\(file)")
    }
    for tool in evaluation.tools {
      #expect(tool.precision ?? 1 == 1, "\(tool.tool)")
      if !["zmap", "nmap"].contains(tool.tool) { #expect(tool.recall ?? 1 == 1, "\(tool.tool)") }
    }
    let mirai = try #require(evaluation.tools.first { $0.tool == "mirai" })
    #expect(mirai.sources == 50 && mirai.rightSources == 50 && mirai.matchedProbes == 2000)
  }

  @Test("the version family is the one that sent the packets")
  func families() throws {
    let evaluation = try FingerprintEvaluation(
      of: FingerprintSamples.labelled(), by: FingerprintSamples.matcher)
    func tools(_ file: String) -> [String] {
      evaluation.captures.first { $0.path.hasSuffix(file) }?.sourcesByTool.keys.sorted() ?? []
    }
    #expect(tools("/masscan-git2026-tcp.pcap") == ["masscan (>= 1.3.9)"])
    #expect(tools("/masscan-1.3.2-tcp.pcap") == ["masscan (<= 1.3.2)"])
    #expect(tools("/zmap-2.1.1-tcp80.pcap") == ["zmap (<= 4.0)"])
    for layout in ["default", "linux", "smallest", "windows"] {
      #expect(tools("/zmap-git2026-tcp-\(layout).pcap") == ["zmap (>= 4.1.1)"])
    }
    #expect(tools("/nmap-7.93-connect.pcap").isEmpty)
    #expect(tools("/tcp-flags-64.pcap").isEmpty)
    #expect(tools("/ncsa-backscatter.trace").isEmpty)
  }

  @Test("destinations replaced by one address make the formulas not testable")
  func anonymised() throws {
    var reader = try CaptureReader(
      path: FingerprintSamples.fixtures + "mirai-synthetic-50bots.pcap")
    let path = FileManager.default.temporaryDirectory
      .appending(path: "noroshi-\(UUID().uuidString).pcap").path
    defer { try? FileManager.default.removeItem(atPath: path) }
    var file = Data(
      [0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0, 1, 0, 0, 0])
    while try reader.read(
      limit: 100,
      { record, bytes in
        var octets = (0..<bytes.byteCount).map {
          bytes.unsafeLoad(fromByteOffset: $0, as: UInt8.self)
        }
        octets.replaceSubrange(30..<34, with: [203, 0, 113, 99])
        for word in [
          UInt32(record.timestamp.seconds), 0, UInt32(octets.count), UInt32(octets.count),
        ] {
          withUnsafeBytes(of: word.littleEndian) { file.append(contentsOf: $0) }
        }
        file.append(contentsOf: octets)
      }) > 0
    {}
    try file.write(to: URL(filePath: path))
    let evaluation = try FingerprintEvaluation(
      of: [LabelledCapture(path: path, truth: .tool("mirai"))], by: FingerprintSamples.matcher)
    #expect(evaluation.rules.first { $0.rule == "mirai" }?.notTestable == [path])
    #expect(evaluation.captures.first?.missedSources == 50)
    #expect(evaluation.tools.first { $0.tool == "mirai" }?.recall == 0)
  }

  @Test("labels are read with quoted cells, sources and unknown mixtures, and bad ones refused")
  func labels() throws {
    let read = try LabelledCapture.read(
      csv: """
        tool,file,source,ground_truth_label
        zmap,"a,b.pcap",198.18.0.1,zmap>=4.1
        nmap,c.pcap,,os-connect (linux)
        synthetic,d.pcap,,mix: see generator
        nmap,e.pcap,,stealth-fin
        """, directory: "/captures", rules: .standard)
    #expect(read.map(\.path) == ["a,b", "c", "d", "e"].map { "/captures/\($0).pcap" })
    #expect(read.map(\.truth) == [.tool("zmap"), .none, .unknown, .tool("nmap")])
    #expect(read[0].sources == [IPAddress(v4: 0xc612_0001)])
    for text in ["", "file,what", "file,tool\nx", "file,tool,source\na,b,here"] {
      #expect(throws: FingerprintLabelError.self) {
        try LabelledCapture.read(csv: text, directory: "", rules: .standard)
      }
    }
  }

  @Test(
    "counts on 200,000 packets of twelve classes are the generator's truth",
    .enabled(if: FingerprintSamples.shared != nil, "needs the shared test data"))
  func synthetic() throws {
    let shared = try #require(FingerprintSamples.shared)
    let evaluation = try FingerprintEvaluation(
      of: [
        LabelledCapture(
          path: shared + "generated/telescope-synthetic-200k.pcap.gz", truth: .unknown)
      ], by: FingerprintSamples.matcher)
    let row = try #require(evaluation.captures.first)
    // Truth of the generator's first 200,000 packets (seed 1).
    #expect(row.packetsByRule["zmap-legacy-tcp"] == 60_394)
    #expect(row.packetsByRule["zmap-4.1.1-default"] == 7_954)
    #expect(row.packetsByRule["masscan-1.3.2"] == 23_920)
    #expect(row.packetsByRule["masscan-1.3.9"] == 5_943)
    #expect(row.packetsByRule["mirai"] == 15_873)
    #expect(row.packetsByRule["nmap-syn"] == 5_965)
    // The bare formulas also hit by chance once in 2^16; the independent count says how often.
    #expect(row.packetsByRule["zmap-legacy"] == 60_395)
    #expect(row.packetsByRule["masscan"] == 29_865)
    // The pools of sources that the generator draws from; nothing for its ordinary stacks.
    #expect(row.sourcesByTool["zmap (<= 4.0)"] == 400)
    #expect(row.sourcesByTool["zmap (>= 4.1.1)"] == 200)
    #expect(row.sourcesByTool["masscan (<= 1.3.2)"] == 300)
    #expect(row.sourcesByTool["masscan (>= 1.3.9)"] == 60)
    #expect(row.sourcesByTool.keys.allSatisfy { !$0.hasPrefix("hping3") && !$0.hasPrefix("uni") })
  }

  @Test(
    "real scans over the Internet are named",
    .enabled(if: FingerprintSamples.shared != nil, "needs the shared test data"))
  func realScans() throws {
    let shared = try #require(FingerprintSamples.shared)
    let files = [
      ("scanner-tools/seriouszyx/zmap.pcap", "zmap", "192.168.37.132"),
      ("scanner-tools/seriouszyx/masscan.pcap", "masscan", "192.168.37.135"),
      ("scanner-tools/seriouszyx/angryip.pcap", "angry-ip-scanner", "192.168.3.202"),
      ("scan-detect/ndpi/synscan.pcap", "nmap", "172.16.0.8"),
    ]
    let captures = files.map { file, tool, source in
      LabelledCapture(
        path: shared + file, truth: .tool(tool), sources: Set(IPAddress(source).map { [$0] } ?? []))
    }
    let evaluation = try FingerprintEvaluation(of: captures, by: FingerprintSamples.matcher)
    for row in evaluation.captures {
      #expect(row.missedSources == 0 && row.wrongSources == 0, "\(row.path): \(row.sourcesByTool)")
    }
    #expect(evaluation.captures[0].packetsByRule["zmap-legacy-tcp"] == 10_000)
    #expect(evaluation.captures[1].packetsByRule["masscan-1.3.2"] == 600)
    #expect(evaluation.captures[2].packetsByRule["angry-ip-scanner"] == 114)
    #expect(evaluation.captures[3].packetsByRule["nmap-syn"] == 1994)
  }
}
