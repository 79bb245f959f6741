//! The exception that is proposed for a habit, or why there is none.

use super::caller::CallerKind;
use super::habit::{Habit, HabitKey};
use super::observe::Observations;
use crate::json::write_string;
use crate::severity::Severity;
use crate::text;

/// When a call counts as a habit, and for how long an exception holds.
#[derive(Debug, Clone, Copy, clap::Args)]
pub(super) struct Regularity {
    /// How often a call must have been made, at times that lie an hour apart at least: what happens within an hour may be one act
    #[arg(long, value_name = "N", default_value_t = 2)]
    min_occasions: usize,
    /// On how many days it must have been made; unless said, half of the archive's days
    #[arg(long, value_name = "N")]
    min_days: Option<usize>,
    /// For how many days after the archive's last one an exception holds: then somebody looks at it again
    #[arg(long, value_name = "DAYS", default_value_t = 90, value_parser = clap::value_parser!(u32).range(1..=3650))]
    expires_in: u32,
}

/// Occasions after which a call is a habit on however few of the days: a weekly job in an archive of months.
const MANY_OCCASIONS: usize = 20;
/// Calls from one network after which a role is bound to that.
const CALLS_OF_ONE_NETWORK: u64 = 10;
/// The most characters of a name in a reason.
const NAME: usize = 80;

/// An exception that a person may accept.
#[derive(Debug, Clone)]
pub(super) struct Proposal {
    pub(super) key: HabitKey,
    pub(super) calls: u64,
    pub(super) days: usize,
    pub(super) targets: Vec<Vec<String>>,
    pub(super) networks: Vec<String>,
    pub(super) max_severity: Severity,
    pub(super) reason: String,
    pub(super) expires: String,
    /// Messages that it saves, on all channels, by what the archive would have sent.
    pub(super) messages: u64,
}

/// Makes a proposal of each habit that is regular enough, those that save most first.
///
/// `messages` has, of each finding of the archive, how many messages it opened or was.
pub(super) fn proposals(observed: &Observations<'_>, regularity: Regularity, messages: &[u32]) -> Proposals {
    let all_days = observed.days.len();
    let min_days = regularity.min_days.unwrap_or(all_days.div_ceil(2)).max(1);
    let last = observed.days.iter().max().copied();
    let mut made = Proposals::default();
    for (key, habit) in observed.habits() {
        let occasions = habit.occasions();
        let is_spread = habit.days.len() >= min_days || occasions >= MANY_OCCASIONS;
        if occasions < regularity.min_occasions.max(1) || !is_spread {
            made.rare += habit.calls;
            continue;
        }
        let saved = habit.findings.iter().filter_map(|place| messages.get(*place as usize));
        let saved: u64 = saved.map(|count| u64::from(*count)).sum();
        // Of what such a rule has not told, an exception would hide that it is done a thousand times one day.
        if saved == 0 && observed.counts(&key.rule) {
            made.below_threshold += habit.calls;
            continue;
        }
        if observed.grave.contains(&key.caller) {
            made.of_grave_callers += habit.calls;
            continue;
        }
        let networks = habit.few_networks().unwrap_or_default();
        let networks = match key.caller.kind {
            // Whoever has stolen what a person knows comes from elsewhere.
            CallerKind::Person if networks.is_empty() => {
                made.of_people_from_everywhere += habit.calls;
                continue;
            }
            CallerKind::Person => networks,
            CallerKind::Role if networks.len() == 1 && habit.calls >= CALLS_OF_ONE_NETWORK => networks,
            CallerKind::Role | CallerKind::Service => Vec::new(),
        };
        let targets = owned(habit.few_targets());
        // Such a text would be taken for the name of a list.
        let names = key.caller.cells().map(|(_, value)| value).chain([key.service.as_str(), key.event.as_str()]);
        if names.chain(targets.iter().flatten().map(String::as_str)).any(|text| text.starts_with('@')) {
            made.unwritable += habit.calls;
            continue;
        }
        let (Some(max_severity), Some(last)) = (habit.severity, last) else { continue };
        made.all.push(Proposal {
            calls: habit.calls,
            days: habit.days.len(),
            targets,
            networks: networks.iter().map(ToString::to_string).collect(),
            max_severity,
            reason: reason(key, habit, all_days),
            expires: last.plus_days(regularity.expires_in).to_string(),
            messages: saved,
            key: key.clone(),
        });
    }
    made.all.sort_by(|a, b| b.messages.cmp(&a.messages).then(b.calls.cmp(&a.calls)).then_with(|| a.key.cmp(&b.key)));
    made
}

