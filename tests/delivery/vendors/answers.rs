//! What each vendor answers: what its channel's file says (`vendor` in `tests/channels/NAME.json`).

use offlimits::channel::{HttpRequest, Method};
use serde_json::{Map, Value, json};

use super::{Desk, Object, id_after, id_in, place};
use crate::channels::samples::sample;
use crate::channels::vendor::{Step, Tells};

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
        let body = match body {
            Value::Null => String::new(),
            Value::String(text) => text.clone(),
            document => document.to_string(),
        };
        Self { status, body, shown: None, found: Vec::new() }
    }

    /// Of a topic.
    pub(crate) fn published(key: &str, text: &str) -> Self {
        Self { shown: Some((key.to_owned(), text.to_owned())), ..Self::new(200, &Value::Null) }
    }
}

/// A request, read.
struct Sent<'r> {
    method: Method,
    path: Vec<&'r str>,
    query: &'r str,
    content: &'r str,
    document: Value,
    request: &'r HttpRequest,
}

impl<'r> Sent<'r> {
    fn new(request: &'r HttpRequest) -> Self {
        let (_, path, query) = place(request);
        let content = request.content.as_ref().map_or("", |(_, content)| content.expose());
        let document = serde_json::from_str(content).unwrap_or_default();
        Self { method: request.method, path, query, content, document, request }
    }

    fn header(&self, name: &str) -> Option<&'r str> {
        self.request.headers.iter().find(|(of, _)| *of == name).map(|(_, value)| value.expose())
    }

    /// The id in the path, where this is a request to this step; empty, where the step's has none.
    fn matched(&self, step: &Step) -> Option<&'r str> {
        let (method, path) = step.place();
        let mut id = "";
        let is_like = |(of_step, part): (&&str, &&'r str)| {
            id = if *of_step == "{id}" { *part } else { id };
            matches!(*of_step, "*" | "{id}") || of_step == part
        };
        let fits = method == format!("{:?}", self.method).to_uppercase()
            && path.len() == self.path.len()
            && path.iter().zip(&self.path).all(is_like);
        let lacks = |name: &String| self.header(name).is_none();
        (fits && step.without.as_ref().is_none_or(lacks)).then_some(id)
    }

    /// The text at a pointer into the document.
    fn text(&self, pointer: &str) -> Option<&str> {
        self.document.pointer(pointer)?.as_str()
    }

    /// The id of an alert at a pointer: as it is, or where it stands in a longer text.
    fn alert(&self, pointer: &str) -> String {
        let value = self.document.pointer(pointer).unwrap_or_else(|| panic!("nothing at {pointer}: {}", self.content));
        id_in(&value.to_string()).unwrap_or_else(|| panic!("no id at {pointer}: {value}")).to_owned()
    }

    /// The key of the message.
    fn key(&self, step: &Step) -> String {
        let in_header = step.key_in.as_ref().map(|name| self.header(name).expect("the message's key"));
        in_header.unwrap_or_else(|| id_after(self.content, "message ").expect("a footer")).to_owned()
    }

    /// Whether people can read it from now on.
    fn tells(&self, step: &Step) -> bool {
        match &step.tells {
            Tells::Always(tells) => *tells,
            Tells::Of(words) => words
                .iter()
                .all(|(pointer, words)| self.text(pointer).is_some_and(|said| words.iter().any(|word| word == said))),
        }
    }
}

impl Desk {
    /// What the vendor of this type of channel makes of a request.
    pub(crate) fn answer(&mut self, channel_type: &str, request: &HttpRequest) -> Answered {
        let sent = Sent::new(request);
        if channel_type == "zendesk"
            && let Some(answer) = self.token(&sent)
        {
            return answer;
        }
        let vendor = &sample(channel_type).vendor;
        let matched = vendor.answers.iter().find_map(|step| Some((step, sent.matched(step)?)));
        let Some((step, id)) = matched else {
            panic!(
                "\"vendor\" in tests/channels/{channel_type}.json has no answer to {:?} {:?}",
                sent.method, sent.path
            )
        };
        let key = sent.tells(step).then(|| sent.key(step));
        let id = (!id.is_empty()).then_some(id);
        let alert = step.joins.as_ref().map(|pointer| sent.alert(pointer));
        let is_of_alert = |object: &Object| alert.as_ref().is_none_or(|alert| object.alert == *alert);
        let is_opened_by = |key: &String| self.objects.iter().position(|one| one.key == *key && is_of_alert(one));
        let known = key.as_ref().and_then(is_opened_by);
        let is_known = step.once && known.is_some();
        let place = if is_known { known } else { self.concerned(step, id, &sent) };
        if place.is_none() && (id.is_some() || step.finds.is_some() || step.adds_to.is_some()) {
            let (status, body) = match &step.otherwise {
                Some(answer) => answer,
                None if step.finds.is_some() => &step.answer,
                None => panic!("nothing is there for {:?} {:?}", sent.method, sent.path),
            };
            return Answered::new(*status, &filled(body, &|name| (name == "found").then(|| json!([]))));
        }
        let object = place.map(|place| &self.objects[place]);
        let names = |name: &str| {
            let object = object?;
            let shown = || filled(&vendor.object, &|name| object.named(name));
            match name {
                "it" => Some(shown()),
                "found" => Some(json!([shown()])),
                name => object.named(name),
            }
        };
        let mut answer = Answered::new(step.answer.0, &filled(&step.answer.1, &names));
        if sent.method == Method::Get || is_known {
            answer.found.extend(object.map(|object| object.key.clone()));
        } else {
            answer.shown = key.map(|key| (key, sent.content.to_owned()));
        }
        answer
    }

