//! The command itself: looks whether all can be written, writes it, and says what to do next.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::files::{EVENTS, OWN, RULES, SCHEMA, rules};
use crate::cli::words::counted;
use crate::cli::{Exit, packs};

/// Make a folder to begin in: rules with their packs, a test, sample events, and a workflow for CI
#[derive(Debug, clap::Args)]
#[command(after_help = "Nothing is overwritten: if a file of the same name is there, nothing is written at all.")]
pub(in crate::cli) struct InitCommand {
    /// The folder; it is made if it is not there
    #[arg(value_name = "FOLDER", default_value = ".")]
    folder: PathBuf,
}

impl InitCommand {
    pub(in crate::cli) fn run(&self) -> io::Result<Exit> {
        let (rules, schema) = (rules(), crate::schema::text());
        let own = OWN.iter().chain(EVENTS).map(|file| (file.path, file.text));
        let mut files: Vec<(&str, &str)> = vec![(RULES, &rules), (SCHEMA, &schema)];
        for (path, text) in own.chain(packs::all()) {
            files.push((path, text));
        }
        let there: Vec<&str> = files
            .iter()
            .map(|(path, _)| *path)
            .filter(|path| self.folder.join(path).symlink_metadata().is_ok())
            .collect();
        if !there.is_empty() {
            for path in there {
                eprintln!("error: {} is there already", self.folder.join(path).display());
            }
            eprintln!("help: nothing was written; name a new folder: offlimits init FOLDER");
            return Ok(Exit::Unreadable);
        }
        for (path, text) in &files {
            let path = self.folder.join(path);
            if let Err(error) = write_new(&path, text) {
                eprintln!("error: cannot write {}: {error}", path.display());
                return Ok(Exit::Unreadable);
            }
        }
        self.say_what_is_next(files.len())?;
        Ok(Exit::Done)
    }

    fn say_what_is_next(&self, files: usize) -> io::Result<()> {
        let here = self.folder == Path::new(".");
        let folder = if here { "this folder".to_owned() } else { self.folder.display().to_string() };
        let change = if here { String::new() } else { format!("\n  cd {folder}") };
        writeln!(io::stderr().lock(), "wrote {} to {folder}\n{CONTENT}\nnext:{change}\n{NEXT}", counted(files, "file"))
    }
}

/// What stands in the folder.
const CONTENT: &str = "  \
  rules.json                   a rule of yours, and the packs that it includes
  packs/                       rules with tests for what attackers do
  tests/                       an event that a test of the rule names
  events/                      a sample of each kind of trouble
  rules.schema.json            what editors complete and check rules.json by
  .github/workflows/rules.yml  holds the rules to all this in CI";

/// What to do with it.
const NEXT: &str = "  \
  offlimits check
  offlimits test
  offlimits replay events
  offlimits new-rule --from events/stop-logging.json";

/// Writes a file that is not there yet, and the folders that it stands in.
fn write_new(path: &Path, text: &str) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::File::create_new(path)?.write_all(text.as_bytes())
}
