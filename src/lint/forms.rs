//! The forms that the values of fields have, as far as they are known: a role is its name, an account twelve digits.
//!
//! A field that is not in the table may have any value. What a value of a derived field reads like, its file in `src/facts` says;
//! that the two agree is tested with the records of the corpora.

use ipnet::IpNet;

use super::spelling::{
    ROLE, beginning_of_network, is_boolean, is_caller, is_let_in, is_name, is_no_arn, is_opened_network, is_root,
    is_source, is_traffic, last_name, name_in_arn, network, network_of,
};
use crate::cloudtrail::is_account_id;
use crate::config::quoted;
use crate::facts::sensitive_port;
use crate::rules::field::{Field, FieldTarget};
use crate::rules::pattern::pattern_meant;
use crate::time::Date;

/// What the values of some fields look like.
pub(super) struct Form {
    /// The fields: aliases that are computed, derived fields, and paths of the record, which other aliases stand for.
    fields: &'static [&'static str],
    /// What the values are, for people, with an example.
    pub(super) values: &'static str,
    /// Whether some value of the field may be this text.
    pub(super) fits: fn(&str) -> bool,
    /// What is meant by a text that does not fit, where it can be guessed.
    meant: fn(&str) -> Option<Meant>,
}

/// What is meant by a text that no value of a field equals.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Meant {
    /// This text, which says the same.
    Text(String),
    /// This condition instead of the whole `is`: JSON.
    Condition(String),
    /// What no one text says: the remedy, in words.
    Words(String),
}

impl Form {
    /// The form of a field's values; `None` where any value is possible.
    pub(super) fn of(field: &Field) -> Option<&'static Self> {
        let has = |name: &str| match &field.target {
            FieldTarget::Path(path) => path.iter().map(|key| &**key).eq(name.split('.')),
            FieldTarget::Derived(derived) => derived.name == name,
            target @ (FieldTarget::Computed(_) | FieldTarget::Targets) => {
                !name.contains('.') && Field::parse(name).is_ok_and(|field| field.target == *target)
            }
            FieldTarget::Country(_) | FieldTarget::OfAccount(..) | FieldTarget::OwnResource(_) => false,
        };
        FORMS.iter().find(|form| form.fields.iter().any(|name| has(name)))
    }

    /// What is meant by a text that does not fit.
    pub(super) fn meant(&self, text: &str) -> Option<Meant> {
        let meant = (self.meant)(text).filter(|meant| !matches!(meant, Meant::Text(text) if !(self.fits)(text)));
        meant.or_else(|| self.wildcard(text))
    }

    /// The pattern that is meant by a text with a star, which in every field stands for anything.
    fn wildcard(&self, text: &str) -> Option<Meant> {
        let is_one = text.contains('*') && (self.fits)(&text.replace('*', ""));
        let of_expression = || text.contains(".*").then(|| format!("^{}", text.trim_start_matches('^')));
        let pattern = pattern_meant(text).or_else(of_expression).filter(|_| is_one)?;
        Some(Meant::Condition(quoted(&pattern)))
    }
}

