// Shows groups and findings. Nothing here makes HTML of text: all of it is put in place as text.

const SEVERITIES = [["low", "Low"], ["medium", "Medium"], ["high", "High"], ["very-high", "Very high"], ["extreme", "Extreme"]];
// Changes of a finding that are shown before its details.
const CHANGES = 3;

function element(name, className, ...children) {
  const made = document.createElement(name);
  if (className) made.className = className;
  made.append(...children.filter((child) => child !== null && child !== ""));
  return made;
}

function button(className, text, action) {
  const made = element("button", className, text);
  made.type = "button";
  made.addEventListener("click", action);
  return made;
}

function cell(className, ...children) {
  const made = element("td", className, ...children);
  made.setAttribute("role", "cell");
  return made;
}

function line(rank, ...cells) {
  const [word, name] = SEVERITIES[rank];
  const made = element("tr", "", cell("", element("span", `badge ${word}`, name)), ...cells);
  made.setAttribute("role", "row");
  made.dataset.rank = rank;
  return made;
}

const part = (className, text) => (text ? element("span", className, text) : null);

// The same line as list.rs makes of a group.
function groupLine(group, open) {
  const count = button("link", number(group.findings), () => open(group));
  count.append(element("span", "unit", group.findings === 1 ? " finding" : " findings"));
  return line(group.rank,
    cell("what", element("strong", "", group.title), part("sentence", group.events), part("failed", group.failed),
      element("span", "rule", group.rule)),
    cell("who", group.actor),
    cell("target", group.target),
    cell("count", count),
    cell("time first", moment(group.first)),
    cell("time last", moment(group.last)),
    cell("where", element("span", "account", group.accounts), element("span", "region", group.regions)),
  );
}

// What a group's line on the page says, which counts findings that are not listed, too.
function groupOfLine(row, place) {
  const text = (selector) => row.querySelector(selector)?.textContent ?? "";
  const { rank, count, first, last } = row.dataset;
  const { rule, actor, target } = row.querySelector(".count button").dataset;
  return {
    rank: Number(rank), rule, title: text("strong"), actor, target, findings: Number(count), place, failed: text(".failed"),
    first: Number(first ?? -1), last: Number(last ?? -1), accounts: text(".account"), regions: text(".region"), events: text(".sentence"), rows: [],
  };
}

function findingLine(findings, row, only) {
  const text = (key) => findings.text(key, row);
  const rule = findings.rules[findings.rule[row]];
  const changes = text("changes").split("\n").filter(Boolean);
  const summary = element("summary", "", "Details", element("span", "unseen", ` of ${text("sentence")}`));
  const details = element("details", "", summary);
  details.addEventListener("toggle", () => details.append(facts(findings, row, only)), { once: true });
  const made = line(findings.severity[row],
    cell("time", moment(findings.time[row])),
    cell("what", element("strong", "", shownTitle(findings, row)), element("span", "sentence", text("sentence")),
      ...changes.slice(0, CHANGES).map((change) => element("span", "change", change)), element("span", "rule", rule.id)),
    cell("who", text("actor")),
    cell("from", text("address")),
    cell("more", details),
  );
  made.dataset.time = findings.time[row];
  return made;
}

function shownTitle(findings, row) {
  const outcome = findings.text("outcome", row);
  return (outcome ? `${outcome}: ` : "") + findings.text("title", row);
}

function recordOf(findings, row) {
  return `${findings.text("file", row)}, record ${findings.record[row]}`;
}

