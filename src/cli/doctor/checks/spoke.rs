//! The spokes of a hub: which the hub has heard, and which accounts and regions have none.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::aws::{OrganizationAccounts, StackReader};
use crate::cli::doctor::check::Check;
use crate::cli::doctor::remedy::Remedy;
use crate::cli::doctor::report::Notes;
use crate::cli::doctor::stack::Stack;
use crate::ledger::Ledger;
use crate::time::Timestamp;

pub(super) const CHECKS: &[&Check] = &[&NO_HUB, &SILENT, &MISSING];

static NO_HUB: Check = Check {
    code: "not-a-hub",
    summary: "The organization was asked about, and the stack is no hub: it hears its own account and region alone.",
    asks: &["cloudformation:DescribeStacks"],
};

static SILENT: Check = Check {
    code: "spoke-silent",
    summary: "The hub has not heard the probe of a spoke for a day. The probe calls once an hour: the spoke's trail, its rule or its \
              role is not in order.",
    asks: &["dynamodb:Query"],
};

static MISSING: Check = Check {
    code: "spoke-missing",
    summary: "The hub has never heard an account and region of the organization (with `--organization`). That a trail of the \
              organization logs there proves nothing.",
    asks: &[
        "dynamodb:Query",
        "organizations:ListRoots",
        "organizations:ListOrganizationalUnitsForParent",
        "organizations:ListAccountsForParent",
    ],
};

/// The ledger writes down that it has heard a spoke every twelve hours, and the probe calls once an hour.
const SILENCE: Duration = Duration::from_hours(24);

/// When each account and region was heard.
type Heard = BTreeMap<(String, String), Timestamp>;

/// Looks at a stack's spokes, and, where there is an organization, at its accounts in these regions.
pub(in crate::cli::doctor) async fn look(
    stack: &Stack<'_>,
    reader: &StackReader,
    organization: Option<&OrganizationAccounts>,
    regions: &[String],
    notes: &mut Notes,
) {
    if !stack.is_hub() {
        if organization.is_some() {
            let parameters = "PARAMETERS=OrganizationId=o-…";
            let remedy = Remedy::new().make("deploy", stack.name, stack.region(), parameters);
            notes.find(&NO_HUB, stack.name, "the stack is no hub: the organization's events do not come to it", remedy);
        }
        return;
    }
    let ledger = Ledger::new(reader.store(stack.output("TableName")));
    let heard: Heard = match ledger.spokes_heard(stack.asker.now).await {
        Ok(heard) => heard.into_iter().map(|(account, region, at)| ((account, region), at)).collect(),
        Err(error) => {
            notes.unanswered(&format!("the table {}: {error}", stack.output("TableName")));
            return;
        }
    };
    for ((account, region), at) in &heard {
        // An account that is closed is silent for good.
        if at.plus(SILENCE) < stack.asker.now && organization.is_none_or(|all| active(all).contains(account.as_str())) {
            let message = format!("not heard since {at}");
            let words = ["cloudformation", "list-stack-instances", "--stack-set-name", stack.parameter("StackSetName")];
            let which = ["--stack-instance-account", account.as_str(), "--stack-instance-region", region.as_str()];
            let remedy = Remedy::new().aws(stack.region(), words.into_iter().chain(which));
            let doctor =
                format!("offlimits doctor --regions {} # in the account {account}", crate::rules::quoted(region));
            notes.find(&SILENT, &format!("{account} {region}"), message, remedy.shell(doctor));
            notes.last_is_of(account, region);
        }
    }
    let Some(organization) = organization else { return };
    for account in active(organization) {
        for region in regions {
            // The hub's own account is asked itself, region for region.
            if account == stack.account || heard.contains_key(&(account.clone(), region.clone())) {
                continue;
            }
            let message = "the hub has never heard this account and region";
            notes.find(&MISSING, &format!("{account} {region}"), message, instance(stack, &account, region));
            notes.last_is_of(&account, region);
        }
    }
}

fn active(organization: &OrganizationAccounts) -> BTreeSet<String> {
    let numbers = organization.accounts.keys().filter(|number| !organization.inactive.contains(number));
    numbers.map(|number| format!("{number:012}")).collect()
}

/// Makes the spoke of one account in one region. The unit's id is for whoever runs it to name: an account has one unit of its own.
fn instance(stack: &Stack<'_>, account: &str, region: &str) -> Remedy {
    let parent = ["organizations", "list-parents", "--child-id", account];
    let set = stack.parameter("StackSetName");
    let create = ["cloudformation", "create-stack-instances", "--stack-set-name", set, "--regions", region];
    let target = format!("OrganizationalUnitIds=$UNIT,Accounts={account},AccountFilterType=INTERSECTION");
    let parent =
        Remedy::new().aws("us-east-1", parent.into_iter().chain(["--query", "Parents[0].Id", "--output", "text"]));
    let parent = parent.commands().concat();
    let create = Remedy::new().aws(stack.region(), create).commands().concat();
    Remedy::new().shell(format!("UNIT=$({parent})")).shell(format!("{create} --deployment-targets \"{target}\""))
}
