//! The command line of `send`.

use std::io;
use std::path::PathBuf;

use clap::builder::RangedU64ValueParser;

use crate::cli::Exit;
use crate::cli::load::RulesOption;

/// Send one marked test alert to a real channel, from here, and say what became of it
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Needs the feature `aws`. The alert is the one that make test-alert has the deployed function send, over the same client \
                  and with the same retries. SNS is called with AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or as the AWS command line \
                  would call it; AWS_ENDPOINT_URL_SNS names another address, HTTPS_PROXY a proxy, and SSL_CERT_FILE further roots. No \
                  credential is ever printed. Exit codes: 0 if it was delivered, 1 if it was not, 2 if the rules or the secret could \
                  not be read."
)]
pub(in crate::cli) struct SendCommand {
    /// The channel, by its name in the rules
    #[arg(long, value_name = "NAME")]
    pub(super) channel: String,
    /// The channels' credentials, as Secrets Manager holds them: `{"soc": {"webhook_url": "https://…"}}`; - is stdin
    #[arg(long, value_name = "FILE")]
    pub(super) secret: Option<PathBuf>,
    /// The topic of an sns channel that names none: the stack's own
    #[arg(long, value_name = "ARN")]
    pub(super) topic: Option<String>,
    #[command(flatten)]
    pub(super) rules: RulesOption,
    /// When to give up, with all retries
    #[arg(long, value_name = "SECONDS", default_value_t = 30, value_parser = RangedU64ValueParser::<u64>::new().range(1..=900))]
    pub(super) timeout: u64,
}

impl SendCommand {
    #[cfg(not(feature = "aws"))]
    #[expect(clippy::unused_self, clippy::unnecessary_wraps, reason = "it runs as every command does")]
    pub(in crate::cli) fn run(&self) -> io::Result<Exit> {
        eprintln!("error: this build cannot send: install one that can with `cargo install --path . --features aws`");
        Ok(Exit::Unreadable)
    }

    #[cfg(feature = "aws")]
    pub(in crate::cli) fn run(&self) -> io::Result<Exit> {
        use std::time::Duration;

        use super::secret;
        use super::sending::{self, Told};
        use crate::cli::words::is_there;

        let Some(rules) = self.rules.load() else { return Ok(Exit::Unreadable) };
        let Some(channel) = rules.channels().iter().find(|channel| channel.name == self.channel) else {
            let names: Vec<&str> = rules.channels().iter().map(|channel| channel.name.as_str()).collect();
            is_there("channel", Some(&self.channel), &names);
            return Ok(Exit::Unreadable);
        };
        let kind = channel.channel.kind();
        if channel.channel.needs_credentials() && self.secret.is_none() {
            eprintln!("error: {} needs credentials: name a file that holds them with --secret FILE", self.channel);
            eprintln!("help: docs/channels/{kind}.md says which");
            return Ok(Exit::Unreadable);
        }
        if kind == "sns" && channel.channel.topic_arn().is_none() && self.topic.is_none() {
            eprintln!("error: {} is the stack's own topic: name it with --topic ARN", self.channel);
            eprintln!("help: aws cloudformation describe-stacks --stack-name offlimits names it, as TopicArn");
            return Ok(Exit::Unreadable);
        }
        let credentials = match self.secret.as_deref().map(secret::read).transpose() {
            Ok(credentials) => credentials.unwrap_or_default(),
            Err(error) => {
                eprintln!("error: {error}");
                return Ok(Exit::Unreadable);
            }
        };
        let told =
            sending::send(channel, rules.digest(), credentials, self.topic.clone(), Duration::from_secs(self.timeout));
        match told {
            Ok(Told { verdict, help, is_delivered }) => {
                use io::Write as _;
                writeln!(io::stdout().lock(), "{} ({kind}): {verdict}", channel.name)?;
                if let Some(help) = help {
                    eprintln!("help: {help}");
                }
                Ok(if is_delivered { Exit::Done } else { Exit::Wrong })
            }
            Err(reason) => {
                eprintln!("error: {reason}");
                Ok(Exit::Unreadable)
            }
        }
    }
}
