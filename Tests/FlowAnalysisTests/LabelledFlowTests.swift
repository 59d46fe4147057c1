import FlowAnalysis
import Foundation
import NetworkTypes
import Testing

@Suite("Labelled flows")
struct LabelledFlowTests {
  private func read(_ name: String, _ text: String) throws -> [LabelledFlow] {
    let path = try temporaryFile(name, text)
    defer { removeTemporary(path) }
    var flows: [LabelledFlow] = []
    try LabelledFlowReader(path: path).forEachFlow { flows.append($0) }
    return flows
  }

  @Test("a binetflow line gives its ends, counters, answer and label")
  func binetflow() throws {
    let flows = try read(
      "a.binetflow",
      """
      StartTime,Dur,Proto,SrcAddr,Sport,Dir,DstAddr,Dport,State,sTos,dTos,TotPkts,TotBytes,SrcBytes,Label
      2011/08/16 10:01:46.972101,0.5,tcp,147.32.84.165,1027,   ->,91.212.135.158,5678,FSPA_FSPA,0,0,14,5000,587,flow=From-Botnet-V47-TCP-CC73-Not-Encrypted
      2011/08/16 10:01:47.000000,3.0,tcp,147.32.84.165,1028,   ->,198.51.100.1,25,S_,0,,2,124,124,flow=From-Botnet-V47-TCP-Attempt-SPAM
      2011/08/16 10:01:48.000000,3.0,udp,192.0.2.9,53,  <-,147.32.84.1,1025,CON,0,0,2,200,120,flow=To-Normal-V47-x
      2011/08/16 10:01:49.000000,0.0,arp,192.0.2.9,,  who,192.0.2.1,,CON,,,2,120,60,flow=Background
      """)
    #expect(flows.count == 3)
    let control = flows[0]
    #expect(control.label == .commandAndControl)
    #expect(control.contact.server == IPAddress("91.212.135.158"))
    #expect(control.contact.serverPort == 5_678)
    #expect(control.contact.bytesOut == 587 && control.contact.bytesIn == 4_413)
    #expect(control.contact.isAnswered)
    #expect(control.contact.start == Timestamp("2011-08-16T10:01:46.972101Z")?.nanoseconds)
    #expect(flows[1].label == .malicious && !flows[1].contact.isAnswered)
    #expect(flows[2].contact.client == IPAddress("147.32.84.1"))
    #expect(!flows[2].sourceIsClient && flows[2].label == .background)
  }

  @Test("Zeek's tab-separated log is read, also with IoT-23's spaces between the last columns")
  func zeek() throws {
    let header =
      "#separator \\x09\n#fields\tts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tproto\tservice"
      + "\tduration\torig_bytes\tresp_bytes\tconn_state\tlocal_orig\tlocal_resp\tmissed_bytes"
      + "\thistory\torig_pkts\torig_ip_bytes\tresp_pkts\tresp_ip_bytes\ttunnel_parents"
      + "   label   detailed-label\n"
    let line =
      "1545403816.962094\tCrDn63WjJEmrWGjqf\t192.168.1.195\t41040\t185.244.25.235\t6667\ttcp\t-"
      + "\t3.1\t0\t0\tS0\t-\t-\t0\tS\t3\t180\t0\t0\t-   Malicious   C&C\n"
    let flows = try read("conn.log.labeled", header + line)
    #expect(flows.count == 1)
    #expect(flows.first?.label == .commandAndControl)
    #expect(flows.first?.contact.server == IPAddress("185.244.25.235"))
    #expect(flows.first?.contact.isAnswered == false)
    #expect(flows.first?.contact.bytesOut == 180)
  }

