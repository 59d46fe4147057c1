import SwiftASN1

/// The attributes of CAdES (EN 319 122-1, earlier RFC 5126).
enum CAdESIdentifiers {
  private static func pkcs9(_ last: UInt) -> ASN1ObjectIdentifier {
    [1, 2, 840, 113549, 1, 9, 16, 2, last]
  }

  static let signatureTimeStamp = pkcs9(14)
  static let contentTimeStamp = pkcs9(20)
  static let certificateValues = pkcs9(23)
  static let revocationValues = pkcs9(24)
  static let cadesCTimeStamp = pkcs9(25)
  static let referencesTimeStamp = pkcs9(26)
  static let archiveTimeStampV1 = pkcs9(27)
  static let archiveTimeStampV2 = pkcs9(48)
  static let signaturePolicy = pkcs9(15)
  static let commitmentType = pkcs9(16)
  static let archiveTimeStampV3: ASN1ObjectIdentifier = [0, 4, 0, 1733, 2, 4]
  static let hashIndexV1: ASN1ObjectIdentifier = [0, 4, 0, 1733, 2, 5]
  static let hashIndexV2: ASN1ObjectIdentifier = [0, 4, 0, 19122, 1, 4]
  static let hashIndexV3: ASN1ObjectIdentifier = [0, 4, 0, 19122, 1, 5]
  static let evidenceRecordInternal = pkcs9(49)
  static let evidenceRecordExternal = pkcs9(50)
}

extension CMSAttribute {
  /// signature-time-stamp (EN 319 122-1 5.3).
  static func signatureTimeStamp(_ token: TimeStampToken) -> CMSAttribute {
    CMSAttribute(CAdESIdentifiers.signatureTimeStamp, value: token.encoded)
  }
}
