//! SMS: whether SNS sends them to the numbers that are subscribed.

use crate::aws::ApiService;
use crate::cli::doctor::asker::{Asker, text};
use crate::cli::doctor::check::Check;
use crate::cli::doctor::remedy::Remedy;
use crate::cli::doctor::report::Notes;

pub(super) const CHECKS: &[&Check] = &[&SANDBOX];

static SANDBOX: Check = Check {
    code: "sms-sandbox",
    summary: "The account is in SNS's sandbox for SMS in the region, and a number that is subscribed is not verified there: it gets \
              nothing.",
    asks: &["sns:GetSMSSandboxAccountStatus", "sns:ListSMSSandboxPhoneNumbers"],
};

/// Looks at the numbers that are subscribed. Where there is none, nobody is asked.
/// <https://docs.aws.amazon.com/sns/latest/dg/sns-sms-sandbox.html>
pub(super) async fn look(asker: Asker<'_>, numbers: &[&str], notes: &mut Notes) {
    if numbers.is_empty() {
        return;
    }
    let asked = asker.form(&ApiService::SNS, "GetSMSSandboxAccountStatus", Vec::new()).await;
    let Some(status) = notes.there(asked) else { return };
    if text(&status, "IsInSandbox") != Some("true") {
        return;
    }
    let asked = asker.form_list(&ApiService::SNS, "ListSMSSandboxPhoneNumbers", Vec::new(), "PhoneNumbers").await;
    let Some(known) = notes.there(asked) else { return };
    for number in numbers {
        let is_verified = known
            .iter()
            .any(|known| text(known, "PhoneNumber") == Some(number) && text(known, "Status") == Some("Verified"));
        if !is_verified {
            let region = asker.region;
            let create = ["sns", "create-sms-sandbox-phone-number", "--phone-number", number];
            let verify = ["sns", "verify-sms-sandbox-phone-number", "--phone-number", number];
            let code = ["--one-time-password", "CODE"];
            let remedy = Remedy::new().aws(region, create).aws(region, verify.into_iter().chain(code));
            let message = format!("the account is in SNS's sandbox for SMS, and {number} is not verified there");
            notes.find(&SANDBOX, number, message, remedy);
        }
    }
}
