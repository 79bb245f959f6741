//! A custom notification of Amazon Q Developer in chat applications, which was AWS Chatbot: it posts what HTTPS subscribers of a topic
//! get to a channel of Slack or Microsoft Teams, in the thread that the notification names.
//!
//! Schema: <https://docs.aws.amazon.com/chatbot/latest/adminguide/custom-notifs.html>, which states no sizes: those below are of the
//! chats behind it.

use serde_json::{Map, Value, json};

use super::Content;
use super::inert::{inert, short};
use crate::alert::Alert;
use crate::text::clip;

/// The version of the schema.
const VERSION: &str = "1.0";
/// Characters of a title: those of a heading of Slack's, with room. <https://docs.slack.dev/reference/block-kit/blocks/header-block>
const TITLE_LIMIT: usize = 140;
/// Characters of a description: less than a section of Slack's takes (3,000).
/// <https://docs.slack.dev/reference/block-kit/blocks/section-block>
const DESCRIPTION_LIMIT: usize = 2900;
/// Characters of one text, from the most to the least: the first with which the description fits is taken.
const TEXT_LIMITS: [usize; 6] = [2000, 600, 300, 100, 50, 25];
/// Characters of the summary.
const SUMMARY_LIMIT: usize = 500;
/// Resources that are named.
const RESOURCES: usize = 10;
/// Characters of a value that custom actions may use.
/// <https://docs.aws.amazon.com/chatbot/latest/APIReference/API_CustomActionAttachment.html>
const VARIABLE_LIMIT: usize = 100;

/// The notification, as JSON.
pub(super) fn notification(alert: &Alert<'_>, content: &Content) -> String {
    let call = &alert.finding.call;
    let is_event = alert.kind.is_about_events();
    let of_call = |value: &Option<String>| value.clone().filter(|_| is_event).and_then(|value| variable(&value));
    let (account, region, event) = (of_call(&call.account), of_call(&call.region), of_call(&call.event));
    let variables = [
        ("severity", Some(content.severity.as_str().to_owned())),
        ("kind", Some(alert.kind.as_str().to_owned())),
        ("rule", variable(&content.rule)),
        ("alert", Some(alert.shown_in().as_str().to_owned())),
        ("account", account.clone()),
        ("region", region.clone()),
        ("event", event.clone()),
    ];
    let context: Map<String, Value> =
        variables.into_iter().filter_map(|(name, value)| Some((name.to_owned(), json!(value?)))).collect();
    let keywords: Vec<String> = [Some(content.severity.as_str().to_owned()), variable(&content.rule), account, region]
        .into_iter()
        .flatten()
        .collect();
    let resources: Vec<String> =
        call.targets.iter().filter(|_| is_event).filter_map(|target| variable(target)).take(RESOURCES).collect();
    let description = content.fitted(TEXT_LIMITS, description, |text| text.chars().count() <= DESCRIPTION_LIMIT);
    let mut notification = json!({
        "version": VERSION,
        "source": "custom",
        "id": alert.key().as_str(),
        "content": {
            "textType": "client-markdown",
            "title": clip(&plain(&content.heading), TITLE_LIMIT),
            "description": clip(&description, DESCRIPTION_LIMIT),
            "keywords": keywords,
        },
        "metadata": {
            "threadId": alert.shown_in().as_str(),
            "summary": clip(&plain(&content.summary()), SUMMARY_LIMIT),
            "eventType": event.unwrap_or_else(|| alert.kind.as_str().to_owned()),
            "relatedResources": resources,
            "additionalContext": context,
        },
    });
    let steps: Vec<String> = content.steps.iter().map(step).collect();
    if !steps.is_empty() {
        notification["content"]["nextSteps"] = json!(steps);
    }
    notification.to_string()
}

/// All but the title and the steps, for which the schema has places of their own.
fn description(content: &Content) -> String {
    let mut lines = vec![plain(&content.sentence)];
    let mut changes = content.changes.iter().map(|change| code(change));
    lines.extend(changes.next().map(|change| content.before_changes() + &change));
    lines.extend(changes);
    lines.push(String::new());
    lines.extend(content.facts.iter().map(|(name, value)| format!("*{name}:* {}", shown(value))));
    lines.extend(content.description.iter().map(|why| format!("\n*{}:* {}", Content::WHY_LABEL, plain(why))));
    lines.push(String::new());
    lines.extend(content.links.iter().map(|(name, link)| format!("{name}: {link}")));
    lines.push(plain(&content.footer));
    lines.join("\n")
}

