//! What a trail records: its event selectors, of which there are a basic and an advanced kind.
//!
//! Sources: <https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_EventSelector.html> and
//! <https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_AdvancedFieldSelector.html>.

use serde_json::{Value, json};

use crate::cli::doctor::asker::{list, text};

/// The selectors of one trail. Advanced ones take the place of basic ones.
#[derive(Debug, Clone)]
pub(super) enum Selectors {
    Basic(Vec<Value>),
    Advanced(Vec<Value>),
}

/// The types of resources that basic selectors know, and how they name all of them.
const BASIC_TYPES: [(&str, &str, &str); 3] = [
    ("s3.amazonaws.com", "AWS::S3::Object", "arn:aws:s3"),
    ("lambda.amazonaws.com", "AWS::Lambda::Function", "arn:aws:lambda"),
    ("dynamodb.amazonaws.com", "AWS::DynamoDB::Table", "arn:aws:dynamodb"),
];

impl Selectors {
    /// The services whose management events a trail may leave out.
    pub(super) const EXCLUDABLE: [&'static str; 2] = ["kms.amazonaws.com", "rdsdata.amazonaws.com"];

    /// Reads the answer of `GetEventSelectors`. A trail that was never told records all management events.
    pub(super) fn read(answer: &Value) -> Self {
        match (list(answer, "AdvancedEventSelectors"), list(answer, "EventSelectors")) {
            ([], []) => Self::Basic(vec![json!({"ReadWriteType": "All", "IncludeManagementEvents": true})]),
            ([], basic) => Self::Basic(basic.to_vec()),
            (advanced, _) => Self::Advanced(advanced.to_vec()),
        }
    }

    pub(super) fn records_writes(&self) -> bool {
        self.records_management("WriteOnly", "false")
    }

    pub(super) fn records_reads(&self) -> bool {
        self.records_management("ReadOnly", "true")
    }

    fn records_management(&self, kind: &str, read_only: &str) -> bool {
        match self {
            Self::Basic(selectors) => {
                let of_kind =
                    |selector: &&Value| [None, Some("All"), Some(kind)].contains(&text(selector, "ReadWriteType"));
                selectors.iter().filter(of_kind).any(is_management)
            }
            Self::Advanced(selectors) => selectors.iter().any(|selector| {
                is_category(selector, "Management")
                    && equals(selector, "readOnly").is_none_or(|values| values.contains(&read_only))
            }),
        }
    }

    /// Whether it records no management event of a service.
    pub(super) fn excludes(&self, source: &str) -> bool {
        let names = |values: &[Value]| values.iter().any(|value| value.as_str() == Some(source));
        match self {
            Self::Basic(selectors) => selectors
                .iter()
                .filter(|selector| is_management(selector))
                .all(|selector| names(list(selector, "ExcludeManagementEventSources"))),
            Self::Advanced(selectors) => {
                selectors.iter().filter(|selector| is_category(selector, "Management")).all(|selector| {
                    let mut fields = list(selector, "FieldSelectors").iter();
                    fields.any(|field| text(field, "Field") == Some("eventSource") && names(list(field, "NotEquals")))
                })
            }
        }
    }

    /// Whether it records data events of a service, of some of its resources at least; empty: of any service.
    pub(super) fn records_data(&self, service: &str) -> bool {
        let is_of = |kind: &str| service.is_empty() || is_type_of(kind, service);
        match self {
            Self::Basic(selectors) => {
                let mut types = selectors.iter().flat_map(|selector| list(selector, "DataResources"));
                types.any(|resource| text(resource, "Type").is_some_and(is_of))
            }
            Self::Advanced(selectors) => {
                let mut data = selectors.iter().filter(|selector| is_category(selector, "Data"));
                data.any(|selector| equals(selector, "resources.type").is_none_or(|types| types.into_iter().any(is_of)))
            }
        }
    }

    /// The same, and all management events.
    pub(super) fn with_management(&self) -> Self {
        match self.clone() {
            Self::Basic(mut selectors) => {
                // Only the first of them is kept for management events: of two that record them AWS takes neither.
                for selector in selectors.iter_mut().skip(1) {
                    selector["IncludeManagementEvents"] = json!(false);
                }
                match selectors.first_mut() {
                    Some(first) => {
                        first["ReadWriteType"] = json!("All");
                        first["IncludeManagementEvents"] = json!(true);
                    }
                    None => selectors.push(json!({"ReadWriteType": "All", "IncludeManagementEvents": true})),
                }
                Self::Basic(selectors)
            }
            Self::Advanced(mut selectors) => {
                selectors.retain(|selector| !is_category(selector, "Management"));
                selectors.push(advanced("Management", None));
                Self::Advanced(selectors)
            }
        }
    }

    /// The same, and the management events of a service.
    pub(super) fn with_source(&self, source: &str) -> Self {
        match self.clone() {
            Self::Basic(mut selectors) => {
                for selector in &mut selectors {
                    if let Some(excluded) = selector["ExcludeManagementEventSources"].as_array_mut() {
                        excluded.retain(|excluded| excluded.as_str() != Some(source));
                    }
                }
                Self::Basic(selectors)
            }
            advanced @ Self::Advanced(_) => advanced.with_management(),
        }
    }

    /// The same, and the data events of all resources of a service.
    pub(super) fn with_data(&self, service: &str) -> Self {
        let known = BASIC_TYPES.into_iter().find(|(name, ..)| *name == service);
        match (self.clone(), known) {
            (Self::Basic(mut selectors), Some((_, kind, all))) => {
                if let Some(first) = selectors.first_mut() {
                    let mut types = list(first, "DataResources").to_vec();
                    types.push(json!({"Type": kind, "Values": [all]}));
                    first["DataResources"] = Value::Array(types);
                }
                Self::Basic(selectors)
            }
            (basic @ Self::Basic(_), None) => {
                let data = BASIC_TYPES.into_iter().filter(|(service, ..)| basic.records_data(service));
                let mut selectors = vec![advanced("Management", None)];
                selectors.extend(data.map(|(_, kind, _)| advanced("Data", Some(kind))));
                selectors.push(advanced("Data", Some(&type_of(service))));
                Self::Advanced(selectors)
            }
            (Self::Advanced(mut selectors), known) => {
                let kind = known.map_or_else(|| type_of(service), |(_, kind, _)| kind.to_owned());
                selectors.push(advanced("Data", Some(&kind)));
                Self::Advanced(selectors)
            }
        }
    }

    /// The option of `aws cloudtrail put-event-selectors`, and its value.
    pub(super) fn written(&self) -> (&'static str, String) {
        match self {
            Self::Basic(selectors) => ("--event-selectors", Value::Array(selectors.clone()).to_string()),
            Self::Advanced(selectors) => ("--advanced-event-selectors", Value::Array(selectors.clone()).to_string()),
        }
    }
}

/// Whether a basic selector records management events, as it does unless it is told not to.
fn is_management(selector: &Value) -> bool {
    selector.get("IncludeManagementEvents").and_then(Value::as_bool) != Some(false)
}

/// The values that an advanced selector wants of a field.
fn equals<'v>(selector: &'v Value, field: &str) -> Option<Vec<&'v str>> {
    let wanted = list(selector, "FieldSelectors").iter().find(|wanted| text(wanted, "Field") == Some(field))?;
    let values = list(wanted, "Equals");
    (!values.is_empty()).then(|| values.iter().filter_map(Value::as_str).collect())
}

