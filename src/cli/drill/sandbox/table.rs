//! The calls that are harmless, read from `calls.json`: the one place to add another.
//!
//! A call of the table acts on something that cannot exist (its name is random), or is a dry run of EC2's, or both; what AWS does
//! with it is to refuse it, and CloudTrail records that. Operations, protocols and parameters are those of botocore 1.43.127;
//! each row's page in AWS's reference is its `docs`.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use crate::aws::ApiService;

/// The services and the calls.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CallTable {
    #[serde(borrow)]
    services: BTreeMap<&'static str, Service>,
    pub(super) calls: Vec<HarmlessCall>,
}

/// A service, and how it is talked to.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Service {
    /// What the SDKs call it.
    name: &'static str,
    /// The beginning of its host, its name in signatures, and the beginning of its `eventSource`.
    host: &'static str,
    /// The version of its JSON protocol.
    json: Option<&'static str>,
    /// Of that, what `x-amz-target` begins with.
    target: Option<&'static str>,
    /// The version of its API, if it takes forms.
    query: Option<&'static str>,
    /// Whether it is asked by methods and paths.
    #[serde(default)]
    rest: bool,
    /// Whether a partition has one of it, whose calls are recorded in one region.
    #[serde(default)]
    global: bool,
    /// The address of an operation's page in AWS's reference, with `{call}` for its name.
    docs: &'static str,
}

/// A call that changes nothing.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct HarmlessCall {
    /// The service, as its `eventSource` begins.
    pub(super) service: &'static str,
    /// The operation.
    pub(super) call: &'static str,
    /// Its `eventName`, where that is not the operation's name.
    recorded_as: Option<&'static str>,
    /// Of what there is none that is called as the request says; none, where it is a dry run alone.
    no: Option<&'static str>,
    /// Of a REST call, its method and path.
    path: Option<&'static str>,
    /// What is asked: an object, or the fields of a form.
    #[serde(borrow)]
    pub(super) request: Option<BTreeMap<&'static str, Value>>,
    /// The `requestParameters` that CloudTrail will write, where they are not what is asked with small first letters.
    record: Option<Value>,
    /// The `errorCode` that CloudTrail will write, if the caller may make the call at all.
    pub(super) error: &'static str,
}

impl CallTable {
    /// Reads it.
    ///
    /// # Panics
    /// Never: it is part of the program, and a test reads it.
    pub(super) fn read() -> Self {
        let read = serde_json::from_str(include_str!("calls.json"));
        #[expect(clippy::expect_used, reason = "it is part of the program, and a test reads it")]
        read.expect("calls.json is a table of calls")
    }

    fn service(&self, call: &HarmlessCall) -> Option<&Service> {
        self.services.get(call.service)
    }

    /// How a call's service is talked to.
    pub(super) fn api(&self, call: &HarmlessCall) -> Option<ApiService> {
        let service = self.service(call)?;
        Some(match (service.json, service.target, service.query) {
            (Some("1.0"), Some(target), _) => ApiService::json_1_0(service.name, service.host, target),
            (Some(_), Some(target), _) => ApiService::json(service.name, service.host, target),
            (_, _, Some(version)) => ApiService::query(service.name, service.host, version),
            _ if service.rest => ApiService::rest(service.name, service.host),
            _ => return None,
        })
    }

    /// Whether a partition has one of the service, whose calls are recorded in one region.
    pub(super) fn is_global(&self, call: &HarmlessCall) -> bool {
        self.service(call).is_some_and(|service| service.global)
    }

    /// Whether the service takes forms.
    pub(super) fn takes_forms(&self, call: &HarmlessCall) -> bool {
        self.service(call).is_some_and(|service| service.query.is_some())
    }

    /// The address of the call's page in AWS's reference.
    pub(super) fn docs(&self, call: &HarmlessCall) -> String {
        self.service(call).map(|service| service.docs.replace("{call}", call.call)).unwrap_or_default()
    }
}

impl HarmlessCall {
    /// Its `eventName`.
    pub(super) fn event_name(&self) -> &'static str {
        self.recorded_as.unwrap_or(self.call)
    }

    /// The method and the path, of a REST call.
    pub(super) fn method_and_path(&self) -> Option<(&'static str, &'static str)> {
        self.path?.split_once(' ')
    }

    /// Whether AWS is told to do nothing but say whether it would.
    fn is_dry_run(&self) -> bool {
        self.request.as_ref().is_some_and(|request| request.get("DryRun").is_some_and(|dry| dry == "true"))
    }

    /// Why it changes nothing: `there is no such trail`.
    pub(super) fn why(&self) -> String {
        match (self.no, self.is_dry_run()) {
            (Some(what), false) => format!("there is no such {what}"),
            (Some(what), true) => format!("a dry run, and there is no such {what}"),
            (None, _) => "a dry run".to_owned(),
        }
    }

    /// What CloudTrail will write as `requestParameters`, with places for what is random.
    pub(super) fn parameters(&self) -> Value {
        if let Some(record) = &self.record {
            return record.clone();
        }
        let small = |(name, value): (&&str, &Value)| {
            let mut letters = name.chars();
            let first = letters.next().map(|letter| letter.to_ascii_lowercase());
            (first.into_iter().chain(letters).collect(), value.clone())
        };
        Value::Object(self.request.iter().flatten().map(small).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is random in a request, so that nothing can be called so.
    const RANDOM: [&str; 6] = ["{name}", "{uuid}", "{hex}", "{hex10}", "{hex16}", "{hex17}"];

    #[test]
    fn every_call_is_harmless_by_construction() {
        let table = CallTable::read();
        for call in &table.calls {
            let asked = format!("{}{}", call.path.unwrap_or_default(), serde_json::to_string(&call.request).unwrap());
            let is_of_nothing = RANDOM.iter().any(|random| asked.contains(random));
            assert!(is_of_nothing && (call.no.is_some() || call.is_dry_run()), "{}", call.call);
            // Only EC2 knows dry runs by this name.
            assert_eq!(call.is_dry_run(), call.service == "ec2", "{}", call.call);
            // A call that makes something makes it within what is not there, or is a dry run.
            let is_rest = call.path.is_some();
            assert_eq!(table.service(call).unwrap().rest, is_rest, "{}", call.call);
            assert!(table.api(call).is_some() && table.docs(call).contains(call.call));
        }
    }
}
