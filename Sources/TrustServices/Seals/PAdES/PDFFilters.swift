/// Unpacking of streams (ISO 32000-2 7.4): FlateDecode with predictors, which is what
/// cross-reference, object and validation-data streams use.
enum PDFFilters {
  static func unpack(
    _ data: ArraySlice<UInt8>, filter: PDFObject, parameters: PDFObject, limit: Int
  ) throws(PDFError) -> [UInt8] {
    let offset = data.startIndex
    switch filter {
    case .null: return Array(data)
    case .array(let list) where list.isEmpty: return Array(data)
    case .array(let list) where list.count == 1:
      return try unpack(
        data, filter: list[0], parameters: parameters.array?.first ?? parameters, limit: limit)
    case .name("FlateDecode"), .name("Fl"):
      // Two octets of zlib's header (RFC 1950), then DEFLATE.
      guard data.count > 2, data[offset] & 0x0F == 8 else {
        throw .malformed(offset: offset, "a stream is not in zlib's form")
      }
      let plain: [UInt8]
      do throws(Inflate.Failure) {
        plain = try Inflate.unpack(data[(offset + 2)...], limit: limit)
      } catch {
        switch error {
        case .broken: throw .malformed(offset: offset, "a compressed stream is broken")
        case .tooLong: throw .tooLarge("octets in a stream")
        }
      }
      return try predict(plain, parameters.dictionary ?? [:], offset)
    case .name(let name): throw .unsupported("the filter \(name) here")
    default: throw .unsupported("several filters here")
    }
  }

  /// Undoes the PNG predictors (7.4.4.4).
  private static func predict(_ input: [UInt8], _ parameters: PDFDictionary, _ offset: Int)
    throws(PDFError) -> [UInt8]
  {
    let predictor = parameters["Predictor"]?.integer ?? 1
    guard predictor != 1 else { return input }
    let colors = parameters["Colors"]?.integer ?? 1
    let bits = parameters["BitsPerComponent"]?.integer ?? 8
    let columns = parameters["Columns"]?.integer ?? 1
    guard (10...15).contains(predictor) else { throw .unsupported("predictor \(predictor)") }
    guard (1...32).contains(colors), [1, 2, 4, 8, 16].contains(bits), (1...65_536).contains(columns)
    else { throw .malformed(offset: offset, "the predictor's parameters are out of range") }
    let pixel = max(1, colors * bits / 8)
    let row = (colors * bits * columns + 7) / 8
    var output: [UInt8] = []
    output.reserveCapacity(input.count)
    var previous = [UInt8](repeating: 0, count: row)
    var start = 0
    while start < input.count {
      let kind = input[start]
      var current = Array(input[(start + 1)..<min(start + 1 + row, input.count)])
      guard kind <= 4 else { throw .malformed(offset: offset, "row filter \(kind)") }
      for index in current.indices {
        let left = index >= pixel ? current[index - pixel] : 0
        let up = previous[index]
        let corner = index >= pixel ? previous[index - pixel] : 0
        let guess: UInt8 =
          switch kind {
          case 1: left
          case 2: up
          case 3: UInt8((Int(left) + Int(up)) / 2)
          case 4: paeth(left, up, corner)
          default: 0
          }
        current[index] = current[index] &+ guess
      }
      output += current
      start += row + 1
      if current.count < row { break }
      previous = current
    }
    return output
  }

  private static func paeth(_ left: UInt8, _ up: UInt8, _ corner: UInt8) -> UInt8 {
    let estimate = Int(left) + Int(up) - Int(corner)
    let (a, b, c) = (
      abs(estimate - Int(left)), abs(estimate - Int(up)), abs(estimate - Int(corner))
    )
    return a <= b && a <= c ? left : b <= c ? up : corner
  }
}
