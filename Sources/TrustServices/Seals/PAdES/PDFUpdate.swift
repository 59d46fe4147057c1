/// An incremental update (ISO 32000-2 7.5.6): new objects behind the octets of a document, which stay
/// as they are.
struct PDFUpdate {
  let document: PDFDocument
  private var written: [(reference: PDFReference, body: [UInt8])] = []
  private var places: [PDFReference: Int] = [:]
  private var nextNumber: Int

  init(_ document: PDFDocument) {
    self.document = document
    nextNumber = document.maximumNumber + 1
  }

  /// A number for an object that is written later.
  mutating func reserve() -> PDFReference {
    defer { nextNumber += 1 }
    return PDFReference(number: nextNumber)
  }

  mutating func add(_ object: PDFObject) -> PDFReference {
    let reference = reserve()
    set(reference, object)
    return reference
  }

  /// Writes an object under a number, new or replacing.
  mutating func set(_ reference: PDFReference, _ object: PDFObject) {
    set(reference, encoded: object.encoded)
  }

  mutating func set(_ reference: PDFReference, encoded: [UInt8]) {
    if let place = places[reference] {
      written[place].body = encoded
    } else {
      places[reference] = written.count
      written.append((reference, encoded))
    }
  }

  /// The whole file, and where each new object's body begins in it.
  func encoded() -> (bytes: [UInt8], bodies: [PDFReference: Int]) {
    var output = Array(document.bytes[..<document.end])
    if output.last != 0x0A { output.append(0x0A) }
    var entries: [(number: Int, generation: Int, offset: Int)] = []
    var bodies: [PDFReference: Int] = [:]
    for (reference, body) in written {
      entries.append((reference.number, reference.generation, output.count))
      output += "\(reference.number) \(reference.generation) obj\n".utf8
      bodies[reference] = output.count
      output += body
      output += "\nendobj\n".utf8
    }
    entries.sort { $0.number < $1.number }
    var trailer: PDFDictionary = [:]
    for key in ["Root", "Info", "ID"] { trailer[key] = document.trailer[key] }
    trailer["Prev"] = .integer(document.sections.first?.offset ?? 0)
    let start = output.count
    if document.sections.first?.isStream == true {
      let own = nextNumber
      entries.append((own, 0, start))
      trailer["Size"] = .integer(own + 1)
      appendStream(own, trailer, entries, to: &output)
    } else {
      trailer["Size"] = .integer(nextNumber)
      appendTable(trailer, entries, to: &output)
    }
    output += "startxref\n\(start)\n%%EOF\n".utf8
    return (output, bodies)
  }

  /// Runs of consecutive numbers.
  private static func runs(_ entries: [(number: Int, generation: Int, offset: Int)]) -> [Range<Int>]
  {
    var runs: [Range<Int>] = []
    for (index, entry) in entries.enumerated() {
      if let last = runs.last, entries[index - 1].number + 1 == entry.number {
        runs[runs.count - 1] = last.lowerBound..<index + 1
      } else {
        runs.append(index..<index + 1)
      }
    }
    return runs
  }

  private static func digits(_ value: Int, _ count: Int) -> String {
    let text = "\(value)"
    return String(repeating: "0", count: max(0, count - text.count)) + text
  }

  private func appendTable(
    _ trailer: PDFDictionary, _ entries: [(number: Int, generation: Int, offset: Int)],
    to output: inout [UInt8]
  ) {
    output += "xref\n".utf8
    for run in Self.runs(entries) {
      output += "\(entries[run.lowerBound].number) \(run.count)\n".utf8
      for entry in entries[run] {
        output +=
          "\(Self.digits(entry.offset, 10)) \(Self.digits(entry.generation, 5)) n \n".utf8
      }
    }
    output += "trailer\n".utf8
    PDFObject.dictionary(trailer).write(to: &output)
    output.append(0x0A)
  }

  private func appendStream(
    _ own: Int, _ trailer: PDFDictionary,
    _ entries: [(number: Int, generation: Int, offset: Int)], to output: inout [UInt8]
  ) {
    var data: [UInt8] = []
    for entry in entries {
      data.append(1)
      for shift in stride(from: 32, through: 0, by: -8) {
        data.append(UInt8(truncatingIfNeeded: entry.offset >> shift))
      }
      data.append(UInt8(truncatingIfNeeded: entry.generation >> 8))
      data.append(UInt8(truncatingIfNeeded: entry.generation))
    }
    var dictionary = trailer
    dictionary["Type"] = .name("XRef")
    dictionary["W"] = .array([.integer(1), .integer(5), .integer(2)])
    dictionary["Index"] = .array(
      Self.runs(entries).flatMap { run in
        [PDFObject.integer(entries[run.lowerBound].number), .integer(run.count)]
      })
    output += "\(own) 0 obj\n".utf8
    PDFObject.stream(dictionary, data[...]).write(to: &output)
    output += "\nendobj\n".utf8
  }
}
