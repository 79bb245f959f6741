//! The round over the regions.

use super::asker::{Asker, list, text};
use super::delivery::Wanted;
use super::question::Question;
use super::region::{self, Rules};
use super::report::{DoctorReport, Notes, RegionReport, Told, WatchedBy};
use super::stack::Stack;
use crate::aws::{ApiService, AwsApi, FunctionSettings, Organization, OrganizationAccounts, StackReader};
use crate::cli::stack_access::{add_credentials, now};
use crate::ruleset::RuleSet;
use crate::time::Timestamp;

/// Where regions are asked for that nobody has named, unless the environment says otherwise.
const USUAL_REGION: &str = "us-east-1";

/// Asks about all regions of a deployment.
#[derive(Debug)]
pub(super) struct Round<'q> {
    question: &'q Question,
    settings: FunctionSettings,
    api: AwsApi,
    now: Timestamp,
}

impl<'q> Round<'q> {
    /// Finds the credentials; asks nobody yet.
    ///
    /// # Errors
    /// What is missing, and the remedy.
    pub(super) fn begin(question: &'q Question) -> Result<Self, String> {
        let mut settings = FunctionSettings::from_env();
        add_credentials(&mut settings)?;
        Ok(Self { question, api: AwsApi::new(settings.clone()), settings, now: now() })
    }

    /// All that is found. Who does not answer is named in it, and the others are asked all the same.
    pub(super) async fn report(&self, rules: &RuleSet, wanted: &Wanted) -> DoctorReport {
        let name = self.question.rules.stack.as_str();
        let mut report = DoctorReport { stack: name.to_owned(), ..DoctorReport::default() };
        let mut first = Notes::of(self.home());
        let regions = self.regions(&mut first).await;
        let organization = if self.question.organization { self.organization(&mut first).await } else { None };
        report.unanswered.append(&mut first.unanswered);
        // Which stacks there are has to be known before a region can be said to send its events to one.
        let mut found: Vec<(&str, Notes, Told<Stack<'_>>)> = Vec::new();
        for region in &regions {
            let mut notes = Notes::of(region);
            let asker = Asker { api: &self.api, region, now: self.now };
            let stack = region::stack_in(asker, name, &mut notes).await;
            found.push((region, notes, stack));
        }
        let of = Rules { rules, wanted };
        let (mut stacks, mut others) = (Vec::new(), Vec::new());
        for (region, mut notes, stack) in found {
            match stack {
                Told::There(stack) => {
                    region::look_at_stack(&stack, of, &mut notes).await;
                    let reader = self.reader(region);
                    region::look_at_probes(&stack, &reader, of, &mut notes).await;
                    region::look_at_spokes(&stack, &reader, organization.as_ref(), &regions, &mut notes).await;
                    let silences = region::silences(&stack, &reader, &mut notes).await;
                    report.take(region, Some(stack.account.clone()), WatchedBy::Stack, notes);
                    if let Some(taken) = report.regions.last_mut() {
                        taken.silences = silences;
                    }
                    stacks.push(stack);
                }
                Told::Missing => others.push((region, notes)),
                Told::Unknown => report.take(region, None, WatchedBy::Unknown, notes),
            }
        }
        for (region, mut notes) in others {
            let asker = Asker { api: &self.api, region, now: self.now };
            let watched_by = region::look_elsewhere(asker, name, &stacks, of, &mut notes).await;
            report.take(region, None, watched_by, notes);
        }
        report.sort(&regions);
        report
    }

    /// The region in which what belongs to no region is asked.
    fn home(&self) -> &str {
        let named = self.question.regions.first().or(self.settings.access.region.as_ref());
        named.map_or(USUAL_REGION, String::as_str)
    }

    /// The regions that are asked about: those that were named, else all that the account may use.
    async fn regions(&self, notes: &mut Notes) -> Vec<String> {
        if !self.question.regions.is_empty() {
            return self.question.regions.clone();
        }
        let asker = Asker { api: &self.api, region: self.home(), now: self.now };
        let answer = notes.there(asker.form(&ApiService::EC2, "DescribeRegions", Vec::new()).await);
        let listed = answer.iter().flat_map(|answer| list(answer, "regionInfo"));
        let mut regions: Vec<String> =
            listed.filter_map(|region| text(region, "regionName")).map(str::to_owned).collect();
        regions.sort();
        regions
    }

    async fn organization(&self, notes: &mut Notes) -> Option<OrganizationAccounts> {
        let mut settings = self.settings.clone();
        settings.access.region = Some(self.home().to_owned());
        match Organization::new(settings).accounts().await {
            Ok(accounts) => Some(accounts),
            Err(error) => {
                notes.unanswered(&format!("the organization: {error}"));
                None
            }
        }
    }

    fn reader(&self, region: &str) -> StackReader {
        let mut settings = self.settings.clone();
        settings.access.region = Some(region.to_owned());
        StackReader::new(AwsApi::new(settings))
    }
}

impl DoctorReport {
    fn take(&mut self, region: &str, account: Option<String>, watched_by: WatchedBy, notes: Notes) {
        self.regions.push(RegionReport { region: region.to_owned(), account, watched_by, silences: Vec::new() });
        self.findings.extend(notes.findings);
        self.unanswered.extend(notes.unanswered);
    }

    /// Puts the regions, and what was found in each, into this order.
    fn sort(&mut self, regions: &[String]) {
        let place = |name: &String| regions.iter().position(|region| region == name).unwrap_or(usize::MAX);
        self.regions.sort_by_key(|report| place(&report.region));
        self.findings.sort_by_key(|finding| place(&finding.region));
    }
}
