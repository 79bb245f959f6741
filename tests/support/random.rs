//! Random rules of every operator, and random records that they are likely to match: for the tests that compare the engine
//! with the simple one, and for the fuzz target that does.
//!
//! Whoever uses this file has the crate's `OPERATORS` and `DERIVED` beside it: what an operator may be given, and which derived
//! fields there are, stands in these tables.

use super::{DERIVED, OPERATORS};

/// Where the choices come from: a seed, or a fuzzer's bytes.
#[derive(Debug)]
pub(crate) struct Dice<'b> {
    state: u64,
    bytes: &'b [u8],
}

impl<'b> Dice<'b> {
    /// The same seed makes the same choices.
    pub(crate) fn new(seed: u64, bytes: &'b [u8]) -> Self {
        Self { state: seed, bytes }
    }

    /// A number below `bound`.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        let (byte, rest) = self.bytes.split_first().unwrap_or((&0, &[]));
        self.bytes = rest;
        // SplitMix64.
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15).wrapping_add(u64::from(*byte) << 56);
        let mut word = self.state;
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((word ^ (word >> 31)) % bound as u64).unwrap_or_default()
    }

    fn one_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    fn pick<'c>(&mut self, choices: &[&'c str]) -> &'c str {
        choices[self.below(choices.len())]
    }

    fn list(&mut self, most: usize, mut one: impl FnMut(&mut Self) -> String) -> String {
        let items: Vec<String> = (0..=self.below(most)).map(|_| one(self)).collect();
        items.join(",")
    }
}

const FIELDS: [&str; 39] = [
    "service",
    "event",
    "identity",
    "service",
    "event",
    "event",
    "identity",
    "eventName",
    "region",
    "account",
    "source_ip",
    "user_agent",
    "error",
    "read_only",
    "outcome",
    "mfa",
    "user",
    "role",
    "session",
    "actor",
    "principal",
    "acting_service",
    "partition",
    "source_network",
    "outcome",
    "time",
    "errorMessage",
    "requestParameters",
    "requestParameters.a",
    "requestParameters.a.b",
    "requestParameters.policyDocument.Statement.Effect",
    "requestParameters[\"a.b\"]",
    "requestParameters.items.c",
    "responseElements.ConsoleLogin",
    "userIdentity.arn",
    "userIdentity.sessionContext.sessionIssuer.userName",
    "resources.ARN",
    "additionalEventData.MFAUsed",
    "userIdentity",
];

const TEXTS: [&str; 44] = [
    "IAMUser",
    "AssumedRole",
    "Root",
    "FederatedUser",
    "AWSService",
    "iam.amazonaws.com",
    "ec2.amazonaws.com",
    "s3.amazonaws.com",
    "signin.amazonaws.com",
    "iamxamazonaws-com",
    "CreateUser",
    "DeleteUser",
    "CreateRole",
    "DeleteTrail",
    "StopLogging",
    "ConsoleLogin",
    "PutUserPolicy",
    "AccessDenied",
    "Failure",
    "us-east-1",
    "cn-north-1",
    "203.0.113.0/24",
    "198.51.100.0/24",
    "123456789012",
    "198.51.100.7",
    "2001:db8::1",
    "true",
    "false",
    "Yes",
    "a",
    "ab",
    "b",
    "",
    "é",
    "5",
    "1.50",
    "arn:aws:sts::123456789012:assumed-role/Admin/jana",
    "2024-01-10T11:32:44Z",
    "Allow",
    "AWS Internal",
    "health.amazonaws.com",
    "AwsServiceEvent",
    "FAILED",
    "bedrock-agentcore.amazonaws.com",
];

const PATTERNS: [&str; 38] = [
    "^(IAM).*",
    "IAMUser",
    "^Root$",
    "(User|Role)$",
    "^(iam.amazonaws.com).*",
    "iam.amazonaws.com",
    "^ec2\\\\.",
    "^s3",
    "amazonaws",
    "^Create",
    "^(Create|Delete)(User|Role)$",
    "^Delete.*Trail$",
    "User",
    "Trail$",
    "^.*Policy$",
    ".*",
    ".+",
    "(?i)createuser",
    "(?i)^createuser$",
    "^(?i)(root|ASSUMEDROLE|listusers)$",
    "(?i)^(jana|aws-cli/2|accessdenied)$",
    "(?i)^(iam|ec2)\\\\.amazonaws\\\\.com$",
    "[CD]e?reate",
    "\\\\d+",
    "^\\\\w+$",
    "us-",
    "Denied",
    "a",
    "^$",
    "é",
    "b.*$",
    "^arn:.*/Admin/",
    "jana",
    "^Create|^Put",
    "Effect",
    "198.51",
    "es$",
    "Log",
];

