//! What a text becomes, without files and without a report: for tests and fuzzers of the readers.

use super::conformity::{self, SettingsFiles};
use super::output::RulesFile;
use super::report::ImportReport;
use super::sigma::{SigmaCounts, SigmaFiles};

/// The `rules.json` that `offlimits import sigma` makes of one file; `None` where no rule is imported.
pub fn rules_of_sigma(text: &str) -> Option<String> {
    let mut files = SigmaFiles::default();
    files.add("rules.yml", text).ok()?;
    let mut rules = RulesFile::default();
    files.import(&mut ImportReport::default(), &mut SigmaCounts::default(), &mut rules.rules);
    rules.drop_what_does_not_compile();
    (!rules.rules.is_empty()).then(|| rules.text())
}

/// The `rules.json` that `offlimits import conformity` makes of one file, whose name tells its format (`.tf`, `.json`, `.tfstate`);
/// `None` where no rule is imported.
pub fn rules_of_conformity(name: &str, text: &str) -> Option<String> {
    let mut files = SettingsFiles::default();
    // In a folder that is not there: no variables are looked for beside it.
    files.add(&format!("no-such-folder/{name}"), text).ok()?;
    let file = conformity::import(&files, &mut ImportReport::default()).file;
    (!file.rules.is_empty()).then(|| file.text())
}
