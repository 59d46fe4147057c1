// swift-tools-version: 6.2
import PackageDescription

let settings: [SwiftSetting] = [
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .enableExperimentalFeature("Lifetimes"),
]

/// One room of the house: a target whose imports are exactly the arrows of docs/architecture.md.
func room(
  _ name: String, imports: [Target.Dependency] = [], exclude: [String] = [],
  resources: [Resource]? = nil
) -> Target {
  .target(
    name: name, dependencies: imports, exclude: exclude, resources: resources,
    swiftSettings: settings)
}

func tests(
  _ name: String, of imports: [Target.Dependency], exclude: [String] = []
) -> Target {
  .testTarget(name: name, dependencies: imports, exclude: exclude, swiftSettings: settings)
}

let argumentParser = Target.Dependency.product(
  name: "ArgumentParser", package: "swift-argument-parser")
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let crypto = Target.Dependency.product(name: "Crypto", package: "swift-crypto")
let cryptoExtras = Target.Dependency.product(name: "CryptoExtras", package: "swift-crypto")
let asn1 = Target.Dependency.product(name: "SwiftASN1", package: "swift-asn1")
let asyncHTTPClient = Target.Dependency.product(
  name: "AsyncHTTPClient", package: "async-http-client")
let grdb = Target.Dependency.product(name: "GRDB", package: "GRDB.swift")
let yams = Target.Dependency.product(name: "Yams", package: "Yams")
let lifecycle = Target.Dependency.product(
  name: "ServiceLifecycle", package: "swift-service-lifecycle")
let nio: [Target.Dependency] = [
  .product(name: "NIOCore", package: "swift-nio"),
  .product(name: "NIOPosix", package: "swift-nio"),
  .product(name: "NIOSSL", package: "swift-nio-ssl"),
]

