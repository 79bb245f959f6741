//! The command line of `accounts`.

use std::io;
use std::path::PathBuf;

use clap::ValueEnum;

use crate::cli::{Exit, parsers};

/// Write accounts.json: what AWS Organizations calls each account, and the organizational unit that it is in
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Needs the feature `aws`, and, in the management account or one that is a delegated administrator, leave to call \
                  organizations:ListRoots, organizations:ListOrganizationalUnitsForParent and organizations:ListAccountsForParent. \
                  AWS_ENDPOINT_URL, or AWS_ENDPOINT_URL_ORGANIZATIONS, names another address. Exit codes: 0 if the file is as the \
                  organization is, 2 if somebody did not answer or the file could not be written: it is then as it was."
)]
pub(in crate::cli) struct AccountsCommand {
    /// Where to; `-` for stdout
    #[arg(long, short, value_name = "FILE", default_value = "accounts.json")]
    output: PathBuf,
    /// Leave what the file already says of an account as it is, and the accounts that the organization does not have
    #[arg(long)]
    keep: bool,
    /// A region of the partition in which the organization is
    #[arg(long, value_name = "REGION", value_parser = parsers::region)]
    region: Option<String>,
    /// How to tell what has changed: for people, or one JSON object
    #[arg(long, value_enum, default_value_t = AccountsFormat::Human)]
    format: AccountsFormat,
}

/// How `accounts` tells what has changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum AccountsFormat {
    /// For people.
    Human,
    /// One JSON object.
    Json,
}

impl AccountsCommand {
    #[cfg(not(feature = "aws"))]
    #[expect(clippy::unused_self, clippy::unnecessary_wraps, reason = "it runs as every command does")]
    pub(in crate::cli) fn run(&self) -> io::Result<Exit> {
        Ok(crate::cli::exit::cannot_ask_aws())
    }

    #[cfg(feature = "aws")]
    pub(in crate::cli) fn run(&self) -> io::Result<Exit> {
        use std::io::Write as _;
        use std::path::Path;

        use super::asking::{self, Changes};
        use crate::cli::lines::write_line;
        use crate::cli::whole_file::replace;
        use crate::ruleset::write_accounts;

        let Some(before) = asking::before(&self.output, self.keep) else { return Ok(Exit::Unreadable) };
        let found = match asking::found(self.region.as_ref()) {
            Ok(found) => found,
            Err(reason) => {
                eprintln!("error: {reason}");
                return Ok(Exit::Unreadable);
            }
        };
        let mut accounts = found.accounts;
        if self.keep {
            accounts.extend(before.clone());
        }
        let text = write_accounts(&accounts);
        let is_stdout = self.output == Path::new("-");
        if is_stdout {
            io::stdout().lock().write_all(text.as_bytes())?;
        } else if let Err(error) = replace(&self.output, text.as_bytes()) {
            eprintln!("error: cannot write the accounts: {}: {error}", self.output.display());
            return Ok(Exit::Unreadable);
        }
        let changes = Changes::new(&before, &accounts, found.units);
        match self.format {
            AccountsFormat::Human => eprintln!("{}: {}", self.output.display(), changes.summary()),
            // The file itself has stdout.
            AccountsFormat::Json if is_stdout => write_line(&mut io::stderr().lock(), &changes)?,
            AccountsFormat::Json => write_line(&mut io::stdout().lock(), &changes)?,
        }
        Ok(Exit::Done)
    }
}
