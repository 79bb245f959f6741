//! The exchange with Jira: the alert's issue is looked for, and commented on or created.

use std::ops::ControlFlow;
use std::slice::Iter;

use serde_json::{Value, json};

use super::{Jira, NAME_LIMIT};
use crate::channel::http::judge_status;
use crate::channel::ticket::answer;
use crate::channel::{ExchangeStep, HttpRequest, Method, Reply, Request, Verdict, endpoint, oauth};
use crate::ids::AlertId;
use crate::secret::{ChannelCredentials, CredentialFault, Secret};
use crate::text::percent_encoded;

/// The sites of the cloud and its gateway, which scoped tokens need; and those of the government cloud.
const HOSTS: [&str; 4] =
    [".atlassian.net", "api.atlassian.com", ".atlassian-us-gov-mod.net", "api.atlassian-us-gov-mod.com"];
/// Issues of one alert that the search answers with, the newest first: one is open at most, unless people opened more.
const SEARCHED: u8 = 3;

impl Jira {
    pub(super) fn api(&self, credentials: ChannelCredentials<'_>) -> Result<Api, CredentialFault> {
        let url = match (credentials.optional("api_url")?, &self.site) {
            (Some(url), _) => url,
            (None, Some(site)) => Secret::new(format!("https://{site}.atlassian.net")),
            (None, None) => return Err(credentials.missing(&["api_url"])),
        };
        let url = if self.is_cloud {
            endpoint::checked("api_url", url, &HOSTS)?
        } else if endpoint::is_private(url.expose()) {
            url
        } else {
            return Err(credentials.fault("api_url", "is not an https URL"));
        };
        let version = if self.is_cloud { 3 } else { 2 };
        let base = format!("{}/rest/api/{version}", url.expose().trim_end_matches('/'));
        let authorization = if let Some(token) = credentials.optional("access_token")? {
            Secret::new(format!("Bearer {}", token.expose()))
        } else if let Some(token) = credentials.optional("api_token")? {
            oauth::basic(credentials.required("email")?.expose(), &token)
        } else {
            return Err(credentials.missing(&["api_token", "access_token"]));
        };
        Ok(Api { base, authorization })
    }

    /// The next step, by the replies so far: the issue is looked for, opened again if that is asked for, raised in its priority if this
    /// is worse, and commented on; or another one is created.
    pub(super) fn step(
        &self,
        api: &Api,
        alert: &AlertId,
        [key, open]: [&str; 2],
        comment: &Value,
        mut replies: Iter<'_, Reply>,
    ) -> ControlFlow<ExchangeStep, ExchangeStep> {
        let Some(issue) = self.found(api, alert, comment["issue"].as_str(), &mut replies)? else {
            return api.create(open, replies);
        };
        let place = format!("/issue/{}", issue.key);
        // An earlier attempt created it, and its answer was lost.
        if replies.len() == 0 && issue.text.contains(key) {
            return judged(Verdict::Delivered { receipt: Some(issue.key) });
        }
        if issue.is_done && !self.opened_again(api, &place, &mut replies)? {
            return api.create(open, replies);
        }
        if let Some(priority) = comment["priority"].as_str().filter(|priority| *priority != issue.priority) {
            let document = json!({ "fields": { "priority": { "name": priority } } });
            // Whoever may not raise it may still tell of it.
            unless_it_passes(api.ask(Method::Put, &place, &document, &mut replies)?)?;
        }
        // Nothing for customers to read, where the project is a service desk.
        let properties = json!([{ "key": "sd.public.comment", "value": { "internal": true } }]);
        let document = json!({ "body": comment["body"], "properties": properties });
        match api.ask(Method::Post, &format!("{place}/comment"), &document, &mut replies)? {
            // It was deleted after the search.
            Reply::Http { status: 404 | 410, .. } => api.create(open, replies),
            reply => judged(match judge(reply) {
                Verdict::Delivered { .. } => Verdict::Delivered { receipt: Some(issue.key) },
                verdict => verdict,
            }),
        }
    }

