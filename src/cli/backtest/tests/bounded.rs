//! The figures with next to no memory, against a reference that keeps everything and knows neither runs nor sets on the disk; over
//! archives of several hundred records, many of which come again, and some without a time.

use std::collections::{HashSet, VecDeque};

use crate::choices::{Choices, seeds};
use crate::cli::backtest::messages::SentMessages;
use crate::cli::backtest::playback::{
    AlertEvent, Arrival, ArrivedSession, Playback, PlayedOutcome, PlayedStep, StagedRules, each_record,
};
use crate::cli::backtest::report::ReportBuilder;
use crate::cli::backtest::sessions::follow;
use crate::cli::backtest::summary::BacktestSummary;
use crate::cli::backtest::tally::BacktestTally;
use crate::cli::findings::{self, EvaluatedFinding, FindingVisitor, Telling, with_issuing_calls};
use crate::cli::input::InputCounts;
use crate::cloudtrail::envelope;
use crate::rules::Mode;
use crate::ruleset::RuleSet;
use crate::runs::{Bounds, RunError};
use crate::scan::RecordVisitor as _;
use crate::time::Timestamp;

/// Random archives that are played; `OFFLIMITS_ROUNDS` asks for more.
const ROUNDS: u64 = 40;

/// What the figures are made of.
#[derive(Debug, PartialEq, Eq)]
struct Figures {
    findings: u64,
    repeats: u64,
    sent: SentMessages,
    if_staged_alerted: Option<SentMessages>,
    /// How many messages each finding opened or was.
    messages: Vec<u32>,
}

