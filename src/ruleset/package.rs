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

use serde::{Deserialize, Serialize};

use super::bundle_text::BundleText;
use super::compile;
use super::error::{CountriesFileError, IndexError};
use super::sources::{RuleContext, contexts, steps_of};
use crate::channel::ConfiguredChannel;
use crate::cloudtrail::countries::Countries;
use crate::engine::{CandidateIndex, Engine, LoadError, PackedU32s, RuleLoader, checksum};
use crate::rules::Rule;
use crate::rules::field::Surroundings;

/// The extension of an index: it is called as its bundle is.
pub const EXTENSION: &str = "index";

/// What an index begins with: its kind, and the fingerprint of the program that wrote it (`build.rs`).
const HEAD: &str = concat!("offlimits index ", env!("OFFLIMITS_FINGERPRINT"), "\n");

/// Bytes of the sum that follows: of all that comes after it. Sums are to find mistakes; who is able to forge a package is able
/// to replace the program. (A SHA-256 would take longer than all the rest of a start.)
const SUM: usize = 8;

/// Bytes of the number that follows: how long the bundle's head is.
const LENGTH: usize = 8;

/// Bytes of the bundle that are read at the start: what follows are the steps of what to do first, which a rule asks for when it comes into
/// question. `None`
/// if this program does not read the index.
pub fn head_length(index: &[u8]) -> Option<usize> {
    let rest = index.strip_prefix(HEAD.as_bytes())?.get(SUM..)?;
    usize::try_from(u64::from_le_bytes(*rest.first_chunk::<LENGTH>()?)).ok()
}

/// Whether a function's program is of the version that reads the indexes of this one: it holds what they begin with.
#[cfg(feature = "cli")]
pub fn is_read_by(program: &[u8]) -> bool {
    memchr::memmem::find(program, HEAD.as_bytes()).is_some()
}

/// What an index holds.
#[derive(Debug, Serialize, Deserialize)]
struct Contents<I> {
    /// The checksum of the bundle's head.
    head: u64,
    /// The checksum of what follows it.
    rest: u64,
    /// Bytes of the whole.
    length: u64,
    /// The digest by which the rules are called.
    digest: String,
    /// Whether the rules were compiled with a database of countries.
    countries: bool,
    /// Whether they were compiled with the names of accounts.
    accounts: bool,
    /// What stands around the rules of each file.
    contexts: Vec<RuleContext>,
    /// Of each rule, its file's place in `contexts`, where it begins and ends in the bundle's head, and where its steps do in the
    /// rest (nowhere: there are none).
    rules: PackedU32s,
    index: I,
}

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
    /// Bytes of its head, and the checksum of the rest.
    head: usize,
    rest: u64,
    digest: Arc<str>,
    surroundings: Surroundings,
    contexts: Vec<RuleContext>,
    places: PackedU32s,
}

/// Numbers of each rule in [`Contents::rules`].
const PLACE: usize = 5;

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
            for place in [span.start, span.end, steps.start, steps.end] {
                places.push(place.try_into().ok()?);
            }
        }
    }
    if places.len() != PLACE * engine.rules().len() {
        return None;
    }
    let contents = Contents {
        head: checksum(&bundle.as_bytes()[..head]),
        rest: checksum(&bundle.as_bytes()[head..]),
        length: bundle.len() as u64,
        digest: digest.to_owned(),
        countries: countries.is_some(),
        accounts: engine.names().accounts.is_some(),
        contexts: in_order,
        rules: places.into(),
        index: engine.index(),
    };
    let contents = [(head as u64).to_le_bytes().to_vec(), postcard::to_allocvec(&contents).ok()?].concat();
    Some([HEAD.as_bytes(), &checksum(&contents).to_le_bytes(), &contents].concat())
}

