//! The texts that rules are made of: `rules.json`, and the packs that it includes.
//!
//! Whoever has files reads them; whoever compiles gets texts. The function gets one text: the bundle, in which every pack
//! stands inside the `include` that names it.

use std::collections::HashMap;
use std::io;
use std::ops::Range;

use super::accounts;
use super::error::{CountriesFileError, PackError};
use super::format;
use crate::cloudtrail::accounts::{Accounts, table};
use crate::cloudtrail::countries::Countries;
use crate::cloudtrail::own_resources::OwnResources;
use crate::cloudtrail::places::Places;
use crate::config::Diagnostic;
use crate::engine::{PackedBytes, packed_struct};
use crate::json::{Member, Node, write_string};
use crate::rules::field::Surroundings;

/// The texts of `rules.json` and of its packs.
#[derive(Debug, Clone)]
pub struct Sources {
    root: String,
    packs: Vec<PackText>,
    /// The text of `accounts.json`, and what is wrong with it.
    accounts: Option<(String, Vec<Diagnostic>)>,
    surroundings: Surroundings,
}

/// A pack, by the name that `include` gives it.
#[derive(Debug, Clone)]
struct PackText {
    name: String,
    /// Its text, or why it could not be read.
    text: Result<String, PackError>,
}

impl Sources {
    /// A `rules.json` that stands alone: one without packs, or a bundle.
    pub fn alone(root: impl Into<String>) -> Self {
        Self { root: root.into(), packs: Vec::new(), accounts: None, surroundings: Surroundings::default() }
    }

    /// A `rules.json` with the packs that it includes. `read` is asked once for each name, as it is written; a reason is
    /// reported where the pack is included.
    pub fn gather(root: impl Into<String>, mut read: impl FnMut(&str) -> Result<String, PackError>) -> Self {
        let root = root.into();
        let mut packs: Vec<PackText> = Vec::new();
        if let Ok(node) = Node::parse(&root) {
            for include in includes(&node) {
                let Some(name) = pack_name(include).filter(|_| include.get("content").is_none()) else { continue };
                if !packs.iter().any(|pack| pack.name == name) {
                    packs.push(PackText { name: name.to_owned(), text: read(name) });
                }
            }
        }
        Self { root, packs, accounts: None, surroundings: Surroundings::default() }
    }

    /// The same with a database of countries, if these texts speak of countries at all. `read` gives its bytes; where there
    /// is no such file, a rule that needs one is an error of its own.
    ///
    /// # Errors
    /// Why it could not be read.
    pub fn with_countries(mut self, read: impl FnOnce() -> io::Result<Vec<u8>>) -> Result<Self, CountriesFileError> {
        let packs = self.packs().filter_map(|(_, text)| text.ok());
        if packs.chain([self.root()]).any(|text| text.contains("country")) {
            self.surroundings.countries = match read() {
                Ok(bytes) => Some(Countries::read(bytes)?),
                Err(error) if error.kind() == io::ErrorKind::NotFound => None,
                Err(error) => return Err(error.into()),
            };
        }
        Ok(self)
    }

    /// The database of countries.
    pub fn countries(&self) -> Option<&Countries> {
        self.surroundings.countries.as_ref()
    }

    /// The same with the databases of addresses, which messages tell of.
    #[must_use]
    pub fn with_places(mut self, places: Places) -> Self {
        self.surroundings.places = Some(places);
        self
    }

    /// The same with the text of `accounts.json`, if there is one. Its mistakes are told when the rules are compiled.
    #[must_use]
    pub fn with_accounts(self, text: Option<String>) -> Self {
        let Some(text) = text else { return self };
        let (accounts, diagnostics) = accounts::read(&text);
        let accounts = Some(Accounts::new(table(&accounts)));
        Self {
            accounts: Some((text, diagnostics)),
            surroundings: Surroundings { accounts, ..self.surroundings },
            ..self
        }
    }

    /// The same with accounts that have been read before.
    #[must_use]
    pub fn with_packaged_accounts(self, accounts: Option<Accounts>) -> Self {
        Self { surroundings: Surroundings { accounts, ..self.surroundings }, ..self }
    }

    /// The names of accounts.
    pub fn accounts(&self) -> Option<&Accounts> {
        self.surroundings.accounts.as_ref()
    }

