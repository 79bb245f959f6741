//! Runs what the other files make.

#[cfg(feature = "lambda")]
use super::function::Function;
use super::make::Expect::{Found, FoundAndNamed, Named, Nothing};
use super::make::{self, Case};
use crate::support;

/// Runs `replay` and `explain` on each case, and tells all that is wrong at once.
pub(super) fn run_all(cases: Vec<Case>) {
    let folder = tempfile::tempdir().unwrap();
    let rules = make::rules(folder.path());
    #[cfg(feature = "lambda")]
    let mut function = Function::start(&rules);
    let mut wrong = Vec::new();
    for (number, Case { name, bytes, expect }) in cases.into_iter().enumerate() {
        let end = if bytes.starts_with(&[0x1f, 0x8b]) { "json.gz" } else { "json" };
        let file_name = format!("case-{number}.{end}");
        let file = support::file(folder.path(), &file_name, &bytes);
        let replay = support::replay(&[&file], &rules);
        let mut explain = support::offlimits(["explain", "--rules"]);
        explain.arg(&rules).arg(&file);
        let explain = support::run(explain);
        for (command, run) in [("replay", &replay), ("explain", &explain)] {
            let code = run.code;
            let named = run.stderr.contains(&file_name);
            let complaint = run.misbehaviour().or_else(|| match expect {
                Found(_) => (code != Some(0)).then(|| format!("exit {code:?}: {}", run.shown())),
                FoundAndNamed(_) | Named => (code != Some(2) || !named)
                    .then(|| format!("exit {code:?}, and the file must be named: {}", run.shown())),
                Nothing => (code == Some(1)).then(|| format!("exit {code:?}: {}", run.shown())),
            });
            wrong.extend(complaint.map(|complaint| format!("{command}: {name}: {complaint}")));
        }
        #[cfg(feature = "lambda")]
        wrong.extend(function.complaint(&bytes, expect).map(|complaint| format!("function: {name}: {complaint}")));
        if replay.misbehaviour().is_none() {
            // Each line is JSON, whatever the record held.
            let found = replay.findings().iter().filter(|finding| finding["rule"] == "seed").count();
            let expected = match expect {
                Found(count) | FoundAndNamed(count) => count,
                Named | Nothing => 0,
            };
            if found != expected {
                wrong.push(format!("replay: {name}: {found} findings, not {expected}: {}", replay.shown()));
            }
        }
    }
    assert!(wrong.is_empty(), "{} complaints:\n{}", wrong.len(), wrong.join("\n"));
}
