//! Random rules and random archives that they are likely to match.

use serde_json::{Value, json};

use super::START;
use crate::choices::Choices;
use crate::time::Timestamp;

const EVENTS: [&str; 3] = ["StopLogging", "DeleteTrail", "PutObject"];
const SEVERITIES: [&str; 5] = ["low", "medium", "high", "very-high", "extreme"];
const FIELDS: [&str; 6] = ["actor", "source_ip", "event", "requestParameters.users", "outcome", "principal"];

impl Choices {
    /// Some of the fields, or none that are named.
    fn by(&mut self, limit: &mut Value) {
        let mut fields: Vec<&str> = FIELDS.into_iter().filter(|_| self.one_in(4)).collect();
        if fields.is_empty() && !self.one_in(4) {
            fields.push(self.of(&FIELDS));
        }
        if !fields.is_empty() {
            limit["by"] = json!(fields);
        }
    }

    fn channels(&mut self) -> Value {
        let names = &["one", "two", "three"][..=self.below(3)];
        let channel = |choices: &mut Self, name: &str| {
            let mut channel = json!({ "type": "webhook" });
            if !choices.one_in(3) {
                // There, the roll-ups of one minute are one message.
                channel = json!({ "type": "sns", "topic_arn": format!("arn:aws:sns:us-east-1:123456789012:{name}") });
            }
            channel["max_per_minute"] = json!(choices.of(&[1, 2, 3, 5, 8, 60, 10_000]));
            if choices.one_in(8) {
                channel["incident"] = json!({ "window": choices.of(&["1m", "20m", "1h", "3h"]) });
                if !choices.one_in(3) {
                    channel["incident"]["by"] = json!([choices.of(&["account", "source_ip", "event", "principal"])]);
                }
                if !choices.one_in(3) {
                    channel["incident"]["lineage"] = json!(true);
                    if choices.one_in(3) {
                        channel["incident"]["shared"] = json!(["actor0", "role*"]);
                    }
                }
            }
            match choices.below(8) {
                0 => channel["min_severity"] = json!(choices.of(&SEVERITIES)),
                1 => channel["tags"] = json!(["a"]),
                2 => channel["regions"] = json!(["eu-west-1"]),
                3 => channel["rules"] = json!(["R0"]),
                _ => {}
            }
            channel
        };
        names.iter().map(|name| ((*name).to_owned(), channel(self, name))).collect::<serde_json::Map<_, _>>().into()
    }

    fn rule(&mut self, place: usize, channels: &Value) -> Value {
        let mut rule = json!({
            "id": format!("R{place}"), "title": "t", "severity": self.of(&SEVERITIES),
            "when": { "event": { "is": self.of(&EVENTS) } },
            "severity_when": [{ "severity": self.of(&SEVERITIES), "when": { "user_agent": "x" } },
                { "severity": self.of(&SEVERITIES), "when": { "user_agent": "y" } }],
        });
        if self.one_in(3) {
            rule["when"] = json!({ "event": { "exists": true } });
        }
        if self.one_in(4) {
            rule["severity_when"][0]["when"] = json!({ "outcome": "failure" });
        }
        match self.below(4) {
            0 => rule["throttle"] = json!("off"),
            1 => {}
            _ => {
                let window = self.of(&["1s", "7s", "30s", "1m", "5m", "16m", "1h"]);
                rule["throttle"] = json!({ "window": window });
                self.by(&mut rule["throttle"]);
                if self.one_in(5) {
                    rule["throttle"]["new_targets"] = json!("wait");
                }
            }
        }
        if self.one_in(3) {
            let window = self.of(&["1s", "20s", "1m", "5m", "30m"]);
            rule["threshold"] = json!({ "count": 2 + self.below(4), "window": window });
            self.by(&mut rule["threshold"]);
            if self.one_in(2) {
                rule["threshold"]["distinct"] = json!(self.of(&FIELDS));
            }
        }
        if self.one_in(6) {
            rule["mode"] = json!("stage");
        }
        if self.one_in(4) {
            let names: Vec<&str> = channels.as_object().unwrap().keys().map(String::as_str).collect();
            rule["notify"] = json!([self.of(&names)]);
        }
        if self.one_in(2) {
            rule["tags"] = json!(["a"]);
        }
        rule
    }