    /// The mistakes in `accounts.json`.
    pub(super) fn mistakes_of_accounts(&self) -> &[Diagnostic] {
        self.accounts.as_ref().map(|(_, diagnostics)| diagnostics.as_slice()).unwrap_or_default()
    }

    /// The same with what is known of the function's own resources.
    #[must_use]
    pub fn with_own(mut self, own: OwnResources) -> Self {
        self.surroundings.own = own;
        self
    }

    /// What fields ask besides the record.
    pub(super) fn surroundings(&self) -> &Surroundings {
        &self.surroundings
    }

    /// The text of `rules.json`.
    pub fn root(&self) -> &str {
        &self.root
    }

    /// The text of the file that a diagnostic is about: of a pack, of `accounts.json`, or of `rules.json`.
    pub fn text(&self, pack: Option<&str>) -> &str {
        if let Some((text, _)) = self.accounts.as_ref().filter(|_| pack == Some(accounts::FILE)) {
            return text;
        }
        pack.and_then(|name| self.packs().find(|(pack, _)| *pack == name)?.1.ok()).unwrap_or(&self.root)
    }

    /// The packs that were read, in the order of `include`: name and text, or why there is none.
    pub fn packs(&self) -> impl Iterator<Item = (&str, Result<&str, &PackError>)> {
        self.packs.iter().map(|pack| (pack.name.as_str(), pack.text.as_deref()))
    }

    /// One text that holds all that runs, and nothing else: compact, packs inside their `include`, tests left out, and the steps
    /// of what to do first behind everything else, so that a start need not read them; all of it behind the
    /// [format](super::format) that a function must know to read it. The bundle of a bundle is itself. `None` if a text is no JSON.
    pub fn bundle(&self) -> Option<String> {
        let root = Node::parse(&self.root).ok()?;
        let packs: Vec<(&str, Node)> =
            self.packs().map(|(name, text)| Some((name, Node::parse(text.ok()?).ok()?))).collect::<Option<_>>()?;
        let packs: Vec<(&str, &Node)> = packs.iter().map(|(name, node)| (*name, node)).collect();
        let bundle = bundled(&root, &packs);
        let members = bundle.strip_prefix('{')?;
        let comma = if members.starts_with('}') { "" } else { "," };
        Some(format!("{{\"{}\":{}{comma}{members}", format::KEY, format::FORMAT))
    }
}

/// As [`Sources::bundle`], of texts that are parsed, without the format. Every cold start comes through here, for the digest: it
/// copies nothing.
pub(super) fn bundled<'n>(root: &'n Node<'n>, packs: &[(&str, &'n Node<'n>)]) -> String {
    let length = |node: &Node| node.span.len();
    let mut out = String::with_capacity(length(root) + packs.iter().map(|(_, pack)| length(pack)).sum::<usize>());
    let mut steps = Vec::new();
    write_file(&mut out, root, packs, &mut steps);
    // What a bundle has there already.
    let there = root.get(STEPS).and_then(Node::members).unwrap_or_default();
    steps.extend(there.iter().map(|member| (&*member.key, &member.node)));
    if !steps.is_empty() && out.ends_with('}') {
        out.pop();
        out.push_str(if out.ends_with('{') { "" } else { "," });
        out.push_str("\"respond\":{");
        for (index, (id, steps)) in steps.iter().enumerate() {
            out.push_str(if index > 0 { "," } else { "" });
            write_string(&mut out, id);
            out.push(':');
            steps.write_compact(&mut out);
        }
        out.push_str("}}");
    }
    out
}

/// The key of a rule's steps, and of all of them at the end of a bundle.
const STEPS: &str = "respond";

/// The steps of rules, by their ids.
type StepsById<'n> = Vec<(&'n str, &'n Node<'n>)>;

/// A file without what does not run (the editors' schema, the format, and the tests), and without the steps, which join those of
/// the others.
fn write_file<'n>(out: &mut String, file: &'n Node<'n>, packs: &[(&str, &'n Node<'n>)], steps: &mut StepsById<'n>) {
    write_members(out, file, &["$schema", format::KEY, STEPS], |out, member| {
        match (&*member.key, member.node.elements()) {
            ("rules", Some(rules)) => write_elements(out, rules, |out, rule| {
                let own = rule.get("id").and_then(Node::as_str).zip(rule.get(STEPS));
                let left_out: &[&str] = if own.is_some() { &["tests", STEPS] } else { &["tests"] };
                write_members(out, rule, left_out, |out, member| member.node.write_compact(out));
                steps.extend(own);
            }),
            ("include", Some(includes)) => {
                write_elements(out, includes, |out, include| write_include(out, include, packs, steps));
            }
            _ => member.node.write_compact(out),
        }
    });
}

