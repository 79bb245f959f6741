//! The steps that bring offlimits into an organization, and take it out again.

use std::collections::BTreeSet;

use clap::ValueEnum;
use serde::Serialize;

use crate::cloudtrail::{partition_of, region_of_iam};

/// What the rules of hub and spokes let pass, by the name of the parameter's value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum RuleState {
    /// What changes something.
    Enabled,
    /// The Describe, Get and List calls too.
    All,
}

impl RuleState {
    const fn value(self) -> &'static str {
        match self {
            Self::Enabled => "ENABLED",
            Self::All => "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS",
        }
    }
}

/// Which of the calls that change something the spokes send, by the name of the parameter's value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum EventPatterns {
    /// All.
    Wide,
    /// Those that the rules can match for which this tool's template was written.
    Derived,
}

impl EventPatterns {
    const fn value(self) -> &'static str {
        match self {
            Self::Wide => "wide",
            Self::Derived => "derived",
        }
    }
}

/// What the command is told.
#[derive(Debug)]
pub(super) struct Organization<'a> {
    pub(super) id: &'a str,
    pub(super) hub_account: &'a str,
    pub(super) hub_region: &'a str,
    pub(super) units: &'a [String],
    pub(super) regions: &'a [String],
    pub(super) stack: &'a str,
    pub(super) stack_set: &'a str,
    pub(super) rule_state: RuleState,
    pub(super) event_patterns: EventPatterns,
    pub(super) delegated: bool,
    /// The file that the template of the spokes is written to.
    pub(super) template: String,
}

/// What is wrong with what the command is told.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{option} is \"{value}\", and should be {should_be}")]
pub(super) struct Mistake {
    option: &'static str,
    value: String,
    should_be: &'static str,
}

/// The steps, in their order, and what should be known besides.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) steps: Vec<Step>,
    pub(super) notes: Vec<String>,
}

/// One step: commands that are run with the credentials of one account.
#[derive(Debug, Serialize)]
pub(super) struct Step {
    /// When it is due: to `deploy`, to `update`, or to `remove`.
    pub(super) phase: &'static str,
    /// What it does.
    pub(super) title: String,
    /// The account whose credentials it needs.
    pub(super) place: String,
    /// The commands, each on one line, for a POSIX shell. A later one uses the variables that an earlier one sets.
    pub(super) commands: Vec<String>,
}

/// Regions in which the console records the sign-ins of IAM users, beside that of IAM.
/// <https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-aws-console-sign-in-events.html>
const SIGN_IN_REGIONS: [&str; 3] = ["us-east-2", "eu-north-1", "ap-southeast-2"];