/// Every form.
const FORMS: &[Form] = &[
    Form {
        fields: &["eventName", "eventSource", "awsRegion"],
        values: "names, and every record has one",
        fits: |text| !text.is_empty(),
        meant: |_| None,
    },
    Form {
        fields: &["role", "userIdentity.sessionContext.sessionIssuer.userName"],
        values: "names, such as \"Admin\", without path, account or session",
        fits: is_name,
        meant: |text| {
            Some(match name_in_arn(text) {
                Some((name, Some(account))) => Meant::Words(format!(
                    "write \"role\": {{\"is\": {}}}, \"account\": {{\"is\": {}}}",
                    quoted(name),
                    quoted(account)
                )),
                Some((name, None)) => Meant::Words(format!("write {{\"is\": {}}}", quoted(name))),
                None => return None,
            })
        },
    },
    Form {
        fields: &["user"],
        values: "names, such as \"James\", and the root user has none",
        fits: |text| is_no_arn(text) && !is_root(text),
        meant: caller,
    },
    Form {
        fields: &["session", "source_identity", "userIdentity.sessionContext.sourceIdentity"],
        values: "names, such as \"jana@example.com\", without the role's",
        fits: |text| is_no_arn(text) && !text.contains('/'),
        meant: |text| Some(Meant::Words(format!("write {{\"is\": {}}}", quoted(&last_name(text)?)))),
    },
    Form {
        fields: &["actor"],
        values: "names: \"James\" of a user, \"Admin/jana\" of a role and its session, \"root\", \"ec2.amazonaws.com\"",
        fits: is_caller,
        meant: caller,
    },
    Form {
        fields: &["principal"],
        values: "names: \"James\" of a user, \"Admin\" of a role, \"root\", \"ec2.amazonaws.com\"",
        fits: is_caller,
        meant: caller,
    },
    Form {
        fields: &["userIdentity.arn"],
        values: "ARNs: arn:aws:iam::…:user/James, arn:aws:iam::…:root, and of a role's session arn:aws:sts::…:assumed-role/Admin/jana; \
                 the role's own ARN is in \"userIdentity.sessionContext.sessionIssuer.arn\", its name in \"role\"",
        fits: |text| text.is_empty() || text.starts_with("arn:") && !text.contains(ROLE) && !text.contains('*'),
        meant: |_| None,
    },
    Form {
        fields: &["userIdentity.sessionContext.sessionIssuer.arn"],
        values: "the ARNs of roles, such as arn:aws:iam::…:role/Admin, with their path and without a session, and of users",
        fits: |text| {
            text.is_empty() || text.starts_with("arn:") && !text.contains(":assumed-role/") && !text.contains('*')
        },
        meant: |_| None,
    },
    Form {
        fields: &["acting_service"],
        values: "DNS names of services, such as \"cloudformation.amazonaws.com\"",
        fits: |text| text == "AWSService" || text.contains('.') && !text.contains(['*', ':', '/']),
        meant: |text| is_name(text).then(|| Meant::Text(format!("{}.amazonaws.com", text.to_lowercase()))),
    },
    Form {
        fields: &[
            "account",
            "recipientAccountId",
            "userIdentity.accountId",
            "userIdentity.sessionContext.sessionIssuer.accountId",
            "userIdentity.invokedByDelegate.accountId",
            "resources.accountId",
        ],
        values: "ids of twelve digits, such as \"123456789012\"",
        // S3 writes a word for whoever has not signed in.
        fits: |text| is_account_id(text) || text.eq_ignore_ascii_case("anonymous") || text == "ANONYMOUS_PRINCIPAL",
        meant: |text| {
            let id = text.strip_prefix("arn:").and_then(|arn| arn.split(':').nth(3)).unwrap_or(text);
            let id = id.replace([' ', '-', '_', '.'], "");
            is_account_id(&id).then_some(Meant::Text(id))
        },
    },
    Form {
        fields: &["errorCode"],
        values: "codes, such as \"AccessDenied\" and \"Client.UnauthorizedOperation\"",
        fits: |text| !text.contains('*'),
        meant: |_| None,
    },
    Form {
        fields: &["sourceIPAddress"],
        values: "single addresses, such as \"192.0.2.44\", and services' names",
        fits: is_source,
        meant: |text| {
            let network = text.parse::<IpNet>().ok().or_else(|| beginning_of_network(text))?;
            Some(Meant::Condition(format!("{{\"cidr\": {}}}", quoted(&network.trunc().to_string()))))
        },
    },
    Form {
        fields: &["source_network"],
        values: "networks, the /24 of an address of IPv4 and the /48 of one of IPv6, such as \"192.0.2.0/24\", and services' names",
        fits: |text| network_of(text).map_or(!text.is_empty() && !text.contains(['/', '*']), |network| network == text),
        meant: |text| network_of(text).map(Meant::Text),
    },
    Form {
        fields: &["opened_to_world"],
        values: "kinds of traffic: \"tcp 22\", \"tcp 0-65535\", \"udp 53\", \"icmp\", \"all traffic\"",
        fits: is_traffic,
        meant: |text| {
            text.parse::<u16>().is_ok().then(|| Meant::Words(format!("write {{\"is\": \"tcp {text}\"}} where this port alone is opened, or ask for \"sensitive_ports_to_world\", which has it within a range too")))
        },
    },
    Form {
        fields: &["opened"],
        values: "traffic and a network: \"tcp 22 from 0.0.0.0/0\"",
        fits: |text| {
            text.split_once(" from ")
                .is_some_and(|(traffic, network)| is_traffic(traffic) && is_opened_network(network))
        },
        meant: |text| {
            Some(if is_traffic(text) { Meant::Condition(quoted(&format!("^{text} from "))) } else { return None })
        },
    },
    Form {
        fields: &["opened_networks"],
        values: "networks in one spelling, such as \"10.0.0.0/8\" and \"192.0.2.7/32\", prefix lists, and \"world\"",
        fits: is_opened_network,
        meant: |text| Some(Meant::Text(network(text)?)),
    },
    Form {
        fields: &["sensitive_ports_to_world"],
        values: "the numbers of TCP ports that administer, or hold data, such as \"22\" and \"3389\"",
        fits: |text| text.parse().is_ok_and(sensitive_port),
        meant: |text| {
            let port =
                text.strip_prefix("tcp ").or_else(|| text.strip_prefix("TCP ")).or_else(|| text.strip_prefix("tcp/"));
            let port = port.or_else(|| text.strip_suffix("/tcp")).filter(|port| port.parse().is_ok_and(sensitive_port));
            port.map(|port| Meant::Text(port.to_owned())).or_else(|| {
                text.parse::<u16>().is_ok().then(|| {
                    Meant::Words(format!("it is none of them: ask for \"opened_to_world\": {{\"is\": \"tcp {text}\"}}"))
                })
            })
        },
    },
    Form {
        fields: &["instance_type"],
        values: "types of machines, such as \"p5.48xlarge\"",
        fits: |text| !is_boolean(text) && !text.contains('*'),
        meant: boolean,
    },
    Form {
        fields: &["instance_count"],
        values: "numbers, for \"above\" and \"below\"",
        fits: |text| text.parse::<f64>().is_ok(),
        meant: boolean,
    },
    Form {
        fields: &["customer_key"],
        values: "\"SSE-C\" alone",
        fits: |text| text == "SSE-C",
        meant: |text| {
            boolean(text).or_else(|| {
                matches!(text.to_ascii_uppercase().replace('_', "-").as_str(), "SSE-C" | "SSEC")
                    .then(|| Meant::Text("SSE-C".to_owned()))
            })
        },
    },
    Form {
        fields: &["deletion_date"],
        values: "days, such as \"2026-02-09\"",
        fits: |text| Date::parse(text).is_some(),
        meant: boolean,
    },
    Form {
        fields: &["new_credential"],
        values: "ids, such as \"AKIAIOSFODNN7EXAMPLE\", and \"login profile of James\"",
        fits: |text| !is_boolean(text) && !text.contains('*'),
        meant: boolean,
    },
    Form {
        fields: &["admin_grant"],
        values: "\"AdministratorAccess\", \"IAMFullAccess\", \"Allow * on *\" and \"Allow iam:* on *\", these two also with \" under conditions\"",
        fits: |text| {
            ["AdministratorAccess", "IAMFullAccess"].contains(&text)
                || ["Allow * on *", "Allow iam:* on *"]
                    .contains(&text.strip_suffix(" under conditions").unwrap_or(text))
        },
        meant: boolean,
    },
    Form {
        fields: &["lets_in", "trusted"],
        values: "\"everybody\", accounts' ids, ARNs, \"service ec2.amazonaws.com\", \"federated …\", \"everybody at …\", \"organization …\"",
        fits: is_let_in,
        meant: let_in,
    },
    Form {
        fields: &["lets_in_outside"],
        values: "\"everybody\", \"everybody at …\", and accounts' ids and ARNs: strangers",
        fits: |text| is_let_in(text) && !text.starts_with("service ") && !text.starts_with("organization "),
        meant: let_in,
    },
    Form {
        fields: &["public_access"],
        values: "what is public by: \"everybody may read\", \"publicly accessible\", \"shared with everybody\", \"function URL without \
                 authentication\", \"public access block off\", …",
        fits: |text| !is_boolean(text) && !["", "*", "public", "everybody", "all"].contains(&text),
        meant: boolean,
    },
    Form {
        fields: &["shared_with"],
        values: "\"everybody\", accounts' ids, and ARNs",
        fits: |text| !is_boolean(text) && !["", "*", "all", "public", "everyone", "world"].contains(&text),
        meant: let_in,
    },
];

