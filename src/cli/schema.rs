//! `offlimits schema`: the JSON Schema of rules.json.

use std::io::{self, Write};

use super::Exit;

/// Print the JSON Schema of rules.json, for editors
#[derive(Debug, clap::Args)]
pub(super) struct SchemaCommand {}

impl SchemaCommand {
    pub(super) fn run(&self) -> io::Result<Exit> {
        let Self {} = self;
        write!(io::stdout().lock(), "{}", crate::schema::text())?;
        Ok(Exit::Done)
    }
}
