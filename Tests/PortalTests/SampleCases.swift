import Findings
import NetworkTypes

@testable import Portal

/// Cases and notices of the sample house.
enum SampleCases {
  static func finding(_ address: IPAddress) -> Finding {
    Finding(
      kind: .infectedHost, subject: .init(address), sensor: "telescope",
      firstSeen: SampleHouse.start, lastSeen: SampleHouse.start.advanced(bySeconds: 7_200),
      confidence: Confidence(percent: 92), marking: .amber,
      evidence: [
        .init(
          name: "malware-fingerprint", summary: "SYN packets carry Mirai's sequence number.",
          values: ["packets": "812", "share": "98"])
      ], attributes: ["malware.name": "mirai"])
  }

  static func cases() -> [CaseSummary] {
    var dice = Dice(state: 23)
    return (0..<70).map { index in
      let isAozora = index.isMultiple(of: 2)
      let state = ["open", "open", "acknowledged", "closed"][dice.next(4)]
      let opened = SampleHouse.start.advanced(bySeconds: Double(index) * 3_000)
      return CaseSummary(
        id: "C-2026-\(1_000 + index)",
        kind: index % 5 == 4 ? .denialOfServiceVictim : .infectedHost,
        // The literal is an address for every index.
        address: IPAddress(isAozora ? "192.0.2.\(index * 2)" : "198.51.100.\(index * 2 - 1)")!,
        organisation: index % 11 == 10 ? nil : isAozora ? SampleHouse.aozora : SampleHouse.midori,
        state: state, assignee: state == "acknowledged" ? (isAozora ? "aozora" : "midori") : nil,
        confidence: 60 + dice.next(40), marking: .amber, findings: 1 + dice.next(3), opened: opened,
        updated: opened.advanced(bySeconds: 5_000),
        closed: state == "closed" ? opened.advanced(bySeconds: 5_000) : nil, detail: "mirai")
    }
  }

  static func detail(_ summary: CaseSummary) -> CaseDetail {
    CaseDetail(
      summary: summary,
      steps: [
        CaseStep(moment: summary.opened, actor: "system", action: "opened", text: nil),
        CaseStep(
          moment: summary.updated, actor: "sato", action: "commented",
          text: "加入者へ連絡済み。<b>再起動</b>を依頼。"),
      ], findings: [finding(summary.address)],
      notices: summary.organisation.map { [(id: "N-\($0)-1", moment: summary.updated)] } ?? [])
  }

  static func notices() -> [NoticeSummary] {
    (1...6).flatMap { day in
      [SampleHouse.aozora, SampleHouse.midori].map { organisation in
        let state =
          day == 6 ? (organisation == SampleHouse.aozora ? "retrying" : "pending") : "delivered"
        let created = SampleHouse.start.advanced(bySeconds: Double(day) * 40_000)
        return NoticeSummary(
          id: "N-\(organisation)-\(day)", organisation: organisation, state: state, cases: 4 + day,
          created: created, delivered: state == "delivered" ? created : nil,
          formats: ["mail", "csv", "xarf"])
      }
    }
  }

  static func detail(_ summary: NoticeSummary) -> NoticeDetail {
    NoticeDetail(
      summary: summary,
      parts: [
        NoticePart(
          name: "notice.txt", type: "text/plain; charset=utf-8",
          content: Array(
            "\(summary.organisation) 御中\n\n感染の疑いがあるホストをお知らせします。\n\n  192.0.2.4  2026-11-20 09:00 JST  mirai\n"
              .utf8)),
        NoticePart(
          name: "cases.csv", type: "text/csv; charset=utf-8",
          content: Array("source.ip,time.source\r\n192.0.2.4,2026-11-20T00:00:00Z\r\n".utf8)),
      ],
      deliveries: [
        NoticeDelivery(
          id: "\(summary.id)-1", channel: "directory", target: "out/\(summary.organisation)",
          state: "delivered",
          attempts: 1, lastAttempt: summary.created, nextAttempt: nil, failure: nil),
        NoticeDelivery(
          id: "\(summary.id)-2", channel: "smtp", target: "abuse@\(summary.organisation).example",
          state: summary.state, attempts: 3, lastAttempt: summary.created, nextAttempt: nil,
          failure: summary.state == "retrying" ? "451 4.3.0 try again later" : nil),
      ],
      cases: SampleSources.cases.filter { $0.organisation == summary.organisation }.prefix(5)
        .map(\.id))
  }
}
