//! The function's code: whose it is, of which version, and with which rules.

use serde_json::Value;

use crate::cli::doctor::asker::text;
use crate::cli::doctor::check::Check;
use crate::cli::doctor::remedy::Remedy;
use crate::cli::doctor::report::Notes;
use crate::cli::doctor::stack::Stack;
use crate::cli::doctor::zip;
use crate::ruleset::{RuleSet, digest_of_bundle};
use crate::text::percent_encoded;

pub(super) const CHECKS: &[&Check] = &[&CODE, &VERSION, &RULES];

static CODE: Check = Check {
    code: "function-code",
    summary: "The function's code is no package of offlimits: it has no bootstrap, or no rules.",
    asks: &["lambda:GetFunction"],
};

static VERSION: Check = Check {
    code: "function-version",
    summary: "The function is of another version than the tool that asks: what doctor knows may not be so there.",
    asks: &["lambda:GetFunction"],
};

static RULES: Check = Check {
    code: "function-rules",
    summary: "The function has other rules than those that `--rules` names, or whose changes were never deployed.",
    asks: &["lambda:GetFunction"],
};

/// Bytes of a package: Lambda takes no more. <https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html>
const MOST: usize = 262_144_000;

/// How the bootstrap calls itself in requests, before its version.
const NAME: &[u8] = b"offlimits/";

/// Looks into the package of a function that is there. A function that is a container's image is not looked into.
pub(in crate::cli::doctor) async fn look(stack: &Stack<'_>, rules: &RuleSet, notes: &mut Notes) {
    let name = stack.output("FunctionName");
    let path = format!("/2015-03-31/functions/{}", percent_encoded(name));
    let Some(answer) = notes.there(stack.asker.lambda("GetFunction", path).await) else { return };
    // The address holds a signature: it is not told.
    let Some(address) = answer.pointer("/Code/Location").and_then(Value::as_str) else { return };
    let Some(package) = notes.there(stack.asker.api.download("GetFunction", address, MOST).await) else { return };
    let (bootstrap, bundle) = (zip::file(&package, "bootstrap"), zip::file(&package, "rules.json"));
    let deploy = || Remedy::new().make("deploy", stack.name, stack.region(), "");
    let (Some(bootstrap), Some(bundle)) = (bootstrap, bundle.and_then(|bundle| String::from_utf8(bundle).ok())) else {
        let sum = answer.pointer("/Configuration").and_then(|configuration| text(configuration, "CodeSha256"));
        let message =
            format!("the function's code is no package of offlimits: its SHA-256 is {}", sum.unwrap_or("not known"));
        notes.find(&CODE, name, message, deploy());
        return;
    };
    let own = env!("CARGO_PKG_VERSION");
    if let Some(version) = version_in(&bootstrap).filter(|version| version != own) {
        let message = format!("the function is of version {version}, and this tool of version {own}");
        let build = Remedy::new().shell("make build");
        notes.find(&VERSION, name, message, build.make("deploy", stack.name, stack.region(), ""));
    }
    let deployed = digest_of_bundle(&bundle);
    if deployed.as_ref() != Some(rules.digest()) {
        let deployed = deployed.as_deref().unwrap_or("unreadable");
        let message = format!("the function has the rules {deployed}, and --rules names the rules {}", rules.digest());
        notes.find(&RULES, name, message, deploy());
    }
}

/// The version that a bootstrap names.
fn version_in(bootstrap: &[u8]) -> Option<String> {
    memchr::memmem::find_iter(bootstrap, NAME).find_map(|at| {
        let rest = &bootstrap[at + NAME.len()..];
        let end = rest.iter().position(|byte| !byte.is_ascii_digit() && *byte != b'.').unwrap_or(rest.len());
        let version = std::str::from_utf8(&rest[..end]).ok()?;
        // What stands behind a text in a program may begin with a digit: a version has three numbers.
        let mut numbers = version.split('.');
        let three: Vec<&str> = numbers.by_ref().take(3).filter(|number| !number.is_empty()).collect();
        (three.len() == 3 && numbers.next().is_none()).then(|| version.to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::version_in;

    #[test]
    fn a_bootstrap_names_its_version() {
        assert_eq!(version_in(b"\0offlimits/lib.rs\0offlimits/1.20.3application/json").as_deref(), Some("1.20.3"));
        for none in [&b"offlimits/"[..], b"offlimits/1.2", b"offlimits/1.2.", b"offlimits/1.2.3.4", b""] {
            assert_eq!(version_in(none), None);
        }
    }
}
