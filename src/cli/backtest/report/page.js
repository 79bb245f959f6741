"use strict";
// Filters and sorts the table. All text of the page stands in its HTML: nothing here makes HTML of text.
(() => {
  const form = document.querySelector(".filters");
  if (!form) return;
  document.body.classList.add("active");
  form.hidden = false;
  const body = document.querySelector(".findings tbody");
  const rows = Array.from(body.rows, (row, order) => ({
    row, order, text: row.textContent.toLowerCase(), rank: Number(row.dataset.rank), time: Number(row.dataset.time),
  }));
  const { text, rule, sort } = form.elements;
  const chosen = form.querySelector(".chosen");
  const status = document.querySelector(".shown");
  const headings = document.querySelectorAll(".findings th[data-key]");
  let span = null;

  const compare = {
    severity: (a, b) => b.rank - a.rank || a.time - b.time,
    time: (a, b) => a.time - b.time,
    "-time": (a, b) => b.time - a.time,
    ...Object.fromEntries(["rule", "actor", "address"].map((key) =>
      [key, (a, b) => a.row.dataset[key].localeCompare(b.row.dataset[key], "en", { numeric: true })])),
  };

  function filter() {
    const words = text.value.toLowerCase().split(/\s+/).filter(Boolean);
    const severities = new Set(Array.from(form.querySelectorAll("[name=severity]:checked"), (box) => box.value));
    let shown = 0;
    for (const { row, text, time } of rows) {
      const fits = severities.has(row.dataset.severity)
        && (!rule.value || row.dataset.rule === rule.value)
        && (!span || (time >= span.from && time < span.to))
        && words.every((word) => text.includes(word));
      row.hidden = !fits;
      shown += fits;
    }
    chosen.hidden = !span;
    if (span) chosen.firstElementChild.textContent = span.label;
    const number = (count) => count.toLocaleString("en-US");
    status.textContent = shown === rows.length
      ? `${number(shown)} finding${shown === 1 ? "" : "s"}`
      : `${number(shown)} of ${number(rows.length)} findings`;
  }

  function order() {
    rows.sort((a, b) => compare[sort.value](a, b) || a.order - b.order);
    body.append(...rows.map(({ row }) => row));
    const [, descending, key] = sort.value.match(/^(-?)(.*)$/);
    for (const heading of headings) {
      const direction = descending || key === "severity" ? "descending" : "ascending";
      if (heading.dataset.key === key) heading.setAttribute("aria-sort", direction);
      else heading.removeAttribute("aria-sort");
    }
  }

  function within(from, to, label) {
    span = { from: Number(from), to: Number(to), label };
    filter();
    document.getElementById("findings").scrollIntoView();
  }

  for (const bar of document.querySelectorAll(".bar")) {
    const label = bar.querySelector("title").textContent.replace(/: [^:]*$/, "");
    bar.addEventListener("click", () => within(bar.dataset.from, bar.dataset.to, label));
  }
  for (const button of document.querySelectorAll("button[data-from]")) {
    button.addEventListener("click", () => within(button.dataset.from, button.dataset.to, button.textContent));
  }
  for (const button of document.querySelectorAll("button[data-filter]")) {
    button.addEventListener("click", () => {
      const field = button.dataset.filter === "rule" ? rule : text;
      field.value = button.dataset.value;
      // A rule that none of the listed findings is of has no option.
      if (field === rule && rule.selectedIndex < 0) rule.value = "";
      filter();
      document.getElementById("findings").scrollIntoView();
    });
  }
  chosen.addEventListener("click", () => { span = null; filter(); text.focus(); });
  text.addEventListener("input", filter);
  form.addEventListener("change", (event) => event.target === sort ? order() : filter());
  form.addEventListener("submit", (event) => event.preventDefault());
  // The event "reset" comes before the fields are empty.
  form.querySelector(".clear").addEventListener("click", (event) => {
    event.preventDefault();
    form.reset();
    span = null;
    order();
    filter();
  });
  order();
  filter();
})();