impl Plan {
    /// The hub, then its spokes; an update in the same order, and the removal in the other.
    pub(super) fn hub_and_spokes(of: &Organization<'_>) -> Result<Self, Mistake> {
        check(of)?;
        let partition = partition_of(of.hub_region);
        let (regions, notes) = regions(of);
        let Organization { id, hub_account, hub_region, stack, stack_set, template, .. } = of;
        let (state, patterns) = (of.rule_state.value(), of.event_patterns.value());
        let (maker, call_as) = stack_set_maker(of);
        let hub = format!("the hub's account, {hub_account}");
        let targets = format!("--deployment-targets OrganizationalUnitIds={}", of.units.join(","));
        let regions = regions.join(" ");
        let bus = format!("arn:{partition}:events:{hub_region}:{hub_account}:event-bus/{stack}");
        let parameters = |role: &str| {
            format!(
                "--parameters ParameterKey=HubBusArn,ParameterValue={bus} ParameterKey=MoverRoleArn,{role} \
                 ParameterKey=RuleState,ParameterValue={state} ParameterKey=EventPatterns,ParameterValue={patterns}"
            )
        };
        let (given, kept) = (parameters("ParameterValue=\"$MOVER_ROLE\""), parameters("UsePreviousValue=true"));
        let preferences = "--operation-preferences RegionConcurrencyType=PARALLEL,MaxConcurrentPercentage=100,FailureTolerancePercentage=100";
        let at = format!("--region {hub_region}{call_as}");
        let read_role = format!(
            "MOVER_ROLE=$(aws cloudformation describe-stacks --stack-name {stack} --region {hub_region} \
             --query \"Stacks[0].Outputs[?OutputKey=='RoleArn'].OutputValue\" --output text)"
        );
        let deploy_hub = format!(
            "make deploy STACK={stack} REGIONS={hub_region} \
             PARAMETERS=\"OrganizationId={id} StackSetName={stack_set} RuleState={state}\""
        );
        let steps = vec![
            step(
                "deploy",
                "Deploy the hub, and read which role fetches letters",
                &hub,
                vec![deploy_hub.clone(), read_role],
            ),
            step(
                "deploy",
                "Let StackSets into the organization, once",
                "the management account",
                vec!["aws cloudformation activate-organizations-access".to_owned()],
            ),
            step(
                "deploy",
                "Make the StackSet and its instances; accounts that join get theirs by themselves",
                maker,
                vec![
                    format!(
                        "aws cloudformation create-stack-set --stack-set-name {stack_set} --template-body file://{template} \
                         --permission-model SERVICE_MANAGED --auto-deployment Enabled=true,RetainStacksOnAccountRemoval=false \
                         --capabilities CAPABILITY_IAM --managed-execution Active=true {given} {at}"
                    ),
                    format!(
                        "aws cloudformation create-stack-instances --stack-set-name {stack_set} {targets} \
                         --regions {regions} {preferences} {at}"
                    ),
                ],
            ),
            step(
                "deploy",
                "Ask how it went",
                maker,
                vec![format!(
                    "aws cloudformation list-stack-instances --stack-set-name {stack_set} {at} \
                 --query \"Summaries[?StackInstanceStatus.DetailedStatus!='SUCCEEDED'].[Account,Region,StatusReason]\" --output text"
                )],
            ),
            step("update", "Update the hub, then its spokes", &hub, vec![deploy_hub]),
            step(
                "update",
                "Update the StackSet",
                maker,
                vec![format!(
                    "aws cloudformation update-stack-set --stack-set-name {stack_set} --template-body file://{template} \
                 --capabilities CAPABILITY_IAM {kept} {preferences} {at}"
                )],
            ),
            step(
                "remove",
                "Remove the spokes, when the hub's log tells of no more letters; and the StackSet, when they are gone",
                maker,
                vec![
                    format!(
                        "aws cloudformation delete-stack-instances --stack-set-name {stack_set} {targets} \
                         --regions {regions} --no-retain-stacks {preferences} {at}"
                    ),
                    format!("aws cloudformation delete-stack-set --stack-set-name {stack_set} {at}"),
                ],
            ),
            step(
                "remove",
                "Make the hub a stack of its own account again, or delete it",
                &hub,
                vec![format!(
                    "make deploy STACK={stack} REGIONS={hub_region} PARAMETERS=\"'OrganizationId=\\\"\\\"'\""
                )],
            ),
        ];
        Ok(Self { steps, notes })
    }

