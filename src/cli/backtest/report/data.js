"use strict";
// Reads the findings that the page carries, and filters, sorts and groups them. They are columns: in each a text stands once, and a
// row has its place. So a word is looked for in each text once, be it that of ten thousand findings.

// The JSON in the page: gzip, written in base64.
async function unpack(base64) {
  const binary = atob(base64);
  const bytes = new Uint8Array(binary.length);
  for (let place = 0; place < binary.length; place++) bytes[place] = binary.charCodeAt(place);
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return JSON.parse(await new Response(stream).text());
}

// Each number was written less the one before it.
function summed(differences) {
  let sum = 0;
  return Float64Array.from(differences, (difference) => sum += difference);
}

const collator = new Intl.Collator("en", { numeric: true });

class Column {
  constructor({ key, label, texts, rows }) {
    Object.assign(this, { key, label, texts, rows: Int32Array.from(summed(rows)) });
  }

  text(row) {
    return this.texts[this.rows[row]];
  }

  // Which of the texts have a word in them; null if none has.
  marks(word) {
    this.lower ??= this.texts.map((text) => text.toLowerCase());
    const marks = new Uint8Array(this.texts.length);
    let isAny = false;
    this.lower.forEach((text, place) => {
      if (text.includes(word)) marks[place] = isAny = true;
    });
    return isAny ? marks : null;
  }

  // The rank of each text among all, by its letters.
  get ranks() {
    if (!this.sorted) {
      this.sorted = new Int32Array(this.texts.length);
      const places = Array.from(this.texts.keys()).sort((a, b) => collator.compare(this.texts[a], this.texts[b]));
      places.forEach((place, rank) => { this.sorted[place] = rank; });
    }
    return this.sorted;
  }
}

// "2025-03-03 11:05:00"
function moment(seconds) {
  return seconds >= 0 ? new Date(seconds * 1000).toISOString().slice(0, 19).replace("T", " ") : "no time";
}

// Filters by the whole text of a column.
const EXACT = ["actor", "target", "address", "account", "region"];
// A word that may be a part of a day or a time.
const MOMENT = /^[\d:-]{4,}$/;

class Findings {
  constructor(data) {
    this.offered = data.offered;
    this.rules = data.rules;
    this.withRequest = data.with_request;
    this.severity = Int8Array.from(summed(data.severity));
    this.time = summed(data.time);
    this.rule = Int32Array.from(summed(data.rule));
    this.record = summed(data.record);
    this.columns = data.columns.map((column) => new Column(column));
    this.column = Object.fromEntries(this.columns.map((column) => [column.key, column]));
    this.size = this.severity.length;
    this.all = Array.from(this.severity.keys());
    const ids = Array.from(this.rules.keys()).sort((a, b) => collator.compare(this.rules[a].id, this.rules[b].id));
    this.ruleRank = new Int32Array(this.rules.length);
    ids.forEach((place, rank) => { this.ruleRank[place] = rank; });
    this.group();
  }

  text(key, row) {
    return this.column[key].text(row);
  }

  // Puts each row into its group: what a row's rule, actor and target are, no filter changes.
  group() {
    const { actor, target } = this.column;
    const groups = new Map();
    this.groupOf = Array.from(this.all, (row) => {
      const key = (this.rule[row] * actor.texts.length + actor.rows[row]) * target.texts.length + target.rows[row];
      let group = groups.get(key);
      if (!group) {
        group = { place: this.rule[row], rule: this.rules[this.rule[row]].id, actor: actor.text(row), target: target.text(row), rows: [] };
        groups.set(key, group);
      }
      return group;
    });
  }

  // What takes a while once is ready when somebody asks for it.
  warm() {
    for (const column of this.columns) column.marks(" ");
    for (const key of ["actor", "target", "address"]) this.column[key].ranks;
  }

  // Whether each row has a word in one of its texts, in what its rule says, or in its time.
  having(word) {
    const has = new Uint8Array(this.size);
    for (const column of this.columns) {
      const marks = column.key === "link" ? null : column.marks(word);
      if (!marks) continue;
      const { rows } = column;
      for (let row = 0; row < has.length; row++) has[row] |= marks[rows[row]];
    }
    const rules = this.rules.map(({ id, title, description }) => `${id}\n${title}\n${description}`.toLowerCase().includes(word));
    for (let row = 0; row < has.length; row++) has[row] |= rules[this.rule[row]];
    if (MOMENT.test(word)) {
      this.moments ??= Array.from(this.time, moment);
      this.moments.forEach((moment, row) => { has[row] |= moment.includes(word); });
    }
    return has;
  }

