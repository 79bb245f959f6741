//! A search is a plan whose rules are one rule, made of what is looked for.

use serde_json::{Map, Value, json};

use super::options::SearchTerms;

impl SearchTerms {
    /// The rules that find it, as a file; none where nothing is looked for.
    pub(super) fn rules(&self) -> Option<String> {
        let mut row = Map::new();
        for (field, texts) in [("event", &self.call), ("actor", &self.actor), ("source_ip", &self.address)] {
            if !texts.is_empty() {
                row.insert(field.to_owned(), whole(texts));
            }
        }
        if row.is_empty() && self.resource.is_empty() {
            return None;
        }
        // What the call acts on is said as people say it; what else a record names stands in its resources.
        let with = |field: &str| {
            let mut row = row.clone();
            row.insert(field.to_owned(), whole(&self.resource));
            row
        };
        let rows = if self.resource.is_empty() { vec![row] } else { ["target", "resources.ARN"].map(with).into() };
        let rules = json!({ "rules": [{
            "id": "SEARCH", "title": "{event}{? on {target}} by {actor}", "severity": "low", "throttle": "off",
            "needs_events": ["read-only", "data"], "when": rows,
        }] });
        Some(rules.to_string())
    }
}

/// Any of these texts as a whole, in whatever case.
fn whole(texts: &[String]) -> Value {
    let patterns = texts.iter().map(|text| format!("(?i)^{}$", regex_syntax::escape(text)));
    Value::Array(patterns.map(Value::String).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::findings::FindingVisitor;
    use crate::ruleset::RuleSet;
    use crate::scan::RecordVisitor as _;

    const RECORDS: [&str; 3] = [
        r#"{"eventName":"StopLogging","eventSource":"cloudtrail.amazonaws.com","sourceIPAddress":"192.0.2.1","eventID":"1","userIdentity":{"type":"IAMUser","userName":"James"},"requestParameters":{"name":"org.trail"}}"#,
        r#"{"eventName":"GetObject","eventSource":"s3.amazonaws.com","sourceIPAddress":"192.0.2.10","eventID":"2","userIdentity":{"type":"Root"},"resources":[{"ARN":"arn:aws:s3:::secrets"}]}"#,
        r#"{"eventName":"StopLoggings","eventSource":"x.amazonaws.com","sourceIPAddress":"192.0.2.1","eventID":"3","userIdentity":{"type":"IAMUser","userName":"Jamesx"}}"#,
    ];

    fn found(terms: &SearchTerms) -> Vec<usize> {
        let rules = RuleSet::compile(&terms.rules().unwrap()).unwrap().rules;
        let visitor = FindingVisitor::new(&rules);
        let text = format!("[{}]", RECORDS.join(","));
        let mut places = Vec::new();
        visitor.document(&mut visitor.state(), &text, &mut |place, _| places.push(place));
        places
    }

    #[test]
    fn what_is_looked_for_is_found_as_a_whole() {
        let of = |text: &str| vec![text.to_owned()];
        assert_eq!(found(&SearchTerms { call: of("stoplogging"), ..SearchTerms::default() }), [0]);
        assert_eq!(found(&SearchTerms { actor: of("james"), ..SearchTerms::default() }), [0]);
        assert_eq!(found(&SearchTerms { address: of("192.0.2.1"), ..SearchTerms::default() }), [0, 2]);
        assert_eq!(found(&SearchTerms { resource: of("arn:aws:s3:::secrets"), ..SearchTerms::default() }), [1]);
        assert_eq!(found(&SearchTerms { resource: of("org.trail"), ..SearchTerms::default() }), [0]);
        assert_eq!(found(&SearchTerms { resource: of("orgxtrail"), ..SearchTerms::default() }), [] as [usize; 0]);
        let both = SearchTerms { call: of("GetObject"), address: of("192.0.2.1"), ..SearchTerms::default() };
        assert_eq!(found(&both), [] as [usize; 0]);
        assert_eq!(SearchTerms::default().rules(), None);
    }
}
