/// The languages that reports are written in.
public enum ReportLanguage: String, Hashable, Sendable, CaseIterable, Codable {
  case japanese = "ja"
  case english = "en"
}

/// Every text of a report in Japanese and English; `{name}` is filled in.
enum ReportCatalogue {
  struct Entry: Sendable {
    let japanese: String
    let english: String

    init(_ japanese: String, _ english: String) {
      self.japanese = japanese
      self.english = english
    }

    func text(_ language: ReportLanguage) -> String {
      switch language {
      case .japanese: japanese
      case .english: english
      }
    }
  }

  static func text(
    _ key: String, _ language: ReportLanguage, _ values: [String: String] = [:]
  ) -> String {
    var text = entries[key]?.text(language) ?? key
    for (name, value) in values {
      var result = ""
      var rest = text[...]
      let mark = "{\(name)}"
      while let found = rest.firstRange(of: mark) {
        result += rest[..<found.lowerBound] + value
        rest = rest[found.upperBound...]
      }
      text = result + rest
    }
    return text
  }

  static let entries: [String: Entry] = [
    "TOTAL-PASSED": Entry("有効", "Valid"),
    "TOTAL-FAILED": Entry("無効", "Not valid"),
    "INDETERMINATE": Entry("判定できません", "Cannot be decided"),

    "FORMAT_FAILURE": Entry(
      "署名の形式が規格に合わず、読み取れません。", "The signature's form is broken and cannot be read."),
    "HASH_FAILURE": Entry(
      "対象データが署名されたものと異なります。改ざんされたか、別のファイルです。",
      "The content is not what was signed: it was changed, or it is another file."),
    "SIG_CRYPTO_FAILURE": Entry(
      "署名値が正しくありません。", "The signature value is wrong."),
    "REVOKED": Entry(
      "証明書の失効後に署名されました。", "It was signed after the certificate had been revoked."),
    "EXPIRED": Entry(
      "証明書の有効期限後に署名されました。", "It was signed after the certificate had expired."),
    "NOT_YET_VALID": Entry(
      "証明書の有効期間が始まる前に署名されました。", "It was signed before the certificate became valid."),
    "SIG_CONSTRAINTS_FAILURE": Entry(
      "署名の属性が検証の条件を満たしません。", "The signature's attributes do not meet the conditions."),
    "CHAIN_CONSTRAINTS_FAILURE": Entry(
      "証明書がこの用途に認められていません。", "The certificate may not be used for this."),
    "CERTIFICATE_CHAIN_GENERAL_FAILURE": Entry(
      "証明書の検証に失敗しました。", "The chain of certificates could not be validated."),
    "CRYPTO_CONSTRAINTS_FAILURE": Entry(
      "使われている暗号アルゴリズムは認められていません。", "An algorithm in it is not accepted."),
    "TIMESTAMP_ORDER_FAILURE": Entry(
      "タイムスタンプの前後関係が矛盾しています。", "Its time stamps contradict each other's order."),
    "NO_SIGNING_CERTIFICATE_FOUND": Entry(
      "署名者の証明書が見つかりません。", "The signer's certificate was not found."),
    "NO_CERTIFICATE_CHAIN_FOUND": Entry(
      "信頼する認証局までの証明書がつながりません。",
      "No chain leads from the certificate to a trusted authority."),
    "REVOKED_NO_POE": Entry(
      "証明書は失効しています。失効前に署名されたという証拠がありません。",
      "The certificate is revoked, and nothing proves that it was signed before."),
    "REVOKED_CA_NO_POE": Entry(
      "認証局の証明書が失効しています。失効前に署名されたという証拠がありません。",
      "An authority's certificate is revoked, and nothing proves that it was signed before."),
    "OUT_OF_BOUNDS_NO_POE": Entry(
      "証明書の有効期間外です。期間内に署名されたという証拠がありません。",
      "The certificate is outside its validity, and nothing proves that it was signed within."),
    "CRYPTO_CONSTRAINTS_FAILURE_NO_POE": Entry(
      "暗号アルゴリズムが弱くなっています。弱くなる前に署名されたという証拠がありません。",
      "An algorithm has become too weak, and nothing proves that it was signed before that."),
    "NO_POE": Entry(
      "その時点で存在したという証拠がありません。", "Nothing proves that it existed at that time."),
    "TRY_LATER": Entry(
      "失効情報が不足しています。最新の失効情報が得られてから再度検証してください。",
      "Whether a certificate is revoked is unknown. Try again with current revocation data."),
    "SIGNED_DATA_NOT_FOUND": Entry(
      "署名の対象データが見つかりません。対象ファイルを指定してください。",
      "The signed content was not found. Give the file that it is about."),

    "title": Entry("検証結果", "Validation report"),
    "result": Entry("結果", "Result"),
    "reason": Entry("理由", "Reason"),
    "detail": Entry("詳細", "Details"),
    "format": Entry("形式", "Format"),
    "checked": Entry("検証時点", "Checked as of"),
    "signature": Entry("署名{number}", "Signature {number}"),
    "seal": Entry("eシール{number}", "Seal {number}"),
    "stamp": Entry("タイムスタンプ", "Time stamp"),
    "level": Entry("水準", "Level"),
    "organisation": Entry("組織", "Organisation"),
    "corporate-number": Entry("法人番号", "Corporate number"),
    "corporate-number-wrong": Entry(
      "法人番号の検査用数字が正しくありません（{identifier}）。",
      "The check digit of the corporate number is wrong ({identifier})."),
    "identifier": Entry("組織識別子", "Organisation identifier"),
    "person": Entry("署名者", "Signer"),
    "subject": Entry("証明書の名義", "Certificate's subject"),
    "unbelieved": Entry(
      "（証明書が確認できないため、名義は参考です）",
      "(only as stated: the certificate could not be confirmed)"),
    "scheme-2025": Entry(
      "eシールのレベル{level}（2025年の制度、証明書の申告）",
      "e-seal level {level} of 2025, as the certificate says"),
    "scheme-2021": Entry(
      "eシールのレベル{level}（2021年の指針、旧区分）", "e-seal level {level} (guideline of 2021, superseded)"),
    "scheme": Entry("制度上の区分", "Scheme"),
    "accreditation": Entry("認定", "Accreditation"),
    "accreditation-join": Entry("、", ", "),
    "accreditation-none": Entry(
      "{date}の時点について、信頼リストに該当するサービスはありません",
      "no trusted list names the service, for {date} or any other time"),
    "accreditation-accredited": Entry("{date}の時点で認定あり", "accredited at {date}"),
    "accreditation-suspended": Entry(
      "{date}の時点で認定の一時停止中（{since}から）", "suspended at {date} (since {since})"),
    "accreditation-withdrawn": Entry(
      "{date}の時点で認定取消し済み（{since}から）", "withdrawn at {date} (since {since})"),
    "accreditation-expired": Entry(
      "{date}の時点で認定期間終了（{since}から）", "expired at {date} (since {since})"),
    "accreditation-notYet": Entry("{date}の時点では認定前", "not yet accredited at {date}"),
    "accreditation-otherPolicy": Entry(
      "この証明書ポリシーは認定の対象外", "not accredited for this certificate's policy"),
    "accreditation-unknown": Entry(
      "{date}の時点は、この信頼リストの期間外のため不明", "not known at {date}: the list ends before"),
    "accreditation-by": Entry("認定機関：{authority}", "by {authority}"),
    "accreditation-level-2025": Entry("eシール レベル{level}", "e-seal level {level}"),
    "accreditation-level-2021": Entry(
      "eシール レベル{level}（2021年の指針、旧区分）", "e-seal level {level} of 2021 (superseded)"),
    "accreditation-days": Entry("認定期間：{from}〜{until}", "valid {from} to {until}"),
    "accreditation-later-accredited": Entry("その後{since}に認定", "accredited later, from {since}"),
    "accreditation-later-suspended": Entry(
      "その後{since}に認定の一時停止", "suspended later, from {since}"),
    "accreditation-later-withdrawn": Entry(
      "その後{since}に認定取消し", "withdrawn later, from {since}"),
    "accreditation-later-expired": Entry(
      "その後{since}に認定期間終了", "expired later, from {since}"),
    "accreditation-list": Entry(
      "{operator}の信頼リスト第{number}号（{date}）", "by list {number} of {operator} ({date})"),
    "accreditation-list-outdated": Entry(
      "{operator}の信頼リスト第{number}号（{date}、更新期限切れ）",
      "by list {number} of {operator} ({date}, past its next update)"),
    "claimed": Entry("署名者が主張する時刻", "Claimed time"),
    "proven": Entry("証明された時刻", "Proven to exist at"),
    "not-proven": Entry("なし（タイムスタンプで証明されていません）", "not proven by a time stamp"),
    "covers": Entry("対象", "Covers"),
    "covers-enclosed": Entry("署名ファイルに含まれるデータ", "the content inside the file"),
    "covers-part": Entry("（一部のみ）", "(a part only)"),
    "not-intact": Entry("【不一致または欠落】", "[missing or different]"),
    "changes": Entry("署名後の変更", "Changes since"),
    "change-allowed": Entry("許される変更", "allowed"),
    "change-forbidden": Entry("許されない変更", "not allowed"),
    "change-dss": Entry("検証情報（DSS）の追加", "validation data (DSS) were added"),
    "change-document-stamp": Entry(
      "文書タイムスタンプの追加（{subject}）", "a document time stamp was added ({subject})"),
    "change-signature": Entry("別の署名の追加（{subject}）", "a further signature was added ({subject})"),
    "change-visible-signature": Entry(
      "紙面に見える別の署名の追加（{subject}）", "a further signature with a visible box was added ({subject})"),
    "change-signature-field": Entry(
      "空の署名欄の追加（{subject}）", "an empty signature field was added ({subject})"),
    "change-form-field": Entry("入力欄の記入（{subject}）", "a form field was filled in ({subject})"),
    "change-form-defaults": Entry("入力欄の既定書体の変更", "the form's default fonts were changed"),
    "change-information": Entry("文書情報の変更", "information about the document was changed"),
    "change-version": Entry("版・拡張の表示の変更", "the stated version or extensions were changed"),
    "change-annotation": Entry(
      "{subject}ページの注釈の追加・変更", "annotations of page {subject} were changed"),
    "change-page-content": Entry(
      "{subject}ページの内容の変更（署名の対象外）",
      "the content of page {subject} was changed and is not covered"),
    "change-pages": Entry("ページ数の変更（{subject}）", "pages were added or removed ({subject})"),
    "change-signature-altered": Entry(
      "既存の署名の書き換え（{subject}）", "a signature that was there was altered ({subject})"),
    "change-field-altered": Entry(
      "入力欄の追加・作り替え（{subject}）", "a form field was added, removed or altered ({subject})"),
    "change-field-locked": Entry(
      "署名が固定した入力欄の変更（{subject}）",
      "a form field that the signature locks was changed ({subject})"),
    "change-appearance-altered": Entry(
      "値を変えずに入力欄の見た目だけを変更（{subject}）",
      "a form field was made to show something else than its value ({subject})"),
    "change-catalogue": Entry(
      "文書の構成の変更（{subject}）", "the document's catalogue was changed ({subject})"),
    "change-trailing": Entry(
      "どの版にも属さないデータの追加", "octets that belong to no revision were added"),
    "change-unreadable": Entry(
      "読み取れない追加（署名の対象外）", "what was added cannot be read and is not covered"),
    "weak": Entry("弱いアルゴリズム", "Weak algorithm"),
    "weak-since": Entry(
      "{algorithm}：{since}以降は信頼できません（{source}）",
      "{algorithm}: not reliable since {since} ({source})"),
    "weak-ever": Entry("{algorithm}：認められていません（{source}）", "{algorithm}: not accepted ({source})"),
    "weak-later": Entry(
      "{algorithm}：{since}に信頼できなくなります（{source}）",
      "{algorithm}: reliable until {since} ({source})"),
    "chain": Entry("証明書", "Certificates"),
    "anchor": Entry("信頼の起点", "Trust anchor"),
    "valid-until": Entry("{date}まで", "until {date}"),
    "revocation": Entry("失効確認", "Revocation"),
    "good": Entry("失効していません", "not revoked"),
    "revoked": Entry("{date}に失効（{reason}）", "revoked at {date} ({reason})"),
    "revokedLater": Entry(
      "署名後の{date}に失効（{reason}）", "revoked since, at {date} ({reason})"),
    "unknown": Entry("不明", "unknown"),
    "notChecked": Entry("確認していません", "not checked"),
    "stamps": Entry("タイムスタンプ", "Time stamps"),
    "stamp-content": Entry("対象データ", "over the content"),
    "stamp-signature": Entry("署名", "over the signature"),
    "stamp-references": Entry("検証情報の参照", "over references"),
    "stamp-archive": Entry("長期保存", "for the archive"),
    "stamp-document": Entry("文書全体", "over the document"),
    "counter": Entry("副署{number}", "Counter-signature {number}"),
    "notes": Entry("注記", "Notes"),
  ]
}
