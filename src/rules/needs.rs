//! The events that a rule needs and that a deployment does not hear of unless it is told to.

/// Events that reach the function only if somebody sees to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NeededEvents {
    /// Management events named `Describe…`, `Get…` and `List…`, which EventBridge takes for read-only ones, and delivers to a rule
    /// in the state `ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS` alone: `offlimits pattern` derives such rules. Source:
    /// <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-service-event-cloudtrail-management.html>
    ReadOnly,
    /// Data events, which a trail records only if its event selectors ask for them. Source:
    /// <https://docs.aws.amazon.com/awscloudtrail/latest/userguide/logging-data-events-with-cloudtrail.html>
    Data,
}

impl NeededEvents {
    /// The words of `rules.json` for them.
    pub const WORDS: [(&'static str, Self); 2] = [("read-only", Self::ReadOnly), ("data", Self::Data)];

    /// The word in `rules.json`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ReadOnly => "read-only",
            Self::Data => "data",
        }
    }

    /// What it takes to hear of them.
    #[cfg(feature = "cli")]
    pub(crate) const fn remedy(self) -> &'static str {
        match self {
            Self::ReadOnly => "have the template deliver them (offlimits pattern --write template.yaml)",
            Self::Data => "add an event selector for them to the trail in each region",
        }
    }
}
