//! Which call drills which rule: for each rule one whose record, as CloudTrail will write it, the local rules find something in.

use super::marked::{MarkedCall, Place};
use super::table::{CallTable, HarmlessCall};
use crate::aws::home_of_organizations;
use crate::cli::drill::exercise::{LeftOut, event_of, expected, not_drilled};
use crate::cli::selection::RuleSelection;
use crate::cloudtrail::{partition_of, region_of_iam};
use crate::ruleset::RuleSet;
use crate::time::Timestamp;

/// Of a rule for which the table has no call.
const NO_CALL: &str = "no harmless call is known that it would tell of, made by this caller: replay it";

/// A call that is made for a rule.
#[derive(Debug)]
pub(super) struct PlannedCall<'t> {
    /// The rule's id.
    pub(super) rule: String,
    pub(super) call: &'t HarmlessCall,
    pub(super) marked: MarkedCall,
    /// The ids of all rules that will find something in its record.
    pub(super) exercises: Vec<String>,
}

/// A call of the table, and the ids of the rules whose findings in its record go to a channel.
struct Candidate<'t> {
    call: &'t HarmlessCall,
    exercises: Vec<String>,
}

/// A call for each selected rule that has one, and the rules that have none, in the order of the rules.
///
/// # Errors
/// A record cannot be judged.
pub(super) fn planned<'t>(
    rules: &RuleSet,
    selection: &RuleSelection,
    table: &'t CallTable,
    place: &Place<'_>,
    now: Timestamp,
) -> Result<(Vec<PlannedCall<'t>>, Vec<LeftOut>), String> {
    let (mut candidates, mut elsewhere) = (Vec::new(), Vec::new());
    for call in &table.calls {
        let record = MarkedCall::of(place, "").record(call, place, now);
        let found = expected(rules, &event_of(&record, now))?;
        let found = found.into_iter().filter(|finding| !finding.channels.is_empty());
        let candidate = Candidate { call, exercises: found.map(|finding| finding.rule).collect() };
        match region_of(table, call, place.region) {
            Some(region) if region != place.region => elsewhere.push((region, candidate)),
            _ => candidates.push(candidate),
        }
    }
    let (mut planned, mut left_out) = (Vec::new(), Vec::new());
    for rule in rules.rules().iter().filter(|rule| selection.takes_rule(rule)) {
        let id = &rule.info.id;
        if let Some(reason) = not_drilled(rule) {
            left_out.push((id.clone(), reason.to_owned()));
            continue;
        }
        let of_rule = candidates.iter().filter(|candidate| candidate.exercises.contains(id));
        // What fewest others answer to says most about this one.
        if let Some(Candidate { call, exercises }) = of_rule.min_by_key(|candidate| candidate.exercises.len()) {
            let (rule, exercises) = (id.clone(), exercises.clone());
            planned.push(PlannedCall { marked: MarkedCall::of(place, &rule), rule, call, exercises });
        } else if let Some((region, _)) = elsewhere.iter().find(|(_, candidate)| candidate.exercises.contains(id)) {
            left_out.push((id.clone(), format!("its call is recorded in {region} alone: --call-region {region}")));
        } else {
            left_out.push((id.clone(), NO_CALL.to_owned()));
        }
    }
    Ok((planned, left_out))
}

/// The one region in which the calls of a global service are recorded; none, where the service is not global.
fn region_of(table: &CallTable, call: &HarmlessCall, region: &str) -> Option<&'static str> {
    table.is_global(call).then(|| match call.service {
        "organizations" => home_of_organizations(region),
        _ => region_of_iam(partition_of(region)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::drill::sandbox::account::Caller;
    use crate::cli::packs;
    use crate::cloudtrail::own_resources::OwnResources;
    use crate::ruleset::{PackError, Sources};

    fn of_shipped(region: &str) -> (usize, Vec<LeftOut>) {
        let pack = |name: &str| packs::shipped(name).map(str::to_owned).ok_or_else(|| PackError::new("none"));
        let sources = Sources::gather(include_str!("../../../../rules.json").to_owned(), pack)
            .with_own(OwnResources::new("offlimits", []));
        let rules = RuleSet::compile_sources(&sources).unwrap().rules;
        let table = CallTable::read();
        let caller = Caller::assumed("111122223333");
        let place = Place { caller: &caller, region, stack: "offlimits", seed: "1" };
        let now = Timestamp::from_millis(1_800_000_000_000);
        let (planned, left_out) = super::planned(&rules, &RuleSelection::default(), &table, &place, now).unwrap();
        for planned in &planned {
            assert!(planned.exercises.contains(&planned.rule));
        }
        if region == "us-east-1" {
            // A call that no shipped rule is about would only be noise. Some are about users of IAM alone.
            let arn = "arn:aws:iam::111122223333:user/jana".to_owned();
            let user = Caller { arn, ..Caller::assumed("111122223333") };
            for call in &table.calls {
                let finds = |caller: &Caller| {
                    let place = Place { caller, region, stack: "offlimits", seed: "1" };
                    let record = MarkedCall::of(&place, "").record(call, &place, now);
                    !expected(&rules, &event_of(&record, now)).unwrap().is_empty()
                };
                assert!(finds(&caller) || finds(&user), "{}", call.call);
            }
        }
        (planned.len(), left_out)
    }

    #[test]
    fn most_of_the_shipped_rules_that_may_be_about_a_refused_call_have_one() {
        let (planned, left_out) = of_shipped("us-east-1");
        assert!(planned > 80, "{planned}: {left_out:#?}");
        let reason = |id: &str| left_out.iter().find(|(rule, _)| rule == id).map(|(_, reason)| reason.as_str());
        assert_eq!(reason("RTM-009"), Some("it is off"));
        assert_eq!(reason("RTM-001"), Some(NO_CALL));
        assert_eq!(reason("PER-1"), None);
    }

    #[test]
    fn a_call_that_is_recorded_elsewhere_is_made_there() {
        let (_, left_out) = of_shipped("eu-west-1");
        let of_iam = left_out.iter().find(|(rule, _)| rule == "PER-1").unwrap();
        assert_eq!(of_iam.1, "its call is recorded in us-east-1 alone: --call-region us-east-1");
    }
}