// What a finding's details list.
function facts(findings, row, only) {
  const text = (key) => findings.text(key, row);
  const rule = findings.rules[findings.rule[row]];
  const list = element("dl", "");
  const add = (name, ...value) => list.append(element("dt", "", name), element("dd", "", ...value));
  // What somebody who is woken looks for comes first.
  const steps = text("steps").split("\n").filter(Boolean).map((step) => {
    const [what, command] = step.split("\t");
    return element("li", "", what, ...(command ? [element("br", ""), element("code", "", command)] : []));
  });
  if (steps.length) add("What to do first", element("ol", "", ...steps));
  if (rule.runbook) add("Runbook", anchor(rule.runbook, rule.runbook));
  for (const change of text("changes").split("\n").filter(Boolean).slice(CHANGES)) add("Further", change);
  if (rule.description) add("Why it matters", rule.description);
  for (const column of findings.columns) {
    const value = column.text(row);
    if (column.key === "file") add(column.label, recordOf(findings, row));
    else if (column.key === "request" && row >= findings.withRequest) add(column.label, "left out, to keep this page small");
    else if (column.label && value) add(column.label, column.key === "request" ? element("code", "", value) : value);
  }
  if (rule.techniques.length) add("ATT&CK", rule.techniques.join(", "));
  const link = text("link").replace("{}", () => text("event_id"));
  if (link) add("CloudTrail", anchor(link, "the event in the console"));
  const time = findings.time[row];
  add("Show only", element("span", "only",
    button("link", "this actor", () => only({ actor: text("actor") })),
    button("link", "this address", () => only({ address: text("address") })),
    button("link", "this rule", () => only({ rule: rule.id })),
    ...(time < 0 ? [] : [button("link", "an hour around it", () => only({ from: time - 1800, to: time + 1801 }))]),
  ));
  return list;
}

function anchor(address, text) {
  // The tool makes no other: a link is no place to trust a text.
  if (!/^https?:\/\//i.test(address)) return text;
  const made = element("a", "", text);
  made.href = address;
  made.rel = "noreferrer noopener";
  return made;
}

// A cell of a CSV file, for a spreadsheet, which must not take it for a formula: https://owasp.org/www-community/attacks/CSV_Injection.
// Where the spreadsheet's separator is the semicolon, a cell begins after each of them, quoted or not.
function csvCell(value) {
  const text = String(value).replace(/(^|[;\t\r\n])(\s*["']*)(?=[=+\-@＝＋－＠])/g, "$1$2'");
  return `"${text.replaceAll('"', '""')}"`;
}

// RFC 4180, with the mark by which spreadsheets know UTF-8.
function csv(lines) {
  return "\ufeff" + lines.map((cells) => cells.map(csvCell).join(",") + "\r\n").join("");
}

function groupsAsCsv(findings, groups) {
  const titles = ["Severity", "Rule", "Title", "Actor", "Target", "Findings", "Failed", "First (UTC)", "Last (UTC)", "Accounts", "Regions", "Events"];
  return csv([titles, ...groups.map((entry) => {
    const group = findings.described(entry);
    const { accounts, regions, events } = group.all ?? group;
    return [SEVERITIES[group.rank][0], group.rule, group.title, group.actor, group.target, group.findings, group.failed,
      moment(group.first), moment(group.last), accounts, regions, events];
  })]);
}

function findingsAsCsv(findings, rows) {
  const listed = findings.columns.filter(({ label, key }) => label && key !== "file");
  const titles = ["Severity", "Time (UTC)", "Rule", "Title", "Sentence", "Changes", "Actor", "Target", "Address",
    ...listed.map(({ label }) => label), "Techniques", "Record"];
  return csv([titles, ...rows.map((row) => {
    const text = (key) => findings.text(key, row);
    const rule = findings.rules[findings.rule[row]];
    return [SEVERITIES[findings.severity[row]][0], moment(findings.time[row]), rule.id, shownTitle(findings, row), text("sentence"),
      text("changes").replaceAll("\n", "; "), text("actor"), text("target"), text("address"), ...listed.map(({ key }) => text(key)),
      rule.techniques.join(" "), recordOf(findings, row)];
  })]);
}

function save(name, text) {
  const address = URL.createObjectURL(new Blob([text], { type: "text/csv;charset=utf-8" }));
  const link = element("a", "");
  link.href = address;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}