    pub(super) fn rules(&mut self) -> String {
        let channels = self.channels();
        let rules: Vec<Value> = (0..=self.below(4)).map(|place| self.rule(place, &channels)).collect();
        json!({ "channels": channels, "rules": rules }).to_string()
    }

    /// Bursts and single events, in no order, some of them twice, a few without a time.
    pub(super) fn records(&mut self) -> Vec<String> {
        let span = self.of(&[60, 600, 3600, 4 * 3600]);
        let (actors, bursts) = (1 + self.below(4), 1 + self.below(4));
        // Of few targets each comes often, and of many a window lets only the first through.
        let (targets, successes) = (self.of(&[1, 3, 30]), self.of(&[2, 4, 8]));
        let bursts: Vec<(usize, usize)> =
            (0..bursts).map(|_| (self.below(span), self.of(&[1, 3, 15, 60, 400]))).collect();
        // Sessions that are issued have a time, so that both sides know when that was.
        let with_sessions = self.one_in(8);
        let mut records: Vec<String> = Vec::new();
        for number in 0..=self.below(60) {
            let seconds = if self.one_in(5) {
                self.below(span)
            } else {
                let (start, length) = self.of(&bursts);
                start + self.below(length)
            };
            let users: Vec<String> = (0..self.below(3)).map(|_| format!("user{}", self.below(4))).collect();
            let mut record = json!({
                "eventID": number.to_string(), "eventName": self.of(&EVENTS), "eventSource": "cloudtrail.amazonaws.com",
                "eventTime": Timestamp::from_millis((START + seconds as u64) * 1000).to_string(),
                "awsRegion": self.of(&["eu-west-1", "us-east-1"]), "recipientAccountId": "123456789012",
                "userAgent": self.of(&["x", "y", "z"]), "sourceIPAddress": format!("192.0.2.{}", self.below(2)),
                "userIdentity": { "type": "IAMUser", "userName": format!("actor{}", self.below(actors)) },
                "requestParameters": { "users": users },
            });
            if !self.one_in(5) {
                record["requestParameters"]["trailName"] = json!(format!("trail{}", self.below(targets)));
            }
            if !self.one_in(successes) {
                record["errorCode"] = json!(self.of(&["AccessDenied", "TrailNotFoundException"]));
            }
            if self.one_in(3) {
                let arn =
                    format!("arn:aws:sts::123456789012:assumed-role/role{}/session{}", self.below(2), self.below(3));
                record["userIdentity"] = json!({ "type": "AssumedRole", "arn": arn });
                if with_sessions {
                    record["userIdentity"]["accessKeyId"] = json!(format!("ASIA{}", self.below(4)));
                    if self.one_in(3) {
                        record["userIdentity"]["sessionContext"] =
                            json!({ "sourceIdentity": format!("whoever{}", self.below(2)) });
                    }
                }
            }
            if with_sessions && self.one_in(3) {
                record["eventSource"] = json!("sts.amazonaws.com");
                record["eventName"] = json!("AssumeRole");
                record["requestParameters"] = json!({ "roleArn": "arn:aws:iam::123456789012:role/role0",
                    "durationSeconds": self.of(&[1, 900, 3600]) });
                record["responseElements"] =
                    json!({ "credentials": { "accessKeyId": format!("ASIA{}", self.below(4)) } });
                if self.one_in(4) {
                    record["requestParameters"]["sourceIdentity"] = json!(format!("whoever{}", self.below(2)));
                }
                if self.one_in(5) {
                    record["userIdentity"] =
                        json!({ "type": "AWSAccount", "accountId": "555555555555", "principalId": "AROAEXAMPLE:x" });
                }
            } else if !with_sessions && self.one_in(40) {
                record.as_object_mut().unwrap().remove("eventTime");
            }
            if self.one_in(6) {
                // Another account records the same call, and its rule may judge it otherwise.
                record["sharedEventID"] = json!(format!("shared{number}"));
                let mut twin = record.clone();
                twin["eventID"] = json!(format!("twin{number}"));
                twin["recipientAccountId"] = json!("210987654321");
                twin["userAgent"] = json!(self.of(&["x", "y", "z"]));
                let place = self.below(records.len() + 1);
                records.insert(place, twin.to_string());
            }
            let place = self.below(records.len() + 1);
            records.insert(place, record.to_string());
        }
        for _ in 0..self.below(6) {
            let copy = records[self.below(records.len())].clone();
            let place = self.below(records.len() + 1);
            records.insert(place, copy);
        }
        records
    }
}
