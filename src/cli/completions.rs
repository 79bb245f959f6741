//! `offlimits completions`: how a shell completes commands and options.

use std::io;

use clap::CommandFactory;

use super::Exit;
use super::run::Arguments;

/// Print the completions of a shell: `source <(offlimits completions bash)`
#[derive(Debug, clap::Args)]
pub(super) struct CompletionsCommand {
    /// The shell
    shell: clap_complete::Shell,
}

impl CompletionsCommand {
    pub(super) fn run(&self) -> io::Result<Exit> {
        let mut completions = Vec::new();
        clap_complete::generate(self.shell, &mut Arguments::command(), "offlimits", &mut completions);
        io::Write::write_all(&mut io::stdout().lock(), &completions)?;
        Ok(Exit::Done)
    }
}
