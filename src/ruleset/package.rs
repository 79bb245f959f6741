//! What the function starts from: the bundle, `rules.json`, and beside it `rules.index`, the engine's index over the bundle's
//! rules.
//!
//! Compiling rules costs thousands of times what judging a call by them does, and a cold start that matches nothing needs
//! none of them. From a package the engine is ready without one: the index brings up the few rules that a call may concern,
//! and each of those is compiled then, from its own lines of the bundle.
//!
//! The index only ever holds what can be worked out from the bundle, and it is used for that bundle alone, by the sources
//! that wrote it. Whoever finds another has to compile `rules.json` instead: [`RuleSet::packaged`] tells why.

use std::io;
use std::sync::Arc;

use super::bundle_text::{BundleText, Part};
use super::compile;
use super::error::{CountriesFileError, IndexError};
use super::sources::{RuleContext, contexts, steps_of};
use crate::channel::ConfiguredChannel;
use crate::cloudtrail::countries::Countries;
use crate::engine::{
    CandidateIndex, Engine, LoadError, Packed, PackedBytes, PackedU32s, RuleLoader, Unpacker, checksum, number,
    packed_struct,
};
use crate::rules::Rule;
use crate::rules::field::Surroundings;

/// The extension of an index: it is called as its bundle is.
pub const EXTENSION: &str = "index";

/// What an index begins with: its kind, and the fingerprint of the program that wrote it (`build.rs`).
const HEAD: &str = concat!("offlimits index ", env!("OFFLIMITS_FINGERPRINT"), "\n");

/// Bytes of the sum that follows: of all that comes after it. Sums are to find mistakes; who is able to forge a package is able
/// to replace the program. (A SHA-256 would take longer than all the rest of a start.)
const SUM: usize = 8;

/// Whether a function's program is of the version that reads the indexes of this one: it holds what they begin with.
#[cfg(feature = "cli")]
pub fn is_read_by(program: &[u8]) -> bool {
    memchr::memmem::find(program, HEAD.as_bytes()).is_some()
}

/// What an index says of its bundle. Behind it stands the engine's index.
#[derive(Debug)]
struct Contents {
    /// Bytes of the bundle's head, which is all but the steps of what to do first.
    head_length: u64,
    /// The checksum of the head.
    head: u64,
    /// The checksum of what follows it.
    rest: u64,
    /// Bytes of the whole.
    length: u64,
    /// Whether the rules were compiled with a database of countries ([`COUNTRIES`]), and with the names of accounts
    /// ([`ACCOUNTS`]).
    compiled_with: u32,
    /// The digest by which the rules are called.
    digest: PackedBytes,
    /// What stands around the rules of each file.
    contexts: Vec<RuleContext>,
    /// Of each rule the [`PLACE`] numbers that [`RulePlace`] has.
    rules: PackedU32s,
}
packed_struct!(Contents { head_length, head, rest, length, compiled_with, digest, contexts, rules });

const COUNTRIES: u32 = 1;
const ACCOUNTS: u32 = 2;

/// Where a rule stands.
#[derive(Debug)]
struct RulePlace {
    /// The number of its file, among [`Contents::contexts`].
    context: usize,
    /// Its text in the bundle.
    rule: Part,
    /// Its steps; none where it has none.
    steps: Option<Part>,
}

/// Numbers of each rule in [`Contents::rules`]: its file, and where it and its steps begin and end, each with the lower half of its
/// checksum. Steps that begin and end at once are none.
const PLACE: usize = 7;

/// What a package holds, ready to run.
pub(super) struct Package {
    pub(super) engine: Engine,
    pub(super) channels: Vec<ConfiguredChannel>,
    pub(super) digest: Arc<str>,
}

/// The rules of a package, each of which is compiled from its own lines of the bundle.
#[derive(Debug)]
struct PackagedRules {
    bundle: BundleText,
    digest: Arc<str>,
    surroundings: Surroundings,
    contents: Contents,
}

