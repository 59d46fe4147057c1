import NetworkTypes

extension ConfigurationKey {
  /// Every key there is, in the order of the documentation.
  public static let all: [ConfigurationKey] =
    house + telescope + flows + detection + ddos + people + faces + seal + trust

  private static let house: [ConfigurationKey] = [
    ConfigurationKey(
      "dataDirectory", \.dataDirectory,
      "The one folder that holds everything Noroshi keeps: database, constituency, geographic data, "
        + "notices. `noroshi init` writes its own folder here."),
    ConfigurationKey(
      "node.name", \.node.name,
      "What this installation calls itself towards others, and in its audit trail.",
      expectation: "a name of 1 to 64 letters, digits, dots and hyphens",
      where: {
        (1...64).contains($0.count)
          && $0.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "." || $0 == "-") }
      }),
    ConfigurationKey(
      list: "node.roles", \.node.roles,
      "What this installation does in the federation: an `institute` observes and tells ISPs, an "
        + "`isp` alerts its subscribers, an `isac` serves members, a `peer` is another country's "
        + "hub."),
    ConfigurationKey(
      "logging.level", \.logging.level,
      "The least severe message that is written to standard error."),
  ]

  private static let telescope: [ConfigurationKey] = [
    ConfigurationKey(
      "telescope.sensor", \.telescope.sensor,
      "The name of the sensor that findings of this telescope carry.",
      expectation: "a name of 1 to 64 characters without blanks",
      where: { (1...64).contains($0.count) && !$0.contains(where: \.isWhitespace) }),
    ConfigurationKey(
      list: "telescope.networks", \.telescope.networks,
      "The dark address space: networks in which no host answers. Only packets to these addresses "
        + "are looked at. After an `@` may stand the organisation that owns the network."),
    ConfigurationKey(
      "telescope.memoryLimit", \.telescope.memoryLimit,
      within: ByteSize(bytes: 64_000_000)...ByteSize(bytes: 1_000_000_000_000),
      "The memory that the telescope's tables may take together. Beyond it the least active entries "
        + "are dropped, and counted."),
    ConfigurationKey(
      "telescope.threads", \.telescope.threads,
      "Threads that read packets; `auto` takes one per processor. Results do not depend on it.",
      expectation: "a whole number from 1 to 256, or auto",
      where: { $0.value.map { (1...256).contains($0) } ?? true }),
    ConfigurationKey(
      "telescope.eventTimeout", \.telescope.eventTimeout,
      "The silence after which an event has ended; `auto` follows from the size of the dark address "
        + "space (the time in which a scanner of 100 packets per second is seen with probability "
        + "0.999).",
      expectation: "a span of time such as 90s, 10min or 2h, at least 1s, or auto",
      where: { $0.value.map { $0.seconds >= 1 } ?? true }),
    ConfigurationKey(
      list: "telescope.surveyScanners", \.telescope.surveyScanners,
      "Lists of known survey scanners: NICT's JSON (optionally gzipped), or text files with an "
        + "address, a prefix or a host-name suffix a line. Their hosts are never reported as "
        + "infected."),
    ConfigurationKey(
      list: "telescope.ignoreSources", \.telescope.ignoreSources,
      "Sources whose packets are counted and otherwise ignored: one's own scanners and monitors."),
    ConfigurationKey(
      "telescope.fingerprints", \.telescope.fingerprints,
      "A file of fingerprint rules that is used instead of the built-in one."),
    ConfigurationKey(
      list: "telescope.live.interfaces", \.telescope.live.interfaces,
      "Network interfaces from which `noroshi serve` captures. None: nothing is captured."),
    ConfigurationKey(
      "telescope.victims.minimumPackets", \.telescope.victims.minimumPackets,
      within: 1...1_000_000_000,
      "Backscatter packets from which on a host counts as the victim of a denial-of-service attack "
        + "(Moore et al.: 25)."),
    ConfigurationKey(
      "telescope.victims.minimumSeconds", \.telescope.victims.minimumSeconds,
      within: 0...86_400, "The shortest attack that is reported, in seconds (Moore et al.: 60)."),
    ConfigurationKey(
      "telescope.victims.minimumDestinations", \.telescope.victims.minimumDestinations,
      within: 1...1_000_000_000,
      "Distinct dark addresses that a victim's backscatter must reach, as that of a randomly spoofed "
        + "attack does."),
    ConfigurationKey(
      "telescope.victims.packetsPerMinute", \.telescope.victims.packetsPerMinute,
      "Packets that the strongest minute of an attack must have; `auto` scales the 30 of Moore et "
        + "al. for a /8 to the size of this telescope.",
      expectation: "a number greater than 0, or auto",
      where: { $0.value.map { $0 > 0 } ?? true }),
    ConfigurationKey(
      "telescope.series.keysPerBin", \.telescope.series.keysPerBin, within: 8...65_536,
      "Ports and AS numbers that each bin of the time series keeps apart; the rest is summed as "
        + "“other”."),
    ConfigurationKey(
      "telescope.sampling.packetsPerEvent", \.telescope.sampling.packetsPerEvent, within: 0...64,
      "Raw packets kept of each event, drawn at random."),
    ConfigurationKey(
      "telescope.sampling.packetLength", \.telescope.sampling.packetLength, within: 64...2_048,
      "Octets kept of each of these packets."),
    ConfigurationKey(
      "telescope.retention.eventDays", \.telescope.retention.eventDays, within: 1...36_500,
      "Days after which `noroshi forget` deletes events, with their sampled packets, hosts and member alerts. "
        + "Cases and their findings stay."),
    ConfigurationKey(
      "telescope.retention.seriesDays", \.telescope.retention.seriesDays, within: 1...36_500,
      "Days after which `noroshi forget` deletes time series, victims and campaigns."),
  ]

  private static let flows: [ConfigurationKey] = [
    ConfigurationKey(
      "flows.enabled", \.flows.enabled,
      "Whether `noroshi serve` collects what routers export of their traffic. The other keys hold "
        + "for `noroshi flows collect` as well."),
    ConfigurationKey(
      list: "flows.listen", \.flows.listen,
      "Where datagrams are received. Every port takes NetFlow v5 and v9, IPFIX and sFlow v5; routers "
        + "commonly send to 2055, 4739 (IPFIX) and 6343 (sFlow)."),
    ConfigurationKey(
      list: "flows.tcp", \.flows.tcp, "Where connections with IPFIX are taken (RFC 7011)."),
    ConfigurationKey(
      list: "flows.allow", \.flows.allow,
      "The networks of the routers that may send; what others send is dropped and counted. None: "
        + "everybody may."),
    ConfigurationKey(
      "flows.rateLimit", \.flows.rateLimit,
      "Datagrams per second that one router may send, twice as many at once; what is above is "
        + "dropped and counted.",
      expectation: "a number greater than 0, or nothing", where: { $0.map { $0 > 0 } ?? true }),
    ConfigurationKey(
      list: "flows.sampling", \.flows.sampling,
      "Sampling rates of routers that do not say theirs; the most specific network counts. With a "
        + "`!` the rate counts whatever the router says."),
    ConfigurationKey(
      "flows.shards", \.flows.shards, within: 1...64,
      "Sockets, each with a thread that receives and one that decodes, per port. Routers are spread "
        + "over them by address; one takes some millions of flows per second."),
    ConfigurationKey(
      "flows.bufferKilobytes", \.flows.bufferKilobytes, within: 64...1_048_576,
      "The buffer of each socket, in units of 1024 octets. Above the kernel's net.core.rmem_max the "
        + "collector gets it only with CAP_NET_ADMIN; `noroshi doctor` says whether it does."),
    ConfigurationKey(
      "flows.cluster", \.flows.cluster,
      "A ClickHouse cluster that `noroshi serve` sends flows to, in place of the archive: "
        + "clickhouse://user@shard1,shard2/database/table. Its password may be in the environment "
        + "variable NOROSHI_CLICKHOUSE_PASSWORD.",
      expectation: "an address that begins with clickhouse:// or clickhouses://, or nothing",
      where: {
        $0.map { $0.hasPrefix("clickhouse://") || $0.hasPrefix("clickhouses://") } ?? true
      }),
    ConfigurationKey(
      "flows.retention.days", \.flows.retention.days, within: 1...36_500,
      "Days after which the collector deletes flows, by whole files, once an hour."),
    ConfigurationKey(
      "flows.retention.gigabytes", \.flows.retention.gigabytes, within: 0.001...1_000_000,
      "The size of the flow archive in 10⁹ octets, above which the oldest files are deleted before "
        + "their time."),
  ]

  private static let people: [ConfigurationKey] = [
    ConfigurationKey(
      list: "geo.mmdb", \.geo.mmdb,
      "MMDB files (GeoLite2, DB-IP, IPinfo) that are asked first for country and AS number; beside "
        + "them stands what `noroshi geo import` took in."),
    ConfigurationKey(
      "casework.quietDays", \.casework.quietDays, within: 1...3_650,
      "Days without a new finding after which a case closes by itself."),
    ConfigurationKey(
      "casework.reopenDays", \.casework.reopenDays, within: 0...3_650,
      "Days after closing within which the same thing reopens the case; later it opens a new one."),
    ConfigurationKey(
      "casework.dueDays", \.casework.dueDays, within: 1...3_650,
      "Days after a notice in which an answer is due."),
    ConfigurationKey(
      "casework.minimumConfidence", \.casework.minimumConfidence, within: 0...100,
      "The least confidence, in per cent, with which a finding opens a case."),
    ConfigurationKey(
      "notices.organisation", \.notices.organisation,
      "Who sends the notices, as their English texts name it."),
    ConfigurationKey(
      "notices.organisationJa", \.notices.organisationJa,
      "Who sends the notices, as their Japanese texts name it."),
    ConfigurationKey(
      "notices.from", \.notices.from,
      "The sender's address of notices; needed before any is sent by mail."),
    ConfigurationKey(
      "notices.replyTo", \.notices.replyTo,
      "Where answers to a notice go, if not to the sender's address."),
    ConfigurationKey(
      list: "notices.contact", \.notices.contact,
      "Lines that tell the receiver of an English notice how to reach you."),
    ConfigurationKey(
      list: "notices.contactJa", \.notices.contactJa,
      "Lines that tell the receiver of a Japanese notice how to reach you (問い合わせ先)."),
    ConfigurationKey(
      "notices.dailyAt", \.notices.dailyAt, "When the daily notices are made."),
    ConfigurationKey(
      "notices.timeZone", \.notices.timeZone,
      "The time zone of `notices.dailyAt` and of the local times in notices.",
      expectation: "a time zone of the tz database such as Asia/Tokyo or UTC",
      where: { isTimeZone($0) }),
    ConfigurationKey(
      "notices.repeatDays", \.notices.repeatDays, within: 0...3_650,
      "Days after which a case that is still open is told again; 0 tells it every time."),
    ConfigurationKey(
      "notices.directory", \.notices.directory,
      "Where notices by the directory channel are written; `notices` in the data directory unless "
        + "given."),
    ConfigurationKey(
      "notices.sealed", \.notices.sealed,
      "Whether notices leave sealed and time-stamped, by the keys below `seal`. While the time-stamp "
        + "authority is away they wait."),
    ConfigurationKey(
      "smtp.host", \.smtp.host,
      "The mail server that takes the notices. Without one, no mail is sent."),
    ConfigurationKey("smtp.port", \.smtp.port, within: 1...65_535, "Its port."),
    ConfigurationKey(
      "smtp.tls", \.smtp.tls,
      "Encryption: `starttls` when the server offers it, `required` always, `none` never."),
    ConfigurationKey(
      "smtp.username", \.smtp.username, "The user name, where the server wants one."),
    ConfigurationKey(
      "smtp.passwordFile", \.smtp.passwordFile,
      "A file whose first line is the password, readable by Noroshi's user only."),
  ]

  private static let faces: [ConfigurationKey] = [
    ConfigurationKey(
      "portal.address", \.portal.address,
      "The address the portal listens on; `0.0.0.0` and `::` are all of this machine's.",
      expectation: "an IP address", where: { IPAddress($0) != nil }),
    ConfigurationKey(
      "portal.port", \.portal.port, within: 0...65_535,
      "The port the portal listens on; 0 takes any that is free."),
    ConfigurationKey(
      "portal.publicURL", \.portal.publicURL,
      "How people reach the portal through the HTTPS proxy that stands before it.",
      expectation: "an address such as https://noroshi.example.jp, or nothing",
      where: { $0.map(isWebAddress) ?? true }),
    ConfigurationKey(
      "portal.secureCookies", \.portal.secureCookies,
      "Whether session cookies travel over HTTPS only; `auto` when `portal.publicURL` begins with "
        + "https."),
    ConfigurationKey(
      list: "portal.trustedProxies", \.portal.trustedProxies,
      "Proxies whose X-Forwarded-For names the visitor; from others the header is ignored."),
    ConfigurationKey(
      list: "portal.allowedHosts", \.portal.allowedHosts,
      "The host names that the portal answers to. None: to every name."),
    ConfigurationKey(
      "portal.language", \.portal.language,
      "The language of visitors whose browser asks for neither."),
    ConfigurationKey(
      "portal.sessionHours", \.portal.sessionHours, within: 1...720,
      "Hours after which one has to sign in again."),
    ConfigurationKey(
      "metrics.open", \.metrics.open,
      "Whether `/metrics` is answered without a token, as Prometheus asks on a private network; "
        + "otherwise a token of an analyst or administrator is needed."),
  ]

  private static func isWebAddress(_ text: String) -> Bool {
    guard let scheme = ["https://", "http://"].first(where: { text.hasPrefix($0) }) else {
      return false
    }
    let rest = text.dropFirst(scheme.count)
    return !rest.isEmpty && !rest.hasPrefix("/")
      && rest.unicodeScalars.allSatisfy { $0.value > 0x20 && $0.value < 0x7f }
      && !rest.contains { "?#<>\"".contains($0) }
  }
}