/// The proposals of an archive, and how many findings are of habits that none is made for.
#[derive(Debug, Default)]
pub(super) struct Proposals {
    pub(super) all: Vec<Proposal>,
    /// Too rare.
    pub(super) rare: u64,
    /// Of rules that count, whose thresholds they have not reached.
    pub(super) below_threshold: u64,
    /// Of callers of whom very-high or extreme findings tell.
    pub(super) of_grave_callers: u64,
    /// Of people who come from many networks, or from none that is known.
    pub(super) of_people_from_everywhere: u64,
    /// Of calls by or to what is called as a list is, beginning with @.
    pub(super) unwritable: u64,
}

fn owned(lists: Vec<Vec<&str>>) -> Vec<Vec<String>> {
    lists.into_iter().map(|list| list.into_iter().map(str::to_owned).collect()).collect()
}

/// What the exception says for itself. Programs choose their names: these are cleaned and clipped, and prove nothing.
fn reason(key: &HabitKey, habit: &Habit, all_days: usize) -> String {
    let agents: Vec<&str> = habit.agents.frequent().into_iter().map(String::as_str).take(2).collect();
    let by = if agents.is_empty() { String::new() } else { format!(" with {}", agents.join(" and ")) };
    let more = if habit.agents.is_many() || habit.agents.frequent().len() > 2 { " and others" } else { "" };
    let day = |time: Option<crate::time::Timestamp>| time.map(|time| time.date().to_string()).unwrap_or_default();
    let (first, last) = (day(habit.first), day(habit.last));
    let when = if first == last { format!("on {first}") } else { format!("from {first} to {last}") };
    let name = text::one_line(&key.caller.name, NAME);
    let days = habit.days.len();
    format!("learned: made {} times on {days} of {all_days} days by {name}{by}{more}, {when}", habit.calls)
}

impl Proposal {
    /// The `when` of the exception, as compact JSON. Every value is compared exactly, so that no name in an archive means more
    /// than itself.
    pub(super) fn when(&self) -> String {
        let mut cells: Vec<(&str, String)> = Vec::new();
        cells.extend(self.key.caller.cells().map(|(field, value)| (field, is(&[value]))));
        cells.push(("service", is(&[&self.key.service])));
        cells.push(("event", is(&[&self.key.event])));
        cells.push(("outcome", is(&["success"])));
        match self.targets.as_slice() {
            [] => {}
            [one] => cells.push(("target", is(one))),
            several => {
                let all: Vec<String> = several.iter().map(|values| is(values)).collect();
                cells.push(("target", format!("{{\"all\":[{}]}}", all.join(","))));
            }
        }
        if !self.networks.is_empty() {
            cells.push(("source_ip", format!("{{\"cidr\":{}}}", one_or_more(&self.networks))));
        }
        let cells: Vec<String> =
            cells.iter().map(|(field, condition)| format!("{}:{condition}", quoted(field))).collect();
        format!("{{{}}}", cells.join(","))
    }

    /// The exception, as compact JSON.
    pub(super) fn exception(&self) -> String {
        format!(
            "{{\"when\":{},\"reason\":{},\"expires\":{},\"max_severity\":{}}}",
            self.when(),
            quoted(&self.reason),
            quoted(&self.expires),
            quoted(self.max_severity.as_str())
        )
    }
}

fn is(values: &[impl AsRef<str>]) -> String {
    format!("{{\"is\":{}}}", one_or_more(values))
}

fn one_or_more(values: &[impl AsRef<str>]) -> String {
    let values: Vec<String> = values.iter().map(|value| quoted(value.as_ref())).collect();
    if let [one] = values.as_slice() { one.clone() } else { format!("[{}]", values.join(",")) }
}

fn quoted(text: &str) -> String {
    let mut out = String::new();
    write_string(&mut out, text);
    out
}