fn is_category(selector: &Value, category: &str) -> bool {
    equals(selector, "eventCategory").is_some_and(|values| values.contains(&category))
}

fn advanced(category: &str, kind: Option<&str>) -> Value {
    let mut fields = vec![json!({"Field": "eventCategory", "Equals": [category]})];
    fields.extend(kind.map(|kind| json!({"Field": "resources.type", "Equals": [kind]})));
    json!({"Name": format!("{category} {}", kind.unwrap_or("events")), "FieldSelectors": fields})
}

/// Whether a type of resources is a service's, by its middle: `AWS::S3::Object`.
fn is_type_of(kind: &str, service: &str) -> bool {
    let short = service.split('.').next().unwrap_or_default().replace('-', "");
    kind.split("::").nth(1).is_some_and(|middle| middle.eq_ignore_ascii_case(&short))
}

/// What stands for a type that is for whoever runs the command to look up.
fn type_of(service: &str) -> String {
    let short = service.split('.').next().unwrap_or_default();
    format!("AWS::{}::TYPE", if short.is_empty() { "SERVICE" } else { short })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn basic(selector: &Value) -> Selectors {
        Selectors::read(&json!({"EventSelectors": [selector]}))
    }

    fn advanced_of(fields: &[Value]) -> Selectors {
        Selectors::read(&json!({"EventSelectors": null, "AdvancedEventSelectors": [{"FieldSelectors": fields}]}))
    }

    #[test]
    fn what_a_trail_records_is_read_from_both_kinds() {
        let told = |selectors: &Selectors| {
            let data = ["s3.amazonaws.com", "lambda.amazonaws.com", ""].map(|service| selectors.records_data(service));
            (selectors.records_writes(), selectors.records_reads(), selectors.excludes("kms.amazonaws.com"), data)
        };
        let none = [false; 3];
        assert_eq!(told(&Selectors::read(&json!({}))), (true, true, false, none));
        assert_eq!(told(&basic(&json!({"ReadWriteType": "WriteOnly"}))), (true, false, false, none));
        assert_eq!(told(&basic(&json!({"ReadWriteType": "ReadOnly"}))), (false, true, false, none));
        let objects = json!({"IncludeManagementEvents": false, "DataResources": [{"Type": "AWS::S3::Object", "Values": ["arn:aws:s3"]}]});
        // What records no management event leaves out all.
        assert_eq!(told(&basic(&objects)), (false, false, true, [true, false, true]));
        let kms = json!({"ReadWriteType": "All", "ExcludeManagementEventSources": ["kms.amazonaws.com"]});
        assert_eq!(told(&basic(&kms)), (true, true, true, none));
        let management = json!({"Field": "eventCategory", "Equals": ["Management"]});
        assert_eq!(told(&advanced_of(std::slice::from_ref(&management))), (true, true, false, none));
        let reads = json!({"Field": "readOnly", "Equals": ["true"]});
        assert_eq!(told(&advanced_of(&[management.clone(), reads])), (false, true, false, none));
        let without = json!({"Field": "eventSource", "NotEquals": ["kms.amazonaws.com"]});
        assert_eq!(told(&advanced_of(&[management, without])), (true, true, true, none));
        let data = [
            json!({"Field": "eventCategory", "Equals": ["Data"]}),
            json!({"Field": "resources.type", "Equals": ["AWS::Lambda::Function"]}),
        ];
        assert_eq!(told(&advanced_of(&data)), (false, false, true, [false, true, true]));
    }

    #[test]
    fn a_remedy_adds_what_is_missing_and_keeps_the_rest() {
        let objects = json!({"ReadWriteType": "WriteOnly", "DataResources": [{"Type": "AWS::S3::Object", "Values": ["arn:aws:s3:::b/"]}],
                             "ExcludeManagementEventSources": ["kms.amazonaws.com"], "IncludeManagementEvents": true});
        let data = json!([{"Field": "eventCategory", "Equals": ["Data"]}, {"Field": "resources.type", "Equals": ["AWS::S3::Object"]}]);
        for selectors in [basic(&objects), advanced_of(data.as_array().unwrap())] {
            let all = selectors.with_management();
            assert!(all.records_writes() && all.records_reads() && all.records_data("s3.amazonaws.com"), "{all:?}");
            let kms = selectors.with_source("kms.amazonaws.com");
            assert!(!kms.excludes("kms.amazonaws.com") && kms.records_data("s3.amazonaws.com"), "{kms:?}");
            for service in ["lambda.amazonaws.com", "sns.amazonaws.com"] {
                let more = selectors.with_data(service);
                assert!(more.records_data(service) && more.records_data("s3.amazonaws.com"), "{more:?}");
            }
        }
    }
}