    /// The alert's issue: one that is open, if there is one.
    fn found(
        &self,
        api: &Api,
        alert: &AlertId,
        known: Option<&str>,
        replies: &mut Iter<'_, Reply>,
    ) -> ControlFlow<ExchangeStep, Option<Issue>> {
        const FIELDS: &str = "fields=status,description,priority";
        if let Some(known) = known {
            let reply = api.get(&format!("/issue/{known}?{FIELDS}"), replies)?;
            match answer(reply) {
                Ok(issue) => return readable(Issue::read(&issue).map(Some)),
                // It was deleted: there may be another.
                Err(_) if matches!(reply, Reply::Http { status: 404, .. }) => {}
                Err(verdict) => return ControlFlow::Break(ExchangeStep::Judged(verdict)),
            }
        }
        let query = format!("project = \"{}\" AND labels = \"{}\" ORDER BY created DESC", self.project, label(alert));
        let search = if self.is_cloud { "/search/jql" } else { "/search" };
        let url = format!("{search}?jql={}&maxResults={SEARCHED}&{FIELDS}", percent_encoded(&query));
        let found = match answer(api.get(&url, replies)?) {
            Ok(found) => found,
            // The project is not there, or not for this account to see.
            Err(Verdict::Rejected { reason }) => {
                return ControlFlow::Break(ExchangeStep::Judged(Verdict::Refused { reason }));
            }
            Err(verdict) => return ControlFlow::Break(ExchangeStep::Judged(verdict)),
        };
        let issues: Option<Vec<Issue>> =
            found["issues"].as_array().and_then(|issues| issues.iter().map(Issue::read).collect());
        readable(issues.map(|mut issues| {
            let at = issues.iter().position(|issue| !issue.is_done).unwrap_or_default();
            (at < issues.len()).then(|| issues.swap_remove(at))
        }))
    }

    /// Whether the issue was opened again, if that is asked for.
    fn opened_again(&self, api: &Api, place: &str, replies: &mut Iter<'_, Reply>) -> ControlFlow<ExchangeStep, bool> {
        let Some(reopen) = &self.reopen else { return ControlFlow::Continue(false) };
        let place = format!("{place}/transitions");
        let reply = api.get(&place, replies)?;
        if !unless_it_passes(reply)? {
            return ControlFlow::Continue(false);
        }
        let found = answer(reply).unwrap_or_default();
        let is_asked_for = |transition: &&Value| {
            [&transition["name"], &transition["to"]["name"]]
                .iter()
                .any(|name| name.as_str().is_some_and(|name| name.eq_ignore_ascii_case(reopen)))
        };
        let transitions = found["transitions"].as_array().map(Vec::as_slice).unwrap_or_default();
        let Some(id) = transitions.iter().find(is_asked_for).and_then(|transition| transition["id"].as_str()) else {
            return ControlFlow::Continue(false);
        };
        let document = json!({ "transition": { "id": id } });
        unless_it_passes(api.ask(Method::Post, &place, &document, replies)?)
    }
}

/// Whether the request succeeded; a trouble that passes ends the attempt.
fn unless_it_passes(reply: &Reply) -> ControlFlow<ExchangeStep, bool> {
    match answer(reply) {
        Ok(_) => ControlFlow::Continue(true),
        Err(verdict @ Verdict::Retry { .. }) => ControlFlow::Break(ExchangeStep::Judged(verdict)),
        Err(_) => ControlFlow::Continue(false),
    }
}

/// What was read of an answer; one that cannot be read is asked for again.
fn readable<T>(read: Option<T>) -> ControlFlow<ExchangeStep, T> {
    let reason = "the search's answer cannot be read".to_owned();
    read.map_or_else(
        || ControlFlow::Break(ExchangeStep::Judged(Verdict::Retry { after: None, reason })),
        ControlFlow::Continue,
    )
}

const fn judged(verdict: Verdict) -> ControlFlow<ExchangeStep, ExchangeStep> {
    ControlFlow::Continue(ExchangeStep::Judged(verdict))
}

/// An issue that was found.
struct Issue {
    key: String,
    is_done: bool,
    priority: String,
    /// Its description, as it stands in the answer.
    text: String,
}

impl Issue {
    fn read(issue: &Value) -> Option<Self> {
        let key = issue["key"].as_str().filter(|key| is_issue_key(key))?.to_owned();
        let fields = &issue["fields"];
        Some(Self {
            key,
            is_done: fields["status"]["statusCategory"]["key"] == "done",
            priority: fields["priority"]["name"].as_str().unwrap_or_default().to_owned(),
            text: fields["description"].to_string(),
        })
    }
}

