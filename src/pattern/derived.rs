//! The EventBridge rules of a rule set.

use serde_json::{Map, Value, json};

use super::alternative::Alternative;
use super::delivery::{APART, DeliveryState, all_held_back, held_back, is_held_back};
use super::field::PatternField;
use super::limits::{MAX_CHARACTERS, MAX_READ_RULES, MAX_RULES, MAX_SHARED_WILDCARDS};
use super::part::PatternPart;
use super::partition::Cut;
use super::rows::alternatives;
use super::values::{Text, Texts, Values};
use crate::cloudtrail::Record;
use crate::cloudtrail::event_rule::{DETAIL_TYPE_SUFFIX, patterns_digest};
use crate::cloudtrail::issuing::{ISSUER, ISSUING_CALLS};
use crate::rules::{Row, Rule};
use crate::ruleset::RuleSet;

/// The EventBridge rules that let every record pass which a rule that is on can match, and few others. No event comes by two of them:
/// no event matches two that are in the same state, and of two in different states one gets it. (But for one: a call of STS that is
/// newer than this list of its calls may.)
#[derive(Debug, Clone)]
pub struct DerivedPatterns {
    /// For the calls that EventBridge delivers to every rule, all in the state [`DeliveryState::Plain`].
    pub plain: Vec<EventRule>,
    /// For read-only calls, all in the state [`DeliveryState::All`].
    pub reads: Vec<EventRule>,
    /// The rows of which no pattern can say anything: because of them everything passes.
    pub wide_rows: Vec<WideRow>,
    /// Which patterns these are: 12 hexadecimal digits of their SHA-256.
    pub digest: String,
    /// The digest of those in `plain` alone.
    pub plain_digest: String,
    /// The digest of those in `reads` alone.
    pub reads_digest: String,
}

/// A row that no pattern can narrow down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WideRow {
    /// The rule's `id`.
    pub rule: String,
    /// The row's place in the rule's table, from 0.
    pub row: usize,
}

/// One EventBridge rule.
#[derive(Debug, Clone)]
pub struct EventRule {
    /// Its state.
    pub state: DeliveryState,
    asked: PatternPart,
}

impl DerivedPatterns {
    /// Those of a whole `rules.json`. Where a channel's incidents follow credentials, the calls that issue them pass, too.
    pub fn of_set(rules: &RuleSet) -> Self {
        Self::with(rules.rules(), rules.follows_credentials().then(issuing))
    }

    /// Those of these rules.
    pub fn of(rules: &[Rule]) -> Self {
        Self::with(rules, None)
    }

    fn with(rules: &[Rule], also: Option<Alternative>) -> Self {
        let mut wide_rows = Vec::new();
        let mut all: Vec<Alternative> = std::iter::once(probe()).chain(also).collect();
        for rule in rules.iter().filter(|rule| rule.is_on()) {
            for (place, row) in rule.when.0.iter().enumerate() {
                if is_wide(row) {
                    wide_rows.push(WideRow { rule: rule.info.id.clone(), row: place });
                }
                all.extend(alternatives(row));
            }
        }
        let plain = family(DeliveryState::Plain, all.clone());
        let reads = family(DeliveryState::All, all.into_iter().flat_map(held_back).collect());
        let of = |rules: &mut dyn Iterator<Item = &EventRule>| {
            let texts: Vec<String> = rules.map(|rule| format!("{} {}", rule.state.as_str(), rule.detail())).collect();
            patterns_digest(&texts)
        };
        let digest = of(&mut plain.iter().chain(&reads));
        let (plain_digest, reads_digest) = (of(&mut plain.iter()), of(&mut reads.iter()));
        Self { plain, reads, wide_rows, digest, plain_digest, reads_digest }
    }

    /// How many of the EventBridge rules the record comes by, where the template's parameter says `derived`.
    pub fn deliveries(&self, record: &Record<'_>) -> usize {
        let state = DeliveryState::of(record);
        let takes = |rule: &&EventRule| state <= rule.state && rule.accepts(record);
        self.plain.iter().chain(&self.reads).filter(takes).count()
    }

    /// The same where it says `wide`: what every rule gets, and read-only calls by derived rules.
    pub fn wide_deliveries(&self, record: &Record<'_>) -> usize {
        let by_reads = self.reads.iter().filter(|rule| rule.accepts(record)).count();
        usize::from(DeliveryState::of(record) == DeliveryState::Plain) + by_reads
    }
}

impl DeliveryState {
    /// The least state in which a rule gets the record.
    pub fn of(record: &Record<'_>) -> Self {
        let is_management = record.text(&["managementEvent"]) != Some("false");
        let is_held_back = is_held_back(record.text(&["eventSource"]), record.text(&["eventName"]), is_management);
        if is_held_back { Self::All } else { Self::Plain }
    }
}

