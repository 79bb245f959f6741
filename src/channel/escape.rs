//! Escaping for the targets that more than one channel has.

/// Text and attribute values of HTML.
pub(super) fn html(text: &str) -> String {
    text.chars().fold(String::with_capacity(text.len()), |mut out, c| {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
        out
    })
}

/// Plain text for a vendor that hands it on to others (mail, chats, telephones), whose escaping nobody knows: the brackets
/// of tags and of Slack's mentions become ones that look alike and mean nothing.
pub(super) fn forwardable(text: &str) -> String {
    text.replace('<', "‹").replace('>', "›")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_becomes_text() {
        assert_eq!(html("<a href=\"x\" id='y'>&</a>"), "&lt;a href=&quot;x&quot; id=&#39;y&#39;&gt;&amp;&lt;/a&gt;");
        assert_eq!(forwardable("<!channel>"), "‹!channel›");
    }
}
