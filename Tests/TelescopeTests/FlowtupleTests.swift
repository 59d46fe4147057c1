import Anonymisation
import Foundation
import NetworkTypes
import PacketCapture
import Telescope
import Testing

@Suite("The export of flowtuples")
struct FlowtupleTests {
  /// Counts the tuples of a classic little-endian Ethernet capture by itself.
  private static let independentCount = """
    import collections, struct, sys, csv
    data = open(sys.argv[1], 'rb').read()
    magic, = struct.unpack_from('<I', data)
    assert magic == 0xa1b2c3d4
    counts, at = collections.Counter(), 24
    while at + 16 <= len(data):
        seconds, _, captured, _ = struct.unpack_from('<IIII', data, at)
        packet = data[at + 16:at + 16 + captured]
        at += 16 + captured
        if packet[12:14] != b'\\x08\\x00': continue
        ip = packet[14:]
        header, total, proto = (ip[0] & 15) * 4, struct.unpack_from('>H', ip, 2)[0], ip[9]
        offset, = struct.unpack_from('>H', ip, 6)
        inner, sport, dport, flags = ip[header:], 0, 0, 0
        if offset & 0x1fff == 0:
            if proto in (6, 17) and len(inner) >= 4:
                sport, dport = struct.unpack_from('>HH', inner)
            if proto == 6 and len(inner) >= 14: flags = inner[13]
            if proto == 1 and len(inner) >= 2: sport, dport = inner[0], inner[1]
        name = lambda octets: '.'.join(map(str, octets))
        counts[seconds // 60 * 60, name(ip[12:16]), name(ip[16:20]), sport, dport, proto, ip[8],
               flags, total] += 1
    from datetime import datetime, timezone
    rows = collections.Counter()
    for row in csv.DictReader(open(sys.argv[2])):
        moment = datetime.strptime(row['time'][:19], '%Y-%m-%dT%H:%M:%S')
        key = (int(moment.replace(tzinfo=timezone.utc).timestamp()), row['src_ip'], row['dst_ip'],
               *(int(row[n]) for n in ('src_port', 'dst_port', 'protocol', 'ttl', 'tcp_flags',
                                       'ip_len')))
        assert key not in rows, key
        rows[key] = int(row['packets'])
    missing, extra = counts - rows, rows - counts
    print(len(counts), sum(counts.values()), len(missing), len(extra), end='')
    """

  static let shared: String = {
    let named = ProcessInfo.processInfo.environment["NOROSHI_SHARED"]
    let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().deletingLastPathComponent()
    return named ?? root.appending(path: "shared").path
  }()
  static let backscatter =
    "\(shared)/data/telescope/scan-detect/ncsa-simple-scan/backscatter.trace"
  static let hasBackscatter =
    FileManager.default.isReadableFile(atPath: backscatter)
    && (try? ExportTests.python("print('yes', end='')")) == "yes"

  private func export(
    _ paths: [String], to file: String, _ format: ExportFormat = .csv,
    networks: [IPPrefix] = [], key: AnonymisationKey? = nil,
    parameters: FlowtupleParameters = FlowtupleParameters()
  ) throws -> FlowtupleExport.Counts {
    var captures = try MergedCapture(paths: paths)
    var export = try FlowtupleExport(
      to: file, format: format, networks: networks, anonymisedWith: key, parameters: parameters)
    while try export.read(&captures, limit: 1 << 16) > 0 {}
    return try export.finish()
  }

  @Test(
    "of a real day of backscatter equal an independent count",
    .enabled(if: hasBackscatter, "needs Python and the shared data"))
  func independent() throws {
    let folder = try TestFolder()
    let file = folder.path + "/flowtuples.csv"
    let counts = try export([Self.backscatter], to: file)
    let answer = try ExportTests.python(
      Self.independentCount, arguments: [Self.backscatter, file])
    #expect(answer == "\(counts.rows) \(counts.packets - counts.undecoded) 0 0")
    #expect(counts.spilledRows == 0 && counts.latePackets == 0)
  }

  private func capture(_ folder: TestFolder) throws -> String {
    var traffic = SyntheticTraffic()
    for index in 0..<900 as Range<UInt32> {
      traffic.add(
        .init(source: 0x1401_0000 | index % 30, destination: darkBase | index % 7),
        at: start + UInt64(index) * 200_000)
    }
    return try folder.write(traffic.bytes, "traffic.pcap")
  }

