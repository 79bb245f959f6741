//! What each vendor answers.

use offlimits::channel::{HttpRequest, Method};
use serde_json::{Value, json};

use super::{Desk, Object, id_after, place};
use crate::channels::samples::sample;

/// What a vendor makes of a request.
#[derive(Debug)]
pub(crate) struct Answered {
    pub(crate) status: u16,
    pub(crate) body: String,
    /// The message that people can read from now on: its key and its text.
    pub(crate) shown: Option<(String, String)>,
    /// Keys of messages of which the answer says that they are there.
    pub(crate) found: Vec<String>,
}

impl Answered {
    fn new(status: u16, body: &Value) -> Self {
        Self { status, body: body.to_string(), shown: None, found: Vec::new() }
    }

    fn text(status: u16, body: &str) -> Self {
        Self { status, body: body.to_owned(), shown: None, found: Vec::new() }
    }

    /// Of a topic.
    pub(crate) fn published(key: &str, text: &str) -> Self {
        Self::text(200, "").showing(key, text)
    }

    /// With the message that people can read from now on.
    fn showing(mut self, key: &str, text: &str) -> Self {
        self.shown = Some((key.to_owned(), text.to_owned()));
        self
    }
}

/// The key of a message, which stands in its footer.
fn key(text: &str) -> &str {
    id_after(text, "message ").expect("a footer")
}

/// What the channel's file says that its vendor finds and answers.
fn by_contract(channel_type: &str, method: Method, content: &str) -> Answered {
    let step = if method == Method::Get { "found" } else { "answer" };
    let [status, body] = sample(channel_type).contract[step].as_array().map_or(&[][..], Vec::as_slice) else {
        panic!("tests/channels/{channel_type}.json has no \"{step}\" in its contract, and its vendor no stand-in here");
    };
    let answer = Answered::new(u16::try_from(status.as_u64().unwrap()).unwrap(), body);
    if method == Method::Get { answer } else { answer.showing(key(content), content) }
}

impl Desk {
    /// What the vendor of this type of channel makes of a request.
    pub(crate) fn answer(&mut self, channel_type: &str, request: &HttpRequest) -> Answered {
        let (_, path, query) = place(request);
        let content = request.content.as_ref().map_or("", |(_, content)| content.expose());
        let document: Value = serde_json::from_str(content).unwrap_or_default();
        let header = |name: &str| request.headers.iter().find(|(of, _)| *of == name).map(|(_, value)| value.expose());
        let authorization = header("authorization");
        match (channel_type, request.method, path.as_slice()) {
            ("slack", Method::Post, []) if authorization.is_none() => {
                Answered::text(200, "ok").showing(key(content), content)
            }
            ("slack", Method::Post, []) => self.slack(content, &document),
            ("webhook", Method::Post, []) => {
                self.join(document["alert"].as_str().unwrap(), header("webhook-id").unwrap());
                Answered::text(204, "").showing(header("webhook-id").unwrap(), content)
            }
            ("pagerduty", Method::Post, []) => {
                let alert = document["dedup_key"].as_str().unwrap();
                self.join(alert, key(content));
                let answer = json!({ "status": "success", "message": "Event processed", "dedup_key": alert });
                Answered::new(202, &answer).showing(key(content), content)
            }
            ("zendesk", Method::Post, ["oauth", "tokens"]) => {
                self.tokens += 1;
                let token = format!("token{}", self.tokens);
                Answered::new(200, &json!({ "access_token": token, "token_type": "bearer", "expires_in": 1800 }))
            }
            ("zendesk", ..) if authorization != Some(&format!("Bearer token{}", self.tokens)) => {
                Answered::new(401, &json!({ "error": "invalid_token" }))
            }
            ("zendesk", method, ["api", "v2", rest @ ..]) => {
                let ticket = &document["ticket"];
                self.zendesk(method, rest, query, ticket, content, header("idempotency-key"))
            }
            ("servicenow", method, ["api", "now", "table", "incident", rest @ ..]) => {
                self.servicenow(method, rest, query, &document, content)
            }
            ("jira", method, ["rest", "api", "2" | "3", rest @ ..]) => {
                self.jira(method, rest, query, &document, content)
            }
            ("jsm", Method::Post, ["jsm", "ops", "integration", "v2", "alerts", rest @ ..]) => {
                self.jsm_by_key(rest, &document, content)
            }
            ("jsm", method, ["jsm", "ops", "api", _, "v1", "alerts", rest @ ..]) => {
                self.jsm_by_token(method, rest, query, &document, content)
            }
            (_, method, _) => {
                // What the vendor joins, by a key of the document.
                if let Some(joined_by) = sample(channel_type).contract["joined_by"].as_str() {
                    self.join(document.pointer(joined_by).and_then(Value::as_str).unwrap(), key(content));
                }
                by_contract(channel_type, method, content)
            }
        }
    }