let package = Package(
  name: "noroshi",
  products: [.executable(name: "noroshi", targets: ["noroshi"])],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
    .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
    .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
    .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
    .package(url: "https://github.com/apple/swift-asn1", from: "1.7.4"),
    .package(url: "https://github.com/swift-server/async-http-client", from: "1.30.0"),
    .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1"),
    .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0"),
    .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
    .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
    .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
  ],
  targets: [
    // C libraries, each wrapped in exactly one Swift file.
    .systemLibrary(name: "CPcap", pkgConfig: "libpcap", providers: [.apt(["libpcap-dev"])]),
    .systemLibrary(name: "CZstd", pkgConfig: "libzstd", providers: [.apt(["libzstd-dev"])]),
    .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
    .systemLibrary(
      name: "CMaxMindDB", pkgConfig: "libmaxminddb", providers: [.apt(["libmaxminddb-dev"])]),

    // What the Swift compiler has no word for: one instruction each, no logic.
    .target(name: "CPrefetch"),
    // What Glibc's module hides: recvmmsg and sendmmsg.
    .target(name: "CNetwork"),
    // The same for adjtimex.
    .target(name: "CClock"),
    // The part of PKCS #11 that signing needs: a header of our own, no library.
    .target(name: "CPKCS11"),

    // Foundations.
    room("NetworkTypes"),
    room("PacketCapture", imports: ["NetworkTypes", "CPcap", "CZstd", "CZlib"]),
    room("Sketches", imports: ["CPrefetch"]),
    room("Parquet", imports: ["CZstd"]),
    room("Anonymisation", imports: ["NetworkTypes", crypto, cryptoExtras]),
    room("Geolocation", imports: ["NetworkTypes", "CMaxMindDB"]),
    room("FlowRecords", imports: ["NetworkTypes", "PacketCapture", "CNetwork", "CZstd"]),
    room("FlowArchive", imports: ["NetworkTypes", "FlowRecords", "Parquet"]),

    room(
      "FlowCluster",
      imports: [
        "NetworkTypes", "FlowRecords", "FlowArchive", asyncHTTPClient, logging,
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOHTTP1", package: "swift-nio"),
      ]),

    // Vocabulary.
    room("Findings", imports: ["NetworkTypes", crypto]),
    room("Constituency", imports: ["NetworkTypes", yams]),
    room("Store", imports: [grdb, crypto]),

    // Systems. They never import each other.
    room(
      "Telescope",
      imports: [
        "NetworkTypes", "PacketCapture", "Sketches", "Parquet", "Anonymisation", "Geolocation",
        "Findings", "Store", "CPrefetch", grdb, crypto, yams,
      ],
      resources: [.embedInCode("Fingerprints/Rules/fingerprints.yaml")]),
    room(
      "Casework",
      imports: ["NetworkTypes", "Findings", "Constituency", "Store", grdb, crypto, yams, logging]
        + nio,
      resources: [.embedInCode("Notices/Catalogue/notices.yaml")]),

    room(
      "FlowAnalysis",
      imports: [
        "NetworkTypes", "FlowRecords", "FlowArchive", "Sketches", "Findings", "Store", grdb,
      ]),
    room(
      "TrustServices",
      imports: ["NetworkTypes", "CClock", "CPKCS11", asn1, crypto, cryptoExtras]),

    // Faces.
    room("Settings", imports: ["NetworkTypes", yams]),
    room(
      "Portal",
      imports: [
        "NetworkTypes", "Findings", "Constituency", "Store", "Telescope", "Casework",
        "Geolocation", "FlowRecords", "FlowArchive", "FlowAnalysis", "TrustServices", grdb, crypto,
        cryptoExtras, yams, logging, lifecycle,
        .product(name: "Hummingbird", package: "hummingbird"),
        .product(name: "HummingbirdCore", package: "hummingbird"),
        .product(name: "HTTPTypes", package: "swift-http-types"),
        .product(name: "NIOCore", package: "swift-nio"),
      ],
      resources: [
        .embedInCode("Platform/Languages/catalogue.yaml"),
        .embedInCode("Platform/Assets/portal.css"), .embedInCode("Platform/Assets/portal.js"),
        .embedInCode("Platform/Assets/beacon.svg"), .embedInCode("Platform/Assets/world.txt"),
      ]),
    .executableTarget(
      name: "noroshi",
      dependencies: [
        "NetworkTypes", "PacketCapture", "Sketches", "Parquet", "Anonymisation", "Geolocation",
        "FlowRecords", "FlowArchive", "FlowCluster", "FlowAnalysis", "Findings", "Constituency",
        "Store", "Telescope", "Casework", "TrustServices", "Portal", "Settings", argumentParser,
        yams, logging, lifecycle, grdb, asyncHTTPClient, asn1,
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOHTTP1", package: "swift-nio"),
        .product(name: "UnixSignals", package: "swift-service-lifecycle"),
      ],
      swiftSettings: settings),

    .executableTarget(
      name: "benchmarks",
      dependencies: ["NetworkTypes", "PacketCapture", "Sketches", "Telescope", argumentParser],
      path: "Benchmarks/Programs", swiftSettings: settings),

    // Flows that the tests of several rooms are about.
    .target(
      name: "FlowSamples", dependencies: ["NetworkTypes", "FlowRecords", "FlowArchive"],
      path: "Tests/FlowSamples", swiftSettings: settings),

    tests("NetworkTypesTests", of: ["NetworkTypes"]),
    tests("PacketCaptureTests", of: ["PacketCapture", "NetworkTypes"]),
    tests("SketchesTests", of: ["Sketches"]),
    tests("ParquetTests", of: ["Parquet"], exclude: ["Fixtures"]),
    tests("AnonymisationTests", of: ["NetworkTypes", "Anonymisation"]),
    tests("GeolocationTests", of: ["NetworkTypes", "Geolocation"], exclude: ["Fixtures"]),
    tests("FlowRecordsTests", of: ["NetworkTypes", "PacketCapture", "FlowRecords"]),
    tests(
      "FlowArchiveTests",
      of: ["NetworkTypes", "FlowRecords", "FlowArchive", "FlowSamples", "Parquet"],
      exclude: ["Fixtures"]),
    tests(
      "FlowClusterTests",
      of: ["NetworkTypes", "FlowRecords", "FlowArchive", "FlowCluster", "FlowSamples"]),
    tests(
      "FlowAnalysisTests",
      of: [
        "NetworkTypes", "FlowRecords", "FlowArchive", "Findings", "Store", "FlowAnalysis", grdb,
      ]),
    tests("TrustServicesTests", of: ["NetworkTypes", "TrustServices", asn1, crypto, cryptoExtras]),
    tests("FindingsTests", of: ["NetworkTypes", "Findings"]),
    tests("SettingsTests", of: ["NetworkTypes", "Settings"]),
    tests("StoreTests", of: ["Store", grdb]),
    tests("ConstituencyTests", of: ["NetworkTypes", "Constituency"]),
    tests(
      "TelescopeTests",
      of: [
        "NetworkTypes", "PacketCapture", "Anonymisation", "Geolocation", "Findings", "Store",
        "Parquet", "Telescope", grdb,
      ], exclude: ["Fixtures"]),
    tests(
      "CaseworkTests",
      of: ["NetworkTypes", "Findings", "Constituency", "Store", "Casework", grdb, yams] + nio,
      exclude: ["Fixtures"]),
    tests(
      "PortalTests",
      of: [
        "NetworkTypes", "Findings", "Constituency", "Store", "Telescope", "Casework",
        "Geolocation", "FlowRecords", "FlowArchive", "FlowAnalysis", "Portal", "TrustServices",
        grdb, logging,
        .product(name: "Hummingbird", package: "hummingbird"),
        .product(name: "HummingbirdTesting", package: "hummingbird"),
        .product(name: "HTTPTypes", package: "swift-http-types"),
        .product(name: "NIOCore", package: "swift-nio"),
      ]),
    tests(
      "CommandTests",
      of: [
        "noroshi", "NetworkTypes", "PacketCapture", "Anonymisation", "Settings", "Telescope",
        "FlowRecords", "FlowArchive", "FlowAnalysis", "FlowSamples", "Portal", "TrustServices",
        argumentParser,
      ]),
    // Apart from the other commands: a server that closes what it inherits makes Foundation wait for
    // it alone, and every other process of the same run goes unnoticed.
    tests(
      "ClusterCommandTests",
      of: [
        "noroshi", "NetworkTypes", "FlowRecords", "FlowArchive", "FlowCluster", "FlowAnalysis",
        "FlowSamples",
      ]),
  ],
  swiftLanguageModes: [.v6]
)
