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
let grdb = Target.Dependency.product(name: "GRDB", package: "GRDB.swift")
let yams = Target.Dependency.product(name: "Yams", package: "Yams")

let package = Package(
  name: "noroshi",
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
    .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
    .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
    .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
  ],
  targets: [
    // C libraries, each wrapped in exactly one Swift file.
    .systemLibrary(name: "CPcap", pkgConfig: "libpcap", providers: [.apt(["libpcap-dev"])]),
    .systemLibrary(name: "CZstd", pkgConfig: "libzstd", providers: [.apt(["libzstd-dev"])]),
    .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
    .systemLibrary(
      name: "CMaxMindDB", pkgConfig: "libmaxminddb", providers: [.apt(["libmaxminddb-dev"])]),

    // Foundations.
    room("NetworkTypes"),
    room("PacketCapture", imports: ["NetworkTypes", "CPcap", "CZstd", "CZlib"]),
    room("Sketches"),
    room("Parquet", imports: ["CZstd"]),
    room("Anonymisation", imports: ["NetworkTypes", crypto, cryptoExtras]),
    room("Geolocation", imports: ["NetworkTypes", "CMaxMindDB"]),

    // Vocabulary.
    room("Findings", imports: ["NetworkTypes", crypto]),
    room("Constituency", imports: ["NetworkTypes", yams]),
    room("Store", imports: [grdb, crypto]),

    // Systems. They never import each other.
    room(
      "Telescope",
      imports: [
        "NetworkTypes", "PacketCapture", "Sketches", "Parquet", "Anonymisation", "Geolocation",
        "Findings", "Store", grdb, crypto, yams,
      ],
      resources: [.embedInCode("Fingerprints/Rules/fingerprints.yaml")]),

    // Faces.
    room("Settings", imports: ["NetworkTypes", yams]),

    tests("NetworkTypesTests", of: ["NetworkTypes"]),
    tests("PacketCaptureTests", of: ["PacketCapture", "NetworkTypes"]),
    tests("SketchesTests", of: ["Sketches"]),
    tests("ParquetTests", of: ["Parquet"], exclude: ["Fixtures"]),
    tests("AnonymisationTests", of: ["NetworkTypes", "Anonymisation"]),
    tests("GeolocationTests", of: ["NetworkTypes", "Geolocation"], exclude: ["Fixtures"]),
    tests("FindingsTests", of: ["NetworkTypes", "Findings"]),
    tests("SettingsTests", of: ["NetworkTypes", "Settings"]),
    tests("StoreTests", of: ["Store", grdb]),
    tests("ConstituencyTests", of: ["NetworkTypes", "Constituency"]),
    tests(
      "TelescopeTests",
      of: [
        "NetworkTypes", "PacketCapture", "Anonymisation", "Geolocation", "Findings", "Store",
        "Telescope",
      ], exclude: ["Fixtures"]),
  ],
  swiftLanguageModes: [.v6]
)