    /// A whole stack in every account and region, without a hub: each needs its code in its own region.
    pub(super) fn whole_stacks(of: &Organization<'_>) -> Result<Self, Mistake> {
        check(of)?;
        let (regions, notes) = regions(of);
        let Organization { id, hub_account, hub_region, stack, stack_set, .. } = of;
        let partition = partition_of(hub_region);
        let (maker, call_as) = stack_set_maker(of);
        let place = format!("the account that keeps the code, {hub_account}");
        let buckets = format!("{stack}-code-{hub_account}");
        let mut commands = vec![
            "make build".to_owned(),
            "(cd target/package && zip -q -X ../offlimits.zip *)".to_owned(),
            "KEY=offlimits-$(sha256sum target/offlimits.zip | cut -c1-16).zip".to_owned(),
            "ARCHITECTURE=$(sed -n 's/^Architecture: //p' .aws-sam/architecture.yaml)".to_owned(),
        ];
        for region in &regions {
            let bucket = format!("{buckets}-{region}");
            let policy = format!(
                "{{\"Version\":\"2012-10-17\",\"Statement\":[{{\"Effect\":\"Allow\",\"Principal\":\"*\",\"Action\":\"s3:GetObject\",\
                 \"Resource\":\"arn:{partition}:s3:::{bucket}/*\",\"Condition\":{{\"StringEquals\":{{\"aws:PrincipalOrgID\":\"{id}\"}}}}}}]}}"
            );
            commands.push(format!("aws s3 mb s3://{bucket} --region {region}"));
            commands
                .push(format!("aws s3api put-bucket-policy --bucket {bucket} --region {region} --policy '{policy}'"));
            commands.push(format!("aws s3 cp target/offlimits.zip s3://{bucket}/$KEY --region {region}"));
        }
        // The template is longer than what CloudFormation takes as text: it lies beside the code of one region.
        let shelf = regions.first().map_or(*hub_region, |region| region.as_str());
        commands.push("make plain REGIONAL=1 OUTPUT=target/whole-stack.json".to_owned());
        commands.push(format!("aws s3 cp target/whole-stack.json s3://{buckets}-{shelf}/$KEY.json --region {shelf}"));
        let template = format!("https://{buckets}-{shelf}.s3.{shelf}.{}/$KEY.json", dns_suffix(partition));
        let at = format!("--region {hub_region}{call_as}");
        let steps = vec![
            Step { phase: "deploy", title: "Put the code where each region finds it".to_owned(), place, commands },
            Step {
                phase: "deploy",
                title: "Make the StackSet and its instances".to_owned(),
                place: maker.to_owned(),
                commands: vec![
                    format!(
                        "aws cloudformation create-stack-set --stack-set-name {stack_set} --template-url {template} \
                         --permission-model SERVICE_MANAGED --auto-deployment Enabled=true,RetainStacksOnAccountRemoval=false \
                         --capabilities CAPABILITY_IAM --managed-execution Active=true \
                         --parameters ParameterKey=RuleState,ParameterValue={} ParameterKey=EventPatterns,ParameterValue={} \
                         ParameterKey=Architecture,ParameterValue=$ARCHITECTURE \
                         ParameterKey=CodeBucket,ParameterValue={buckets} ParameterKey=CodeKey,ParameterValue=$KEY {at}",
                        of.rule_state.value(),
                        of.event_patterns.value()
                    ),
                    format!(
                        "aws cloudformation create-stack-instances --stack-set-name {stack_set} \
                         --deployment-targets OrganizationalUnitIds={} --regions {} {at}",
                        of.units.join(","),
                        regions.join(" ")
                    ),
                ],
            },
            Step {
                phase: "update",
                title: "After the first step, for new code or rules".to_owned(),
                place: maker.to_owned(),
                commands: vec![format!(
                    "aws cloudformation update-stack-set --stack-set-name {stack_set} --template-url {template} \
                     --capabilities CAPABILITY_IAM --parameters ParameterKey=RuleState,UsePreviousValue=true \
                     ParameterKey=EventPatterns,UsePreviousValue=true ParameterKey=Architecture,ParameterValue=$ARCHITECTURE ParameterKey=CodeBucket,UsePreviousValue=true \
                     ParameterKey=CodeKey,ParameterValue=$KEY {at}"
                )],
            },
        ];
        Ok(Self { steps, notes })
    }
}

fn step(phase: &'static str, title: &str, place: &str, commands: Vec<String>) -> Step {
    Step { phase, title: title.to_owned(), place: place.to_owned(), commands }
}

/// Who makes the `StackSet`, and the option that says so.
const fn stack_set_maker(of: &Organization<'_>) -> (&'static str, &'static str) {
    if of.delegated {
        ("the delegated administrator's account", " --call-as DELEGATED_ADMIN")
    } else {
        ("the management account", "")
    }
}