/// The index of rules that were compiled from this bundle; `None` if they were not.
pub(super) fn index_of(engine: &Engine, digest: &str, bundle: &str, countries: Option<&Countries>) -> Option<Vec<u8>> {
    let mut places: Vec<u32> = Vec::new();
    let mut in_order = Vec::new();
    let (head, steps) = steps_of(bundle)?;
    for (number, (context, spans)) in (0_u32..).zip(contexts(bundle)?) {
        in_order.push(context);
        for (id, span) in spans {
            let steps = id.and_then(|id| steps.get(&id).cloned()).unwrap_or_default();
            places.push(number);
            // Steps are placed from the end of the head on.
            for (part, from) in [(span, 0), (steps, head)] {
                places.extend([u32::try_from(part.start).ok()?, u32::try_from(part.end).ok()?]);
                places.push(Part::sum(bundle.get(from + part.start..from + part.end)?.as_bytes()));
            }
        }
    }
    if places.len() != PLACE * engine.rules().len() {
        return None;
    }
    let accounts = engine.names().accounts.as_ref().map_or(0, |_| ACCOUNTS);
    let contents = Contents {
        head_length: head as u64,
        head: checksum(&bundle.as_bytes()[..head]),
        rest: checksum(&bundle.as_bytes()[head..]),
        length: bundle.len() as u64,
        compiled_with: accounts | countries.map_or(0, |_| COUNTRIES),
        digest: digest.as_bytes().to_vec().into(),
        contexts: in_order,
        rules: places.into(),
    };
    let mut packed = Vec::new();
    contents.pack(&mut packed);
    engine.index().pack(&mut packed);
    Some([HEAD.as_bytes(), &checksum(&packed).to_le_bytes(), &packed].concat())
}

/// The rules and channels of a bundle by its index. `countries` gives the bytes of the database, if the rules ask it;
/// `surroundings` is what else they ask.
///
/// # Errors
/// The reason for which the index is not to be used.
pub(super) fn packaged(
    bundle: BundleText,
    index: &'static [u8],
    countries: impl FnOnce() -> io::Result<Vec<u8>>,
    surroundings: Surroundings,
) -> Result<Package, IndexError> {
    let (contents, index) = read(index)?;
    if !contents.is_of(&bundle)? {
        return Err(IndexError::OtherBundle);
    }
    let asks = |what| contents.compiled_with & what != 0;
    let database = || -> Result<Countries, CountriesFileError> { Ok(Countries::read(countries()?)?) };
    let countries = asks(COUNTRIES).then(database).transpose().map_err(IndexError::Countries)?;
    if asks(ACCOUNTS) && surroundings.accounts.is_none() {
        return Err(IndexError::NoAccounts);
    }
    let digest: Arc<str> = std::str::from_utf8(&contents.digest).map_err(|_| IndexError::Damaged)?.into();
    let top = contents.contexts.first().map(RuleContext::without_rules).unwrap_or_default();
    let surroundings = Surroundings { countries, ..surroundings };
    let (_, channels) = compile::part(&top, &digest, &surroundings)?;
    let count = contents.rules.len() / PLACE;
    let names = surroundings.names();
    let rules = PackagedRules { bundle, digest: Arc::clone(&digest), surroundings, contents };
    let engine = Engine::from_index(index, Box::new(rules), count).with_names(names);
    Ok(Package { engine, channels, digest })
}

/// What an index holds: what it says of its bundle, and the engine's index.
fn read(index: &'static [u8]) -> Result<(Contents, CandidateIndex), IndexError> {
    let rest = index.strip_prefix(HEAD.as_bytes()).ok_or(IndexError::OtherVersion)?;
    let (noted, packed) = rest.split_at_checked(SUM).ok_or(IndexError::Damaged)?;
    if *noted != checksum(packed).to_le_bytes() {
        return Err(IndexError::Damaged);
    }
    let mut unpacker = Unpacker::new(packed);
    let contents = Contents::unpack(&mut unpacker).zip(CandidateIndex::unpack(&mut unpacker));
    contents.filter(|_| unpacker.is_at_end()).ok_or(IndexError::Damaged)
}