    /// What a request is about, of what is kept; opened, if it is to be.
    fn concerned(&mut self, step: &Step, id: Option<&str>, sent: &Sent<'_>) -> Option<usize> {
        let of_alert = |alert: &str| self.objects.iter().rposition(|object| object.alert == alert);
        let of_id = |id: &str| self.objects.iter().position(|object| object.id == id);
        if let Some(id) = id {
            let place = of_id(id)?;
            self.objects[place].keep(step, sent);
            return Some(place);
        }
        if step.finds.is_some() {
            return of_alert(id_in(sent.query).expect("the alert's id in the query"));
        }
        if let Some(pointer) = &step.opens {
            return Some(self.open(step, Some(sent.alert(pointer)), sent));
        }
        if let Some(pointer) = &step.joins {
            let alert = sent.alert(pointer);
            return of_alert(&alert).or_else(|| Some(self.open(step, Some(alert), sent)));
        }
        match sent.text(step.adds_to.as_ref()?) {
            Some(id) => of_id(id),
            None => Some(self.open(step, None, sent)),
        }
    }

    /// Opens something; of no alert, if it has nothing but its own id.
    fn open(&mut self, step: &Step, alert: Option<String>, sent: &Sent<'_>) -> usize {
        let n = self.objects.len() + 1;
        let id = step.id.replace("{n:032}", &format!("{n:032}")).replace("{n}", &n.to_string());
        let id = alert.as_ref().map_or_else(|| id.clone(), |alert| id.replace("{alert}", alert));
        let alert = alert.unwrap_or_else(|| id.clone());
        let mut object = Object { n, alert, id, key: sent.key(step), kept: Map::new() };
        object.keep(step, sent);
        self.objects.push(object);
        n - 1
    }

    /// Zendesk's access tokens, of which the last holds.
    fn token(&mut self, sent: &Sent<'_>) -> Option<Answered> {
        if sent.path == ["oauth", "tokens"] {
            self.tokens += 1;
            let token = format!("token{}", self.tokens);
            let answer = json!({ "access_token": token, "token_type": "bearer", "expires_in": 1800 });
            return Some(Answered::new(200, &answer));
        }
        let is_valid = sent.header("authorization") == Some(&format!("Bearer token{}", self.tokens));
        (!is_valid).then(|| Answered::new(401, &json!({ "error": "invalid_token" })))
    }
}

impl Object {
    fn keep(&mut self, step: &Step, sent: &Sent<'_>) {
        for (name, pointer) in &step.keeps {
            self.kept.insert(name.clone(), sent.document.pointer(pointer).cloned().unwrap_or_default());
        }
    }

    /// What a name in braces stands for.
    fn named(&self, name: &str) -> Option<Value> {
        match name {
            "n" => Some(json!(self.n)),
            "id" => Some(json!(self.id)),
            "alert" => Some(json!(self.alert)),
            name => self.kept.get(name).cloned(),
        }
    }
}

/// A document in which each text that is a name in braces is what that stands for, and one within a text is written there.
fn filled(template: &Value, named: &dyn Fn(&str) -> Option<Value>) -> Value {
    match template {
        Value::Array(values) => values.iter().map(|value| filled(value, named)).collect(),
        Value::Object(members) => {
            members.iter().map(|(key, value)| (key.clone(), filled(value, named))).collect::<Map<_, _>>().into()
        }
        Value::String(text) => {
            let Some((before, rest)) = text.split_once('{') else { return template.clone() };
            let Some((name, after)) = rest.split_once('}') else { return template.clone() };
            match named(name) {
                Some(value) if before.is_empty() && after.is_empty() => value,
                Some(Value::String(value)) => json!(format!("{before}{value}{after}")),
                Some(value) => json!(format!("{before}{value}{after}")),
                None => template.clone(),
            }
        }
        other => other.clone(),
    }
}