/// What the names of a partition's services end in. <https://github.com/boto/botocore/blob/develop/botocore/data/partitions.json>
fn dns_suffix(partition: &str) -> &'static str {
    match partition {
        "aws-cn" => "amazonaws.com.cn",
        "aws-eusc" => "amazonaws.eu",
        _ => "amazonaws.com",
    }
}

/// The regions of the spokes, each once, and what should be known of them.
fn regions(of: &Organization<'_>) -> (Vec<String>, Vec<String>) {
    let partition = partition_of(of.hub_region);
    let of_iam = region_of_iam(partition);
    let mut regions: BTreeSet<String> = of.regions.iter().cloned().collect();
    let mut notes = Vec::new();
    if regions.insert(of_iam.to_owned()) {
        notes.push(format!("{of_iam} is among the regions: there the calls to IAM are recorded, and root's sign-ins"));
    }
    if matches!(partition, "aws-cn" | "aws-us-gov") && regions.iter().any(|region| region != of.hub_region) {
        notes.push(format!(
            "EventBridge may not send events between the regions of {partition}: see docs/organization.md"
        ));
    }
    let missing: Vec<&str> = SIGN_IN_REGIONS.into_iter().filter(|region| !regions.contains(*region)).collect();
    if partition == "aws" && !missing.is_empty() {
        notes.push(format!(
            "sign-ins of IAM users may be recorded in {} too, where no spoke will be",
            missing.join(", ")
        ));
    }
    notes.push(
        "a StackSet with service-managed permissions makes nothing in the management account: see docs/organization.md"
            .to_owned(),
    );
    (regions.into_iter().collect(), notes)
}

