//! The command line: wiring only. Everything is in [`offlimits::cli`].

use std::process::ExitCode;

fn main() -> ExitCode {
    offlimits::cli::run()
}
