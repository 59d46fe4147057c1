import CPKCS11
import Synchronization

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// A PKCS #11 module, loaded once in a process and never unloaded: the only place that calls into it
/// and hands it pointers. Every buffer is an array whose length goes with its pointer.
final class PKCS11Module: Sendable {
  // CKM_, CKA_, CKO_ and CKF_ numbers of the standard.
  enum Mechanism {
    static let rsaPKCS: UInt = 0x1
    static let rsaPSS: UInt = 0xD
    static let ecdsa: UInt = 0x1041
    static let rsaKeyPair: UInt = 0x0
    static let ecKeyPair: UInt = 0x1040
  }
  enum Attribute {
    static let objectClass: UInt = 0x0
    static let token: UInt = 0x1
    static let isPrivate: UInt = 0x2
    static let label: UInt = 0x3
    static let keyType: UInt = 0x100
    static let id: UInt = 0x102
    static let sensitive: UInt = 0x103
    static let sign: UInt = 0x108
    static let verify: UInt = 0x10A
    static let modulus: UInt = 0x120
    static let modulusBits: UInt = 0x121
    static let publicExponent: UInt = 0x122
    static let extractable: UInt = 0x162
    static let ecParameters: UInt = 0x180
    static let ecPoint: UInt = 0x181
  }
  enum Result {
    static let ok: UInt = 0
    static let bufferTooSmall: UInt = 0x150
    static let alreadyInitialised: UInt = 0x191
    static let alreadyLoggedIn: UInt = 0x100
    static let attributeTypeInvalid: UInt = 0x12
  }

  /// The function list lives as long as the library, which is never closed.
  private nonisolated(unsafe) let functions: UnsafeMutablePointer<CK_FUNCTION_LIST>

  private static let loaded = Mutex<[String: PKCS11Module]>([:])

  /// The module of a path.
  static func at(_ path: String) throws(TokenError) -> PKCS11Module {
    let outcome = loaded.withLock { loaded -> Swift.Result<PKCS11Module, TokenError> in
      if let known = loaded[path] { return .success(known) }
      do throws(TokenError) {
        let module = try PKCS11Module(path)
        loaded[path] = module
        return .success(module)
      } catch { return .failure(error) }
    }
    return try outcome.get()
  }

  private init(_ path: String) throws(TokenError) {
    guard let library = dlopen(path, RTLD_NOW | RTLD_LOCAL) else {
      throw .moduleMissing(dlerror().map { String(cString: $0) } ?? path)
    }
    guard let symbol = dlsym(library, "C_GetFunctionList") else {
      throw .moduleMissing("\(path) is not a PKCS #11 module")
    }
    let getList = unsafeBitCast(symbol, to: CK_C_GetFunctionList.self)
    var list: UnsafeMutablePointer<CK_FUNCTION_LIST>?
    let result = getList(&list)
    guard result == Result.ok, let list else { throw .failed("C_GetFunctionList", result) }
    functions = list
    // CKF_OS_LOCKING_OK: the pool uses a session from one thread at a time, many sessions at once.
    var arguments = CK_C_INITIALIZE_ARGS()
    arguments.flags = 2
    try check(
      "C_Initialize", list.pointee.C_Initialize.map { $0(&arguments) },
      allowing: Result.alreadyInitialised)
  }

  private func check(_ name: String, _ result: UInt?, allowing other: UInt = 0)
    throws(TokenError)
  {
    guard let result else { throw .moduleMissing("it has no \(name)") }
    guard result == Result.ok || result == other else { throw .failed(name, result) }
  }

  /// The slots that hold a token.
  func slots() throws(TokenError) -> [UInt] {
    guard let list = functions.pointee.C_GetSlotList else {
      throw .moduleMissing("it has no C_GetSlotList")
    }
    var count: UInt = 0
    try check("C_GetSlotList", list(1, nil, &count))
    // A token could come between the two calls; a thousand slots are more than any module has.
    count = min(count + 8, 1024)
    var slots = [UInt](repeating: 0, count: Int(count))
    try check("C_GetSlotList", list(1, &slots, &count))
    return Array(slots.prefix(Int(count)))
  }

  struct Token {
    let label, manufacturer, model, serial: String
  }

  func token(_ slot: UInt) throws(TokenError) -> Token {
    var info = CK_TOKEN_INFO()
    try check("C_GetTokenInfo", functions.pointee.C_GetTokenInfo.map { $0(slot, &info) })
    // Blank-padded, as section 3.2 says.
    func text<Field>(_ field: Field) -> String {
      var text = withUnsafeBytes(of: field) { String(decoding: $0, as: UTF8.self) }
      while text.last == " " || text.last == "\0" { text.removeLast() }
      return text
    }
    return Token(
      label: text(info.label), manufacturer: text(info.manufacturer), model: text(info.model),
      serial: text(info.serial))
  }

  func openSession(_ slot: UInt, isWriting: Bool = false) throws(TokenError) -> UInt {
    var session: UInt = 0
    // CKF_SERIAL_SESSION, CKF_RW_SESSION.
    try check(
      "C_OpenSession",
      functions.pointee.C_OpenSession.map { $0(slot, isWriting ? 6 : 4, nil, nil, &session) })
    return session
  }

  func closeSession(_ session: UInt) { _ = functions.pointee.C_CloseSession.map { $0(session) } }

