//! What was learned, for people and as JSON.

use std::io::{self, Write};

use anstyle::Style;
use serde::Serialize;

use super::against::Refused;
use super::caller::CallerKind;
use super::observe::LeftOut;
use super::proposal::{Proposal, Proposals};
use crate::cli::input::InputCounts;
use crate::cli::words::{counted, grouped};
use crate::text;

/// The most characters of a column.
const COLUMN: usize = 48;

/// Days below which an archive tells little.
const WEEK: usize = 7;

/// Everything that is said.
pub(super) struct Report<'a> {
    pub(super) counts: &'a InputCounts,
    /// What was read for `--against`.
    pub(super) against: Option<&'a InputCounts>,
    /// Days of the archive that have a finding.
    pub(super) days: usize,
    pub(super) findings: u64,
    /// Messages, on all channels together, without the proposals and with them.
    pub(super) before: u64,
    pub(super) after: u64,
    pub(super) proposals: &'a Proposals,
    pub(super) refused: &'a [Refused],
    pub(super) left: LeftOut,
}

impl CallerKind {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Person => "person",
            Self::Role => "role",
            Self::Service => "service",
        }
    }
}

impl Report<'_> {
    pub(super) fn print(&self, out: &mut impl Write, will_write: bool) -> io::Result<()> {
        let bold = Style::new().bold();
        let Self { counts, before, after, proposals, .. } = self;
        let all = &proposals.all;
        writeln!(
            out,
            "{bold}{} proposed{bold:#}: {} before, {} after, in {} on {}",
            counted(all.len(), "exception"),
            counted(*before, "message"),
            grouped(*after),
            counts.sentence(),
            counted(self.days, "day"),
        )?;
        if !all.is_empty() {
            self.table(out)?;
        }
        for Refused { proposal, lost } in self.refused {
            let Proposal { key, .. } = proposal;
            let (name, event) = (short(&key.caller.name), short(&key.event));
            writeln!(
                out,
                "refused: {} {event} by {name} would lose \"{}\" ({})",
                key.rule,
                text::one_line(&lost.title, 2 * COLUMN),
                text::one_line(&lost.place, 2 * COLUMN)
            )?;
        }
        if let Some(against) = self.against {
            writeln!(out, "against: no finding is lost in {}", against.sentence())?;
        }
        self.left_out(out)?;
        if self.days < WEEK {
            writeln!(out, "few days have findings: a month shows better what is a habit")?;
        }
        if !all.is_empty() && !will_write {
            writeln!(out, "read each of them, then write those that you accept: --write rules.json")?;
        }
        Ok(())
    }

    fn table(&self, out: &mut impl Write) -> io::Result<()> {
        let bold = Style::new().bold();
        let rows: Vec<[String; 5]> = self
            .proposals
            .all
            .iter()
            .map(|proposal| {
                let key = &proposal.key;
                let service = key.service.trim_end_matches(".amazonaws.com");
                let call = format!("{service} {}", key.event);
                [
                    key.rule.clone(),
                    proposal.max_severity.to_string(),
                    short(&key.caller.name),
                    short(&call),
                    short(&proposal.only()),
                ]
            })
            .collect();
        let heads = ["rule", "up to", "who", "call", "only"];
        let width = |column: usize| {
            rows.iter().map(|row| row[column].chars().count()).max().unwrap_or_default().max(heads[column].len())
        };
        let widths = [0, 1, 2, 3].map(width);
        let [rule, severity, who, call] = widths;
        writeln!(
            out,
            "\n{bold}messages  calls  days  {:rule$}  {:severity$}  {:who$}  {:call$}  {}{bold:#}",
            heads[0], heads[1], heads[2], heads[3], heads[4]
        )?;
        for (proposal, row) in self.proposals.all.iter().zip(&rows) {
            let line = format!(
                "{:>8}  {:>5}  {:>4}  {:rule$}  {:severity$}  {:who$}  {:call$}  {}",
                grouped(proposal.messages),
                grouped(proposal.calls),
                proposal.days,
                row[0],
                row[1],
                row[2],
                row[3],
                row[4]
            );
            writeln!(out, "{}", line.trim_end())?;
        }
        writeln!(out)
    }

    fn left_out(&self, out: &mut impl Write) -> io::Result<()> {
        let (left, made) = (&self.left, self.proposals);
        for (count, why) in [
            (left.grave, "very-high or extreme"),
            (made.of_grave_callers, "by callers of whom very-high or extreme findings tell: look at those first"),
            (left.own, "of rules about this monitor itself"),
            (left.failed, "of calls that failed"),
            (made.rare, "of calls that are made too rarely"),
            (made.below_threshold, "of rules that count, whose thresholds were not reached"),
            (made.of_people_from_everywhere, "by people who come from many networks, or from none that is known"),
            (left.unbound, "by root, by other accounts or by nobody who is named"),
            (made.unwritable, "of calls to what is named as lists are, with @"),
        ] {
            if count > 0 {
                writeln!(out, "not proposed: {} {why}", counted(count, "finding"))?;
            }
        }
        Ok(())
    }

    pub(super) fn json(&self) -> ReportLine<'_> {
        let (left, made) = (self.left, self.proposals);
        ReportLine {
            files: self.counts.files,
            records: self.counts.records,
            unreadable: self.counts.unreadable,
            days: self.days,
            findings: self.findings,
            messages: self.before,
            messages_after: self.after,
            proposals: made.all.iter().map(ProposalLine::new).collect(),
            refused: self.refused.iter().map(RefusedLine::new).collect(),
            not_proposed: NotProposed {
                grave: left.grave,
                grave_callers: made.of_grave_callers,
                own: left.own,
                failed: left.failed,
                rare: made.rare,
                below_threshold: made.below_threshold,
                many_networks: made.of_people_from_everywhere,
                unbound: left.unbound,
                unwritable: made.unwritable,
                staged: left.staged,
            },
        }
    }
}