  @Test("Zeek's JSON log is read")
  func zeekJSON() throws {
    let flows = try read(
      "conn.json",
      #"{"ts":30.043784,"id.orig_h":"10.0.2.15","id.orig_p":49158,"id.resp_h":"195.113.232.73","#
        + #""id.resp_p":80,"proto":"tcp","duration":0.5,"conn_state":"SF","orig_pkts":5,"#
        + #""orig_ip_bytes":309,"resp_pkts":5,"resp_ip_bytes":383}"# + "\n")
    #expect(flows.first?.contact.start == 30_043_784_000)
    #expect(flows.first?.contact.bytesIn == 383)
    #expect(flows.first?.label == .background)
  }

  @Test("the archive's column names make a CSV, and one-way records find their direction")
  func ownForm() throws {
    let flows = try read(
      "flows.csv",
      """
      start,end,source_address,source_port,destination_address,destination_port,protocol,packets,bytes,tcp_flags,label
      2026-11-25T05:00:00Z,2026-11-25T05:00:01Z,192.0.2.1,40000,198.51.100.2,6667,tcp,5,400,27,commandAndControl
      2026-11-25T05:00:00Z,2026-11-25T05:00:01Z,198.51.100.2,6667,192.0.2.1,50000,tcp,5,700,27,commandAndControl
      """)
    #expect(flows.count == 2)
    #expect(flows.allSatisfy { $0.contact.server == IPAddress("198.51.100.2") })
    #expect(flows[0].contact.side == .outward && flows[0].contact.isAnswered)
    #expect(flows[1].contact.side == .inward && !flows[1].sourceIsClient)
  }

  @Test("compressed files go through the system's tools")
  func compressed() throws {
    let path = try temporaryFile(
      "flows.csv",
      "start,source_address,destination_address,destination_port,protocol\n1,192.0.2.1,192.0.2.2,80,tcp\n"
    )
    defer { removeTemporary(path) }
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = ["gzip", path]
    try process.run()
    process.waitUntilExit()
    var count = 0
    try LabelledFlowReader(path: path + ".gz").forEachFlow { _ in count += 1 }
    #expect(count == 1)
  }

  @Test("a file of another kind is refused with a sentence")
  func otherKind() throws {
    let path = try temporaryFile("notes.txt", "dear diary\n")
    defer { removeTemporary(path) }
    #expect(throws: LabelledFlowError.unknownFormat(path: path)) {
      try LabelledFlowReader(path: path).forEachFlow { _ in }
    }
    #expect(throws: LabelledFlowError.self) {
      try LabelledFlowReader(path: path + ".missing").forEachFlow { _ in }
    }
  }

  @Test(
    "labels of the public sets are understood",
    arguments: [
      ("flow=From-Botnet-V42-TCP-CC1-HTTP-Not-Encrypted", FlowLabel.commandAndControl),
      ("flow=From-Botnet-V46-UDP-DNS", .malicious),
      ("flow=Background-UDP-Established", .background),
      ("flow=From-Normal-V47-Jist", .normal), ("flow=To-Normal-V47-UDP-NTP-server", .background),
      ("Malicious C&C-HeartBeat", .commandAndControl), ("Malicious CC", .commandAndControl),
      ("Malicious PartOfAHorizontalPortScan", .malicious), ("Benign (empty)", .normal),
      ("Malicious C&C-Torii", .commandAndControl), ("Unknown (empty)", .background),
    ])
  func labels(text: String, expected: FlowLabel) {
    #expect(FlowLabel(text: text) == expected)
  }

  @Test(
    "scenario 6 of CTU-13 is read whole", .enabled(if: SharedFlows.exists(SharedFlows.scenario6)))
  func scenario6() throws {
    var control = 0
    var normal = 0
    let counts = try LabelledFlowReader(path: SharedFlows.path(SharedFlows.scenario6)).forEachFlow {
      if $0.label == .commandAndControl { control += 1 }
      if $0.label == .normal { normal += 1 }
    }
    #expect(counts.flows + counts.passedOver == 558_919)
    #expect(control == 199)
    #expect(normal > 7_000)
  }
}
