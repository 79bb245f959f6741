//! Whether an identity policy grants administration.

use super::caller::Caller;
use super::condition::Holds;
use super::statement::{Selection, Statement};
use crate::cloudtrail::FactValue;

/// The calls of IAM by which whoever may make them all can give any permission to anybody, himself included, each with the kinds of
/// things that it is made on. Who has these is an administrator, whatever else he may do. Source:
/// <https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsidentityandaccessmanagementiam.html>, access level
/// "Permissions management".
const ADMINISTRATION: [(&str, &str); 8] = [
    ("iam:attachuserpolicy", "user"),
    ("iam:attachgrouppolicy", "group"),
    ("iam:attachrolepolicy", "role"),
    ("iam:putuserpolicy", "user"),
    ("iam:putgrouppolicy", "group"),
    ("iam:putrolepolicy", "role"),
    ("iam:createpolicyversion", "policy"),
    ("iam:updateassumerolepolicy", "role"),
];

/// Actions and resources that nobody writes down: only who allows everything allows them.
const ANYTHING: [(&str, &str); 2] =
    [("q0:q", "q0:q0-q:000000000000:q"), ("zz-9-zz:zq9zq9zq9", "zz-9-zz::000000000000:zq9/zq9:zq9")];

/// Names of things, of different lengths, that no policy has by chance.
const NAMES: [&str; 2] = ["\u{1}", "\u{1}\u{1}\u{1}\u{1}"];

/// Whether the statements together grant administration, and in which words: `Allow * on *`, or `Allow iam:* on *` where they allow all that it
/// takes to give oneself the rest. Behind it stands `under conditions` where they do so only under conditions that not everybody
/// meets.
///
/// A `Deny` counts where it takes all of that back again.
pub(in crate::facts) fn administration(
    statements: &[Statement<'_>],
    partition: &str,
    account: &str,
) -> Option<FactValue> {
    let iam: Vec<(String, String)> = ADMINISTRATION
        .iter()
        .flat_map(|(action, kind)| {
            NAMES.map(|name| ((*action).to_owned(), format!("arn:{partition}:iam::{account}:{kind}/{name}")))
        })
        .collect();
    let (allows, denies): (Vec<&Statement<'_>>, Vec<&Statement<'_>>) =
        statements.iter().partition(|statement| statement.allows);
    let denies: Vec<&Statement<'_>> = denies.into_iter().filter(|deny| deny.conditions.is_empty()).collect();
    if iam.iter().all(|point| denies.iter().any(|deny| has(deny, point))) {
        return None;
    }
    let plain: Vec<&Statement<'_>> = allows.iter().copied().filter(|allow| is_plain(allow)).collect();
    for (allows, under) in [(plain, ""), (allows, " under conditions")] {
        if !iam.iter().all(|point| allows.iter().any(|allow| has(allow, point))) {
            continue;
        }
        let alone = allows.iter().find(|allow| iam.iter().all(|point| has(allow, point)));
        let whole = allows.iter().find(|allow| allows_anything(allow, partition));
        let first = whole.or(alone).or_else(|| allows.iter().find(|allow| has(allow, &iam[0])))?;
        let what = if whole.is_some() { "*" } else { "iam:*" };
        return Some(FactValue { text: format!("Allow {what} on *{under}"), place: first.place.clone() });
    }
    None
}

fn has(statement: &Statement<'_>, (action, resource): &(String, String)) -> bool {
    statement.actions.has(action) && statement.resources.has(resource)
}

/// Whether whoever has the policy meets the conditions at will.
fn is_plain(statement: &Statement<'_>) -> bool {
    statement.conditions.iter().all(|condition| condition.holds(Caller::Holder.holds(&condition.key)) != Holds::Never)
}

/// Whether one statement allows everything on everything. One that leaves something out does not.
fn allows_anything(statement: &Statement<'_>, partition: &str) -> bool {
    let leaves_out = |selection: &Selection| matches!(selection, Selection::AllBut(globs) if !globs.is_empty());
    !leaves_out(&statement.actions)
        && !leaves_out(&statement.resources)
        && ANYTHING
            .iter()
            .all(|(action, resource)| has(statement, &((*action).to_owned(), format!("arn:{partition}:{resource}"))))
}