/// The API of one Jira.
pub(super) struct Api {
    base: String,
    authorization: Secret,
}

impl Api {
    fn url(&self, rest: &str) -> Secret {
        Secret::new(format!("{}{rest}", self.base))
    }

    fn step(&self, request: HttpRequest) -> ExchangeStep {
        let request = request.secret_header("authorization", &self.authorization).header("accept", "application/json");
        ExchangeStep::Send(Request::Http(request))
    }

    /// The reply to a request that carries nothing, or the step that makes it.
    fn get<'r>(&self, rest: &str, replies: &mut Iter<'r, Reply>) -> ControlFlow<ExchangeStep, &'r Reply> {
        match replies.next() {
            Some(reply) => ControlFlow::Continue(reply),
            None => ControlFlow::Break(self.step(HttpRequest::get(self.url(rest)))),
        }
    }

    /// The reply to a request with a document, or the step that makes it.
    fn ask<'r>(
        &self,
        method: Method,
        rest: &str,
        document: &Value,
        replies: &mut Iter<'r, Reply>,
    ) -> ControlFlow<ExchangeStep, &'r Reply> {
        match replies.next() {
            Some(reply) => ControlFlow::Continue(reply),
            None => ControlFlow::Break(self.step(HttpRequest::with(method, self.url(rest), document.to_string()))),
        }
    }

    /// Creates an issue: the last request of an exchange.
    fn create(&self, open: &str, mut replies: Iter<'_, Reply>) -> ControlFlow<ExchangeStep, ExchangeStep> {
        match replies.next() {
            Some(reply) => judged(judge(reply)),
            None => ControlFlow::Break(self.step(HttpRequest::post(self.url("/issue"), open))),
        }
    }
}

/// What the reply to a request that writes means. Of a 400 the names of the fields that it blames are told: it is seldom the texts that
/// are wrong, mostly a field, a type or a priority that the project does not have, which somebody can mend.
fn judge(reply: &Reply) -> Verdict {
    match (reply, answer(reply)) {
        (_, Ok(answer)) => {
            let key = answer["key"].as_str().filter(|key| is_issue_key(key));
            Verdict::Delivered { receipt: key.map(str::to_owned) }
        }
        (Reply::Http { status: 400, body, .. }, _) => {
            let answer: Value = serde_json::from_str(body).unwrap_or_default();
            let blamed: Vec<&str> =
                answer["errors"].as_object().into_iter().flatten().map(|(name, _)| name.as_str()).collect();
            if blamed.iter().any(|name| ["summary", "description", "comment"].contains(name)) {
                return Verdict::Rejected { reason: "HTTP 400, a text is not taken".to_owned() };
            }
            let is_word = |name: &&str| name.len() < 60 && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
            let names: Vec<&str> = blamed.into_iter().filter(is_word).take(5).collect();
            let about = if names.is_empty() { String::new() } else { format!(", about {}", names.join(", ")) };
            Verdict::Refused { reason: format!("HTTP 400{about}") }
        }
        // Something of the site's settings keeps issues from being created.
        (Reply::Http { status: 422, .. }, _) => Verdict::Refused { reason: "HTTP 422".to_owned() },
        (Reply::Http { status, retry_after, .. }, _) => judge_status(*status, *retry_after),
        (_, Err(verdict)) => verdict,
    }
}

/// The label by which an alert's issue is found.
pub(super) fn label(alert: &AlertId) -> String {
    format!("offlimits-{}", alert.as_str())
}

/// `SEC-12`: nothing in it leads elsewhere in a URL.
pub(super) fn is_issue_key(key: &str) -> bool {
    key.len() <= NAME_LIMIT
        && key.split_once('-').is_some_and(|(project, number)| {
            let is_of_project = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
            !project.is_empty() && project.bytes().all(is_of_project) && number.parse::<u64>().is_ok()
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_of_an_issue_leads_nowhere_else() {
        assert!(is_issue_key("SEC-12") && is_issue_key("A1_B-1"));
        for bad in ["", "SEC", "SEC-", "-1", "../x-1", "SEC-1/../2", "SEC-1?x", "SÉC-1", "SEC-1-2"] {
            assert!(!is_issue_key(bad), "{bad}");
        }
    }
}