  func login(_ session: UInt, pin: String) throws(TokenError) {
    let octets = Array(pin.utf8)
    // CKU_USER; the login holds for all sessions of this process.
    try check(
      "C_Login",
      functions.pointee.C_Login.map { $0(session, 1, octets, UInt(octets.count)) },
      allowing: Result.alreadyLoggedIn)
  }

  /// Calls `body` with attributes whose values stay where they are meanwhile.
  private func withAttributes<Value>(
    _ list: [(UInt, [UInt8])], _ body: (UnsafeMutableBufferPointer<CK_ATTRIBUTE>) -> Value
  ) -> Value {
    var values = list.flatMap(\.1)
    return values.withUnsafeMutableBytes { octets in
      var attributes: [CK_ATTRIBUTE] = []
      var offset = 0
      for (type, value) in list {
        attributes.append(
          CK_ATTRIBUTE(
            type: type, value: octets.baseAddress.map { $0 + offset }, length: UInt(value.count)))
        offset += value.count
      }
      return attributes.withUnsafeMutableBufferPointer { body($0) }
    }
  }

  static func octets(_ number: UInt) -> [UInt8] { withUnsafeBytes(of: number) { Array($0) } }

  /// At most 16 objects with these attributes.
  func find(_ session: UInt, _ wanted: [(UInt, [UInt8])]) throws(TokenError) -> [UInt] {
    let begun = withAttributes(wanted) { attributes in
      functions.pointee.C_FindObjectsInit.map {
        $0(session, attributes.baseAddress, UInt(attributes.count))
      }
    }
    try check("C_FindObjectsInit", begun)
    var objects = [UInt](repeating: 0, count: 16)
    var count: UInt = 0
    let found = functions.pointee.C_FindObjects.map { $0(session, &objects, 16, &count) }
    _ = functions.pointee.C_FindObjectsFinal.map { $0(session) }
    try check("C_FindObjects", found)
    return Array(objects.prefix(Int(min(count, 16))))
  }

  /// The value of an attribute; nil where the object has none.
  func attribute(_ session: UInt, _ object: UInt, _ type: UInt) throws(TokenError) -> [UInt8]? {
    guard let get = functions.pointee.C_GetAttributeValue else {
      throw .moduleMissing("it has no C_GetAttributeValue")
    }
    var attribute = CK_ATTRIBUTE(type: type, value: nil, length: 0)
    let asked = get(session, object, &attribute, 1)
    if asked == Result.attributeTypeInvalid { return nil }
    try check("C_GetAttributeValue", asked)
    // An RSA modulus has 1024 octets at most; an unavailable value says the largest number.
    guard attribute.length <= 65_536 else { return nil }
    var value = [UInt8](repeating: 0, count: Int(attribute.length))
    let length = attribute.length
    let result = value.withUnsafeMutableBytes { octets in
      var attribute = CK_ATTRIBUTE(type: type, value: octets.baseAddress, length: length)
      return get(session, object, &attribute, 1)
    }
    try check("C_GetAttributeValue", result)
    return value
  }

  /// PSS parameters: the numbers of the hash and the mask, and the salt's length.
  typealias PSS = (hash: UInt, mask: UInt, salt: UInt)

  /// Signs `data` with an object of the session; `capacity` bounds the signature.
  func sign(
    _ session: UInt, _ object: UInt, mechanism: UInt, pss: PSS?, _ data: [UInt8], capacity: Int
  ) throws(TokenError) -> [UInt8] {
    guard let begin = functions.pointee.C_SignInit, let sign = functions.pointee.C_Sign else {
      throw .moduleMissing("it has no C_SignInit or C_Sign")
    }
    let begun: UInt
    if let pss {
      var parameters = CK_RSA_PKCS_PSS_PARAMS(hash: pss.hash, mask: pss.mask, saltLength: pss.salt)
      begun = withUnsafeMutableBytes(of: &parameters) { octets in
        var mechanism = CK_MECHANISM(
          mechanism: mechanism, parameter: octets.baseAddress, length: UInt(octets.count))
        return begin(session, &mechanism, object)
      }
    } else {
      var mechanism = CK_MECHANISM(mechanism: mechanism, parameter: nil, length: 0)
      begun = begin(session, &mechanism, object)
    }
    try check("C_SignInit", begun)
    var signature = [UInt8](repeating: 0, count: capacity)
    var length = UInt(capacity)
    try check("C_Sign", sign(session, data, UInt(data.count), &signature, &length))
    guard length <= UInt(capacity) else { throw .failed("C_Sign", Result.bufferTooSmall) }
    return Array(signature.prefix(Int(length)))
  }

  /// Makes a key pair that stays on the token.
  func generate(
    _ session: UInt, mechanism: UInt, publicKey: [(UInt, [UInt8])], privateKey: [(UInt, [UInt8])]
  ) throws(TokenError) {
    var kind = CK_MECHANISM(mechanism: mechanism, parameter: nil, length: 0)
    var handles = (UInt(0), UInt(0))
    let result = withAttributes(publicKey) { open in
      withAttributes(privateKey) { secret in
        functions.pointee.C_GenerateKeyPair.map {
          $0(
            session, &kind, open.baseAddress, UInt(open.count), secret.baseAddress,
            UInt(secret.count), &handles.0, &handles.1)
        }
      }
    }
    try check("C_GenerateKeyPair", result)
  }
}
