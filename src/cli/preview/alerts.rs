//! Which alerts are shown, and what each channel makes of them.

use std::collections::BTreeMap;
use std::time::SystemTime;

use clap::ValueEnum;

use super::piece::Screen;
use super::vendor::{TicketPart, screens};
use crate::alert::{Alert, AlertDigest, AlertKind, RollUp};
use crate::channel::{self, ChannelFilter, ConfiguredChannel, Content, MAX_PER_MINUTE};
use crate::finding::Finding;
use crate::handler::{led, rendered};
use crate::ids::AlertId;
use crate::ledger::policy::MOST_TOGETHER;
use crate::rules::Mode;
use crate::ruleset::RuleSet;
use crate::severity::Severity;
use crate::time::Timestamp;

/// Which kind of alert is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum PreviewKind {
    /// The first of its kind.
    First,
    /// One that belongs to an alert that is open, and is worse.
    Repeat,
    /// What has been held back since the first: the sum of each rule's findings.
    RollUp,
    /// More than people can read, as one: the sum of all findings.
    Digest,
    /// A channel is in trouble.
    Operational,
    /// What `offlimits send` and `make test-alert` send.
    Test,
}

impl PreviewKind {
    /// Whether it can be shown without an event.
    pub(super) fn has_a_sample(self) -> bool {
        matches!(self, Self::Digest | Self::Operational | Self::Test)
    }

    /// The word for it.
    pub(super) fn word(self) -> String {
        self.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
    }
}

/// An alert, and what its recipients see.
#[derive(Debug)]
pub(super) struct PreviewedAlert {
    pub(super) severity: Severity,
    /// `HIGH: Root signed in`
    pub(super) heading: String,
    pub(super) rule: String,
    pub(super) channels: Vec<PreviewedChannel>,
}

/// What the recipients of one channel see.
#[derive(Debug)]
pub(super) struct PreviewedChannel {
    pub(super) name: String,
    pub(super) screens: Vec<Screen>,
}

/// Gathers findings, as far as alerts of a kind need them.
#[derive(Debug)]
pub(super) struct AlertGatherer<'r> {
    rules: &'r RuleSet,
    kind: PreviewKind,
    /// The one channel that is asked about.
    only: Option<&'r str>,
    /// How many alerts are shown.
    limit: usize,
    /// The findings of the record that is read, each with the channels that it goes to.
    call: Vec<(Finding, Vec<usize>)>,
    alerts: Vec<PreviewedAlert>,
    /// Alerts beyond the limit.
    pub(super) left_out: usize,
    /// Of each rule its first finding, and the sum of those after it.
    roll_ups: BTreeMap<String, (Finding, RollUp)>,
    /// The first of all findings, their sum, and the channels that they go to.
    digest: Option<(Finding, AlertDigest, Vec<usize>)>,
}

impl<'r> AlertGatherer<'r> {
    pub(super) fn new(rules: &'r RuleSet, kind: PreviewKind, only: Option<&'r str>, limit: usize) -> Self {
        let (alerts, roll_ups) = (Vec::new(), BTreeMap::new());
        Self { rules, kind, only, limit, call: Vec::new(), alerts, left_out: 0, roll_ups, digest: None }
    }

    /// Adds a finding that goes to these channels, and says whether it is of the same record as the one before.
    pub(super) fn add(&mut self, finding: Finding, channels: Vec<usize>, is_with_previous: bool) {
        if !is_with_previous {
            self.show_call();
        }
        match self.kind {
            // Nobody is told of it yet, in whatever message.
            PreviewKind::First if finding.rule.mode == Mode::Stage => self.show(&finding, AlertKind::First, &channels),
            PreviewKind::First => self.call.push((finding, channels)),
            PreviewKind::Repeat => self.show(&finding, AlertKind::Repeat, &channels),
            PreviewKind::RollUp => {
                if let Some((_, sum)) = self.roll_ups.get_mut(&finding.rule.id) {
                    sum.add(&finding);
                } else {
                    self.roll_ups.insert(finding.rule.id.clone(), (finding, RollUp::default()));
                }
            }
            PreviewKind::Digest => {
                let new = || (finding.clone(), AlertDigest::default(), Vec::new());
                let (_, sum, all) = self.digest.get_or_insert_with(new);
                sum.add(&finding);
                all.extend(channels);
            }
            PreviewKind::Operational | PreviewKind::Test => {}
        }
    }

    /// The alerts of what was added; of what needs no event, a sample.
    pub(super) fn finish(mut self, samples: bool) -> (Vec<PreviewedAlert>, usize) {
        self.show_call();
        for (mut opener, mut sum) in std::mem::take(&mut self.roll_ups).into_values() {
            if sum.count == 0 {
                sum.add(&opener);
            }
            let channels = self.rules.route(&opener);
            // What waits for its sum in a queue is kept short.
            opener = opener.brief();
            self.show(&opener, AlertKind::RollUp(&sum), &channels);
        }
        if let Some((finding, sum, mut channels)) = self.digest.take() {
            channels.sort_unstable();
            channels.dedup();
            self.show(&finding.brief(), AlertKind::Digest(&sum), &channels);
        }
        if samples {
            self.show_sample();
        }
        (self.alerts, self.left_out)
    }