/// A step with its command, which is shown as it is or not at all.
fn step((text, command): &(String, Option<String>)) -> String {
    let command = command.as_ref().filter(|command| !command.contains(['`', '<', '>']));
    command.map_or_else(|| plain(text), |command| format!("{} `{command}`", plain(text)))
}

/// A value, as it is where the chats see nothing in it, else as code.
fn shown(text: &str) -> String {
    let means_something = |c: char| "*_~`<>[]|#!@:\\&".contains(c);
    if text.contains(means_something) { code(text) } else { text.to_owned() }
}

/// Text in which no chat looks for formats. Slack looks for mentions even there.
fn code(text: &str) -> String {
    format!("`{}`", text.replace('`', "'").replace('<', "‹").replace('>', "›"))
}

/// A sentence in which nothing is a format or a mention, in Slack's markup and in Markdown: what could be one becomes a sign that
/// looks alike.
fn plain(text: &str) -> String {
    // No chat says what it takes for a part of a word. A number that is not a plain digit (½, ⑦) is one to some only.
    let is_of_word = |c: Option<char>| c.is_some_and(|c| c.is_alphabetic() || c.is_ascii_digit());
    let mut out = String::with_capacity(text.len());
    let mut characters = text.chars().peekable();
    let mut before = None;
    while let Some(c) = characters.next() {
        let is_inside = is_of_word(before) && is_of_word(characters.peek().copied());
        out.push(match c {
            '*' => '∗',
            '`' => '\'',
            '~' => '∼',
            '<' => '‹',
            '>' => '›',
            '[' => '(',
            ']' => ')',
            '|' => '¦',
            '\\' => '∖',
            '#' => '＃',
            '_' if !is_inside => '‗',
            '@' if !is_inside => '＠',
            c => c,
        });
        before = Some(c);
    }
    out
}

/// A text that a custom action may use as a variable: in ASCII, without spaces, and with nothing in it that acts.
fn variable(text: &str) -> Option<String> {
    let fits = !text.is_empty() && text.len() <= VARIABLE_LIMIT && text.bytes().all(|byte| byte.is_ascii_graphic());
    (fits && inert(text) == text && !short(text).contains(['<', '>', '`'])).then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_chat_finds_a_format_or_a_mention_in_a_text() {
        for (text, expected) in [
            (
                "lee.chen (IAM user) called my_role's x@example.com",
                "lee.chen (IAM user) called my_role's x@example.com",
            ),
            ("<!channel> @here *b* _i_ ~s~ `c`", "‹!channel› ＠here ∗b∗ ‗i‗ ∼s∼ 'c'"),
            ("[x](https[:]//evil) \\*", "(x)(https(:)//evil) ∖∗"),
            ("a_b_2@c ½_b b_⑦ ½@b", "a_b_2@c ½‗b b‗⑦ ½＠b"),
        ] {
            assert_eq!(plain(text), expected);
        }
        assert_eq!(shown("production (111122223333)"), "production (111122223333)");
        assert_eq!(shown("arn:aws:iam::111122223333:user/b`<!here>"), "`arn:aws:iam::111122223333:user/b'‹!here›`");
    }

    #[test]
    fn a_command_is_there_to_be_copied_or_not_at_all() {
        let step = |command: &str| step(&("Close it.".to_owned(), Some(command.to_owned())));
        assert_eq!(step("aws x --y '[{\"a\":1}]'"), "Close it. `aws x --y '[{\"a\":1}]'`");
        assert_eq!(step("aws x `id`"), "Close it.");
        assert_eq!(step("aws x <!channel>"), "Close it.");
    }

    #[test]
    fn only_what_is_harmless_becomes_a_variable() {
        assert_eq!(variable("arn:aws:s3:::bucket").as_deref(), Some("arn:aws:s3:::bucket"));
        for bad in ["", "a b", "é", "https://evil.example", "<!channel>", "password=hunter2", &"x".repeat(101)] {
            assert_eq!(variable(bad), None, "{bad}");
        }
    }
}
