// Asks before what cannot be undone. Everything works without script; it only adds comfort.
document.addEventListener("submit", (event) => {
  const question = event.target.dataset.confirm;
  if (question && !window.confirm(question)) event.preventDefault();
});

// Texts to copy: the button is there only where the browser can.
for (const button of document.querySelectorAll("button[data-copy]")) {
  if (!navigator.clipboard) continue;
  button.hidden = false;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent);
    button.textContent = button.dataset.done;
  });
}

// The search of flows: the place of a wrong filter, the builder, the window.
for (const form of document.querySelectorAll("form[data-flows]")) {
  const filter = form.elements.filter;
  if (filter.dataset.fault) {
    const place = Number(filter.dataset.fault);
    filter.focus();
    filter.setSelectionRange(place, filter.value.length);
  }
  // A moment that is typed is meant instead of the chosen window.
  for (const name of ["from", "to"]) {
    form.elements[name].addEventListener("input", () => { form.elements.last.value = ""; });
  }
  form.elements.last.addEventListener("change", () => {
    if (form.elements.last.value) form.elements.from.value = form.elements.to.value = "";
  });
  const build = form.querySelector("[data-build]");
  if (!build) continue;
  build.hidden = false;
  build.addEventListener("click", () => {
    const field = (name) => form.elements[name].value.trim();
    const side = { either: "", source: "src ", destination: "dst " };
    const parts = [];
    if (field("address")) {
      const word = field("address").includes("/") ? "net" : "ip";
      parts.push(`${side[field("side")]}${word} ${field("address")}`);
    }
    if (field("port")) parts.push(`${side[field("portside")]}port ${field("port")}`);
    if (field("protocol")) parts.push(`proto ${field("protocol")}`);
    if (!parts.length) return;
    let before = filter.value.trim();
    if (before.includes("#")) before = `(${before}\n)`;
    else if (/\bor\b|\|\|/i.test(before)) before = `(${before})`;
    filter.value = (before ? [before, ...parts] : parts).join(" and ");
    for (const name of ["address", "port", "protocol"]) form.elements[name].value = "";
    filter.focus();
  });
}
