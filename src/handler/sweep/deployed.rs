//! How the EventBridge rules that feed this function were deployed.

/// How the EventBridge rules were deployed: what `template.yaml` tells the function of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeployedRules {
    /// The parameter `EventPatterns` is `derived`.
    pub is_derived: bool,
    /// The parameter `RuleState`.
    pub state: String,
    /// The digest of all derived patterns.
    pub digest: String,
    /// That of those for the calls that every rule gets.
    pub calls: String,
    /// That of those for read-only calls.
    pub reads: String,
}

impl DeployedRules {
    /// What the environment tells: `PATTERNS CALLS READS wide|derived STATE`.
    pub fn parse(text: &str) -> Option<Self> {
        let words: Vec<&str> = text.split_whitespace().collect();
        let [digest, calls, reads, event_patterns, state] = words[..] else { return None };
        let is_derived = event_patterns == "derived";
        let of = str::to_owned;
        Some(Self { is_derived, state: of(state), digest: of(digest), calls: of(calls), reads: of(reads) })
    }

    /// Whether read-only calls come by rules of their own.
    pub(super) fn takes_reads(&self) -> bool {
        self.is_derived || self.state == "ENABLED"
    }
}
