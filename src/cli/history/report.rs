//! `history report`: what was kept, as `backtest` would have told it.

use std::io;

use super::kept::KeptRecords;
use super::options::ReportCommand;
use super::place::Deployment;
use super::results::Results;
use crate::cli::Exit;
use crate::cli::backtest::{BacktestPlayed, typed};
use crate::cli::out;
use crate::runs::Bounds;

/// Reports what has been read of a plan so far.
pub(super) fn run(command: &ReportCommand) -> io::Result<Exit> {
    let opened = (|| {
        let results = match &command.results {
            Some(bucket) => Results::open(bucket)?,
            None => Results::open(&Deployment::open(&command.place.history_stack)?.results)?,
        };
        let plan = results.plan(&command.plan)?;
        let rules = plan.rules.load(&results)?;
        Ok::<_, String>((results, plan, rules))
    })();
    let (results, plan, rules) = match opened {
        Ok(opened) => opened,
        Err(reason) => {
            eprintln!("error: {reason}");
            return Ok(Exit::Unreadable);
        }
    };
    let filter = command.part.filter();
    let kept = KeptRecords { results: &results, plan: &plan };
    let command_line = typed();
    let (rules, selection, bounds) = (&rules.rules, &command.selection, Bounds::default());
    let played = BacktestPlayed { rules, selection, delivery: false, command: &command_line, bounds };
    let reported = command.output.run(&played, &mut out::stdout(), |visitor, take| {
        kept.each(visitor, &mut |file, record, found| {
            let actor = found.finding.call.actor.as_deref().unwrap_or_default();
            let is_of_actor = command.actor.is_empty() || command.actor.iter().any(|asked| asked == actor);
            // Sessions are no findings: whose credentials a finding's are hangs on all of them.
            let is_asked = found.session.is_some() || (is_of_actor && filter.accepts(file));
            if is_asked { take(file, record, found) } else { Ok(()) }
        })
    });
    match reported {
        // What S3 says, or what was kept is not; others are of what is written.
        Err(error) if error.kind() == io::ErrorKind::Other => {
            eprintln!("error: {error}");
            Ok(Exit::Unreadable)
        }
        reported => reported,
    }
}
