//! Lambda's runtime: the rules are loaded once, and each event is handled before Lambda's deadline by [`handle`].

use std::fs;
use std::io::{self, Write as _};
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::sync::{Arc, Once};
use std::time::Duration;

use aws_lambda_events::sqs::SqsBatchResponse;
use ipnet::IpNet;
use lambda_runtime::{Diagnostic, Error, LambdaEvent, service_fn};
use serde_json::value::RawValue;
use tokio::time::Instant;

use super::accounts_table;
use super::api::AwsApi;
use super::clients::Clients;
use super::databases;
use super::dynamodb::{AnyStore, DynamoStore};
use super::sam_local::{Host, host};
use super::sqs::SqsQueues;
use super::{AwsTransport, FunctionSettings, http, logging};
use crate::cloudtrail::accounts;
use crate::cloudtrail::countries;
use crate::cloudtrail::own_resources::{DEFAULT_STACK, OwnResources};
use crate::cloudtrail::partition_of;
use crate::cloudtrail::probe::Probes;
use crate::cloudtrail::spokes::Spokes;
use crate::config;
use crate::deliver::Tokens;
use crate::handler::{
    App, DeployedRules, GRACE, HandleError, Handled, OwnCalls, Preview, QuietRecords, Response, Watch, emf, handle,
    preview,
};
use crate::health::ChannelHealth;
use crate::ledger::{Ledger, MemoryStore};
use crate::rules::field::Surroundings;
use crate::ruleset::{BundleText, RuleSet, Sources, package};

/// The time that is left after the last attempt to deliver, for the queues, the ledger and the answer. It is a quarter of all
/// that there is at most.
const MARGIN: Duration = Duration::from_secs(3);
const _: () = assert!(MARGIN.as_secs() < GRACE.as_secs(), "a claim must outlive its claimer");

/// Runs the function until Lambda ends it.
///
/// # Errors
/// Rules that do not compile: the start fails with the whole report in the log. And errors of the runtime itself.
pub async fn run(settings: FunctionSettings) -> Result<(), Error> {
    logging::start(&settings.log);
    let function = settings.function_name.clone().unwrap_or_default();
    let log_level = logging::level(&settings.log).to_string().to_uppercase();
    let quiet = QuietRecords::new(settings.silence);
    let marks = settings.sam_local.clone();
    let app = app(settings)?;
    let source = emf::MetricSource { function: &function, log_level: &log_level };
    let (app, quiet, marks, told) = (&app, &quiet, &marks, &Once::new());
    lambda_runtime::run(service_fn(|event: LambdaEvent<Box<RawValue>>| async move {
        match host(marks, &event.context.invoked_function_arn) {
            Host::Laptop => {
                return Ok(Answer::Preview(preview(event.payload.get(), &app.rules, &app.own, http::now().into())));
            }
            Host::DeployedAsLocal => told.call_once(|| {
                tracing::error!("AWS_SAM_LOCAL is set on a deployed function: it is ignored, and alerts are sent");
            }),
            Host::Deployed => {}
        }
        let left = event.context.deadline().duration_since(http::now()).unwrap_or_default();
        let deadline = Instant::now() + left.saturating_sub(MARGIN.min(left / 4));
        // Boxed: it is large, and too deep for the compiler to lay out within what waits for it.
        let Handled { mut report, answer } = Box::pin(handle(event.payload.get(), deadline, app)).await;
        let now = http::now().into();
        if quiet.tell(&mut report, answer.is_err(), now) {
            emf::lines(&report, source, now).iter().for_each(|line| print(line));
        }
        answer.map(Answer::from).map_err(Diagnostic::from)
    }))
    .await
}

/// CloudWatch reads metrics from the function's own output. That it cannot be written is no reason to fail.
fn print(line: &str) {
    let _ = writeln!(std::io::stdout().lock(), "{line}");
}

