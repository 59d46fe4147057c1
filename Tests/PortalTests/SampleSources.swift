import Findings
import FlowArchive
import Foundation
import NetworkTypes
import Telescope

@testable import Portal

/// What the sample house shows: made once, from fixed dice.
struct SampleSources: Sendable {
  let audit: @Sendable (TableQuery) async throws -> Rows<AuditLine>
  let act: @Sendable (String, CaseAction, String) async throws -> Void
  let deliver: @Sendable (String, DeliveryAction, String) async throws -> Void
  let searched: @Sendable (SearchRecord, FlowAsker) throws -> Void
  let detection: DetectionReading

  static let hosts = SampleTelescope.hosts()
  static let events = SampleTelescope.events().map { event in
    EventSummary(
      source: event.source, port: event.port, trafficClass: event.trafficClass.name,
      packets: event.packets, bytes: event.bytes, destinations: event.destinations,
      packetsPerSecond: event.rate.packetsPerSecond, tools: event.tools,
      country: event.country.description, asn: event.asn, firstSeen: event.firstSeen,
      lastSeen: event.lastSeen, isClosed: event.isClosed)
  }
  static let victims = SampleTelescope.victims()
  static let alerts = SampleTelescope.alerts()
  static let campaigns = SampleTelescope.campaigns()
  static let series = SampleTelescope.series()
  static let cases = SampleCases.cases()
  static let notices = SampleCases.notices()

  func all() -> PortalSources {
    PortalSources(
      telescope: telescope, cases: caseReading, notices: noticeReading,
      organisations: { SampleHouse.organisations },
      responsible: { address, _ in SampleHouse.owner(address).map { [$0] } ?? [] },
      findings: { address, scope in
        SampleHouse.sees(scope, address) ? [SampleCases.finding(address)] : []
      },
      systemName: { $0 == ASN(64_500) ? "AOZORA" : nil }, audit: audit,
      flows: FlowReading(source: FlowSample.source, audit: searched),
      detection: detection)
  }

  private var telescope: TelescopeReading {
    let tables = TelescopeTables(reading: .nothing, systemName: { _ in nil })
    return TelescopeReading(
      span: {
        (
          SampleHouse.start,
          Timestamp(seconds: SampleHouse.start.seconds + Int64(SampleHouse.hours) * 3_600 - 1)
        )
      },
      series: { resolution, dimension, range in
        Self.series.filter {
          $0.resolution == resolution && $0.dimension == dimension && range.contains($0.start)
        }
      },
      hosts: { query, scope in
        query.answer(
          Self.hosts.filter { SampleHouse.sees(scope, $0.address) }, columns: tables.hostColumns)
      },
      host: { address in Self.hosts.first { $0.address == address } },
      hostsByCountry: { scope in
        Self.hosts.filter { SampleHouse.sees(scope, $0.address) }
          .reduce(into: [:]) { $0[$1.country.description, default: 0] += 1 }
      },
      verdicts: { scope in
        Self.hosts.filter { SampleHouse.sees(scope, $0.address) }
          .reduce(into: [:]) { $0[$1.verdict, default: 0] += 1 }
      },
      events: { query, scope in
        query.answer(
          Self.events.filter { SampleHouse.sees(scope, $0.source) },
          columns: TelescopeTables.eventColumns)
      },
      victims: { query, _ in query.answer(Self.victims, columns: tables.victimColumns) },
      alerts: { query, _ in query.answer(Self.alerts, columns: tables.alerts.columns) },
      campaigns: { query in query.answer(Self.campaigns, columns: tables.campaigns.columns) },
      counters: {
        var counters = TelescopeCounters()
        counters.packets = 12_345_678
        counters.bytes = 987_654_321
        counters.undecoded = ["truncated": 12]
        counters.sources = 54_321.4
        return counters
      })
  }

  static let caseStates = ["open", "acknowledged", "closed"]

  private var caseReading: CaseReading {
    let columns = CasePages(reading: .nothing(states: Self.caseStates)).columns
    return CaseReading(
      cases: { query, scope in
        query.answer(
          Self.cases.filter { scope == .everything || $0.organisation == scope.organisation },
          columns: columns)
      },
      detail: { id, scope in
        guard let summary = Self.cases.first(where: { $0.id == id }),
          scope == .everything || summary.organisation == scope.organisation
        else { return nil }
        return SampleCases.detail(summary)
      },
      counts: { scope in
        Self.cases.filter { scope == .everything || $0.organisation == scope.organisation }
          .reduce(into: [:]) { $0[$1.state, default: 0] += 1 }
      }, act: act, states: Self.caseStates)
  }

  static let noticeStates = ["pending", "sending", "retrying", "in-doubt", "delivered", "failed"]

  private var noticeReading: NoticeReading {
    let columns = NoticePages(reading: .nothing(states: Self.noticeStates)).columns
    return NoticeReading(
      notices: { query, scope in
        query.answer(
          Self.notices.filter { scope == .everything || $0.organisation == scope.organisation },
          columns: columns)
      },
      detail: { id, scope in
        guard let summary = Self.notices.first(where: { $0.id == id }),
          scope == .everything || summary.organisation == scope.organisation
        else { return nil }
        return SampleCases.detail(summary)
      }, act: deliver, states: Self.noticeStates)
  }
}

extension TelescopeReading {
  static var nothing: TelescopeReading {
    TelescopeReading(
      span: { nil }, series: { _, _, _ in [] }, hosts: { _, _ in Rows([], total: 0) },
      host: { _ in nil }, hostsByCountry: { _ in [:] }, verdicts: { _ in [:] },
      events: { _, _ in Rows([], total: 0) }, victims: { _, _ in Rows([], total: 0) },
      alerts: { _, _ in Rows([], total: 0) }, campaigns: { _ in Rows([], total: 0) },
      counters: { TelescopeCounters() })
  }
}

extension CaseReading {
  static func nothing(states: [String]) -> CaseReading {
    CaseReading(
      cases: { _, _ in Rows([], total: 0) }, detail: { _, _ in nil }, counts: { _ in [:] },
      act: { _, _, _ in }, states: states)
  }
}

extension NoticeReading {
  static func nothing(states: [String]) -> NoticeReading {
    NoticeReading(
      notices: { _, _ in Rows([], total: 0) }, detail: { _, _ in nil }, act: { _, _, _ in },
      states: states)
  }
}