/// Values of derived fields.
const DERIVED_TEXTS: [&str; 21] = [
    "tcp 22",
    "tcp 0-65535",
    "all traffic",
    "0.0.0.0/0",
    "tcp 22 from 0.0.0.0/0",
    "::/0",
    "world",
    "22",
    "3389",
    "p5.48xlarge",
    "2",
    "SSE-C",
    "2026-02-09",
    "yes",
    "everybody",
    "999999999999",
    "Allow * on *",
    "AdministratorAccess",
    "publicly accessible",
    "everybody may read",
    "shared with everybody",
];

/// Few numbers in many spellings.
pub(crate) const NUMBERS: [&str; 24] = [
    "0",
    "0.0",
    "-0",
    "0E1",
    "5",
    "5.0",
    "5.00",
    "50e-1",
    "0.5E+1",
    "-1",
    "-1.0",
    "1.5",
    "1.50",
    "15E-1",
    "1e2",
    "100",
    "100.0",
    "10E1",
    "1E400",
    "10e399",
    "18446744073709551617",
    "18446744073709551617.0",
    "18446744073709551616",
    "123456789012",
];

/// A `rules.json` that compiles, unless a choice made something impossible.
pub(crate) fn rules(dice: &mut Dice<'_>) -> String {
    let count = 1 + dice.below(12);
    let rules: Vec<String> = (0..count).map(|number| rule(dice, number)).collect();
    format!(
        r#"{{"lists":{{"l":["IAMUser","CreateUser","^S","a"],"n":["198.51.100.0/24","2001:db8::/32"]}},"rules":[{}]}}"#,
        rules.join(",")
    )
}

