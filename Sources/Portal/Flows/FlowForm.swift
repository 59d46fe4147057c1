import FlowArchive
import NetworkTypes

/// The search form: purpose, filter with its builder, time window. It is a plain GET form; the script only
/// adds comfort.
struct FlowForm {
  let question: FlowQuestion
  /// Why the filter could not be read.
  var fault: FilterError?
  /// Whether the form came back because it says no purpose.
  var lacksPurpose = false
  /// Whether it asks for a conversation: two addresses come first.
  var isConversation = false

  func html(_ visit: Visit) -> HTML {
    let path = isConversation ? "/flows/conversation" : "/flows"
    let kept: [(String, String?)] =
      isConversation
      ? [("measure", question.measure == .bytes ? nil : question.measure.rawValue)]
      : [
        ("view", question.view == .summary ? nil : question.view.rawValue),
        ("by", question.view == .top ? question.by : nil), ("sort", question.sort),
        ("measure", question.measure == .bytes ? nil : question.measure.rawValue),
      ]
    let hidden = kept.compactMap { name, value -> HTML? in
      value.map { "<input type=\"hidden\" name=\"\(name)\" value=\"\($0)\">" }
    }
    return """
      <section class="panel" aria-label="\(visit.t("flows.form"))">
      <form method="get" action="\(path)" class="flows" data-flows>\(hidden)
      \(purpose(visit))
      \(isConversation ? ends(visit) : .empty)
      \(filter(visit))
      \(window(visit))
      \(isConversation ? .empty : builder(visit))
      \(options(visit))
      <p class="buttons"><button type="submit" name="run" value="1">\(visit.t("flows.search"))\
      </button></p></form>
      \(language(visit))
      </section>
      """
  }

  private func purpose(_ visit: Visit) -> HTML {
    let limit = visit.platform.configuration.parameters.flows.purposeLength
    let alert: HTML =
      lacksPurpose
      ? "<p class=\"alert\" role=\"alert\" id=\"purpose-fault\">\(visit.t("flows.purpose-needed"))</p>"
      : .empty
    return """
      \(alert)<label class="long">\(visit.t("flows.purpose"))<input name="purpose" \
      value="\(question.purpose)" required maxlength="\(limit)" autocomplete="off" \
      placeholder="C-2026-000123"\
      \(when: lacksPurpose, " aria-invalid=\"true\" aria-describedby=\"purpose-fault\"")>\
      <small>\(visit.t("flows.purpose-note"))</small></label>
      """
  }

  private func ends(_ visit: Visit) -> HTML {
    let fields = [("a", question.a), ("b", question.b)].map { name, address -> HTML in
      """
      <label>\(visit.t("flows.end-\(name)"))<input name="\(name)" \
      value="\(address?.description ?? "")" required autocapitalize="off" spellcheck="false" \
      autocomplete="off" placeholder="192.0.2.1"></label>
      """
    }
    return "<div class=\"fields\">\(fields)</div>"
  }

  private func filter(_ visit: Visit) -> HTML {
    let limit = visit.platform.configuration.parameters.flows.filterLength
    let faulty: HTML =
      fault.map { fault in
        """
         aria-invalid="true" aria-describedby="filter-fault" \
        data-fault="\(FlowFault.characters(before: fault))"
        """
      } ?? .empty
    return """
      \(fault.map { FlowFault.html($0, visit) } ?? .empty)
      <label class="long">\(visit.t("flows.filter"))<textarea name="filter" rows="2" \
      maxlength="\(limit)" spellcheck="false" autocapitalize="off" autocomplete="off" \
      placeholder="src ip 192.0.2.0/24 and dst port in [22 23]"\(faulty)>\(question.filter)\
      </textarea></label>
      """
  }

  private func window(_ visit: Visit) -> HTML {
    let options = FlowWindow.words.map { word -> HTML in
      """
      <option value="\(word)"\(when: word == question.last, " selected")>\
      \(visit.t("window.\(word)"))</option>
      """
    }
    let zone = ["zone": visit.inputZone.rawValue]
    return """
      <div class="fields">
      <label>\(visit.t("flows.window"))<select name="last">\
      <option value=""\(when: question.last == nil, " selected")>\(visit.t("window.between"))\
      </option>\(options)</select></label>
      <label>\(visit.t("flows.from", zone))<input type="datetime-local" name="from" \
      value="\(question.from.map { visit.localInput($0) } ?? "")"></label>
      <label>\(visit.t("flows.to", zone))<input type="datetime-local" name="to" \
      value="\(question.to.map { visit.localInput($0) } ?? "")"></label>
      </div>
      """
  }