impl Contents {
    /// Whether they were made of this bundle. Its head is read once from one end to the other for that, and not kept; what follows it is
    /// looked at where it is read.
    fn is_of(&self, bundle: &BundleText) -> Result<bool, IndexError> {
        let head = 0..self.head_length.min(self.length);
        Ok(self.length == bundle.length() && self.head == bundle.sum(head).map_err(IndexError::Bundle)?)
    }

    /// The place of a rule; none where the index has no such rule.
    fn place(&self, rule: usize) -> Option<RulePlace> {
        let numbers = self.rules.get(PLACE.checked_mul(rule)?..)?.get(..PLACE)?;
        let at = |place| u64::from(number(numbers, place));
        let part = |first| Part { range: at(first)..at(first + 1), sum: number(numbers, first + 2) };
        let steps = Some(part(4)).filter(|steps| steps.range.start < steps.range.end);
        Some(RulePlace { context: number(numbers, 0) as usize, rule: part(1), steps })
    }
}

impl PackagedRules {
    /// The text of a bundle that holds the rule of this number alone. Without its steps it is a rule all the same.
    fn part(&self, number: usize) -> Result<String, LoadError> {
        let RulePlace { context, rule, steps } = self.contents.place(number).ok_or(LoadError::NoPlace(number))?;
        let context = self.contents.contexts.get(context).ok_or(LoadError::NoPlace(number))?;
        let rule = self.bundle.part(&rule).map_err(|reason| LoadError::Unreadable(number, reason.into()))?;
        let head = self.contents.head_length;
        let steps = steps.and_then(|Part { range, sum }| {
            let steps = Part { range: head.checked_add(range.start)?..head.checked_add(range.end)?, sum };
            let read = self.bundle.part(&steps);
            read.inspect_err(|reason| self.bundle.tell_that_steps_are_missing(reason)).ok()
        });
        Ok(match steps.as_deref().zip(rule.strip_suffix('}')) {
            // It has an id at least.
            Some((steps, open)) => context.wrap(&[open, ",\"respond\":", steps, "}"].concat()),
            None => context.wrap(&rule),
        })
    }
}

impl RuleLoader for PackagedRules {
    fn load(&self, number: usize) -> Result<Rule, LoadError> {
        let part = self.part(number)?;
        let (rules, _) =
            compile::part(&part, &self.digest, &self.surroundings).map_err(|error| LoadError::Compile(error.into()))?;
        rules.into_iter().next().ok_or(LoadError::NotARule(number))
    }

    fn load_all(&self) -> Result<Vec<Rule>, LoadError> {
        let Contents { head_length, head, rest, length, .. } = self.contents;
        let [head, rest] = [(0..head_length, head), (head_length..length, rest)].map(|part| self.bundle.whole(part));
        let head = head.map_err(|reason| LoadError::NoBundle(reason.into()))?;
        let whole = match rest {
            Ok(rest) => [head, rest].concat(),
            // What is left is closed behind its last key.
            Err(reason) => {
                self.bundle.tell_that_steps_are_missing(&reason);
                [head.trim_end_matches(','), "}"].concat()
            }
        };
        let (rules, _) = compile::part(&whole, &self.digest, &self.surroundings)
            .map_err(|error| LoadError::Compile(error.into()))?;
        Ok(rules)
    }
}

#[cfg(test)]
mod tests {
    use std::ops::Range;
    use std::sync::Mutex;

    use super::*;
    use crate::cloudtrail::RawRecord;
    use crate::cloudtrail::own_resources::OwnResources;
    use crate::ruleset::RuleSet;