/// Several random archives, one after the other, with copies of their records in between.
fn archive(choices: &mut Choices) -> Vec<String> {
    let mut records: Vec<String> = Vec::new();
    for part in 0..3 + choices.below(6) {
        for record in choices.records() {
            // The archives give their records the same ids.
            records.push(record.replacen(r#""eventID":""#, &format!(r#""eventID":"{part}-"#), 1));
            if choices.one_in(6) {
                let copy = records[choices.below(records.len())].clone();
                records.push(copy);
            }
        }
    }
    records
}

/// The figures by a list of all findings and a set of all ids.
fn simple(rules: &RuleSet, found: &[EvaluatedFinding]) -> Figures {
    let (mut seen, mut arrivals, mut repeats) = (HashSet::new(), Vec::new(), 0);
    let (mut findings, mut record, mut last) = (0, 0, None);
    for one in found {
        let time = one.finding.call.time();
        record += u64::from(one.session.is_none() && !one.is_with_previous);
        if !seen.insert(one.finding.id.as_str()) {
            repeats += u64::from(one.session.is_none());
            continue;
        }
        let arrival = if let Some(session) = one.session.clone() {
            let time = time.or(last).unwrap_or_default();
            (Some(time), Arrival::Session(ArrivedSession { time, order: findings, session }))
        } else {
            last = time.or(last);
            let place = rules.rules().iter().position(|rule| rule.info.id == one.finding.rule.id).unwrap();
            let event = AlertEvent::new(one, (place, rules.rules().get(place)), rules.route(&one.finding));
            findings += 1;
            (last, Arrival::Finding(AlertEvent { order: findings - 1, record, ..event }))
        };
        arrivals.push(arrival);
    }
    let mut dated = arrivals.iter().filter(|(_, arrival)| matches!(arrival, Arrival::Finding(_)));
    let earliest = dated.find_map(|(time, _)| *time).unwrap_or_default();
    let mut arrivals: Vec<(Timestamp, Arrival)> =
        arrivals.into_iter().map(|(time, arrival)| (time.unwrap_or(earliest), arrival)).collect();
    arrivals.sort_by_key(|(time, _)| *time);
    let arrivals: Vec<Arrival> = arrivals
        .into_iter()
        .map(|(time, arrival)| match arrival {
            Arrival::Finding(event) => Arrival::Finding(AlertEvent { time, ..event }),
            session @ Arrival::Session(_) => session,
        })
        .collect();
    let mut messages = vec![0; usize::try_from(findings).unwrap()];
    let mut play = |staged, with_messages: bool| {
        let mut sent = SentMessages::new(rules.rules().len(), rules.channels().len());
        let mut playback = Playback::forgetting_from(rules, staged, usize::MAX);
        let mut tell = |step: PlayedStep| {
            use PlayedOutcome::{First, Repeat, RollUp, Update};
            sent.add(step);
            if with_messages
                && matches!(step.outcome, First | Repeat | RollUp(_) | Update(..))
                && let Some(of) = step.opener.or(step.finding)
            {
                messages[usize::try_from(of).unwrap()] += 1;
            }
        };
        let events = follow(rules, arrivals.iter().cloned().map(Ok::<_, RunError>));
        each_record(events, |record| playback.record(record, &mut tell)).unwrap();
        playback.end(&mut tell);
        sent
    };
    let sent = play(StagedRules::Silent, true);
    let staged = found.iter().any(|one| one.finding.rule.mode == Mode::Stage && one.session.is_none());
    let if_staged_alerted = staged.then(|| play(StagedRules::Alerting, false));
    Figures { findings, repeats, sent, if_staged_alerted, messages }
}

fn tallied<'r>(rules: &'r RuleSet, found: &[EvaluatedFinding], bounds: Bounds) -> (BacktestTally<'r>, Vec<u32>) {
    let mut tally = BacktestTally::within(rules, bounds);
    found.iter().for_each(|found| _ = tally.add(found).unwrap());
    let messages = tally.finish_with_messages().unwrap();
    (tally, messages)
}

fn summary(rules: &RuleSet, tally: &BacktestTally<'_>) -> String {
    serde_json::to_string(&BacktestSummary::new(rules, tally, &InputCounts::default(), 1000)).unwrap()
}

/// A report's list and its groups, of findings that were made whole, or only where the list takes them; `ahead`: records that have been
/// evaluated before the first of them is added.
fn reported(rules: &RuleSet, text: &str, (most, ahead): (usize, usize), is_whole: bool) -> String {
    let mut report = ReportBuilder::new(rules, Timestamp::default()).listing(most);
    let telling = if is_whole { Telling::Whole } else { Telling::Listed(report.cutoff()) };
    let visitor = FindingVisitor::new(rules).telling(telling);
    let (mut waiting, mut place) = (VecDeque::new(), 0);
    let mut add = |found: Vec<EvaluatedFinding>| {
        for one in found {
            report.add(&one, &findings::channels(rules, &one.finding), "log.json", place);
            place += 1;
        }
    };
    let opened = envelope::open(text);
    let mut state = visitor.state();
    for record in &opened.records {
        visitor.records(&mut state, &record.json, |_, found| waiting.push_back(found.unwrap()));
        if waiting.len() > ahead {
            waiting.pop_front().map(&mut add);
        }
    }
    waiting.into_iter().for_each(add);
    report.shown()
}

#[test]
fn a_report_is_the_same_where_only_what_it_lists_is_made_whole() {
    let mut gone = 0;
    for seed in seeds(ROUNDS) {
        let mut choices = Choices::new(seed);
        let rules = RuleSet::compile(&choices.rules()).unwrap_or_else(|why| panic!("seed {seed}: {why:?}")).rules;
        let text = format!(r#"{{"Records":[{}]}}"#, archive(&mut choices).join(","));
        let most = (1 + choices.below(30), choices.below(10));
        let whole = reported(&rules, &text, most, true);
        assert_eq!(reported(&rules, &text, most, false), whole, "seed {seed}, {most:?}");
        gone += usize::from(whole != reported(&rules, &text, (usize::MAX, 0), true));
    }
    assert!(gone > 0, "no list was full");
}

#[test]
fn with_next_to_no_memory_every_figure_is_the_same() {
    let (mut repeats, mut staged, mut findings) = (0, 0, 0);
    let seeds = seeds(ROUNDS);
    let rounds = seeds.end - seeds.start;
    for seed in seeds {
        let mut choices = Choices::new(seed);
        let rules = RuleSet::compile(&choices.rules()).unwrap_or_else(|why| panic!("seed {seed}: {why:?}")).rules;
        let text = format!(r#"{{"Records":[{}]}}"#, archive(&mut choices).join(","));
        let both = with_issuing_calls(&rules);
        let visitor = FindingVisitor::new(&rules).following(both.as_ref());
        let mut found = Vec::new();
        visitor.records(&mut visitor.state(), &text, |_, some| found.extend(some.unwrap()));
        let bounds =
            Bounds { bytes: 1 + choices.below(3000), ids: 1 + choices.below(20), fan_in: 2 + choices.below(3) };
        let (tally, messages) = tallied(&rules, &found, bounds);
        let BacktestTally { findings: count, repeats: again, sent, sent_if_staged_alerted, .. } = &tally;
        let figures = Figures {
            findings: *count,
            repeats: *again,
            sent: sent.clone(),
            if_staged_alerted: sent_if_staged_alerted.clone(),
            messages,
        };
        assert_eq!(figures, simple(&rules, &found), "seed {seed}, left: {bounds:?}");
        // And what people read of it, with everything in memory.
        let (unbounded, _) = tallied(&rules, &found, Bounds::NONE);
        assert_eq!(summary(&rules, &tally), summary(&rules, &unbounded), "seed {seed}");
        (repeats, findings) = (repeats + figures.repeats, findings + figures.findings);
        staged += u64::from(figures.if_staged_alerted.is_some());
    }
    eprintln!("{rounds} archives: {findings} findings, {repeats} repeats, {staged} with staged rules");
    assert!(findings > 20 * rounds && repeats > rounds && staged * 10 > rounds);
}
