import FlowRecords
import Foundation
import FoundationNetworking
import Portal
import Settings
import Testing

@testable import noroshi

@Suite(
  "Flows in the house", .enabled(if: isProgramBuilt, "the program was not built beside the tests"))
struct FlowServeTests {
  @Test("what is sent to serve is found by flows query, and the audit trail holds the purpose")
  func collectAndSearch() async throws {
    let house = ServedHouse()
    let data = house.path
    try house.run("init", data)
    let portal = try await house.serve()
    try house.run(
      "flows", "generate", "--to", "127.0.0.1:\(house.port)", "--count", "5000", "--rate", "20000")

    let address = try #require(URL(string: portal + "/metrics"))
    var metrics = ""
    try await house.wait("flows on /metrics") {
      let (octets, _) = try await URLSession.shared.data(from: address)
      metrics = String(decoding: octets, as: UTF8.self)
      return metrics.contains("\nnoroshi_flows_archive_accepted_total 5000\n")
    }
    let labels = "{exporter=\"127.0.0.1\",domain=\"1\",protocol=\"netflow9\"}"
    #expect(metrics.contains("\nnoroshi_flows_records_total\(labels) 5000\n"))
    #expect(metrics.contains("\nnoroshi_flows_kernel_drops_total 0\n"))
    #expect(metrics.contains("\nnoroshi_cases"))
    #expect(house.stop() == 0)

    let found = try house.run(
      "flows", "query", "--purpose", "case 41", "--format", "csv", "--limit", "0",
      "proto tcp or proto udp",
      "--data", data)
    let all = try house.run(
      "flows", "query", "--purpose", "case 41", "--format", "csv", "--limit", "0", "--data", data)
    let rows = all.split(separator: "\r\n")
    #expect(rows.count == 1 + 5_000)
    #expect(found.split(separator: "\r\n").count < rows.count)

    let exporters = try house.run("flows", "exporters", "--format", "csv", "--data", data)
    #expect(exporters.contains("127.0.0.1,1,netflow9,5000,"))
    #expect(exporters.contains(",100,configuration,"))

    let audit = try house.run("audit", "list", "--format", "csv", "--data", data)
    let searches = audit.split(separator: "\r\n").filter { $0.contains(",flows.search.") }
    #expect(searches.count == 4)
    #expect(searches.allSatisfy { $0.contains("purpose=case 41") })
    #expect(searches.contains { $0.contains("filter=proto tcp or proto udp") })
    try house.run("audit", "verify", "--data", data)
    try house.run("flows", "verify", "--data", data)
  }

  @Test("serve deletes flows by age, and the audit trail says so")
  func retention() async throws {
    let house = ServedHouse()
    let data = house.path
    try house.run("init", data)
    _ = try await house.serve()
    try house.run("flows", "generate", "--to", "127.0.0.1:\(house.port)", "--count", "100")
    try await house.wait("the collector's report") {
      let report = try? CollectorReport.read(data + "/flow-exporters.json")
      return report?.archive?.accepted == 100
    }
    #expect(house.stop() == 0)
    // The same file, as if it were of 2020.
    let files = FileManager.default
    let names = files.enumerator(atPath: data + "/flows")?.allObjects as? [String] ?? []
    let young = try #require(names.first { $0.hasSuffix(".parquet") })
    let folder = data + "/flows/2020/01/02/03"
    try files.createDirectory(atPath: folder, withIntermediateDirectories: true)
    let old = folder + "/flows-1577934000000-0001_1577934000_1577934001.parquet"
    try files.copyItem(atPath: data + "/flows/" + young, toPath: old)

    house.retentionDays = 2
    _ = try await house.serve()
    try await house.wait("the deletion") {
      let audit = try house.run("audit", "list", "--format", "csv", "--data", data)
      return !files.fileExists(atPath: data + "/flows/2020")
        && audit.contains(",system:flows,flows.forgotten,")
    }
    #expect(house.stop() == 0)
    #expect(files.fileExists(atPath: data + "/flows/" + young))
  }

  @Test("serve deletes the oldest flows where the archive is too large, and no more than that")
  func retentionBySize() async throws {
    let house = ServedHouse()
    let data = house.path
    try house.run("init", data)
    _ = try await house.serve()
    try house.run(
      "flows", "generate", "--to", "127.0.0.1:\(house.port)", "--count", "80000", "--rate", "40000")
    try await house.wait("the collector's report") {
      let report = try? CollectorReport.read(data + "/flow-exporters.json")
      return report?.archive?.accepted == 80_000
    }
    #expect(house.stop() == 0)
    // The same file twice more, as if they were of 2020 and 2021.
    let files = FileManager.default
    let names = files.enumerator(atPath: data + "/flows")?.allObjects as? [String] ?? []
    let young = try #require(names.first { $0.hasSuffix(".parquet") })
    for (hour, name) in [
      ("2020/01/02/03", "flows-1577934000000-0001_1577934000_1577934001.parquet"),
      ("2021/01/02/03", "flows-1609556400000-0001_1609556400_1609556401.parquet"),
    ] {
      let folder = data + "/flows/" + hour
      try files.createDirectory(atPath: folder, withIntermediateDirectories: true)
      try files.copyItem(atPath: data + "/flows/" + young, toPath: folder + "/" + name)
    }
    let attributes = try files.attributesOfItem(atPath: data + "/flows/" + young)
    let octets = try #require(attributes[.size] as? Int)

    // Room for two and a half of the three, which are all young enough.
    house.retentionDays = 36_500
    house.retentionGigabytes = Double(octets) * 2.5 / 1e9
    _ = try await house.serve()
    try await house.wait("the deletion") {
      let audit = try house.run("audit", "list", "--format", "csv", "--data", data)
      return !files.fileExists(atPath: data + "/flows/2020")
        && audit.contains(",system:flows,flows.forgotten,")
    }
    #expect(house.stop() == 0)
    #expect(files.fileExists(atPath: data + "/flows/2021/01/02/03"))
    #expect(files.fileExists(atPath: data + "/flows/" + young))
  }

  @Test("doctor says when sockets get less buffer than is configured")
  func buffer() {
    #expect(FlowChecks.buffer(wanted: 4 << 20, largest: 4 << 20).verdict == .ok)
    let small = FlowChecks.buffer(wanted: 4 << 20, largest: 212_992)
    #expect(small.verdict == .note)
    #expect(small.remedy?.contains("net.core.rmem_max=4194304") == true)
  }

  @Test("values of one name become one family, with the kind and the labels of each")
  func families() {
    var statistics = CollectorStatistics()
    statistics.datagrams = 7
    let families = FlowMetrics.families(of: statistics.metrics)
    #expect(Set(families.map(\.name)).count == families.count)
    let datagrams = families.first { $0.name == "noroshi_flows_datagrams_total" }
    #expect(datagrams?.kind == .counter)
    #expect(datagrams?.samples.map(\.value) == [7])
    let strays = families.first { $0.name == "noroshi_flows_stray_faults_total" }
    #expect(strays?.samples.count == DecodingFault.allCases.count)
    #expect(strays?.samples.first?.labels.first?.name == "reason")
    #expect(families.first { $0.name == "noroshi_flows_connections" }?.kind == .gauge)
  }
}
