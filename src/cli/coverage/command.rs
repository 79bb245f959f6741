//! The command itself: its options, and which form is printed.

use std::io::{self, Write};

use clap::ValueEnum;

use super::survey::Survey;
use super::{document, markdown, navigator, print};
use crate::cli::Exit;
use crate::cli::load::RulesOption;

/// Tell what the rules watch for: by ATT&CK technique, by service, and beside AWS's own rules
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Techniques are those of the rules' tags (attack.t1098.003). Rules that are off are counted by severity alone."
)]
pub(in crate::cli) struct CoverageCommand {
    #[command(flatten)]
    rules: RulesOption,
    /// How it is printed
    #[arg(long, value_enum, default_value_t = CoverageFormat::Human)]
    format: CoverageFormat,
}

/// The forms in which it is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum CoverageFormat {
    /// A summary for people
    Human,
    /// A page in Markdown
    Markdown,
    /// One JSON document, with every call that each rule can match
    Json,
    /// A layer for the ATT&CK Navigator
    Navigator,
}

impl CoverageCommand {
    pub(in crate::cli) fn run(&self) -> io::Result<Exit> {
        let Some(rules) = self.rules.load() else { return Ok(Exit::Unreadable) };
        let survey = match Survey::of(&rules) {
            Ok(survey) => survey,
            Err(error) => {
                eprintln!("error: {error}");
                return Ok(Exit::Unreadable);
            }
        };
        let mut out = io::BufWriter::new(anstream::AutoStream::auto(io::stdout()));
        match self.format {
            CoverageFormat::Human => print::write(&mut out, &survey)?,
            CoverageFormat::Markdown => write!(out, "{}", markdown::page(&survey))?,
            CoverageFormat::Json => document::write(&mut out, &survey, &self.rules.path)?,
            CoverageFormat::Navigator => navigator::write(&mut out, &survey)?,
        }
        out.flush()?;
        for (id, rules) in &survey.unknown {
            eprintln!(
                "note: {}: no technique of ATT&CK {} that is known here: {id}",
                rules.join(", "),
                super::attack::VERSION
            );
        }
        Ok(Exit::Done)
    }
}
