//! Machines: what is started, stopped and changed, and what runs on them.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

use crate::change::reading::{Reading, at, said};
use crate::change::told::Told;
use crate::change::value::{HIDDEN_WORDS, listed, shown};
use crate::cloudtrail::HIDDEN_SHOWN;
use crate::facts::Placed;

/// `instances: p5.48xlarge × 8`
pub(in crate::change) fn machines(reading: &Reading<'_, '_>, told: &mut Told) {
    let types = reading.fact("instance_type");
    let counts = reading.fact("instance_count");
    let count = counts.first();
    match (types.is_empty(), count) {
        (false, Some(count)) => told.add("instances", format!("{} × {count}", listed(&types))),
        (false, None) => told.add("instance type", listed(&types)),
        (true, Some(count)) => told.add("instances", count),
        (true, None) => {}
    }
}

/// The states that the answer names, before and after.
pub(in crate::change) fn states(reading: &Reading<'_, '_>, told: &mut Told) {
    const SHOWN: usize = 5;
    let Some(response) = &reading.response else { return };
    let instances = at(response, "instancesSet");
    for instance in instances.iter().take(SHOWN) {
        let part = |path: &str| said(Some(instance), path);
        let (Some(before), Some(after)) = (part("previousState.name"), part("currentState.name")) else { continue };
        let what = match part("instanceId").filter(|_| instances.len() > 1) {
            Some(id) => format!("state of {id}"),
            None => "state".to_owned(),
        };
        told.turn(&what, before, after);
    }
    if instances.len() > SHOWN {
        told.add("more", format!("{} instances", instances.len() - SHOWN));
    }
}

/// What `ModifyInstanceAttribute` is known to change, by what people call it.
const ATTRIBUTES: [(&str, &str); 8] = [
    ("disableApiTermination", "termination protection"),
    ("disableApiStop", "stop protection"),
    ("instanceType", "instance type"),
    ("sourceDestCheck", "check of source and destination"),
    ("instanceInitiatedShutdownBehavior", "on shutdown"),
    ("groupSet", "security groups"),
    ("ebsOptimized", "EBS optimization"),
    ("enaSupport", "ENA support"),
];

/// The attributes of an instance that a call sets.
pub(in crate::change) fn instance_attributes(reading: &Reading<'_, '_>, told: &mut Told) {
    user_data(reading, told);
    for (key, what) in ATTRIBUTES {
        if let Some(value) = reading.asked(&format!("{key}.value|{key}")) {
            let value = match value.as_str() {
                "true" => "on",
                "false" => "off",
                value => value,
            };
            told.add(what, value);
        }
    }
    if let (Some(attribute), Some(value)) = (reading.asked("attribute"), reading.asked("value")) {
        told.add(&attribute, value);
    }
}

/// The first commands of a machine. They are often long, and in Base64: their first words are told.
pub(in crate::change) fn user_data(reading: &Reading<'_, '_>, told: &mut Told) {
    let path = "userData.value|userData|instancesSet.userData|launchTemplateData.userData|launchSpecification.userData";
    let Some(request) = &reading.request else { return };
    let values = at(request, path);
    let Some(text) = values.first().and_then(Placed::text) else { return };
    // Its secrets have been blanked where it is a text in Base64, too.
    let decoded = BASE64_STANDARD.decode(text.trim()).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    match (decoded, shown(&values[0])) {
        (_, hidden) if hidden == HIDDEN_WORDS => {
            told.add("user data (runs at the start)", "set, and hidden in the record");
        }
        (Some(script), _) => told.add("user data (runs at the start)", script),
        (None, text) => told.add("user data (runs at the start)", text),
    }
}

/// What is run, and where.
pub(in crate::change) fn commands(reading: &Reading<'_, '_>, told: &mut Told) {
    let commands = reading.asked("parameters.commands|parameters.command|parameters");
    let Some(commands) = commands else { return };
    let words = if commands == HIDDEN_WORDS { HIDDEN_SHOWN } else { commands.as_str() };
    told.add(
        if reading.record.text(&["eventName"]) == Some("StartSession") { "parameters" } else { "commands" },
        words,
    );
}