fn caller(text: &str) -> Option<Meant> {
    if is_root(text) {
        return Some(Meant::Words("write \"identity\": {\"is\": \"Root\"}".to_owned()));
    }
    if text.starts_with("arn:") && text.ends_with(":root") {
        return Some(Meant::Words("write \"identity\": {\"is\": \"Root\"}, and the account in \"account\"".to_owned()));
    }
    if let Some(name) = text.strip_prefix("assumed-role/") {
        return Some(Meant::Text(name.to_owned()));
    }
    let (name, account) = name_in_arn(text)?;
    let alias = if text.contains(":user/") { "user" } else { "role" };
    let account = account.map(|account| format!(", \"account\": {{\"is\": {}}}", quoted(account)));
    let account = account.unwrap_or_default();
    Some(Meant::Words(format!("write \"{alias}\": {{\"is\": {}}}{account}", quoted(name))))
}

fn let_in(text: &str) -> Option<Meant> {
    if ["*", "all", "public", "everyone", "world"].contains(&text) {
        return Some(Meant::Text("everybody".to_owned()));
    }
    if text.ends_with(".amazonaws.com") {
        return Some(Meant::Text(format!("service {text}")));
    }
    let account = text.strip_prefix("arn:").and_then(|arn| arn.split(':').nth(3));
    let account = account.filter(|account| is_account_id(account)).map(|account| Meant::Text(account.to_owned()));
    account.or_else(|| boolean(text))
}

/// Whoever writes yes or no asks whether there is a value.
fn boolean(text: &str) -> Option<Meant> {
    let there = text.eq_ignore_ascii_case("true") || text.eq_ignore_ascii_case("yes");
    is_boolean(text).then(|| Meant::Condition(format!("{{\"exists\": {there}}}")))
}