    /// Shows the findings of one record: of those that go to a channel there is one message. What leads it on one channel may be
    /// another finding than on the next, since not all of them go to both.
    fn show_call(&mut self) {
        let call = std::mem::take(&mut self.call);
        // By which of the findings go to them, the channels.
        let mut of_sets: Vec<(Vec<&Finding>, Vec<usize>)> = Vec::new();
        for index in 0..self.rules.channels().len() {
            let going: Vec<&Finding> =
                call.iter().filter(|(_, channels)| channels.contains(&index)).map(|(finding, _)| finding).collect();
            match of_sets
                .iter_mut()
                .find(|(known, _)| known.iter().map(|one| &one.id).eq(going.iter().map(|one| &one.id)))
            {
                Some((_, channels)) => channels.push(index),
                None if going.is_empty() => {}
                None => of_sets.push((going, vec![index])),
            }
        }
        for (going, channels) in of_sets {
            for told in going.chunks(MOST_TOGETHER) {
                let (leader, others) = led(told);
                self.show_with(leader, AlertKind::First, &channels, &others);
            }
        }
    }

    fn show_sample(&mut self) {
        #[expect(clippy::disallowed_methods, reason = "the command line's own; the function never comes here")]
        let now = Timestamp::from(SystemTime::now()).to_string();
        let finding = Finding::test(self.rules.digest().clone(), now.clone());
        let every: Vec<usize> = (0..self.rules.channels().len()).collect();
        match self.kind {
            PreviewKind::Digest => {
                let mut sum = AlertDigest::default();
                let rules = self.rules.rules().iter().take(3);
                for (rule, count) in rules.zip([41, 12, 3]) {
                    sum.merge(&AlertDigest::from_rule(&rule.info.id, rule.severity, Some(&now), count));
                }
                self.show(&finding, AlertKind::Digest(&sum), &every);
            }
            PreviewKind::Operational => {
                let name = self.rules.channels().first().map_or("soc", |channel| channel.name.as_str());
                let text = format!(
                    "The channel \"{name}\" did not take an alert: refused: HTTP 403. Others may follow; none is lost: see docs/dead-letters.md"
                );
                let finding = Finding { severity: Severity::High, ..finding };
                let kind = AlertKind::Operational(&text);
                if self.only.is_some() {
                    self.show(&finding, kind, &every);
                } else {
                    // It goes to the deployment's own topic, whatever the channels are.
                    let shown = Self::alert(&finding, kind, [&own_topic()], &[]);
                    self.alerts.push(shown);
                }
            }
            _ => self.show(&finding, AlertKind::Test, &every),
        }
    }

    fn show(&mut self, finding: &Finding, kind: AlertKind<'_>, channels: &[usize]) {
        self.show_with(finding, kind, channels, &[]);
    }

    fn show_with(&mut self, finding: &Finding, kind: AlertKind<'_>, channels: &[usize], others: &[&Finding]) {
        let channels = channels.iter().filter_map(|index| self.rules.channels().get(*index));
        let channels: Vec<&ConfiguredChannel> =
            channels.filter(|channel| self.only.is_none_or(|name| name == channel.name)).collect();
        if channels.is_empty() {
            return;
        }
        if self.alerts.len() < self.limit {
            self.alerts.push(Self::alert(finding, kind, channels, others));
        } else {
            self.left_out += 1;
        }
    }

    fn alert<'c>(
        finding: &Finding,
        kind: AlertKind<'_>,
        channels: impl IntoIterator<Item = &'c ConfiguredChannel>,
        others: &[&Finding],
    ) -> PreviewedAlert {
        let id = AlertId::new(&finding.rule.id, "", &finding.id);
        let Content { severity, heading, rule, .. } = Content::new(&Alert::alone(finding, &id, kind));
        let part = match kind {
            AlertKind::Repeat | AlertKind::News | AlertKind::RollUp(_) | AlertKind::Update(_) => TicketPart::Comment,
            _ => TicketPart::Opening,
        };
        let channels = channels.into_iter().map(|channel| {
            let body = rendered(channel, finding, kind, others);
            PreviewedChannel { name: channel.name.clone(), screens: screens(channel.channel.kind(), &body, part) }
        });
        PreviewedAlert { severity, heading, rule, channels: channels.collect() }
    }
}

/// The deployment's own topic.
fn own_topic() -> ConfiguredChannel {
    ConfiguredChannel {
        name: "topic".to_owned(),
        filter: ChannelFilter::default(),
        channel: channel::default(),
        max_per_minute: MAX_PER_MINUTE,
        incidents: None,
    }
}
