//! Slack's mrkdwn. Source: <https://docs.slack.dev/messaging/formatting-message-text>.

use super::inline::{Mark, marked, push};
use crate::cli::preview::piece::{Line, Piece, Span, SpanStyle};

const MARKS: [Mark; 4] = [
    Mark { written: "`", set: |style| style.code = true, is_literal: true },
    Mark { written: "*", set: |style| style.bold = true, is_literal: false },
    Mark { written: "_", set: |style| style.italic = true, is_literal: false },
    Mark { written: "~", set: |style| style.strike = true, is_literal: false },
];

/// What Slack makes of a text: of a block of code a piece of its own. `links`: whether addresses become links by themselves.
pub(in crate::cli::preview) fn mrkdwn(text: &str, links: bool) -> Vec<Piece> {
    let mut pieces = Vec::new();
    // Every second part stands between fences; an open fence is text.
    let parts: Vec<&str> = text.split("```").collect();
    let last = parts.len() - 1;
    for (number, part) in parts.into_iter().enumerate() {
        let is_code = number % 2 == 1 && number < last;
        if is_code {
            pieces.push(Piece::Code(unescaped(part.trim_matches('\n'))));
        } else {
            let mut line = Line::new();
            line.extend((number % 2 == 1).then(|| Span::plain("```")));
            line.extend(angled(part.trim_matches('\n'), links));
            pieces.extend((!line.is_empty()).then_some(Piece::Text(line)));
        }
    }
    pieces
}

/// Text with what stands in angle brackets: links, and mentions, which wake people.
fn angled(text: &str, links: bool) -> Line {
    let mut line = Line::new();
    let mut rest = text;
    while let Some((before, inner, after)) = rest
        .split_once('<')
        .and_then(|(before, inner)| inner.split_once('>').map(|(inner, after)| (before, inner, after)))
    {
        styled(before, links, &mut line);
        let (target, label) = inner.split_once('|').unwrap_or((inner, inner));
        let (target, label) = (unescaped(target), unescaped(label));
        if target.starts_with(['!', '@', '#']) {
            line.push(Span::bold(format!("[mention {target}]")));
        } else {
            line.push(Span { link: Some(target), ..Span::plain(label) });
        }
        rest = after;
    }
    styled(rest, links, &mut line);
    line
}

fn styled(text: &str, links: bool, line: &mut Line) {
    let mut parts = Line::new();
    marked(text, &MARKS, SpanStyle::default(), &mut parts);
    for Span { text, style, .. } in parts {
        // Entities are read when it is clear where an address ends.
        let text = unescaped(&text);
        if links {
            push(line, text, style);
        } else {
            line.push(Span { text, style, link: None });
        }
    }
}

/// The three characters that Slack escapes.
fn unescaped(text: &str) -> String {
    text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each span with its style in letters, and its link.
    fn read(text: &str) -> Vec<String> {
        let mut out = Vec::new();
        for piece in mrkdwn(text, true) {
            match piece {
                Piece::Text(line) => out.extend(line.into_iter().map(|Span { text, style, link }| {
                    let letters = [(style.bold, 'b'), (style.italic, 'i'), (style.strike, 's'), (style.code, 'c')];
                    let letters: String =
                        letters.iter().filter(|(is_set, _)| *is_set).map(|(_, letter)| letter).collect();
                    format!("{letters}:{text}{}", link.map(|link| format!(" -> {link}")).unwrap_or_default())
                })),
                other => out.push(format!("{other:?}")),
            }
        }
        out
    }

    #[test]
    fn marks_count_at_the_edges_of_words_alone() {
        assert_eq!(read("*Account:* a_b_c _x_ 2*3*4"), ["b:Account:", ": a_b_c ", "i:x", ": 2*3*4"]);
        assert_eq!(read("`*x*` * no *"), ["c:*x*", ": * no *"]);
        assert_eq!(read("*open"), [":*open"]);
    }

    #[test]
    fn a_verbatim_text_has_the_links_that_are_marked_alone() {
        let text = "https://a.example <https://b.example|b>";
        let [Piece::Text(line)] = &mrkdwn(text, false)[..] else { panic!("one text") };
        assert_eq!(line.iter().filter_map(|span| span.link.as_deref()).collect::<Vec<_>>(), ["https://b.example"]);
    }

    #[test]
    fn links_mentions_code_and_entities_are_what_slack_makes_of_them() {
        assert_eq!(
            read("<https://a.example/?x=1&amp;y=2|Runbook> &lt;!channel&gt;"),
            [":Runbook -> https://a.example/?x=1&y=2", ": <!channel>"]
        );
        assert_eq!(read("<!channel> x"), ["b:[mention !channel]", ": x"]);
        assert_eq!(read("run\n```aws iam &lt;x&gt;```"), [":run", r#"Code("aws iam <x>")"#]);
        assert_eq!(read("an ``` open fence"), [":an ", ":```", ": open fence"]);
    }
}