  private func builder(_ visit: Visit) -> HTML {
    func sides(_ name: String, _ title: String) -> HTML {
      let options = FlowBuilder.sides.map { side -> HTML in
        "<option value=\"\(side)\">\(visit.t("side.\(side)"))</option>"
      }
      return "<label>\(title)<select name=\"\(name)\">\(options)</select></label>"
    }
    let protocols = FlowBuilder.protocols.map { "<option value=\"\($0)\">\($0)</option>" as HTML }
    return """
      <details class="filters"><summary>\(visit.t("flows.builder"))</summary>
      <p class="note">\(visit.t("flows.builder-note"))</p>
      <div class="fields" data-builder>
      <label>\(visit.t("flows.address"))<input name="address" autocapitalize="off" \
      autocomplete="off" spellcheck="false" placeholder="192.0.2.0/24"></label>
      \(sides("side", visit.t("flows.address-side")))
      <label>\(visit.t("column.port"))<input type="number" name="port" min="0" max="65535"></label>
      \(sides("portside", visit.t("flows.port-side")))
      <label>\(visit.t("column.protocol"))<select name="protocol">\
      <option value="">\(visit.t("filter.any"))</option>\(protocols)</select></label>
      <p class="buttons"><button type="button" class="plain" data-build hidden>\
      \(visit.t("flows.build"))</button></p>
      </div></details>
      """
  }

  private func options(_ visit: Visit) -> HTML {
    let boxes = [("raw", question.isRaw), ("inside", question.isInside)].map { name, isOn -> HTML in
      """
      <label class="check"><input type="checkbox" name="\(name)" value="true"\
      \(when: isOn, " checked")> \(visit.t("flows.\(name)"))</label>
      """
    }
    return """
      <details class="filters"\(when: question.isRaw || question.isInside, " open")>\
      <summary>\(visit.t("flows.options"))</summary>\(boxes)</details>
      """
  }

  /// The language in ten lines, for those who have forgotten it.
  private func language(_ visit: Visit) -> HTML {
    let examples = [
      ("src ip 192.0.2.1", "address"), ("dst net 198.51.100.0/24", "network"),
      ("dst port in [22 23 2323]", "ports"), ("proto udp and src port 53", "and"),
      ("flags S and not flags AFRPU", "flags"), ("bytes > 10m", "bytes"),
      ("packets < 3 and duration < 1000", "small"), ("not (src as 64500 or dst as 64500)", "not"),
      ("router ip 192.0.2.254 and in if 3", "router"), ("icmp-type 8", "icmp"),
    ]
    let rows = examples.map { text, name -> HTML in
      "<tr><th scope=\"row\"><code>\(text)</code></th><td>\(visit.t("filter-example.\(name)"))</td></tr>"
    }
    return """
      <details class="filters"><summary>\(visit.t("flows.language"))</summary>
      <div class="scroll" role="region" aria-label="\(visit.t("flows.language"))" tabindex="0">
      <table class="examples"><caption class="unseen">\(visit.t("flows.language"))</caption>
      <thead class="unseen"><tr><th scope="col">\(visit.t("flows.filter"))</th>\
      <th scope="col">\(visit.t("flows.meaning"))</th></tr></thead>
      <tbody>\(rows)</tbody></table></div></details>
      """
  }
}

/// Where a filter is wrong, and why.
enum FlowFault {
  /// The filter with its place marked.
  static func html(_ fault: FilterError, _ visit: Visit) -> HTML {
    let octets = Array(fault.text.utf8)
    let place = min(max(0, fault.offset), octets.count)
    // What is wrong reaches to the end of its word.
    let end =
      octets[place...].firstIndex { $0 <= 0x20 || $0 == 0x28 || $0 == 0x29 || $0 == 0x5d }
      ?? octets.count
    let stop = max(end, min(place + 1, octets.count))
    func part(_ range: Range<Int>) -> String { String(decoding: octets[range], as: UTF8.self) }
    let marked = part(place..<stop)
    let mark: HTML = marked.isEmpty ? "<mark>␣</mark>" : "<mark>\(marked)</mark>"
    return """
      <div class="alert" role="alert" id="filter-fault"><p>\
      \(visit.t("flows.fault", ["place": String(characters(before: fault) + 1)])) \
      \(text(fault, visit))</p>
      <pre class="fault">\(part(0..<place))\(mark)\(part(stop..<octets.count))</pre></div>
      """
  }

  /// Characters before the place, as a browser counts them (UTF-16).
  static func characters(before fault: FilterError) -> Int {
    let octets = Array(fault.text.utf8)
    let place = min(max(0, fault.offset), octets.count)
    return String(decoding: octets[..<place], as: UTF8.self).utf16.count
  }

  /// The reason in the visitor's language; in the parser's own words where the catalogue has none.
  static func text(_ fault: FilterError, _ visit: Visit) -> String {
    let message = fault.message
    if let known = visit.platform.catalogue.known("fault.\(message)", visit.language) {
      return known
    }
    for (prefix, key) in [
      ("expected and, or, or the end of the filter, not ", "fault-of.end"),
      ("expected and, or, or ), not ", "fault-of.parenthesis"),
      ("expected a number after ", "fault-of.number"),
      ("expected in, out or nothing before ", "fault-of.in-out"),
    ] where message.hasPrefix(prefix) {
      return visit.t(key, ["word": String(message.dropFirst(prefix.count))])
    }
    for (suffix, key) in [
      (" is no test of this language", "fault-of.no-test"),
      (" is not recorded here and cannot be tested", "fault-of.not-recorded"),
    ] where message.hasSuffix(suffix) {
      return visit.t(key, ["word": String(message.dropLast(suffix.count))])
    }
    return message
  }
}
