//! `offlimits preview`: what people will see of an alert, laid out as each vendor lays it out.
//!
//! Nothing here knows what an alert says: a channel renders it, and what is shown is read back from the bytes that would be sent.
//! So a preview shows what is sent, and not what was meant.
//!
//! ```text
//! command  the command line
//! alerts   the events' findings, or a sample → alerts of one kind → each channel's body
//! vendor/  a body → screens: a mail, a chat's message, an incident (one file a vendor)
//! markup   the vendors' little languages (mrkdwn, Markdown, HTML) → spans; piece: what a screen is made of
//! text     a screen on a terminal
//! page     all of them as one page of HTML
//! ```

mod alerts;
mod command;
mod markup;
mod page;
mod piece;
mod text;
mod vendor;

pub(super) use self::command::PreviewCommand;