    fn of_alert(&self, alert: &str) -> Option<&Object> {
        self.objects.iter().rfind(|object| object.alert == alert)
    }

    fn of_id(&self, id: &str) -> Option<&Object> {
        self.objects.iter().find(|object| object.id == id)
    }

    fn open(&mut self, alert: &str, id: &str, text: &Value, key: &str, priority: &Value) {
        let (alert, id, key) = (alert.to_owned(), id.to_owned(), key.to_owned());
        self.objects.push(Object { alert, id, text: text.clone(), key, priority: priority.clone() });
    }

    /// Of those who join what has one key.
    fn join(&mut self, alert: &str, key: &str) {
        if self.of_alert(alert).is_none() {
            self.open(alert, alert, &Value::Null, key, &Value::Null);
        }
    }

    /// The answer of a search, which shows an object as it was opened.
    fn found(object: Option<&Object>, answer: impl Fn(Vec<&Object>) -> Value) -> Answered {
        let found = object.map(|object| object.key.clone()).into_iter().collect();
        Answered { found, ..Answered::new(200, &answer(object.into_iter().collect())) }
    }

    /// A bot: a message, or one in a thread.
    fn slack(&mut self, content: &str, message: &Value) -> Answered {
        let number = self.objects.len() + 1;
        match message["thread_ts"].as_str() {
            Some(thread) if self.of_id(thread).is_none() => {
                return Answered::new(200, &json!({ "ok": false, "error": "thread_not_found" }));
            }
            Some(_) => {}
            None => {
                let thread = format!("{number}.000000");
                self.open(&thread, &thread, &Value::Null, key(content), &Value::Null);
            }
        }
        Answered::new(200, &json!({ "ok": true, "ts": format!("{number}.000000") })).showing(key(content), content)
    }

    fn zendesk(
        &mut self,
        method: Method,
        rest: &[&str],
        query: &str,
        ticket: &Value,
        content: &str,
        idempotency_key: Option<&str>,
    ) -> Answered {
        match (method, rest) {
            (Method::Get, ["tickets.json"]) => {
                Self::found(self.of_alert(id_after(query, "external_id=").unwrap()), |all| {
                    let ticket = |ticket: &Object| json!({ "id": ticket.id.parse::<u64>().unwrap(), "status": "new", "description": ticket.text });
                    json!({ "tickets": all.into_iter().map(ticket).collect::<Vec<_>>() })
                })
            }
            (Method::Post, ["tickets.json"]) => {
                let key = idempotency_key.unwrap();
                // The answer of the first request with this key, once more.
                if let Some(known) = self.objects.iter().find(|object| object.key == key) {
                    let answer = Answered::new(201, &json!({ "ticket": { "id": known.id.parse::<u64>().unwrap() } }));
                    return Answered { found: vec![key.to_owned()], ..answer };
                }
                let id = self.objects.len() + 1;
                let alert = ticket["external_id"].as_str().unwrap();
                self.open(alert, &id.to_string(), &ticket["comment"]["html_body"], key, &Value::Null);
                Answered::new(201, &json!({ "ticket": { "id": id } })).showing(key, content)
            }
            (Method::Put, ["tickets", id]) => {
                let ticket = self.of_id(id.strip_suffix(".json").unwrap()).expect("a ticket");
                let answer = json!({ "ticket": { "id": ticket.id.parse::<u64>().unwrap() } });
                Answered::new(200, &answer).showing(key(content), content)
            }
            _ => panic!("Zendesk knows no {method:?} {rest:?}"),
        }
    }

    fn servicenow(&mut self, method: Method, rest: &[&str], query: &str, incident: &Value, content: &str) -> Answered {
        let number = |sys_id: &str| format!("INC{}", sys_id.trim_start_matches('0'));
        match (method, rest) {
            (Method::Get, []) => Self::found(self.of_alert(id_after(query, "correlation_id%3D").unwrap()), |all| {
                let incident =
                    |one: &Object| json!({ "sys_id": one.id, "number": number(&one.id), "description": one.text });
                json!({ "result": all.into_iter().map(incident).collect::<Vec<_>>() })
            }),
            (Method::Post, []) => {
                let id = format!("{:032}", self.objects.len() + 1);
                let alert = incident["correlation_id"].as_str().unwrap();
                self.open(alert, &id, &incident["description"], key(content), &Value::Null);
                let answer = json!({ "result": { "sys_id": id, "number": number(&id) } });
                Answered::new(201, &answer).showing(key(content), content)
            }
            (Method::Patch, [id]) => {
                let id = &self.of_id(id).expect("an incident").id;
                let answer = json!({ "result": { "sys_id": id, "number": number(id) } });
                Answered::new(200, &answer).showing(key(content), content)
            }
            _ => panic!("ServiceNow knows no {method:?} {rest:?}"),
        }
    }