impl Proposal {
    /// What else the exception is bound to.
    fn only(&self) -> String {
        let targets = self.targets.iter().map(|targets| targets.join(", "));
        let networks = (!self.networks.is_empty()).then(|| format!("from {}", self.networks.join(", ")));
        targets.map(|targets| format!("on {targets}")).chain(networks).collect::<Vec<_>>().join(" ")
    }
}

fn short(name: &str) -> String {
    text::one_line(name, COLUMN).into_owned()
}

/// What `--format json` prints.
#[derive(Serialize)]
pub(super) struct ReportLine<'a> {
    files: usize,
    records: usize,
    unreadable: usize,
    days: usize,
    findings: u64,
    messages: u64,
    messages_after: u64,
    proposals: Vec<ProposalLine<'a>>,
    refused: Vec<RefusedLine<'a>>,
    not_proposed: NotProposed,
}

#[derive(Serialize)]
struct ProposalLine<'a> {
    rule: &'a str,
    caller: &'a str,
    kind: &'static str,
    service: &'a str,
    event: &'a str,
    messages: u64,
    calls: u64,
    days: usize,
    /// As it stands in `unless`.
    exception: String,
}

#[derive(Serialize)]
struct RefusedLine<'a> {
    rule: &'a str,
    caller: &'a str,
    event: &'a str,
    title: &'a str,
    place: &'a str,
}

/// How many findings nothing is proposed for, by why.
#[derive(Serialize)]
struct NotProposed {
    grave: u64,
    grave_callers: u64,
    own: u64,
    failed: u64,
    rare: u64,
    below_threshold: u64,
    many_networks: u64,
    unbound: u64,
    unwritable: u64,
    staged: u64,
}

impl<'a> ProposalLine<'a> {
    fn new(proposal: &'a Proposal) -> Self {
        let Proposal { key, messages, calls, days, .. } = proposal;
        Self {
            rule: &key.rule,
            caller: &key.caller.name,
            kind: key.caller.kind.as_str(),
            service: &key.service,
            event: &key.event,
            messages: *messages,
            calls: *calls,
            days: *days,
            exception: proposal.exception(),
        }
    }
}

impl<'a> RefusedLine<'a> {
    fn new(Refused { proposal, lost }: &'a Refused) -> Self {
        Self {
            rule: &proposal.key.rule,
            caller: &proposal.key.caller.name,
            event: &proposal.key.event,
            title: &lost.title,
            place: &lost.place,
        }
    }
}
