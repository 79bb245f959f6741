//! The command line of `silence`.

use std::io;

use clap::{Args, Subcommand};

use super::question::StackQuestion;
use crate::cli::Exit;

/// Hold the findings of a rule back for some hours; list what is held back, and end it
#[derive(Debug, Args)]
#[command(
    after_help = "Needs the feature `aws`, and leave to call cloudformation:DescribeStacks and dynamodb:Query; to add and to end \
                  also dynamodb:PutItem, dynamodb:BatchGetItem, sts:GetCallerIdentity and lambda:TagResource (on the stack's \
                  function: CloudTrail records it, and the rule SELF-15 tells everybody). Exit codes: 0 if it was done, 1 if there \
                  is no such silence, 2 if it may not be made or somebody did not answer."
)]
pub(in crate::cli) struct SilenceCommand {
    #[command(subcommand)]
    what: What,
}

/// What is to be done.
#[derive(Debug, Subcommand)]
enum What {
    /// Hold the findings of a rule back from now on, on each channel once a message there has said so
    Add(Add),
    /// List the silences of the last days, those that run first
    List(List),
    /// End a silence now: the roll-up of what it held back follows within minutes
    End(End),
}

#[derive(Debug, Args)]
struct Add {
    /// The rule's id. Rules of the pack self-defense cannot be silenced
    #[arg(long, value_name = "ID")]
    rule: String,
    /// Only findings with this value: `account`, `event`, `principal` or `region`
    #[arg(long, value_name = "FIELD=VALUE", value_parser = pair)]
    by: Vec<(String, String)>,
    /// For how long: `30m`, `4h`; a day at most
    #[arg(long = "for", value_name = "TIME", value_parser = hours)]
    length: u64,
    /// Why, in the words that people will read
    #[arg(long, value_name = "TEXT", value_parser = reason)]
    reason: String,
    #[command(flatten)]
    stack: StackQuestion,
}

#[derive(Debug, Args)]
struct List {
    #[command(flatten)]
    stack: StackQuestion,
}

#[derive(Debug, Args)]
struct End {
    /// The silence's id, as `list` and the message that names it have it
    #[arg(value_name = "ID", value_parser = id)]
    id: String,
    #[command(flatten)]
    stack: StackQuestion,
}

/// Characters of a reason.
const REASON_LIMIT: usize = 200;
/// Characters of a value.
const VALUE_LIMIT: usize = 256;

fn pair(text: &str) -> Result<(String, String), String> {
    let (field, value) = text.split_once('=').ok_or("write FIELD=VALUE, such as principal=Admin")?;
    let fields = crate::ledger::SILENCE_FIELDS;
    if !fields.contains(&field) {
        return Err(format!("{field} is none of {}: a caller may choose what it says", fields.join(", ")));
    }
    if value.is_empty() || value.chars().count() > VALUE_LIMIT || value.chars().any(char::is_control) {
        return Err(format!("a value has 1 to {VALUE_LIMIT} characters"));
    }
    Ok((field.to_owned(), value.to_owned()))
}

/// Seconds.
fn hours(text: &str) -> Result<u64, String> {
    let error = || "write a number and m or h, such as 30m or 4h: a day at most".to_owned();
    let (number, unit) = match (text.strip_suffix('m'), text.strip_suffix('h')) {
        (Some(number), _) => (number, 60),
        (_, Some(number)) => (number, 3600),
        _ => return Err(error()),
    };
    let is_number = number.bytes().all(|digit| digit.is_ascii_digit());
    let seconds = is_number.then(|| number.parse::<u64>().ok()?.checked_mul(unit)).flatten();
    seconds.filter(|seconds| (1..=24 * 3600).contains(seconds)).ok_or_else(error)
}

fn reason(text: &str) -> Result<String, String> {
    let text = text.trim();
    if text.is_empty() || text.chars().count() > REASON_LIMIT || text.chars().any(char::is_control) {
        return Err(format!("a reason has 1 to {REASON_LIMIT} characters, on one line"));
    }
    Ok(text.to_owned())
}

fn id(text: &str) -> Result<String, String> {
    let is_id = text.len() == 16 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    is_id.then(|| text.to_owned()).ok_or_else(|| "an id of a silence has 16 hexadecimal digits: see `list`".to_owned())
}

impl SilenceCommand {
    #[cfg(not(feature = "aws"))]
    #[expect(clippy::unused_self, clippy::unnecessary_wraps, reason = "it runs as every command does")]
    pub(in crate::cli) fn run(&self) -> io::Result<Exit> {
        Ok(crate::cli::exit::cannot_ask_aws())
    }

    #[cfg(feature = "aws")]
    pub(in crate::cli) fn run(&self) -> io::Result<Exit> {
        use std::io::Write as _;

        use super::asking::{Asking, Wanted};
        use super::question::SilenceFormat;
        use crate::cli::lines::write_line;

        let question = match &self.what {
            What::Add(Add { stack, .. }) | What::List(List { stack }) | What::End(End { stack, .. }) => stack,
        };
        let asking = match Asking::open(question) {
            Ok(asking) => asking,
            Err(reason) => {
                eprintln!("error: {reason}");
                return Ok(Exit::Unreadable);
            }
        };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let done = runtime.block_on(async {
            match &self.what {
                What::Add(Add { rule, by, length, reason, .. }) => {
                    asking.add(Wanted { rule, by, seconds: *length, reason }).await.map(|line| vec![line])
                }
                What::List(_) => asking.list().await,
                What::End(End { id, .. }) => asking.end(id).await.map(|line| line.into_iter().collect()),
            }
        });
        let lines = match done {
            Ok(lines) => lines,
            Err(reason) => {
                eprintln!("error: {reason}");
                return Ok(Exit::Unreadable);
            }
        };
        let mut out = io::BufWriter::new(anstream::AutoStream::auto(io::stdout()));
        for line in &lines {
            match question.format {
                SilenceFormat::Human => writeln!(out, "{line}")?,
                SilenceFormat::Jsonl => write_line(&mut out, line)?,
            }
        }
        out.flush()?;
        if lines.is_empty() {
            eprintln!("no such silence");
        }
        let is_missing = lines.is_empty() && matches!(self.what, What::End(_));
        Ok(if is_missing { Exit::Wrong } else { Exit::Done })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_silence_is_a_day_long_at_most_and_goes_by_what_aws_vouches_for() {
        assert_eq!((hours("4h"), hours("30m"), hours("24h")), (Ok(14_400), Ok(1_800), Ok(86_400)));
        for bad in ["", "h", "0h", "25h", "1441m", "4", "4d", "-1h", "+1h", "1.5h", "18446744073709551615h"] {
            assert!(hours(bad).is_err(), "{bad}");
        }
        assert_eq!(pair("principal=a=b"), Ok(("principal".to_owned(), "a=b".to_owned())));
        for bad in ["principal", "principal=", "user_agent=x", "actor=x", "region=a\nb"] {
            assert!(pair(bad).is_err(), "{bad}");
        }
        assert!(reason("  ").is_err() && reason("a\nb").is_err() && reason(&"x".repeat(201)).is_err());
        assert!(id("0123456789abcdef").is_ok() && id("0123456789ABCDEF").is_err() && id("1").is_err());
    }
}