    fn jira(&mut self, method: Method, rest: &[&str], query: &str, document: &Value, content: &str) -> Answered {
        let issue = |issue: &Object| {
            json!({ "id": "1", "key": issue.id, "fields": { "status": { "statusCategory": { "key": "new" } },
                "priority": { "name": issue.priority }, "description": issue.text } })
        };
        match (method, rest) {
            (Method::Get, ["search"] | ["search", "jql"]) => {
                let alert = id_after(query, "offlimits-").unwrap();
                Self::found(
                    self.of_alert(alert),
                    |all| json!({ "issues": all.into_iter().map(issue).collect::<Vec<_>>() }),
                )
            }
            (Method::Get, ["issue", id]) => match self.of_id(id) {
                Some(known) => Self::found(Some(known), |all| issue(all[0])),
                None => Answered::new(404, &json!({ "errorMessages": ["Issue does not exist"] })),
            },
            (Method::Post, ["issue"]) => {
                let fields = &document["fields"];
                let id = format!("SEC-{}", self.objects.len() + 1);
                let labels = fields["labels"].to_string();
                let alert = id_after(&labels, "offlimits-").expect("the alert's label");
                self.open(alert, &id, &fields["description"], key(content), &fields["priority"]["name"]);
                Answered::new(201, &json!({ "id": "1", "key": id })).showing(key(content), content)
            }
            (Method::Post, ["issue", id, "comment"]) => {
                assert!(self.of_id(id).is_some(), "there is no issue {id}");
                Answered::new(201, &json!({ "id": "1" })).showing(key(content), content)
            }
            (Method::Put, ["issue", id]) => {
                let issue = self.objects.iter_mut().find(|object| object.id == *id).expect("an issue");
                issue.priority = document["fields"]["priority"]["name"].clone();
                Answered::text(204, "")
            }
            _ => panic!("Jira knows no {method:?} {rest:?}"),
        }
    }

    /// An API key writes only, and what is asked for is done a little later.
    fn jsm_by_key(&mut self, rest: &[&str], document: &Value, content: &str) -> Answered {
        let taken =
            Answered::new(202, &json!({ "result": "Request will be processed", "requestId": "0e2ea5c0", "took": 0.1 }));
        match rest {
            [] => {
                let (alert, key) = (document["alias"].as_str().unwrap(), key(content));
                // The message of all others is the note that follows.
                let is_whole = matches!(document["extraProperties"]["kind"].as_str(), Some("first" | "test"));
                match self.of_alert(alert) {
                    // One more in its count; that says nothing of a note.
                    Some(known) if known.key == key && is_whole => Answered { found: vec![key.to_owned()], ..taken },
                    known => {
                        if known.is_none() {
                            self.open(alert, alert, &document["description"], key, &document["priority"]);
                        }
                        if is_whole { taken.showing(key, content) } else { taken }
                    }
                }
            }
            [alias, "notes"] => {
                assert!(self.of_alert(alias).is_some(), "there is no alert {alias}");
                taken.showing(key(content), content)
            }
            _ => panic!("JSM's integrations know no {rest:?}"),
        }
    }

    fn jsm_by_token(
        &mut self,
        method: Method,
        rest: &[&str],
        query: &str,
        document: &Value,
        content: &str,
    ) -> Answered {
        let taken =
            Answered::new(202, &json!({ "result": "Request will be processed", "requestId": "0e2ea5c0", "took": 0.1 }));
        match (method, rest) {
            (Method::Get, ["alias"]) => match self.of_alert(id_after(query, "alias=").unwrap()) {
                Some(known) => Self::found(
                    Some(known),
                    |all| json!({ "id": all[0].id, "tinyId": "12", "priority": all[0].priority, "description": all[0].text }),
                ),
                None => Answered::new(404, &json!({ "message": "No alert exists" })),
            },
            (Method::Post, []) => {
                let alert = document["alias"].as_str().unwrap();
                let id = format!("a-{}", self.objects.len() + 1);
                if self.of_alert(alert).is_none() {
                    self.open(alert, &id, &document["description"], key(content), &document["priority"]);
                }
                taken.showing(key(content), content)
            }
            (Method::Patch, [id, "priority"]) => {
                let alert = self.objects.iter_mut().find(|object| object.id == *id).expect("an alert");
                alert.priority = document["priority"].clone();
                taken
            }
            (Method::Post, [id, "notes"]) => {
                assert!(self.of_id(id).is_some(), "there is no alert {id}");
                taken.showing(key(content), content)
            }
            _ => panic!("JSM knows no {method:?} {rest:?}"),
        }
    }
}
