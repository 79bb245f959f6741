//! What a screen is made of: the elements that the vendors' layouts have in common.

/// Text in one style. It may hold line breaks.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) text: String,
    pub(super) style: SpanStyle,
    /// The address that it leads to.
    pub(super) link: Option<String>,
}

/// How a text is set.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is independent of the others")]
pub(super) struct SpanStyle {
    pub(super) bold: bool,
    pub(super) italic: bool,
    pub(super) strike: bool,
    pub(super) code: bool,
    pub(super) quiet: bool,
}

impl Span {
    pub(super) fn plain(text: impl Into<String>) -> Self {
        Self { text: text.into(), ..Self::default() }
    }

    pub(super) fn bold(text: impl Into<String>) -> Self {
        Self { style: SpanStyle { bold: true, ..SpanStyle::default() }, ..Self::plain(text) }
    }

    /// The address, if a person may follow it: of the web, and nothing that a browser would run.
    pub(super) fn safe_link(&self) -> Option<&str> {
        self.link.as_deref().filter(|link| is_safe(link))
    }
}

/// Whether an address is one of the web.
pub(super) fn is_safe(link: &str) -> bool {
    link.starts_with("https://") || link.starts_with("http://")
}

/// A line, or several: spans one after the other.
pub(super) type Line = Vec<Span>;

/// An element of a screen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Piece {
    Heading(Line),
    Text(Line),
    /// What is set small and grey.
    Quiet(Line),
    /// Names and values, one pair a line.
    Facts(Vec<(Line, Line)>),
    /// Texts in two columns.
    Fields(Vec<Line>),
    List {
        /// Whether its items are numbered.
        is_ordered: bool,
        items: Vec<Vec<Piece>>,
    },
    /// Text as it stands, each character as wide as the others.
    Code(String),
    Buttons(Vec<Button>),
    Divider,
    Columns(Vec<Vec<Piece>>),
    /// Elements that are set off together.
    Group(Group),
    /// An element that this preview does not know, which the vendor may show in a way of its own.
    Unknown {
        /// What the vendor calls it.
        kind: String,
        /// Its JSON, or its text.
        content: String,
    },
}

/// A button, or a link that looks like one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Button {
    pub(super) label: String,
    pub(super) link: Option<String>,
    /// The vendor's word for how it looks: `primary`, `danger`.
    pub(super) style: Option<String>,
}

/// Elements that are set off together.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Group {
    /// The colour of the bar beside it, as `#C0392B`.
    pub(super) bar: Option<String>,
    /// The vendor's word for its background: `attention`.
    pub(super) tone: Option<String>,
    pub(super) pieces: Vec<Piece>,
}

impl Group {
    /// The bar's colour in small letters, if it is one: six hexadecimal digits.
    pub(super) fn colour(&self) -> Option<String> {
        let digits = self.bar.as_deref()?.trim_start_matches('#').to_ascii_lowercase();
        (digits.len() == 6 && digits.bytes().all(|b| b.is_ascii_hexdigit())).then_some(digits)
    }
}

/// What one kind of recipient sees of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Screen {
    /// Whose look it has.
    pub(super) look: Look,
    /// What it is called: `Email`, `Slack, in the thread of the first alert`.
    pub(super) label: String,
    /// What a lock screen, or a list of messages, shows of it.
    pub(super) notification: Option<String>,
    /// The title, where the vendor has one apart from the text.
    pub(super) title: Option<String>,
    /// What stands around the text: names and values.
    pub(super) frame: Vec<(String, String)>,
    pub(super) pieces: Vec<Piece>,
    /// What a reader of the preview should know, and the recipient does not see.
    pub(super) notes: Vec<String>,
}

/// Whose look a screen has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Look {
    Email,
    Sms,
    Slack,
    Teams,
    PagerDuty,
    Zendesk,
    ServiceNow,
    /// A tracker that has no look of its own here.
    Tracker,
    Machine,
}

impl Look {
    /// The class of its elements on the page.
    pub(super) const fn class(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::Sms => "sms",
            Self::Slack => "slack",
            Self::Teams => "teams",
            Self::PagerDuty => "pagerduty",
            Self::Zendesk => "zendesk",
            Self::ServiceNow => "servicenow",
            Self::Tracker => "tracker",
            Self::Machine => "machine",
        }
    }
}

impl Screen {
    pub(super) fn new(look: Look, label: impl Into<String>) -> Self {
        Self {
            look,
            label: label.into(),
            notification: None,
            title: None,
            frame: Vec::new(),
            pieces: Vec::new(),
            notes: Vec::new(),
        }
    }
}
