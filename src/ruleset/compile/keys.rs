//! The keys of `rules.json`, of a pack, and of an `include`.

use crate::channel::CHANNEL;
use crate::config::{Definition, KeyDefault, KeySpec, MapNames, ObjectSpec, TextFormat, ValueShape, docs};
use crate::rules::VERSION;
use crate::rules::compile::{NAME, OVERRIDE, RESPONSE, RULE, SSO_ROLE, SSO_START_URL, TIME_ZONE, is_link};

/// The keys of `rules.json`.
pub(super) static FILE: ObjectSpec = ObjectSpec {
    name: "rules.json",
    what: "rules.json",
    docs: docs!("The rules of offlimits: which AWS API calls nobody should be making, and who hears of them."),
    keys: [&FILE_KEYS, &SHARED_KEYS],
    at_least_one: &["rules", "include"],
};

/// The keys of a pack, and of `rules.json`: one schema serves both. Those that have no place in a pack are reported by who
/// reads it.
pub(crate) static ANY_FILE: ObjectSpec = ObjectSpec {
    name: "rules.json",
    what: "a pack",
    docs: docs!(
        "The rules of offlimits, or a pack of them: which AWS API calls nobody should be making, and who hears of them."
    ),
    keys: [&ANY_FILE_KEYS, &SHARED_KEYS],
    at_least_one: &["rules", "include"],
};

/// The keys of `rules.json` that have no place in a pack.
pub(super) static FILE_KEYS: [KeySpec; 8] =
    [NEEDS, RUNBOOKS, TIME_ZONE, SSO_START_URL, SSO_ROLE, CHANNELS, INCLUDES, STEPS];

static ANY_FILE_KEYS: [KeySpec; 9] = [
    KeySpec::new("description", ValueShape::Text, docs!("What the pack is for. In packs alone.")),
    NEEDS,
    RUNBOOKS,
    TIME_ZONE,
    SSO_START_URL,
    SSO_ROLE,
    CHANNELS,
    INCLUDES,
    STEPS,
];

static SHARED_KEYS: [KeySpec; 3] = [
    KeySpec::new("$schema", ValueShape::AnyText, docs!("Where editors find the schema.")),
    KeySpec::new(
        "lists",
        LISTS,
        docs!("Lists that `\"@name\"` stands for, in patterns, in `is`, in `cidr`, and in hours of the week."),
    ),
    KeySpec::new("rules", ValueShape::Objects(&RULE), docs!("The rules.")),
];

static NEEDS: KeySpec = KeySpec::new(
    "needs",
    ValueShape::Whole { min: 1, max: 1_000_000 },
    docs!(
        "The [format](upgrading.md#a-newer-tool-and-an-older-function) that a function must know to read this. `offlimits bundle` writes it. Not in packs."
    ),
);

static RUNBOOKS: KeySpec = KeySpec::new(
    "runbooks",
    ValueShape::Formatted(&ADDRESS),
    docs!("The address that the runbooks which are paths begin with. Not in packs."),
);

static CHANNELS: KeySpec = KeySpec::new(
    "channels",
    ValueShape::Map { names: MapNames::Formatted(&NAME), values: &A_CHANNEL },
    docs!("Who hears of it: any name, and a [channel](channels/README.md). Not in packs."),
)
.or(KeyDefault::Words(docs!("the deployment's own topic, as `topic`")));

static STEPS: KeySpec = KeySpec::new(
    "respond",
    ValueShape::Map { names: MapNames::Any, values: &THE_STEPS },
    docs!("What to do first, by the rules' ids, in a bundle: `offlimits bundle` writes it. Not in packs."),
);

static THE_STEPS: ValueShape = ValueShape::Defined(&RESPONSE);

static A_CHANNEL: ValueShape = ValueShape::Tagged(&CHANNEL);

static INCLUDES: KeySpec =
    KeySpec::new("include", ValueShape::List(&AN_INCLUDE), docs!("Packs of rules: see [Packs](#packs). Not in packs."));

static AN_INCLUDE: ValueShape = ValueShape::Defined(&INCLUDE);

const LISTS: ValueShape = ValueShape::Map { names: MapNames::Any, values: &A_LIST };

static A_LIST: ValueShape = ValueShape::AnyList(&ValueShape::Scalar);

static ADDRESS: TextFormat = TextFormat {
    what: "address",
    code: "bad-link",
    pattern: r"^https?://\S+$",
    max_characters: None,
    fits: is_link,
    remedy: |_| "write an address that begins with https://; the rules' paths are appended to it".into(),
};

static INCLUDE: Definition = Definition {
    name: "Include",
    what: "a pack's file, or an object",
    docs: docs!("A pack's file, relative to this one, or an object that also says what is different here."),
    shape: ValueShape::AnyOf(&[ValueShape::Text, ValueShape::Object(&CHANGED_PACK)]),
};

/// The keys of an `include` that is an object.
pub(super) static CHANGED_PACK: ObjectSpec = ObjectSpec {
    name: "Changed",
    what: "an include",
    docs: docs!("A pack, and what is different here."),
    keys: [
        &[
            KeySpec::required("pack", ValueShape::Text, docs!("Its file, relative to this one.")),
            KeySpec::new(
                "overrides",
                ValueShape::Map { names: MapNames::Any, values: &AN_OVERRIDE },
                docs!(
                    "What single rules, or with `\"*\"` every rule of the pack, say otherwise. Exceptions and allowances are added."
                ),
            ),
            KeySpec::new(
                "stage_new_since",
                ValueShape::Formatted(&VERSION),
                docs!(
                    "The version of offlimits whose rules you know: those of the pack that came later are staged, but for those whose own override says a `mode`."
                ),
            )
            .such_as(r#""0.1.0""#),
            KeySpec::new("lists", LISTS, docs!("Lists that replace lists of the pack.")),
            KeySpec::new(
                "content",
                ValueShape::Object(&ANY_FILE),
                docs!("The pack itself, in a bundle: `offlimits bundle` writes it."),
            ),
        ],
        &[],
    ],
    at_least_one: &[],
};

static AN_OVERRIDE: ValueShape = ValueShape::Object(&OVERRIDE);
