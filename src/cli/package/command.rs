//! The command itself: checks the function and the rules, and writes both into one folder.

use std::fmt::Write as _;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use super::archive::{self, ArchiveError};
use super::elf::{Architecture, NotForLambda};
use crate::cli::Exit;
use crate::cli::bundle::Bundle;
use crate::cli::pattern::stale;
use crate::cli::whole_file::replace;
use crate::cloudtrail::{countries, places};
use crate::ruleset::format::{FORMAT, read_by};
use crate::ruleset::package;

/// The function's program, as Lambda wants it to be called.
const PROGRAM: &str = "bootstrap";
/// The rules beside it, as the function looks for them.
const RULES: &str = "rules.json";

/// Put rules beside a function that is built already: what is deployed, without a compiler
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct PackageCommand {
    /// The function: the zip file of a release, or its bootstrap
    #[arg(long, value_name = "FILE")]
    function: PathBuf,
    /// The rules
    #[arg(long = "rules", value_name = "FILE", default_value = "rules.json")]
    rules: PathBuf,
    /// The folder to write the package into
    #[arg(long, short, value_name = "FOLDER")]
    output: PathBuf,
    /// Refuse a FUNCTION file with another SHA-256, as 64 hexadecimal digits or a line of sha256sum
    #[arg(long, value_name = "SUM")]
    sha256: Option<String>,
    /// Refuse a function for another processor
    #[arg(long, value_enum, value_name = "NAME")]
    architecture: Option<Architecture>,
    /// Write the stack's parameter Architecture into this file, from which sam reads it (--parameter-overrides)
    #[arg(long, value_name = "FILE")]
    parameters: Option<PathBuf>,
}

/// Why a function is refused.
#[derive(Debug, thiserror::Error)]
enum Refused {
    #[error("cannot be read: {0}")]
    Unreadable(#[from] io::Error),
    #[error("has the SHA-256 {found}, and not {wanted}: it is not what was released")]
    OtherSum { found: String, wanted: String },
    #[error("{0}")]
    Archive(#[from] ArchiveError),
    #[error("cannot be Lambda's bootstrap: {0}")]
    Program(#[from] NotForLambda),
    #[error(
        "reads rules of format {reads}, and this tool writes format {FORMAT}: take a function of this version or a later one, or package \
         the rules with the tool of the function's version"
    )]
    TooOld { reads: u64 },
    #[error("is for {}, and not for {}", found.as_str(), wanted.as_str())]
    OtherProcessor { found: Architecture, wanted: Architecture },
}

impl PackageCommand {
    #[expect(clippy::unnecessary_wraps, reason = "the commands share one signature, and most of them print on stdout")]
    pub(in crate::cli) fn run(&self) -> io::Result<Exit> {
        Ok(self.package().err().unwrap_or(Exit::Done))
    }

    /// Writes the package of a function that Lambda can start and rules that compile; of others nothing is written. What is wrong
    /// is told on stderr.
    fn package(&self) -> Result<(), Exit> {
        let (program, architecture) = self.program().map_err(|refused| {
            eprintln!("error: the function {} {refused}", self.function.display());
            if matches!(refused, Refused::Unreadable(_)) { Exit::Unreadable } else { Exit::Wrong }
        })?;
        if is_same_file(&self.rules, &self.output.join(RULES)) {
            eprintln!(
                "error: {} would be overwritten by its own bundle: keep your rules elsewhere",
                self.rules.display()
            );
            return Err(Exit::Unreadable);
        }
        let is_delivered = |rules: &_| if stale(&self.rules, rules).is_empty() { Ok(()) } else { Err(Exit::Wrong) };
        let bundle = Bundle::of_what(&self.rules, is_delivered)?;
        if !package::is_read_by(&program) {
            eprintln!(
                "warning: the function and this tool are of different versions: the function compiles the rules at each cold start, \
                 which takes longer"
            );
        }
        self.write(&program, architecture).map_err(|error| {
            eprintln!("error: cannot write the package: {error}");
            Exit::Unreadable
        })?;
        bundle.write(&self.output.join(RULES))?;
        eprintln!("{}: the function for {}", self.output.display(), architecture.as_str());
        Ok(())
    }

    /// The bootstrap, if it is one that was asked for.
    fn program(&self) -> Result<(Vec<u8>, Architecture), Refused> {
        let file = fs::read(&self.function)?;
        if let Some(wanted) = &self.sha256 {
            // `sha256sum` writes the file's name behind it.
            let wanted = wanted.split_whitespace().next().unwrap_or_default().to_ascii_lowercase();
            let found = sum(&file);
            if found != wanted {
                return Err(Refused::OtherSum { found, wanted });
            }
        }
        let program = if archive::is_archive(&file) { archive::file(&file, PROGRAM)? } else { file };
        let found = Architecture::of_program(&program)?;
        if let Some(wanted) = self.architecture.filter(|wanted| *wanted != found) {
            return Err(Refused::OtherProcessor { found, wanted });
        }
        let reads = read_by(&program);
        if reads < FORMAT { Err(Refused::TooOld { reads }) } else { Ok((program, found)) }
    }

    /// Writes all but the rules.
    fn write(&self, program: &[u8], architecture: Architecture) -> io::Result<()> {
        fs::create_dir_all(&self.output)?;
        let bootstrap = self.output.join(PROGRAM);
        // What is there already stays, with its time.
        if fs::read(&bootstrap).map_or(true, |there| there != program) {
            replace(&bootstrap, program)?;
        }
        make_executable(&bootstrap)?;
        for database in [countries::FILE, places::NETWORKS] {
            self.copy_database(database)?;
        }
        let Some(parameters) = &self.parameters else { return Ok(()) };
        if let Some(folder) = parameters.parent() {
            fs::create_dir_all(folder)?;
        }
        replace(parameters, format!("Architecture: {}\n", architecture.as_str()).as_bytes())
    }

    /// A database of addresses lies beside the rules, here and there.
    fn copy_database(&self, name: &str) -> io::Result<()> {
        let (from, to) = (self.rules.with_file_name(name), self.output.join(name));
        match fs::read(&from) {
            Ok(database) => replace(&to, &database),
            Err(error) if error.kind() == io::ErrorKind::NotFound => match fs::remove_file(&to) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
                _ => Ok(()),
            },
            Err(error) => Err(error),
        }
    }
}

/// Whether both names are of one file that is there.
fn is_same_file(one: &Path, other: &Path) -> bool {
    matches!((fs::canonicalize(one), fs::canonicalize(other)), (Ok(one), Ok(other)) if one == other)
}

/// The SHA-256 in hexadecimal digits.
fn sum(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().fold(String::new(), |mut digits, byte| {
        let _ = write!(digits, "{byte:02x}");
        digits
    })
}

/// Lambda starts the bootstrap as a program; the bit travels in the zip that SAM makes.
#[cfg(unix)]
fn make_executable(file: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(file, fs::Permissions::from_mode(0o755))
}

/// SAM gives every file in its zip the bits of a program on Windows, which has none.
#[cfg(not(unix))]
fn make_executable(_: &Path) -> io::Result<()> {
    Ok(())
}