impl EventRule {
    /// Its pattern. `account` is what the pattern has for the account: its twelve digits, or CloudFormation's word for them.
    pub fn pattern(&self, account: &Value) -> Value {
        let mut pattern = json!({
            "source": [{ "prefix": "aws." }],
            "account": [account],
            "detail-type": [{ "suffix": DETAIL_TYPE_SUFFIX }],
        });
        let detail = self.detail();
        if let (Value::Object(members), Value::Object(detail)) = (&mut pattern, detail)
            && !detail.is_empty()
        {
            members.insert("detail".to_owned(), Value::Object(detail));
        }
        pattern
    }

    /// The characters of the pattern, as EventBridge counts them.
    pub fn characters(&self) -> usize {
        self.pattern(&json!("123456789012")).to_string().chars().count()
    }

    /// The wildcards in the pattern.
    pub fn wildcards(&self) -> usize {
        self.asked.wildcards()
    }

    /// Whether the pattern lets the record pass.
    pub fn accepts(&self, record: &Record<'_>) -> bool {
        let management = self.management().accepts(record.text(PatternField::Management.path()));
        management
            && self.asked.common.accepts(record)
            && self.asked.alternatives.iter().any(|alternative| alternative.accepts(record))
    }

    /// What it asks of the record.
    fn detail(&self) -> Value {
        let mut detail = Map::new();
        if !self.management().is_any() {
            PatternField::Management.put(&mut detail, self.management().pattern(PatternField::Management));
        }
        match &self.asked.alternatives[..] {
            // `$or` is refused with less than two.
            [only] => {
                let both = only
                    .fields()
                    .fold(self.asked.common.clone(), |both, (field, values)| both.with(*field, values.clone()));
                detail.extend(both.pattern());
            }
            all => {
                detail.extend(self.asked.common.pattern());
                let all = all.iter().map(|alternative| Value::Object(alternative.pattern()));
                detail.insert("$or".to_owned(), Value::Array(all.collect()));
            }
        }
        Value::Object(detail)
    }

    /// What it asks of `managementEvent`: data events come in every state.
    fn management(&self) -> Values {
        match self.state {
            DeliveryState::Plain => Values::ANY,
            DeliveryState::All => Values { texts: Texts::exact(["true"]), absent: true },
        }
    }
}

/// The call by which a spoke makes its queue known: what the function reads it for, be there a rule for it or not.
fn probe() -> Alternative {
    let is = |text| Values::some(Texts::exact([text]));
    Alternative::default().with(PatternField::Source, is("sqs.amazonaws.com")).with(PatternField::Name, is("TagQueue"))
}

/// The calls by which the function learns whose a session is, be there a rule for them or not. EventBridge delivers each of them to a
/// rule in either state.
fn issuing() -> Alternative {
    let source = Values::some(Texts::exact([ISSUER]));
    Alternative::default()
        .with(PatternField::Source, source)
        .with(PatternField::Name, Values::some(Texts::exact(ISSUING_CALLS)))
}

/// Whether no pattern can narrow the row down.
pub fn is_wide(row: &Row) -> bool {
    alternatives(row).into_iter().any(|alternative| {
        let mut wildcards = MAX_SHARED_WILDCARDS;
        alternative.with_wildcards_up_to(&mut wildcards, &Texts::Any).is_everything()
    })
}

/// The EventBridge rules of one state.
fn family(state: DeliveryState, all: Vec<Alternative>) -> Vec<EventRule> {
    let two = PatternPart {
        common: Alternative::default(),
        alternatives: vec![Alternative::default(), Alternative::default()],
    };
    let base = EventRule { state, asked: two }.characters();
    let (patterns, but, all_names): (_, _, fn(&Text) -> Texts) = match state {
        DeliveryState::Plain => (MAX_RULES, None, |_| Texts::Any),
        DeliveryState::All => (MAX_READ_RULES, Some(APART), all_held_back),
    };
    let mut shared = MAX_SHARED_WILDCARDS;
    let all_of_any = all_names(&Text::Exact("".into()));
    let all: Vec<Alternative> = all
        .into_iter()
        .map(|alternative| match alternative.get(PatternField::Source).texts {
            Texts::OneOf(_) => alternative,
            _ => alternative.with_wildcards_up_to(&mut shared, &all_of_any),
        })
        .collect();
    if all.is_empty() {
        return Vec::new();
    }
    let may_open = state == DeliveryState::Plain;
    let cut = Cut { characters: MAX_CHARACTERS.saturating_sub(base), patterns, but, all_names, may_open };
    let is_everything = all.iter().any(Alternative::is_everything);
    let patterns = if is_everything { None } else { cut.patterns(all) };
    let everything = || match state {
        DeliveryState::Plain => vec![Alternative::default()],
        DeliveryState::All => held_back(Alternative::default()),
    };
    let patterns = patterns.unwrap_or_else(|| vec![PatternPart::new(Alternative::default(), everything())]);
    patterns.into_iter().map(|asked| EventRule { state, asked }).collect()
}