    const BUNDLE: &str = r#"{"lists":{"names":["A","B"]},"channels":{"soc":{"type":"slack"}},"runbooks":"https://example.com","time_zone":"Europe/Berlin","sso_start_url":"https://d-1.awsapps.com/start","sso_role":"Read","include":[{"pack":"p","overrides":{"*":{"mode":"stage"},"Q":{"severity":"high"}},"content":{"lists":{"l":["^C$"]},"rules":[{"id":"P","title":"t","severity":"low","when":{"event":"@l"}},{"id":"Q","title":"t","severity":"low","when":{"service":"s","event":"@l"}}]}}],"rules":[{"id":"R","title":"{event}","severity":"low","when":{"event":{"is":"@names"}},"notify":["soc"],"runbook":"R.md"}],"respond":{"P":["Ask {actor}",{"do":"a","run":"aws x --y {user}","when":{"event":"@l"}}],"R":["r"]}}"#;

    fn packaged(bundle: &str) -> (RuleSet, RuleSet) {
        let compiled = RuleSet::compile(bundle).unwrap().rules;
        let index = compiled.index_of(bundle, None).unwrap();
        (
            compiled,
            RuleSet::packaged(bundle.to_owned(), index.leak(), || unreachable!(), OwnResources::default()).unwrap(),
        )
    }

    #[test]
    fn each_rule_of_a_package_is_what_it_is_in_the_whole() {
        let (compiled, packaged) = packaged(BUNDLE);
        assert_eq!(compiled.digest(), packaged.digest());
        assert_eq!(format!("{:?}", compiled.channels()), format!("{:?}", packaged.channels()));
        for (number, rule) in (0_u32..).zip(compiled.rules()) {
            assert_eq!(format!("{rule:?}"), format!("{:?}", packaged.engine.rule(number).unwrap()));
        }
        assert_eq!(format!("{:?}", compiled.rules()), format!("{:?}", packaged.rules()));
        assert_eq!(compiled.rules().len(), 3);
    }