fn rule(dice: &mut Dice<'_>, number: usize) -> String {
    let mut more = String::new();
    if dice.one_in(3) {
        let expires = match dice.below(6) {
            0 => r#","expires":"2024-01-10""#,
            1 => r#","from":"2024-01-10T12:00+01:00""#,
            2 => r#","from":"2024-01-10","expires":"2024-01-10T12:33[Europe/Berlin]""#,
            _ => "",
        };
        more = format!(r#","unless":[{{"when":{},"reason":"r"{expires}}}]"#, table(dice));
    }
    if dice.one_in(6) {
        more = format!(r#"{more},"severity_when":[{{"severity":"high","when":{}}}]"#, table(dice));
    }
    if dice.one_in(12) {
        more += r#","mode":"off""#;
    }
    let title = if dice.one_in(3) { format!("{{{}}}", field(dice)) } else { "{event} by {actor}".to_owned() };
    let title = quoted(&title);
    format!(r#"{{"id":"R-{number}","title":{title},"severity":"low","when":{}{more}}}"#, table(dice))
}

fn table(dice: &mut Dice<'_>) -> String {
    format!("[{}]", dice.list(3, |dice| row(dice, &FIELDS)))
}

fn row(dice: &mut Dice<'_>, fields: &[&str]) -> String {
    let mut cells: Vec<(String, String)> = Vec::new();
    for _ in 0..=dice.below(3) {
        let field = if fields.len() == FIELDS.len() { field(dice) } else { dice.pick(fields).to_owned() };
        if cells.iter().all(|(other, _)| *other != field) {
            let condition = condition(dice, &field, 0);
            cells.push((field, condition));
        }
    }
    let cells: Vec<String> =
        cells.into_iter().map(|(field, condition)| format!("{}:{condition}", quoted(&field))).collect();
    format!("{{{}}}", cells.join(","))
}

/// A field of the record; one in four is a derived one.
fn field(dice: &mut Dice<'_>) -> String {
    if dice.one_in(4) { DERIVED[dice.below(DERIVED.len())].name } else { dice.pick(&FIELDS) }.to_owned()
}

fn is_derived(field: &str) -> bool {
    DERIVED.iter().any(|derived| derived.name == field)
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

fn condition(dice: &mut Dice<'_>, field: &str, depth: usize) -> String {
    // Fields with a vocabulary take its words only.
    let words: Option<&[&str]> = match field {
        "outcome" => Some(&["success", "failure"]),
        "mfa" => Some(&["yes", "no"]),
        "partition" => Some(&["aws", "aws-cn"]),
        "read_only" => Some(&["true", "false"]),
        _ => None,
    };
    if let Some(words) = words {
        let word = dice.pick(words);
        return match dice.below(3) {
            0 => format!("\"{word}\""),
            1 => format!(r#"{{"is":"{word}"}}"#),
            _ => format!(r#"{{"not":"^{word}$"}}"#),
        };
    }
    // Most that is asked of a derived field can be true.
    if is_derived(field) && !dice.one_in(3) {
        return match dice.below(5) {
            0 => r#"{"exists":true}"#.to_owned(),
            1 => r#"{"exists":false}"#.to_owned(),
            2 => format!(r#"{{"not":{}}}"#, quoted(dice.pick(&DERIVED_TEXTS))),
            3 => format!(r#"{{"is":[{}]}}"#, dice.list(3, |dice| quoted(dice.pick(&DERIVED_TEXTS)))),
            _ => quoted(dice.pick(&DERIVED_TEXTS)),
        };
    }
    match dice.below(if depth < 2 { 8 } else { 5 }) {
        0 | 1 => format!("\"{}\"", dice.pick(&PATTERNS)),
        2 => "\"@l\"".to_owned(),
        5 => format!("[{}]", dice.list(3, |dice| condition(dice, field, depth + 1))),
        _ => operator(dice, field, depth),
    }
}

/// An operator of the table, whose value is one of its samples. Those that hold conditions are for the upper levels.
fn operator(dice: &mut Dice<'_>, field: &str, depth: usize) -> String {
    let operator = &OPERATORS[dice.below(OPERATORS.len())];
    let sample = dice.pick(operator.samples);
    let is_nested = sample.contains("CONDITION") || sample.contains("ROW");
    let is_text = matches!(
        field,
        "account" | "user" | "role" | "session" | "actor" | "principal" | "acting_service" | "source_network"
    );
    let has_items = !is_text && !is_derived(field);
    let wants_items = sample.contains("ROW") || operator.key.name == "count" && is_text;
    if (is_nested && depth >= 2) || (wants_items && !has_items) {
        return r#"{"exists":true}"#.to_owned();
    }
    let mut value = String::new();
    let mut rest = sample;
    while let Some(at) = rest.find(|c: char| c.is_ascii_uppercase()) {
        let (before, word) = rest.split_at(at);
        let end = word.find(|c: char| !c.is_ascii_uppercase()).unwrap_or(word.len());
        value.push_str(before);
        match &word[..end] {
            "CONDITION" => value.push_str(&condition(dice, field, depth + 1)),
            "TEXT" => value.push_str(&quoted(text(dice))),
            "NUMBER" => value.push_str(dice.pick(&NUMBERS)),
            "FIELD" => value.push_str(&quoted(&self::field(dice))),
            "ROW" => value.push_str(&row(dice, &["b", "c", ".", "Effect"])),
            other => value.push_str(other),
        }
        rest = &word[end..];
    }
    format!(r#"{{"{}":{value}{rest}}}"#, operator.key.name)
}

/// A record of a call that a derived field understands, in one of the shapes that its calls have; now and then with a version
/// behind the event's name, or as another call, which says nothing by it.
fn derived_record(dice: &mut Dice<'_>) -> String {
    const PARTS: [&str; 16] = [
        r#""requestParameters":{"groupId":"sg-1","ipPermissions":{"items":[{"ipProtocol":"tcp","fromPort":22,"toPort":22,"ipRanges":{"items":[{"cidrIp":"0.0.0.0/0"}]}}]}}"#,
        r#""requestParameters":{"ipProtocol":"tcp","fromPort":0,"toPort":65535,"cidrIp":"0.0.0.0/1","ipPermissions":{"items":[{"ipProtocol":"-1","ipRanges":{"items":[{"cidrIp":"128.0.0.0/1"}]}}]}}"#,
        r#""requestParameters":{"aclProtocol":"-1","cidrBlock":"0.0.0.0/0","egress":false,"ruleAction":"allow"}"#,
        r#""requestParameters":"{\"portInfo\":{\"fromPort\":3389,\"toPort\":3389,\"protocol\":\"tcp\"}}""#,
        r#""responseElements":{"securityGroupRuleSet":{"items":[{"isEgress":false,"ipProtocol":"-1","cidrIpv6":"::/0"}]}}"#,
        r#""requestParameters":{"instanceType":"p5.48xlarge","instancesSet":{"items":[{"minCount":1,"maxCount":2}]}}"#,
        r#""responseElements":{"instancesSet":{"items":[{"instanceType":"p5.48xlarge"}]}}"#,
        r#""requestParameters":{"x-amz-server-side-encryption-customer-algorithm":"AES256","keyId":"1","pendingWindowInDays":30}"#,
        r#""additionalEventData":{"SSEApplied":"SSE_C"}"#,
        r#""responseElements":{"deletionDate":"Feb 9, 2026 12:00:00 AM","accessKey":{"accessKeyId":"AKIAIOSFODNN7EXAMPLE"}}"#,
        r#""requestParameters":{"policyDocument":"{\"Statement\":[{\"Effect\":\"Allow\",\"Action\":\"*\",\"Resource\":\"*\",\"Principal\":\"*\"}]}"}"#,
        r#""requestParameters":{"policy":{"Statement":{"Effect":"Allow","Action":"s3:*","Resource":"*","Principal":{"AWS":"*"}}},"acl":"public-read"}"#,
        r#""requestParameters":{"policyArn":"arn:aws:iam::aws:policy/AdministratorAccess","principal":"999999999999","x-amz-acl":["public-read"]}"#,
        r#""requestParameters":{"launchPermission":{"add":{"items":[{"group":"all"},{"userId":"999999999999"}]}},"valuesToAdd":["all"],"publiclyAccessible":true}"#,
        r#""responseElements":{"publiclyAccessible":true}"#,
        r#""requestParameters":{"assumeRolePolicyDocument":"%7B%22Statement%22%3A%7B%22Effect%22%3A%22Allow%22%2C%22Principal%22%3A%22%2A%22%2C%22Action%22%3A%22sts%3A%2A%22%7D%7D"}"#,
    ];
    let field = &DERIVED[dice.below(DERIVED.len())];
    let calls = &field.calls[dice.below(field.calls.len())];
    let mut event = calls.events[dice.below(calls.events.len())].to_owned();
    match dice.below(12) {
        0 => event.push_str("20150331v2"),
        1 => event.push('X'),
        _ => {}
    }
    let service = if dice.one_in(12) { "iam.amazonaws.com" } else { calls.service };
    let mut members = vec![
        format!(r#""eventSource":{}"#, escaped(dice, service)),
        format!(r#""eventName":{}"#, escaped(dice, &event)),
        r#""eventTime":"2026-01-10T11:32:44Z""#.to_owned(),
        format!(r#""userIdentity":{}"#, identity(dice)),
    ];
    for _ in 0..=dice.below(2) {
        let part = dice.pick(&PARTS).to_owned();
        let key = part.split(':').next().unwrap_or_default().to_owned();
        if members.iter().all(|other| !other.starts_with(&key)) {
            let place = dice.below(members.len() + 1);
            members.insert(place, part);
        }
    }
    format!("{{{}}}", members.join(","))
}

/// A record, or nearly one: keys repeated and escaped, arrays and documents where texts should be.
pub(crate) fn record(dice: &mut Dice<'_>) -> String {
    const TOP: [&str; 22] = [
        "eventSource",
        "eventName",
        "userIdentity",
        "eventSource",
        "eventName",
        "userIdentity",
        "awsRegion",
        "errorCode",
        "errorMessage",
        "requestParameters",
        "responseElements",
        "sourceIPAddress",
        "recipientAccountId",
        "additionalEventData",
        "eventTime",
        "resources",
        "readOnly",
        "eventType",
        "sessionCredentialFromConsole",
        "serviceEventDetails",
        "responseElements",
        "requestParameters",
    ];
    if dice.one_in(3) {
        return derived_record(dice);
    }
    let mut members: Vec<(String, String)> = Vec::new();
    for _ in 0..3 + dice.below(10) {
        let name = dice.pick(&TOP);
        if members.iter().all(|(other, _)| *other != name) || dice.one_in(40) {
            let value = match name {
                "userIdentity" if dice.one_in(20) => quoted(&identity(dice)),
                "userIdentity" if !dice.one_in(12) => identity(dice),
                "eventName" | "eventSource" if !dice.one_in(12) => string(dice),
                _ => value(dice, 0),
            };
            members.push((name.to_owned(), value));
        }
    }
    let record = object(dice, members);
    if dice.one_in(60) { format!("{record}{}", dice.pick(&["x", "}", " \n", ",{}"])) } else { record }
}

fn identity(dice: &mut Dice<'_>) -> String {
    let mut members = Vec::new();
    for name in ["type", "userName", "arn", "principalId", "accountId", "invokedBy"] {
        if dice.one_in(2) {
            members.push((name.to_owned(), string(dice)));
        }
    }
    if dice.one_in(2) {
        let issuer = ["type", "userName"].map(|name| (name.to_owned(), string(dice))).to_vec();
        let issuer = object(dice, issuer);
        members.push(("sessionContext".to_owned(), format!(r#"{{"sessionIssuer":{issuer}}}"#)));
    }
    object(dice, members)
}

fn object(dice: &mut Dice<'_>, members: Vec<(String, String)>) -> String {
    let space = |dice: &mut Dice<'_>| if dice.one_in(30) { " " } else { "" };
    let members: Vec<String> = members
        .into_iter()
        .map(|(key, value)| format!("{}{}:{}{value}", escaped(dice, &key), space(dice), space(dice)))
        .collect();
    format!("{{{}{}}}", members.join(","), space(dice))
}

fn string(dice: &mut Dice<'_>) -> String {
    let text = text(dice);
    escaped(dice, text)
}

/// A text: now and then a number's.
fn text<'c>(dice: &mut Dice<'_>) -> &'c str {
    if dice.one_in(8) { dice.pick(&NUMBERS) } else { dice.pick(&TEXTS) }
}

/// A string of JSON, now and then with a character escaped that need not be.
fn escaped(dice: &mut Dice<'_>, text: &str) -> String {
    let mut out = String::from("\"");
    let odd = dice.one_in(40);
    for c in text.chars() {
        match c {
            _ if odd && dice.one_in(3) => out.extend(format!("\\u{:04x}", u32::from(c)).chars()),
            '"' | '\\' => out.extend(['\\', c]),
            _ => out.push(c),
        }
    }
    out.push('"');
    out
}

fn value(dice: &mut Dice<'_>, depth: usize) -> String {
    match dice.below(if depth < 4 { 12 } else { 8 }) {
        0..=4 => string(dice),
        5 => dice.pick(&NUMBERS).to_owned(),
        6 => {
            let words = ["true", "false", "null", r#""\ud800""#, "tru"];
            // The last one is no JSON.
            let known = if dice.one_in(30) { words.len() } else { words.len() - 1 };
            dice.pick(&words[..known]).to_owned()
        }
        7 => {
            let document = if depth < 3 { value(dice, depth + 2) } else { "{\"b\":1}".to_owned() };
            quoted(&if dice.one_in(3) { document.replace('{', "%7B").replace('"', "%22") } else { document })
        }
        8 | 9 => {
            format!("[{}]", if dice.one_in(5) { String::new() } else { dice.list(3, |dice| value(dice, depth + 1)) })
        }
        _ => {
            const KEYS: [&str; 8] = ["a", "b", "c", "items", "a.b", "policyDocument", "Statement", "Effect"];
            const MORE: [&str; 13] = [
                "ConsoleLogin",
                "CreateUser",
                "MFAUsed",
                "UserName",
                "ARN",
                "a",
                "_return",
                "statusCode",
                "failures",
                "failedEntryCount",
                "unprocessedAccounts",
                "createAccountStatus",
                "state",
            ];
            let count = dice.below(4);
            let members = (0..count)
                .map(|_| {
                    let key = if dice.one_in(3) { dice.pick(&MORE) } else { dice.pick(&KEYS) };
                    (key.to_owned(), value(dice, depth + 1))
                })
                .collect();
            object(dice, members)
        }
    }
}