/// What all invocations of this process share.
fn app(settings: FunctionSettings) -> Result<App<AwsTransport, AnyStore, SqsQueues>, Error> {
    let rules = rules(&settings.rules, own_resources(&settings))?;
    let named = rules.channels().iter().filter_map(|channel| channel.channel.topic_arn());
    let own = OwnCalls {
        role_arn: settings.role_arn.clone(),
        function_name: settings.function_name.clone(),
        topic_arns: settings.topic_arn.iter().map(String::as_str).chain(named).map(str::to_owned).collect(),
        secret_arn: settings.secret_arn.clone(),
        queue_urls: settings.redelivery_url.iter().chain(&settings.dead_letters_url).cloned().collect(),
        table: settings.table.clone(),
        key_arns: settings.own_arns.iter().filter(|arn| arn.contains(":kms:")).cloned().collect(),
        log_group: settings.log_group.clone(),
        addresses: networks(&settings.own_addresses)?,
        spokes: spokes(&settings),
        watch: watch(&settings)?,
    };
    let (settings, clients) = (Arc::new(settings), Arc::new(Clients::default()));
    if settings.redelivery_url.is_none() {
        tracing::warn!("there is no redelivery queue: what fails fails the invocation, and no repeat is held back");
    }
    let store = match &settings.table {
        Some(table) => {
            let api = AwsApi::sharing(Arc::clone(&settings), Arc::clone(&clients));
            AnyStore::Dynamo(DynamoStore::for_alerts(table, api))
        }
        None => AnyStore::Memory(MemoryStore::default()),
    };
    Ok(App {
        rules,
        transport: AwsTransport::new(Arc::clone(&settings), Arc::clone(&clients)),
        tokens: Tokens::default(),
        health: ChannelHealth::default(),
        ledger: Ledger::new(store),
        queues: SqsQueues::new(settings, clients),
        own,
    })
}

/// What the environment lists of the function's own resources.
fn own_resources(settings: &FunctionSettings) -> OwnResources {
    let named = [("lambda", &settings.function_name), ("dynamodb", &settings.table), ("logs", &settings.log_group)];
    let named: Vec<String> =
        named.into_iter().filter_map(|(service, name)| Some(format!("{service}:{}", name.as_ref()?))).collect();
    let told = [
        &settings.role_arn,
        &settings.topic_arn,
        &settings.secret_arn,
        &settings.redelivery_url,
        &settings.dead_letters_url,
    ];
    let listed = told.into_iter().flatten().chain(&settings.own_arns).chain(&named);
    let own = OwnResources::new(settings.stack.as_deref().unwrap_or(DEFAULT_STACK), listed.map(String::as_str));
    own.with_spokes(spokes(settings))
}

/// What a hub's spokes are called.
fn spokes(settings: &FunctionSettings) -> Spokes {
    Spokes::of_stack_set(settings.stack_set.as_deref().unwrap_or_default())
}

/// Who should be heard, and how we are fed.
fn watch(settings: &FunctionSettings) -> Result<Watch, Error> {
    // arn:aws:iam::ACCOUNT:role/…
    let account = settings.role_arn.as_deref().and_then(|arn| arn.split(':').nth(4));
    let home = account.zip(settings.access.region.as_deref());
    let function_arn = settings.function_name.as_ref().zip(home).map(|(function, (account, region))| {
        format!("arn:{}:lambda:{region}:{account}:function:{function}", partition_of(region))
    });
    let rules = match settings.event_rules.as_deref() {
        None => None,
        Some(text) => Some(DeployedRules::parse(text).ok_or("OFFLIMITS_EVENT_RULES does not hold five words")?),
    };
    Ok(Watch {
        probes: Probes::new(settings.probe_queue.clone(), spokes(settings)),
        // Without a probe of our own there is none to hear.
        home: home
            .filter(|_| settings.probe_queue.is_some())
            .map(|(account, region)| (account.to_owned(), region.to_owned())),
        regions: settings.watched_regions.clone(),
        function_arn,
        rules,
    })
}