    #[test]
    fn only_what_a_call_may_concern_is_compiled() {
        let (_, packaged) = packaged(BUNDLE);
        let ready = || packaged.engine.compiled_rules().map(|rule| rule.info.id.as_str()).collect::<Vec<_>>();
        let found = |json: &str| {
            let raw = RawRecord { json: json.to_owned(), index: 0, message_id: None, account: None };
            packaged.evaluate(&raw).unwrap().iter().map(|finding| finding.rule.id.clone()).collect::<Vec<_>>()
        };
        assert!(found(r#"{"eventSource":"s","eventName":"Z"}"#).is_empty() && ready().is_empty());
        assert_eq!(found(r#"{"eventSource":"x","eventName":"C"}"#), ["P"]);
        assert_eq!(ready(), ["P"]);
        // What is unusual is read as we would write it.
        assert_eq!(found(r#"{"eventSource":"y","eventName":"C","eventN\u0061me":"\u0041"}"#), ["R"]);
        assert_eq!(ready(), ["R", "P"]);
        // Of what cannot be written otherwise every rule is asked, and none stays that does not match.
        assert_eq!(found(r#"{"eventSource":"s","eventName":["Z","C"]}"#), ["P", "Q"]);
        assert_eq!(ready(), ["R", "P", "Q"]);
        assert!(found(r#"{"eventSource":"s","eventName":["Y","Z"]}"#).is_empty() && ready().len() == 3);
    }

    /// Where a file has been read.
    type Reads = Arc<Mutex<Vec<Range<usize>>>>;

    /// The rules of [`BUNDLE`], which stands in a file with this text, and where the file has been read, behind its head.
    fn in_file(text: &'static str) -> (Result<RuleSet, IndexError>, Reads) {
        let index = RuleSet::compile(BUNDLE).unwrap().rules.index_of(BUNDLE, None).unwrap();
        let reads = Arc::new(Mutex::new(Vec::new()));
        let noted = Arc::clone(&reads);
        let read_at = move |offset, buffer: &mut [u8]| {
            let start = usize::try_from(offset).unwrap();
            let range = start..start + buffer.len();
            buffer.copy_from_slice(text.as_bytes().get(range.clone()).ok_or(io::ErrorKind::UnexpectedEof)?);
            noted.lock().unwrap().push(range);
            Ok(())
        };
        let bundle = BundleText::in_file(text.len() as u64, read_at);
        (RuleSet::packaged(bundle, index.leak(), || unreachable!(), OwnResources::default()), reads)
    }

    fn steps(rules: &RuleSet, json: &str) -> Vec<usize> {
        let raw = RawRecord { json: json.to_owned(), index: 0, message_id: None, account: None };
        rules.evaluate(&raw).unwrap().iter().map(|finding| finding.steps.len()).collect()
    }

    const FOUND: &str = r#"{"eventSource":"x","eventName":"C"}"#;
    const OTHER: &str = r#"{"eventSource":"s","eventName":"Z"}"#;

    #[test]
    fn a_rule_and_its_steps_are_read_when_they_come_into_question() {
        let head = BUNDLE.find(r#""respond""#).unwrap();
        let (rules, reads) = in_file(BUNDLE);
        let rules = rules.unwrap();
        let taken = || std::mem::take(&mut *reads.lock().unwrap());
        // For its sum: once.
        assert!(taken().into_iter().eq(std::iter::once(0..head)));
        assert_eq!((steps(&rules, OTHER), taken()), (vec![], vec![]));
        assert_eq!(steps(&rules, FOUND), [2]);
        let read = taken();
        assert!(
            matches!(&*read, [rule, steps] if BUNDLE[rule.clone()].starts_with(r#"{"id":"P""#) && BUNDLE[steps.clone()].starts_with(r#"["Ask"#)),
            "{read:?}"
        );
        assert_eq!((steps(&rules, FOUND), taken()), (vec![2], vec![]));
        assert_eq!(rules.rules().len(), 3);
    }

    #[test]
    fn steps_that_are_of_other_rules_take_no_alert_away() {
        let (rules, _) = in_file(BUNDLE.replace("Ask", "ask").leak());
        let rules = rules.unwrap();
        assert_eq!(steps(&rules, FOUND), [0]);
        assert_eq!(rules.rules().len(), 3);
    }

    #[test]
    fn a_rule_that_has_changed_since_the_start_is_an_error() {
        let index = RuleSet::compile(BUNDLE).unwrap().rules.index_of(BUNDLE, None).unwrap();
        let text = Arc::new(Mutex::new(BUNDLE.to_owned()));
        let now = Arc::clone(&text);
        let read_at = move |offset, buffer: &mut [u8]| {
            let text = now.lock().unwrap();
            let start = usize::try_from(offset).unwrap();
            buffer.copy_from_slice(&text.as_bytes()[start..start + buffer.len()]);
            Ok(())
        };
        let bundle = BundleText::in_file(BUNDLE.len() as u64, read_at);
        let rules = RuleSet::packaged(bundle, index.leak(), || unreachable!(), OwnResources::default()).unwrap();
        let changed = text.lock().unwrap().replace("\"low\"", "\"LOW\"");
        *text.lock().unwrap() = changed;
        let why = |json: &str| {
            let raw = RawRecord { json: json.to_owned(), index: 0, message_id: None, account: None };
            rules.evaluate(&raw).unwrap_err().to_string()
        };
        assert_eq!(why(FOUND), "rule 1 cannot be read: it is of another rules.json");
        for odd in [r#"{"eventName":"A","eventName":"B"}"#, r#"{"eventName":["A"]}"#] {
            assert_eq!(why(odd), "rule 0 cannot be read: it is of another rules.json");
        }
    }

    #[test]
    fn a_row_with_a_derived_field_alone_is_asked_of_its_calls_alone() {
        let rule =
            |id: &str, cells: &str| format!(r#"{{"id":"{id}","title":"t","severity":"low","when":{{{cells}}}}}"#);
        let rules = [
            rule("ALONE", r#""opened_to_world":{"is":"tcp 22"}"#),
            rule("SERVICE", r#""opened_to_world":{"exists":true},"service":{"is":"ec2.amazonaws.com"}"#),
            rule("NEVER", r#""opened_to_world":{"exists":true},"service":"^s3[.]""#),
            rule("BOTH", r#""opened_to_world":{"exists":true},"instance_type":{"exists":true}"#),
        ];
        let bundle = format!(r#"{{"rules":[{}]}}"#, rules.join(","));
        let ask = |service: &str, event: &str| {
            let (_, packaged) = packaged(&bundle);
            let json = format!(
                r#"{{"eventSource":"{service}","eventName":"{event}","requestParameters":{{"ipProtocol":"tcp","fromPort":22,"toPort":22,"cidrIp":"0.0.0.0/0"}}}}"#
            );
            let found = packaged.evaluate(&RawRecord { json, index: 0, message_id: None, account: None }).unwrap();
            let ready = packaged.engine.compiled_rules().map(|rule| rule.info.id.clone()).collect::<Vec<_>>();
            (found.iter().map(|finding| finding.rule.id.clone()).collect::<Vec<_>>(), ready)
        };
        let ids = |ids: &[&str]| ids.iter().map(|id| (*id).to_owned()).collect::<Vec<_>>();
        let both = ids(&["ALONE", "SERVICE"]);
        assert_eq!(ask("ec2.amazonaws.com", "AuthorizeSecurityGroupIngress"), (both.clone(), both));
        for (service, event) in [
            ("ec2.amazonaws.com", "AuthorizeSecurityGroupEgress"),
            ("s3.amazonaws.com", "AuthorizeSecurityGroupIngress"),
            ("s3.amazonaws.com", "GetObject"),
        ] {
            assert_eq!(ask(service, event), (ids(&[]), ids(&[])), "{service} {event}");
        }
    }

    #[test]
    fn an_index_is_used_for_its_own_bundle_alone() {
        let index = RuleSet::compile(BUNDLE).unwrap().rules.index_of(BUNDLE, None).unwrap();
        let why = |bundle: &str, index: &[u8]| {
            let index = index.to_vec().leak();
            RuleSet::packaged(bundle.to_owned(), index, || unreachable!(), OwnResources::default())
                .unwrap_err()
                .to_string()
        };
        assert_eq!(why(&BUNDLE.replace("\"A\"", "\"D\""), &index), "it is of another rules.json");
        assert_eq!(why(&BUNDLE.replace("Ask", "Please ask"), &index), "it is of another rules.json");
        let other = String::from_utf8_lossy(&index[..HEAD.len()]).replace("index ", "index 0");
        assert_eq!(why(BUNDLE, other.as_bytes()), "another version of offlimits wrote it");
        for place in HEAD.len()..index.len() {
            let mut damaged = index.clone();
            damaged[place] ^= 1;
            assert_eq!(why(BUNDLE, &damaged), "it is damaged", "{place}");
            assert_eq!(why(BUNDLE, &index[..place]), "it is damaged", "{place}");
        }
        assert!(RuleSet::compile(BUNDLE).unwrap().rules.index_of(r#"{"rules":[]}"#, None).is_none());
        // Every byte of the head is looked at.
        let head = BUNDLE.find(r#""respond""#).unwrap();
        for place in 0..head {
            let mut damaged = BUNDLE.as_bytes().to_vec();
            damaged[place] ^= 1;
            let Ok(damaged) = String::from_utf8(damaged) else { continue };
            assert_eq!(why(&damaged, &index), "it is of another rules.json", "{place}");
        }
    }
}