fn write_include<'n>(
    out: &mut String,
    include: &'n Node<'n>,
    packs: &[(&str, &'n Node<'n>)],
    steps: &mut StepsById<'n>,
) {
    let pack = pack_name(include).and_then(|name| packs.iter().find(|(pack, _)| *pack == name));
    let pack = pack.filter(|_| include.get("content").is_none());
    if include.members().is_some() {
        write_members(out, include, &[], |out, member| match &*member.key {
            "content" => write_file(out, &member.node, &[], steps),
            _ => member.node.write_compact(out),
        });
    } else if pack.is_some() {
        out.push_str("{\"pack\":");
        include.write_compact(out);
        out.push('}');
    } else {
        include.write_compact(out);
    }
    if let Some((_, pack)) = pack {
        // The object is open again: it has at least its pack's name.
        out.pop();
        out.push_str(",\"content\":");
        write_file(out, pack, &[], steps);
        out.push('}');
    }
}

/// An object without the members that `left_out` names; anything else as it is.
fn write_members<'n>(
    out: &mut String,
    node: &'n Node<'n>,
    left_out: &[&str],
    mut write: impl FnMut(&mut String, &'n Member<'n>),
) {
    let Some(members) = node.members() else { return node.write_compact(out) };
    out.push('{');
    for (index, member) in members.iter().filter(|member| !left_out.contains(&&*member.key)).enumerate() {
        if index > 0 {
            out.push(',');
        }
        write_string(out, &member.key);
        out.push(':');
        write(out, member);
    }
    out.push('}');
}

fn write_elements<'n>(out: &mut String, elements: &'n [Node<'n>], mut write: impl FnMut(&mut String, &'n Node<'n>)) {
    out.push('[');
    for (index, element) in elements.iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        write(out, element);
    }
    out.push(']');
}

/// What a bundle holds around the rules of one of its files, so that each of them can be compiled alone.
#[derive(Debug)]
pub(super) struct RuleContext {
    before: PackedBytes,
    after: PackedBytes,
}
packed_struct!(RuleContext { before, after });

impl RuleContext {
    fn new(before: &str, after: &str) -> Self {
        Self { before: before.as_bytes().to_vec().into(), after: after.as_bytes().to_vec().into() }
    }

    /// What stands before and behind the rules. (An index that holds no text there makes no bundle, which compiling it tells.)
    fn texts(&self) -> [&str; 2] {
        [&self.before, &self.after].map(|bytes| std::str::from_utf8(bytes).unwrap_or_default())
    }

    /// The text of a bundle that holds this rule alone.
    pub(super) fn wrap(&self, rule: &str) -> String {
        let [before, after] = self.texts();
        [before, "\"rules\":[", rule, "]", after].concat()
    }

    /// The text of a bundle that holds no rule.
    pub(super) fn without_rules(&self) -> String {
        let [before, after] = self.texts();
        [before.trim_end_matches(','), after].concat()
    }
}

/// A rule's id, and where it stands in a bundle.
type RuleSpan = (Option<String>, Range<usize>);

/// Bytes of a bundle before the steps of its rules, and where those of each rule stand behind that, by the rules' ids. `None` if the
/// text is not a bundle.
pub(super) fn steps_of(bundle: &str) -> Option<(usize, HashMap<String, Range<usize>>)> {
    let root = Node::parse(bundle).ok()?;
    let Some(member) = root.members()?.iter().find(|member| member.key == STEPS) else {
        return Some((bundle.len(), HashMap::new()));
    };
    let head = member.key_span.start;
    let spans = member.node.members()?.iter().map(|steps| {
        let Range { start, end } = steps.node.span;
        (steps.key.clone().into_owned(), start - head..end - head)
    });
    Some((head, spans.collect()))
}