/// The rules and channels of a bundle by its index. `countries` gives the bytes of the database, if the rules ask it;
/// `surroundings` is what else they ask.
///
/// # Errors
/// The reason for which the index is not to be used.
pub(super) fn packaged(
    bundle: BundleText,
    index: &[u8],
    countries: impl FnOnce() -> io::Result<Vec<u8>>,
    surroundings: Surroundings,
) -> Result<Package, IndexError> {
    let (head, contents) = contents(&bundle, index)?;
    let database = || -> Result<Countries, CountriesFileError> { Ok(Countries::read(countries()?)?) };
    let countries = contents.countries.then(database).transpose().map_err(IndexError::Countries)?;
    if contents.accounts && surroundings.accounts.is_none() {
        return Err(IndexError::NoAccounts);
    }
    let digest: Arc<str> = contents.digest.as_str().into();
    let top = contents.contexts.first().map(RuleContext::without_rules).unwrap_or_default();
    let surroundings = Surroundings { countries, ..surroundings };
    let (_, channels) = compile::part(&top, &digest, &surroundings)?;
    let Contents { contexts, rules: places, index, rest, .. } = contents;
    let count = places.len() / PLACE;
    let names = surroundings.names();
    let rules = PackagedRules { bundle, head, rest, digest: Arc::clone(&digest), surroundings, contexts, places };
    let engine = Engine::from_index(index, Box::new(rules), count).with_names(names);
    Ok(Package { engine, channels, digest })
}

/// How long the bundle's head is, and what its index holds.
fn contents(bundle: &BundleText, index: &[u8]) -> Result<(usize, Contents<CandidateIndex>), IndexError> {
    let rest = index.strip_prefix(HEAD.as_bytes()).ok_or(IndexError::OtherVersion)?;
    let (noted, rest) = rest.split_at_checked(SUM).ok_or(IndexError::Damaged)?;
    if *noted != checksum(rest).to_le_bytes() {
        return Err(IndexError::Damaged);
    }
    let (length, rest) = rest.split_first_chunk::<LENGTH>().ok_or(IndexError::Damaged)?;
    let contents: Contents<CandidateIndex> = postcard::from_bytes(rest).map_err(|_| IndexError::Damaged)?;
    let length = usize::try_from(u64::from_le_bytes(*length)).map_err(|_| IndexError::Damaged)?;
    let (head, rest) = bundle.head.as_bytes().split_at_checked(length).ok_or(IndexError::OtherBundle)?;
    // Of a text that is there whole, the rest can be looked at now.
    let is_its_own = contents.head == checksum(head)
        && contents.length == bundle.length()
        && (rest.is_empty() || contents.rest == checksum(rest));
    if is_its_own { Ok((length, contents)) } else { Err(IndexError::OtherBundle) }
}

impl PackagedRules {
    /// The text of a bundle that holds the rule of this number alone; none where the index has no such place. Without its steps
    /// it is a rule all the same.
    fn part(&self, number: usize) -> Option<String> {
        let &[context, start, end, steps_start, steps_end] =
            self.places.get(PLACE * number..PLACE * (number + 1)).unwrap_or_default()
        else {
            return None;
        };
        let context = self.contexts.get(context as usize)?;
        let rule = self.bundle.head.get(start as usize..end as usize)?;
        let rest = (steps_start < steps_end).then(|| self.bundle.rest(self.head, self.rest)).flatten();
        let steps = rest.and_then(|rest| rest.get(steps_start as usize..steps_end as usize));
        Some(match steps.zip(rule.strip_suffix('}')) {
            // It has an id at least.
            Some((steps, open)) => context.wrap(&[open, ",\"respond\":", steps, "}"].concat()),
            None => context.wrap(rule),
        })
    }
}

impl RuleLoader for PackagedRules {
    fn load(&self, number: usize) -> Result<Rule, LoadError> {
        let part = self.part(number).ok_or(LoadError::NoPlace(number))?;
        let (rules, _) =
            compile::part(&part, &self.digest, &self.surroundings).map_err(|error| LoadError::Compile(error.into()))?;
        rules.into_iter().next().ok_or(LoadError::NotARule(number))
    }