/// The networks of the function's own addresses.
fn networks(written: &[String]) -> Result<Vec<IpNet>, Error> {
    let network = |text: &String| {
        let address = || text.parse::<std::net::IpAddr>().map(IpNet::from);
        text.parse::<IpNet>().or_else(|_| address()).map_err(|_: std::net::AddrParseError| {
            format!("OFFLIMITS_OWN_ADDRESSES holds \"{text}\", which is no address and no network")
        })
    };
    Ok(written.iter().map(network).collect::<Result<_, _>>()?)
}

/// The rules, from the index beside them or compiled.
fn rules(file: &Path, own: OwnResources) -> Result<RuleSet, Error> {
    let path = file.display();
    let countries = || fs::read(file.with_file_name(countries::FILE));
    let packaged_accounts = accounts_table::beside(file);
    let places = databases::beside(file);
    let unreadable = |error: io::Error| format!("cannot read the rules: {path}: {error}");
    // Without an index: rules that nobody packaged.
    if let Ok(index) = fs::read(file.with_extension(package::EXTENSION)) {
        let text = bundle(file).map_err(unreadable)?;
        // As long as the process runs: its tables are used where they stand.
        let index = index.leak();
        let surroundings = Surroundings {
            accounts: packaged_accounts.clone(),
            places: Some(places.clone()),
            own: own.clone(),
            ..Surroundings::default()
        };
        match RuleSet::packaged(text, index, countries, surroundings) {
            Ok(rules) => return Ok(rules),
            Err(reason) => {
                tracing::warn!(%reason, "the index beside the rules is not used: they are compiled, which takes longer");
            }
        }
    }
    let text = fs::read_to_string(file).map_err(unreadable)?;
    let sources = Sources::alone(text).with_own(own).with_places(places);
    let sources = match packaged_accounts {
        Some(accounts) => sources.with_packaged_accounts(Some(accounts)),
        None => sources.with_accounts(accounts_text(file)?),
    };
    let sources = sources.with_countries(countries).map_err(|reason| format!("cannot read the countries: {reason}"))?;
    let compiled = RuleSet::compile_sources(&sources).map_err(|diagnostics| {
        if let [config::Diagnostic { code: "newer-rules", message, help, .. }] = diagnostics.as_slice() {
            return format!("{path} is too new for this function: {message}: {help}");
        }
        for diagnostic in &diagnostics {
            tracing::error!(file = %path, diagnostic = %diagnostic, "rules.json");
        }
        format!("{path} does not compile: {} diagnostics, see the log", diagnostics.len())
    })?;
    for warning in &compiled.warnings {
        tracing::warn!(file = %path, diagnostic = %warning, "rules.json");
    }
    Ok(compiled.rules)
}

/// The bundle in a file, of which nothing is kept.
fn bundle(file: &Path) -> io::Result<BundleText> {
    let opened = fs::File::open(file)?;
    let length = opened.metadata()?.len();
    Ok(BundleText::in_file(length, move |offset, buffer| opened.read_exact_at(buffer, offset)))
}

/// The text of the accounts beside rules that nobody packaged, if there is one.
fn accounts_text(rules: &Path) -> Result<Option<String>, Error> {
    match fs::read_to_string(rules.with_file_name(accounts::FILE)) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(format!("cannot read the accounts: {error}").into()),
    }
}

/// What Lambda is answered.
#[derive(serde::Serialize)]
#[serde(untagged)]
enum Answer {
    Batch(SqsBatchResponse),
    Other(Response),
    Preview(Preview),
}

impl From<Response> for Answer {
    fn from(response: Response) -> Self {
        match response {
            Response::Batch(failed) => {
                let mut batch = SqsBatchResponse::default();
                failed.into_iter().for_each(|message_id| batch.add_failure(message_id));
                Self::Batch(batch)
            }
            other => Self::Other(other),
        }
    }
}

impl From<HandleError> for Diagnostic {
    fn from(error: HandleError) -> Self {
        let error_type = match error {
            HandleError::Undelivered { .. } => "Undelivered",
            HandleError::Unreadable(_) => "Unreadable",
        };
        Self { error_type: error_type.to_owned(), error_message: error.to_string() }
    }
}