/// For each file in a bundle, `rules.json` first, the context of its rules and where each of them stands. `None` if the text is
/// not a bundle.
pub(super) fn contexts(bundle: &str) -> Option<Vec<(RuleContext, Vec<RuleSpan>)>> {
    let root = Node::parse(bundle).ok()?;
    let spans = |file: &Node| {
        let rules = file.get("rules").and_then(Node::elements).into_iter().flatten();
        rules.map(|rule| (rule.get("id").and_then(Node::as_str).map(str::to_owned), rule.span.clone())).collect()
    };
    let open = |out: &mut String, node: &Node, left_out: &[&str]| {
        write_members(out, node, left_out, |out, member| member.node.write_compact(out));
        // The object stays open for what comes.
        out.pop();
        if !out.ends_with('{') {
            out.push(',');
        }
    };
    let mut before = String::new();
    open(&mut before, &root, &["rules", "include", STEPS]);
    let mut contexts = vec![(RuleContext::new(&before, "}"), spans(&root))];
    for include in includes(&root) {
        let content = include.get("content")?;
        let mut before = before.clone();
        before.push_str("\"include\":[");
        open(&mut before, include, &["content"]);
        before.push_str("\"content\":");
        open(&mut before, content, &["rules"]);
        contexts.push((RuleContext::new(&before, "}}]}"), spans(content)));
    }
    Some(contexts)
}

/// The elements of `include`.
pub(super) fn includes<'n>(root: &'n Node<'n>) -> &'n [Node<'n>] {
    root.get("include").and_then(Node::elements).unwrap_or_default()
}

/// The name of the pack that an element of `include` names.
pub(super) fn pack_name<'n>(include: &'n Node<'_>) -> Option<&'n str> {
    include.as_str().or_else(|| include.get("pack")?.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bundle_holds_all_that_runs_and_is_its_own_bundle() {
        let root = r#"{ "$schema": "x", "include": [ "a.json", { "pack": "b.json", "overrides": {"*": {"mode": "off"}} } ],
                        "rules": [ { "id": "R", "respond": ["r"], "tests": [1] } ] }"#;
        let steps = r#","respond":["s"]"#;
        let sources = Sources::gather(root, |name| {
            let steps = if name == "a.json" { steps } else { "" };
            Ok(format!(r#"{{"rules":[{{"id":"{name}"{steps},"tests":[2]}}]}}"#))
        });
        let bundle = sources.bundle().unwrap();
        assert_eq!(
            bundle,
            r#"{"needs":4,"include":[{"pack":"a.json","content":{"rules":[{"id":"a.json"}]}},"#.to_owned()
                + r#"{"pack":"b.json","overrides":{"*":{"mode":"off"}},"content":{"rules":[{"id":"b.json"}]}}],"#
                + r#""rules":[{"id":"R"}],"respond":{"a.json":["s"],"R":["r"]}}"#
        );
        let again = Sources::gather(bundle.as_str(), |name| {
            Err(PackError::new(format!("{name} is asked for, and stands inside")))
        });
        assert_eq!(again.packs().count(), 0);
        assert_eq!(again.bundle().unwrap(), bundle);
    }

    #[test]
    fn a_pack_is_asked_for_once_and_its_text_is_found_by_its_name() {
        let mut asked = Vec::new();
        let sources = Sources::gather(r#"{"include":["a","b","a"]}"#, |name| {
            asked.push(name.to_owned());
            if name == "a" { Ok("{}".to_owned()) } else { Err(PackError::new("no such file")) }
        });
        assert_eq!(asked, ["a", "b"]);
        assert_eq!(sources.text(Some("a")), "{}");
        assert_eq!(sources.text(None), sources.root());
        assert_eq!(sources.bundle(), None);
        assert_eq!(Sources::gather("{", |_| unreachable!()).packs().count(), 0);
    }

    #[test]
    fn countries_are_read_where_rules_speak_of_them() {
        let speaking = || Sources::alone(r#"{"country"}"#);
        assert!(Sources::alone("{}").with_countries(|| unreachable!()).is_ok());
        assert!(speaking().with_countries(|| Err(io::ErrorKind::NotFound.into())).unwrap().countries().is_none());
        assert!(speaking().with_countries(|| Err(io::ErrorKind::PermissionDenied.into())).is_err());
        assert!(speaking().with_countries(|| Ok(b"no database".to_vec())).is_err());
    }
}