  private func sums(_ file: String) throws -> [String: Int] {
    var sums: [String: Int] = [:]
    for line in try String(contentsOfFile: file, encoding: .utf8).split(separator: "\r\n")
      .dropFirst()
    {
      let cells = line.split(separator: ",")
      sums[cells.dropLast().joined(separator: ","), default: 0] += try #require(Int(cells[9]))
    }
    return sums
  }

  @Test("that memory cannot hold are written early and counted, and add up to the same")
  func spilled() throws {
    let folder = try TestFolder()
    let file = try capture(folder)
    let whole = try export([file], to: folder.path + "/whole.csv")
    var parameters = FlowtupleParameters()
    parameters.tuples = 50
    let parts = try export([file], to: folder.path + "/parts.csv", parameters: parameters)
    #expect(whole.spilledRows == 0 && parts.spilledRows > 0)
    #expect(parts.rows > whole.rows)
    let (left, right) = (
      try sums(folder.path + "/whole.csv"), try sums(folder.path + "/parts.csv")
    )
    #expect(left == right)
    #expect(left.count == whole.rows)
    #expect(left.values.reduce(0, +) == 900)
  }

  @Test("are limited to networks, and what is left out is counted")
  func outside() throws {
    let folder = try TestFolder()
    let network = try #require(IPPrefix(IPAddress(v4: darkBase), length: 31))
    let counts = try export(
      [try capture(folder)], to: folder.path + "/some.csv", networks: [network])
    #expect(counts.packets == 900)
    #expect(counts.outside == UInt64((0..<900).filter { $0 % 7 > 1 }.count))
  }

  @Test("of packets that come far too late have rows of their own, which are counted")
  func late() throws {
    let folder = try TestFolder()
    var traffic = SyntheticTraffic()
    for minute in [0, 5, 0, 5, 4] as [UInt64] {
      traffic.add(
        .init(source: 0x1401_0101, destination: darkBase), at: start + minute * 60_000_000)
    }
    let counts = try export(
      [try folder.write(traffic.bytes, "late.pcap")], to: folder.path + "/late.csv")
    #expect(counts.latePackets == 1)
    #expect(counts.rows == 4)
    #expect(try sums(folder.path + "/late.csv").values.reduce(0, +) == 5)
  }

  @Test(
    "are read by DuckDB and pyarrow, anonymised with their prefixes",
    .enabled(if: ExportTests.hasDuckDB && ExportTests.hasArrow))
  func otherTools() throws {
    let folder = try TestFolder()
    let file = try capture(folder)
    let key = try #require(AnonymisationKey(bytes: (0..<32).map { UInt8($0 * 7) }))
    let counts = try export([file], to: folder.path + "/plain.parquet", .parquet)
    _ = try export([file], to: folder.path + "/hidden.parquet", .parquet, key: key)
    _ = try export([file], to: folder.path + "/plain.json", .json)
    let answer = try ExportTests.python(
      """
      import duckdb, json, sys
      import pyarrow.parquet as pq
      folder = sys.argv[1]
      plain = pq.read_table(folder + '/plain.parquet').to_pylist()
      rows = json.load(open(folder + '/plain.json'))
      asked = duckdb.sql(f"SELECT count(*), sum(packets)::INT, min(ttl)::INT, max(ip_len)::INT, "
        f"count(DISTINCT time), count(DISTINCT src_ip) FROM '{folder}/plain.parquet'").fetchall()[0]
      hidden = pq.read_table(folder + '/hidden.parquet').to_pylist()
      strip = lambda rows: sorted((str(r['time']), r['dst_port'], r['packets']) for r in rows)
      prefixes = {'.'.join(r['dst_ip'].split('.')[:2]) for r in hidden}
      print(*asked, len(rows) == len(plain), rows[0]['src_ip'] == plain[0]['src_ip'],
        strip(hidden) == strip(plain), len(prefixes), '100.200' in prefixes, end='')
      """, arguments: [folder.path])
    #expect(answer == "\(counts.rows) 900 50 40 3 30 True True True 1 False")
  }
}
