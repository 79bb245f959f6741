//! The keys at the top of `rules.json` that say how messages tell what they tell, and their forms.

use super::settings::is_link;
use crate::config::{KeySpec, ObjectReader, Problems, TextFormat, ValueShape, docs};
use crate::rules::hours::{Hours, zone_remedy};
use crate::rules::{AccessPortal, MessageSettings};

/// The zone of a message's local times.
pub(crate) static TIME_ZONE: KeySpec = KeySpec::new(
    "time_zone",
    ValueShape::Formatted(&ZONE),
    docs!(
        "The time zone in which messages tell times too, beside UTC: a name of the IANA database. See [Messages](#messages). Not in packs."
    ),
)
.such_as(r#""Europe/Berlin""#);

/// Where people sign in.
pub(crate) static SSO_START_URL: KeySpec = KeySpec::new(
    "sso_start_url",
    ValueShape::Formatted(&START_URL),
    docs!(
        "The address of the AWS access portal of IAM Identity Center, through which links open the right account. See [Messages](#messages). Not in packs."
    ),
)
.such_as(r#""https://d-1234567890.awsapps.com/start""#);

/// As whom they sign in.
pub(crate) static SSO_ROLE: KeySpec = KeySpec::new(
    "sso_role",
    ValueShape::Formatted(&PERMISSION_SET),
    docs!("The permission set that those links use; without it the portal asks. Not in packs."),
)
.such_as(r#""ReadOnlyAccess""#);

static ZONE: TextFormat = TextFormat {
    what: "time zone",
    code: "unknown-zone",
    pattern: "",
    max_characters: None,
    fits: |name| Hours::in_zone(name).is_some(),
    remedy: zone_remedy,
};

static START_URL: TextFormat = TextFormat {
    what: "address of an access portal",
    code: "bad-link",
    pattern: r"^https://[^\s#?]+$",
    max_characters: Some(200),
    fits: |text| text.starts_with("https://") && is_link(text) && !text.contains(['#', '?']),
    remedy: |_| {
        "write what IAM Identity Center's settings call the AWS access portal URL, such as \
         \"https://d-1234567890.awsapps.com/start\", up to its #"
            .into()
    },
};

/// Source: <https://docs.aws.amazon.com/singlesignon/latest/APIReference/API_CreatePermissionSet.html>.
static PERMISSION_SET: TextFormat = TextFormat {
    what: "name of a permission set",
    code: "bad-name",
    pattern: r"^[A-Za-z0-9_+=,.@-]{1,32}$",
    max_characters: None,
    fits: |text| {
        let fits = |c: char| c.is_ascii_alphanumeric() || "_+=,.@-".contains(c);
        (1..=32).contains(&text.len()) && text.chars().all(fits)
    },
    remedy: |_| "write the permission set's name, which has up to 32 letters, digits and \"_+=,.@-\"".into(),
};

/// Reads these keys.
pub(crate) fn message_settings(fields: &mut ObjectReader<'_>, problems: &mut Problems) -> MessageSettings {
    let time_zone = fields.text("time_zone", problems).map(str::to_owned);
    let start_url = fields.text("sso_start_url", problems);
    let node = fields.get("sso_role");
    let role = fields.text("sso_role", problems).map(str::to_owned);
    if let Some(node) = node.filter(|_| start_url.is_none()) {
        let help = "write \"sso_start_url\" too, or leave \"sso_role\" out";
        problems.error("no-access-portal", &node.span, "\"sso_role\" says nothing without \"sso_start_url\"", help);
    }
    let access_portal = start_url.map(|url| AccessPortal { start_url: url.trim_end_matches('/').to_owned(), role });
    MessageSettings { time_zone, access_portal }
}