/// Checks what would be quoted into commands: nothing but what AWS itself allows.
fn check(of: &Organization<'_>) -> Result<(), Mistake> {
    let is = |text: &str, extra: &str| {
        !text.is_empty() && text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || extra.contains(c))
    };
    let mistake = |option, value: &str, should_be| Err(Mistake { option, value: value.to_owned(), should_be });
    let is_organization = of.id.strip_prefix("o-").is_some_and(|rest| is(rest, "") && (10..=32).contains(&rest.len()));
    if !is_organization {
        return mistake("--organization", of.id, "an organization's id, such as o-a1b2c3d4e5");
    }
    if of.hub_account.len() != 12 || !of.hub_account.bytes().all(|byte| byte.is_ascii_digit()) {
        return mistake("--hub-account", of.hub_account, "an account's id of 12 digits");
    }
    let is_region = |region: &str| is(region, "-") && region.matches('-').count() >= 2;
    for (option, region) in std::iter::once(("--hub-region", of.hub_region))
        .chain(of.regions.iter().map(|region| ("--regions", region.as_str())))
    {
        if !is_region(region) {
            return mistake(option, region, "a region, such as eu-central-1");
        }
        if partition_of(region) != partition_of(of.hub_region) {
            return mistake(option, region, "of the hub's own partition: events do not pass from one to another");
        }
    }
    for unit in of.units {
        if !(is(unit, "-") && (unit.starts_with("ou-") || unit.starts_with("r-"))) {
            return mistake(
                "--units",
                unit,
                "an organizational unit, such as ou-ab12-cdef3456, or the root, such as r-ab12",
            );
        }
    }
    let is_name = |name: &str, most: usize| {
        name.len() <= most
            && name.starts_with(|c: char| c.is_ascii_alphabetic())
            && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
    };
    if !is_name(of.stack, 128) {
        return mistake("--stack", of.stack, "a letter, and letters, digits and hyphens");
    }
    if !is_name(of.stack_set, 14) {
        return mistake(
            "--stack-set",
            of.stack_set,
            "a letter, and up to 13 letters, digits and hyphens: AWS cuts longer names",
        );
    }
    if !of.template.chars().all(|c| c.is_ascii_alphanumeric() || "-_./".contains(c)) {
        return mistake("--output", &of.template, "a path that a shell takes as it is");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|text| (*text).to_owned()).collect()
    }

    fn plan<'a>(
        units: &'a [String],
        regions: &'a [String],
        change: impl FnOnce(&mut Organization<'a>),
    ) -> Result<Plan, Mistake> {
        let mut of = Organization {
            id: "o-a1b2c3d4e5",
            hub_account: "111122223333",
            hub_region: "eu-central-1",
            units,
            regions,
            stack: "offlimits",
            stack_set: "offlimits",
            rule_state: RuleState::Enabled,
            event_patterns: EventPatterns::Wide,
            delegated: false,
            template: "spoke.yaml".to_owned(),
        };
        change(&mut of);
        Plan::hub_and_spokes(&of)
    }

    fn commands(plan: &Plan) -> String {
        let all: Vec<&str> = plan.steps.iter().flat_map(|step| &step.commands).map(String::as_str).collect();
        all.join("\n")
    }

    #[test]
    fn the_region_of_iam_gets_a_spoke_in_every_partition() {
        let (root, europe) = (texts(&["r-ab12"]), texts(&["eu-central-1", "eu-west-1"]));
        let found = plan(&root, &europe, |_| ()).unwrap();
        let text = commands(&found);
        assert!(text.contains("--regions eu-central-1 eu-west-1 us-east-1 "), "{text}");
        assert!(found.notes[0].starts_with("us-east-1 "), "{:?}", found.notes);
        assert!(found.notes[1].contains("us-east-2, eu-north-1, ap-southeast-2"), "{:?}", found.notes);
        let found = plan(&root, &texts(&["cn-northwest-1"]), |of| of.hub_region = "cn-north-1").unwrap();
        let text = commands(&found);
        assert!(found.notes.iter().any(|note| note.contains("between the regions of aws-cn")), "{:?}", found.notes);
        assert!(text.contains("--regions cn-north-1 cn-northwest-1 "), "{text}");
        assert!(text.contains("arn:aws-cn:events:cn-north-1:111122223333:event-bus/offlimits"), "{text}");
        assert_eq!(partition_of("us-gov-east-1"), "aws-us-gov");
        assert_eq!((region_of_iam("aws-us-gov"), partition_of("us-west-2")), ("us-gov-west-1", "aws"));
    }

    #[test]
    fn a_delegated_administrator_says_so_in_every_call_on_the_stack_set() {
        let text = commands(&plan(&texts(&["r-ab12"]), &texts(&["eu-west-1"]), |of| of.delegated = true).unwrap());
        let calls: Vec<&str> = text.lines().filter(|line| line.contains("--stack-set-name")).collect();
        assert!(calls.len() == 6 && calls.iter().all(|line| line.contains("--call-as DELEGATED_ADMIN")), "{text}");
    }

    #[test]
    fn what_a_shell_or_aws_would_take_otherwise_is_refused() {
        let (root, europe) = (texts(&["r-ab12"]), texts(&["eu-central-1"]));
        let refused =
            |change: &dyn Fn(&mut Organization<'_>)| plan(&root, &europe, |of| change(of)).unwrap_err().option;
        assert_eq!(refused(&|of| of.id = "a1b2c3d4e5"), "--organization");
        assert_eq!(refused(&|of| of.hub_account = "1111-2222-3333"), "--hub-account");
        assert_eq!(refused(&|of| of.hub_region = "Frankfurt"), "--hub-region");
        assert_eq!(refused(&|of| of.stack = "a b"), "--stack");
        assert_eq!(refused(&|of| of.stack_set = "offlimits-of-all"), "--stack-set");
        assert_eq!(refused(&|of| of.template = "a b.yaml".to_owned()), "--output");
        for regions in [&["eu-west-1; rm"], &["us-gov-west-1"]] {
            assert_eq!(plan(&root, &texts(regions), |_| ()).unwrap_err().option, "--regions");
        }
        assert_eq!(plan(&texts(&["$(id)"]), &europe, |_| ()).unwrap_err().option, "--units");
    }
}