    fn load_all(&self) -> Result<Vec<Rule>, LoadError> {
        let head = self.bundle.head.get(..self.head).unwrap_or_default();
        let whole = match self.bundle.rest(self.head, self.rest) {
            Some(rest) => [head, rest].concat(),
            // What is left is closed behind its last key.
            None => [head.trim_end_matches(','), "}"].concat(),
        };
        let (rules, _) = compile::part(&whole, &self.digest, &self.surroundings)
            .map_err(|error| LoadError::Compile(error.into()))?;
        Ok(rules)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cloudtrail::RawRecord;
    use crate::cloudtrail::own_resources::OwnResources;
    use crate::ruleset::RuleSet;

    const BUNDLE: &str = r#"{"lists":{"names":["A","B"]},"channels":{"soc":{"type":"slack"}},"runbooks":"https://example.com","time_zone":"Europe/Berlin","sso_start_url":"https://d-1.awsapps.com/start","sso_role":"Read","include":[{"pack":"p","overrides":{"*":{"mode":"stage"},"Q":{"severity":"high"}},"content":{"lists":{"l":["^C$"]},"rules":[{"id":"P","title":"t","severity":"low","when":{"event":"@l"}},{"id":"Q","title":"t","severity":"low","when":{"service":"s","event":"@l"}}]}}],"rules":[{"id":"R","title":"{event}","severity":"low","when":{"event":{"is":"@names"}},"notify":["soc"],"runbook":"R.md"}],"respond":{"P":["Ask {actor}",{"do":"a","run":"aws x --y {user}","when":{"event":"@l"}}],"R":["r"]}}"#;

    fn packaged(bundle: &str) -> (RuleSet, RuleSet) {
        let compiled = RuleSet::compile(bundle).unwrap().rules;
        let index = compiled.index_of(bundle, None).unwrap();
        (compiled, RuleSet::packaged(bundle.to_owned(), &index, || unreachable!(), OwnResources::default()).unwrap())
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
        // What is unusual asks every rule.
        assert_eq!(found(r#"{"eventName":"A","eventName":"B"}"#), ["R"]);
        assert_eq!(ready(), ["P", "R", "P", "Q"]);
    }

    #[test]
    fn the_steps_are_read_when_a_finding_asks_for_them() {
        use std::sync::Arc;
        use std::sync::atomic::{AtomicUsize, Ordering};
        let index = RuleSet::compile(BUNDLE).unwrap().rules.index_of(BUNDLE, None).unwrap();
        let head = head_length(&index).unwrap();
        assert!(BUNDLE[head..].starts_with(r#""respond""#));
        let start = |rest: &'static str| {
            let reads = Arc::new(AtomicUsize::new(0));
            let counted = Arc::clone(&reads);
            let read = move || {
                counted.fetch_add(1, Ordering::Relaxed);
                Ok(rest.to_owned())
            };
            let text = BundleText::with_rest(BUNDLE[..head].to_owned(), (BUNDLE.len() - head) as u64, read);
            (RuleSet::packaged(text, &index, || unreachable!(), OwnResources::default()).unwrap(), reads)
        };
        let asked = |rules: &RuleSet, json: &str| {
            let raw = RawRecord { json: json.to_owned(), index: 0, message_id: None, account: None };
            rules.evaluate(&raw).map(|findings| findings.iter().map(|finding| finding.steps.len()).collect::<Vec<_>>())
        };
        let (found, other) = (r#"{"eventSource":"x","eventName":"C"}"#, r#"{"eventSource":"s","eventName":"Z"}"#);
        let (rules, reads) = start(&BUNDLE[head..]);
        assert_eq!((asked(&rules, other).unwrap(), reads.load(Ordering::Relaxed)), (vec![], 0));
        assert_eq!((asked(&rules, found).unwrap(), reads.load(Ordering::Relaxed)), (vec![2], 1));
        assert_eq!((asked(&rules, found).unwrap(), reads.load(Ordering::Relaxed)), (vec![2], 1));
        assert_eq!(rules.rules().len(), 3);
        // Steps that are of other rules, and none that can be read, take no alert away.
        let (rules, reads) = start("\"respond\":{}}");
        assert_eq!((asked(&rules, found).unwrap(), reads.load(Ordering::Relaxed)), (vec![0], 1));
        assert_eq!((rules.rules().len(), reads.load(Ordering::Relaxed)), (3, 1));
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
            RuleSet::packaged(bundle.to_owned(), index, || unreachable!(), OwnResources::default())
                .unwrap_err()
                .to_string()
        };
        assert_eq!(why(&BUNDLE.replace("\"A\"", "\"D\""), &index), "it is of another rules.json");
        assert_eq!(why(&BUNDLE.replace("Ask", "ask"), &index), "it is of another rules.json");
        let other = String::from_utf8_lossy(&index[..HEAD.len()]).replace("index ", "index 0");
        assert_eq!(why(BUNDLE, other.as_bytes()), "another version of offlimits wrote it");
        for place in HEAD.len()..index.len() {
            let mut damaged = index.clone();
            damaged[place] ^= 1;
            assert_eq!(why(BUNDLE, &damaged), "it is damaged", "{place}");
            assert_eq!(why(BUNDLE, &index[..place]), "it is damaged", "{place}");
        }
        assert!(RuleSet::compile(BUNDLE).unwrap().rules.index_of(r#"{"rules":[]}"#, None).is_none());
    }
}
