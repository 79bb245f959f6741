// Filters what is shown. What is asked for stands in the page's address, so that it can be sent, and the browser's "back" goes back.
(async () => {
  const one = (selector) => document.querySelector(selector);
  const all = (selector) => Array.from(document.querySelectorAll(selector));
  const section = one("#findings");
  // The sections are reached without a change of the address, which holds the filter.
  for (const link of all('a[href^="#"]')) {
    link.addEventListener("click", (event) => {
      event.preventDefault();
      const place = one(link.getAttribute("href"));
      place.tabIndex = -1;
      place.focus();
      place.scrollIntoView();
    });
  }
  if (!one("#data")) return;

  let findings;
  try {
    findings = new Findings(await unpack(one("#data").content.textContent));
  } catch (error) {
    one(".trouble").hidden = false;
    return;
  }
  one("#data").remove();
  const isWhole = findings.offered === findings.size;
  const written = all(".groups tbody tr").map(groupOfLine);
  const form = one(".filters");
  const { q, rule, account, region, technique, sort } = form.elements;
  const boxes = all("[name=severity]");
  const selects = { rule, account, region, technique };
  const status = one(".shown"), further = one(".further"), chosen = one(".chosen"), rest = one(".rest");
  const tables = { groups: one("table.groups"), findings: one("table.findings") };
  // Lines that are shown at first, and that join them.
  const SHOWN = 25, MORE = 200;
  const SORTS = {
    groups: { severity: "severity", findings: "findings", first: "first time", "-last": "last time, latest first", rule: "rule", actor: "actor", target: "target" },
    findings: { severity: "severity", time: "time", "-time": "time, latest first", rule: "rule", actor: "actor", address: "address" },
  };
  // The columns by which a view is sorted, by their places.
  const HEADINGS = {
    groups: { severity: 0, rule: 1, actor: 2, target: 3, findings: 4, first: 5, "-last": 6 },
    findings: { severity: 0, time: 1, "-time": 1, rule: 2, actor: 3, address: 4 },
  };
  const NOTHING = { q: null, rule: null, account: null, region: null, technique: null, actor: null, target: null, address: null, severity: null, from: null, to: null };
  let state, groups = [], rows = [], lines = [], shown = 0;

  function read() {
    const asked = new URLSearchParams(location.hash.includes("=") ? location.hash.slice(1) : "");
    state = { view: asked.get("view") === "findings" ? "findings" : "groups", sort: "severity", ...NOTHING };
    for (const key of ["q", "rule", "account", "region", "technique", "actor", "target", "address"]) state[key] = asked.get(key);
    const words = asked.get("severity")?.split(",");
    if (words) state.severity = new Set(SEVERITIES.flatMap(([word], rank) => (words.includes(word) ? [rank] : [])));
    for (const key of ["from", "to"]) {
      const time = Date.parse(asked.get(key) ?? "");
      if (Number.isFinite(time)) state[key] = Math.floor(time / 1000);
    }
    if (Object.hasOwn(SORTS[state.view], asked.get("sort"))) state.sort = asked.get("sort");
  }

  function address() {
    const asked = new URLSearchParams();
    for (const [key, value] of Object.entries(state)) {
      if (value === null || (key === "view" && value === "groups") || (key === "sort" && value === "severity")) continue;
      asked.set(key, key === "severity" ? Array.from(value).sort().reverse().map((rank) => SEVERITIES[rank][0]).join(",")
        : key === "from" || key === "to" ? `${moment(value).replace(" ", "T")}Z` : value);
    }
    return `${location.pathname}${location.search}${asked.size ? `#${asked}` : ""}`;
  }

  // Goes on to another view of the findings, to which "back" leads back if `isStep`.
  function go(changes, isStep) {
    state = { ...state, ...changes };
    if (!Object.hasOwn(SORTS[state.view], state.sort)) state.sort = "severity";
    try {
      history[isStep ? "pushState" : "replaceState"](null, "", address());
    } catch (error) {
      // A browser that thinks that the address changes too often; the next change brings it up to date.
    }
    show();
    if (isStep) {
      section.focus({ preventScroll: true });
      section.scrollIntoView();
    }
  }

  function show() {
    const isFiltered = Object.keys(NOTHING).some((key) => state[key] !== null);
    const matching = findings.matching(state);
    const isWritten = !isFiltered && !isWhole;
    const isGroups = state.view === "groups";
    groups = !isGroups ? [] : sortGroups(isWritten ? written.slice() : findings.grouped(matching), state.sort, findings);
    const groupCount = isGroups ? groups.length : findings.groupsOf(matching);
    rows = state.view === "findings" ? findings.ordered(matching, state.sort) : [];
    lines = isGroups ? groups : rows;
    const noun = (count, what) => `${number(count)} ${what}${count === 1 ? "" : "s"}`;
    status.textContent = isWritten ? `All findings, in groups`
      : (isFiltered ? `${number(matching.length)} of ${noun(findings.size, "finding")}` : noun(matching.length, "finding")) + ` in ${noun(groupCount, "group")}`;
    if (isWritten && state.view === "findings") status.textContent = `${noun(findings.size, "finding")}, the most severe`;
    rest.hidden = !(isWritten && state.view === "groups");
    controls();
    for (const [view, table] of Object.entries(tables)) {
      table.hidden = view !== state.view;
      table.tBodies[0].replaceChildren();
      table.setAttribute("aria-rowcount", lines.length + 1);
      Array.from(table.tHead.rows[0].cells, (heading, place) => {
        if (HEADINGS[view][state.sort] !== place) heading.removeAttribute("aria-sort");
        else heading.setAttribute("aria-sort", /^-|^severity|^findings/.test(state.sort) ? "descending" : "ascending");
      });
    }
    shown = 0;
    more(SHOWN);
  }

  // Puts further lines on the page.
  function more(count) {
    const body = tables[state.view].tBodies[0];
    const next = lines.slice(shown, shown + count);
    const open = ({ rule, actor, target }) => go({ view: "findings", sort: "severity", rule, actor, target }, true);
    const only = (changes) => go(changes, true);
    body.append(...next.map((entry) => (state.view === "groups" ? groupLine(findings.described(entry), open) : findingLine(findings, entry, only))));
    shown += next.length;
    const left = lines.length - shown;
    further.hidden = left === 0;
    further.textContent = `Show ${number(Math.min(left, MORE))} more of ${number(left)}`;
    return body.rows[shown - next.length];
  }

  // Has all that filters say what is asked for.
  function controls() {
    if (q.value !== (state.q ?? "") && document.activeElement !== q) q.value = state.q ?? "";
    for (const [key, select] of Object.entries(selects)) {
      select.value = state[key] ?? "";
      // What none of the listed findings has.
      if (select.selectedIndex < 0) {
        select.append(new Option(state[key], state[key]));
        select.value = state[key];
      }
    }
    sort.replaceChildren(...Object.entries(SORTS[state.view]).map(([value, text]) => new Option(text, value)));
    sort.value = state.sort;
    for (const box of boxes) box.checked = state.severity === null || state.severity.has(Number(box.dataset.rank));
    for (const view of all("[data-view]")) view.setAttribute("aria-pressed", view.dataset.view === state.view);
    const chips = ["actor", "target", "address"].filter((key) => state[key] !== null)
      .map((key) => [`${key}: ${state[key] || "(none)"}`, { [key]: null }]);
    if (state.from !== null || state.to !== null) {
      const ends = [state.from, state.to].map((time) => (time === null ? "" : moment(time)));
      chips.push([`${ends[0]} – ${ends[1]}`, { from: null, to: null }]);
    }
    chosen.replaceChildren(...chips.map(([text, changes]) => {
      const chip = button("chip-off", text, () => { go(changes, false); q.focus(); });
      chip.append(element("span", "", " ×"), element("span", "unseen", " (remove this filter)"));
      return chip;
    }));
  }

  function options(select, entries) {
    select.append(...entries.map(([value, text]) => new Option(text, value)));
    if (entries.length < 2) select.closest("label").hidden = true;
  }

  const used = new Set(findings.rule);
  const usedRules = findings.rules.filter((_, place) => used.has(place)).sort((a, b) => collator.compare(a.id, b.id));
  options(rule, usedRules.map(({ id, title }) => [id, title === id ? id : `${id}: ${title}`]));
  for (const key of ["account", "region"]) {
    const names = findings.column[key].texts.filter(Boolean).sort(collator.compare);
    options(selects[key], names.map((name) => [name, name]));
  }
  options(technique, Array.from(new Set(usedRules.flatMap(({ techniques }) => techniques))).sort().map((id) => [id, id]));
  const ranks = new Set(findings.severity);
  for (const box of boxes) box.closest("label").hidden = !ranks.has(Number(box.dataset.rank));

  document.body.classList.add("active");
  for (const hidden of [form, one(".views"), one(".result")]) hidden.hidden = false;
  q.addEventListener("input", () => go({ q: q.value.trim() ? q.value : null }, false));
  for (const [key, select] of Object.entries(selects)) select.addEventListener("change", () => go({ [key]: select.value || null }, false));
  sort.addEventListener("change", () => go({ sort: sort.value }, false));
  for (const box of boxes) {
    box.addEventListener("change", () => {
      const shown = boxes.filter((box) => box.checked).map((box) => Number(box.dataset.rank));
      go({ severity: shown.length === boxes.length ? null : new Set(shown) }, false);
    });
  }
  for (const view of all("[data-view]")) view.addEventListener("click", () => go({ view: view.dataset.view }, false));
  for (const choice of all("button[data-filter]")) {
    const { filter, value } = choice.dataset;
    const wanted = filter === "severity" ? new Set([SEVERITIES.findIndex(([word]) => word === value)]) : value;
    choice.addEventListener("click", () => go({ ...NOTHING, [filter]: wanted }, true));
  }
  for (const bar of all("[data-from]")) {
    bar.addEventListener("click", () => go({ ...NOTHING, from: Number(bar.dataset.from), to: Number(bar.dataset.to) }, true));
  }
  further.addEventListener("click", () => {
    const first = more(MORE);
    first.tabIndex = -1;
    first.focus({ preventScroll: true });
  });
  form.addEventListener("submit", (event) => event.preventDefault());
  // The event "reset" comes before the fields are empty.
  one(".clear").addEventListener("click", (event) => {
    event.preventDefault();
    q.value = "";
    go(NOTHING, false);
  });
  one(".csv").addEventListener("click", () => {
    save(`offlimits-${state.view}.csv`, state.view === "groups" ? groupsAsCsv(findings, groups) : findingsAsCsv(findings, rows));
  });
  one(".copy").addEventListener("click", async (event) => {
    try {
      await navigator.clipboard.writeText(location.href);
      event.target.textContent = "Copied";
    } catch (error) {
      event.target.textContent = "Copy it from the address bar";
    }
    setTimeout(() => { event.target.textContent = "Copy link"; }, 3000);
  });
  addEventListener("popstate", () => {
    read();
    show();
  });
  read();
  q.value = state.q ?? "";
  show();
  if (location.hash.includes("=")) section.scrollIntoView();
  setTimeout(() => findings.warm(), 0);
})();
