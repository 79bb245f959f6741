//! The command itself: which product, which files, and what is written where.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::{Subcommand, ValueEnum};

use super::conformity;
use super::files::each;
use super::output::RulesFile;
use super::report::{ImportReport, NoteKind};
use super::sigma;
use crate::cli::Exit;
use crate::cli::words::counted;

/// Turn the rules of another product into a rules.json, and report what could not be carried over
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct ImportCommand {
    #[command(subcommand)]
    product: Product,
}

impl ImportCommand {
    pub(in crate::cli) fn run(&self) -> io::Result<Exit> {
        match &self.product {
            Product::Conformity { files } => import_conformity(files),
            Product::Sigma { files, mode } => import_sigma(files, *mode),
        }
    }
}

#[derive(Debug, Subcommand)]
enum Product {
    /// Import the rules and channels of Trend Micro's Conformity (Real-Time Threat Monitoring)
    #[command(
        after_help = "A FILE is an answer of Conformity's API (settings of rules, profiles, communication settings), \
                            Terraform's HCL (.tf) or state, and a file of its variables (.tfvars); of a folder, every \
                            .json, .tf and .tfstate file in it is read.\n\nCredentials are never written: what each channel needs is told on stderr."
    )]
    Conformity {
        #[command(flatten)]
        files: ImportFiles,
    },
    /// Import Sigma rules for AWS CloudTrail
    #[command(
        after_help = "Of a folder, every .yml and .yaml file in it is read. Rules for other log sources are counted \
                            and skipped."
    )]
    Sigma {
        #[command(flatten)]
        files: ImportFiles,
        /// The mode of rules that alert: "stage" counts and logs their findings, and sends none
        #[arg(long, value_enum, default_value_t = ImportMode::Alert)]
        mode: ImportMode,
    },
}

#[derive(Debug, clap::Args)]
struct ImportFiles {
    /// Files and folders to read; - is stdin
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Write the rules to this file, which must not exist yet, instead of stdout
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// The mode that imported rules begin with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum ImportMode {
    /// Findings are sent.
    Alert,
    /// Findings are counted and logged, not sent.
    Stage,
}

fn import_conformity(files: &ImportFiles) -> io::Result<Exit> {
    let (mut settings, mut report) = (conformity::SettingsFiles::default(), ImportReport::default());
    let unreadable = each(&files.files, &["json", "tf", "tfstate"], |name, text| settings.add(name, text));
    let conformity::Imported { file, credentials, found } = conformity::import(&settings, &mut report);
    if file.rules.is_empty() && !file.channels.is_empty() {
        report.note(
            NoteKind::ToDo,
            "rules.json",
            "no rule was imported: put these channels into a rules.json that has rules",
        );
    }
    let summary = format!(
        "{} of {} and {} of {} imported",
        file.rules.len(),
        counted(found.0, "rule"),
        file.channels.len(),
        counted(found.1, "channel"),
    );
    if !credentials.is_empty() {
        let skeleton = serde_json::to_string_pretty(&credentials).unwrap_or_default();
        report.credentials(skeleton);
    }
    finish(&file, &report, &summary, files.output.as_deref(), unreadable)
}

fn import_sigma(files: &ImportFiles, mode: ImportMode) -> io::Result<Exit> {
    let (mut rules, mut report, mut counts) =
        (RulesFile::default(), ImportReport::default(), sigma::SigmaCounts::default());
    let mut documents = sigma::SigmaFiles::default();
    let unreadable = each(&files.files, &["yml", "yaml"], |name, text| documents.add(name, text));
    documents.import(&mut report, &mut counts, &mut rules.rules);
    if mode == ImportMode::Stage {
        for rule in rules.rules.iter_mut().filter(|rule| rule.mode.is_none()) {
            rule.mode = Some("stage".to_owned());
        }
    }
    let refused = rules.drop_what_does_not_compile();
    counts.imported -= refused.len();
    counts.refused += refused.len();
    refused.into_iter().for_each(|(rule, reason)| report.note(NoteKind::Lost, rule.id, reason));
    if unreadable > 0 {
        report.note(NoteKind::Lost, counted(unreadable, "file"), "could not be read: see above");
    }
    let others = match counts.others {
        0 => String::new(),
        others => format!(", {} for other log sources skipped", counted(others, "document")),
    };
    let total = counted(counts.imported + counts.refused, "Sigma rule");
    let summary = format!("{} of {total} for CloudTrail imported{others}", counts.imported);
    finish(&rules, &report, &summary, files.output.as_deref(), unreadable)
}

/// Writes the rules and the report.
fn finish(
    rules: &RulesFile,
    report: &ImportReport,
    summary: &str,
    to: Option<&Path>,
    unreadable: usize,
) -> io::Result<Exit> {
    let mut failed = unreadable > 0;
    let nothing = rules.rules.is_empty() && rules.channels.is_empty();
    if nothing {
        failed = true;
    } else if let Some(path) = to {
        let written = std::fs::File::create_new(path).and_then(|mut file| file.write_all(rules.text().as_bytes()));
        if let Err(error) = written {
            failed = true;
            eprintln!("error: cannot write {}: {error}", path.display());
        }
    } else {
        let mut out = io::stdout().lock();
        out.write_all(rules.text().as_bytes())?;
        out.flush()?;
    }
    eprint!("{summary}\n{}", report.text());
    if nothing {
        eprintln!("error: there is nothing to write: nothing was imported");
    }
    Ok(if failed { Exit::Unreadable } else { Exit::Done })
}
