//! Regions that nobody watches.

use crate::cli::doctor::check::Check;
use crate::cli::doctor::remedy::Remedy;
use crate::cli::doctor::report::Notes;

pub(super) const CHECKS: &[&Check] = &[&UNWATCHED];

static UNWATCHED: Check = Check {
    code: "region-unwatched",
    summary: "There is no stack in a region that was asked about, and no rule there sends its events to one elsewhere: nobody hears \
              what happens in it.",
    asks: &["cloudformation:DescribeStacks", "events:ListRuleNamesByTarget", "ec2:DescribeRegions"],
};

pub(in crate::cli::doctor) fn find(stack: &str, region: &str, notes: &mut Notes) {
    let message = match region {
        // <https://docs.aws.amazon.com/IAM/latest/UserGuide/cloudtrail-integration.html>
        "us-east-1" => "nobody watches the region, in which the calls to IAM and root's sign-ins are recorded",
        _ => "nobody watches the region",
    };
    notes.find(&UNWATCHED, region, message, Remedy::new().make("deploy", stack, region, ""));
}