  // The rows that a filter lets through: the worst first, of these the earliest.
  matching(filter) {
    const tests = (filter.q ?? "").toLowerCase().split(/\s+/).filter(Boolean).map((word) => {
      const has = this.having(word);
      return (row) => has[row];
    });
    for (const key of EXACT) {
      if (filter[key] === null) continue;
      const { rows, texts } = this.column[key];
      // -1, which no row has, where no listed finding has this text.
      const place = texts.indexOf(filter[key]);
      tests.push((row) => rows[row] === place);
    }
    const byRule = (is) => {
      const marks = this.rules.map(is);
      tests.push((row) => marks[this.rule[row]]);
    };
    if (filter.rule !== null) byRule(({ id }) => id === filter.rule);
    if (filter.technique !== null) byRule(({ techniques }) => techniques.includes(filter.technique));
    if (filter.severity !== null) tests.push((row) => filter.severity.has(this.severity[row]));
    if (filter.from !== null) tests.push((row) => this.time[row] >= filter.from);
    if (filter.to !== null) tests.push((row) => this.time[row] >= 0 && this.time[row] < filter.to);
    return tests.reduce((rows, test) => rows.filter(test), this.all);
  }

  // The rows in another order.
  ordered(rows, sort) {
    if (sort === "severity") return rows;
    const column = this.column[sort];
    const rank = sort === "time" ? (row) => early(this.time[row])
      : sort === "-time" ? (row) => -this.time[row]
      : sort === "rule" ? (row) => this.ruleRank[this.rule[row]]
      : (row) => column.ranks[column.rows[row]];
    const ranks = new Float64Array(this.size);
    for (const row of rows) ranks[row] = rank(row);
    return rows.slice().sort((a, b) => plain(ranks[a], ranks[b]) || a - b);
  }

  // The groups of these rows, counted: the worst first, of these the largest, of these the earliest.
  grouped(rows) {
    const { outcome } = this.column;
    const groups = new Set();
    for (const row of rows) {
      const group = this.groupOf[row];
      const time = this.time[row];
      if (!groups.has(group)) {
        groups.add(group);
        Object.assign(group, { rank: this.severity[row], findings: 0, failed: 0, first: -1, last: -1, rows: [] });
      }
      group.rows.push(row);
      group.findings++;
      if (outcome.rows[row]) group.failed++;
      if (time >= 0) {
        if (group.first < 0 || time < group.first) group.first = time;
        if (time > group.last) group.last = time;
      }
    }
    return Array.from(groups);
  }

  // How many groups these rows are of.
  groupsOf(rows) {
    return new Set(rows.map((row) => this.groupOf[row])).size;
  }

  // What a line says of a group beyond its figures.
  described(group) {
    if (!group.rows.length) return group;
    const titles = new Set(group.rows.map((row) => this.text("title", row)));
    const names = (key) => Array.from(new Set(group.rows.map((row) => this.text(key, row) || "(none)"))).sort();
    const [accounts, regions, events] = ["account", "region", "event"].map(names);
    return {
      ...group, title: titles.size > 1 ? this.rules[group.place].title : titles.values().next().value, failed: failed(group),
      accounts: some(accounts), regions: some(regions), events: events.length > 1 ? some(events) : "",
      all: { accounts: accounts.join("; "), regions: regions.join("; "), events: events.join("; ") },
    };
  }
}

const number = (count) => count.toLocaleString("en-US");
const plain = (a, b) => (a < b ? -1 : a > b ? 1 : 0);
const early = (time) => (time < 0 ? Infinity : time);
const worst = (a, b) => b.rank - a.rank || b.findings - a.findings || plain(early(a.first), early(b.first))
  || a.place - b.place || plain(a.actor, b.actor) || plain(a.target, b.target);

// How groups may be sorted.
const BY_GROUP = {
  severity: worst,
  findings: (a, b) => b.findings - a.findings || worst(a, b),
  first: (a, b) => plain(early(a.first), early(b.first)) || worst(a, b),
  "-last": (a, b) => b.last - a.last || worst(a, b),
  rule: (a, b) => collator.compare(a.rule, b.rule) || worst(a, b),
  actor: (a, b) => collator.compare(a.actor, b.actor) || worst(a, b),
  target: (a, b) => collator.compare(a.target, b.target) || worst(a, b),
};

// Sorts groups. What letters decide is looked up: to compare 20,000 names takes a second.
function sortGroups(groups, sort, findings) {
  const ranks = {
    rule: ({ place }) => findings.ruleRank[place],
    actor: ({ rows: [row] }) => findings.column.actor.ranks[findings.column.actor.rows[row]],
    target: ({ rows: [row] }) => findings.column.target.ranks[findings.column.target.rows[row]],
  };
  const rank = ranks[sort];
  if (!rank || !groups[0]?.rows.length) return groups.sort(BY_GROUP[sort]);
  const sorted = groups.map((group) => ({ group, rank: rank(group) }));
  return sorted.sort((a, b) => a.rank - b.rank || worst(a.group, b.group)).map(({ group }) => group);
}

// "2 of 5 failed"
function failed({ failed, findings }) {
  if (!failed) return "";
  if (failed < findings) return `${number(failed)} of ${number(findings)} failed`;
  return findings === 1 ? "failed" : "all failed";
}

// "a, b, c and 2 more"
function some(names) {
  return names.slice(0, 3).join(", ") + (names.length > 3 ? ` and ${names.length - 3} more` : "");
}
