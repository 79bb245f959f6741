//! Asks AWS, in one region.

use std::time::Duration;

use serde_json::{Value, json};

use crate::aws::{ApiError, ApiInput, ApiService, AwsApi};
use crate::time::Timestamp;

/// Pages that a list may have: whoever answers with more answers in a circle.
const MOST_PAGES: usize = 1000;

/// Asks AWS, in one region.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asker<'a> {
    pub(super) api: &'a AwsApi,
    pub(super) region: &'a str,
    pub(super) now: Timestamp,
}

/// A metric of CloudWatch's that has one dimension.
#[derive(Debug, Clone, Copy)]
pub(super) struct Metric<'a> {
    pub(super) namespace: &'a str,
    pub(super) name: &'a str,
    pub(super) dimension: (&'a str, &'a str),
    pub(super) statistic: &'a str,
}

impl<'a> Asker<'a> {
    /// Asks the same of another region.
    pub(super) const fn in_region(self, region: &'a str) -> Self {
        Self { region, ..self }
    }

    /// An operation of a service that speaks JSON.
    pub(super) async fn json(
        self,
        service: &ApiService,
        operation: &'static str,
        input: Value,
    ) -> Result<Value, ApiError> {
        self.api.ask(service, self.region, operation, &ApiInput::Json(input)).await
    }

    /// All elements of a list of a service that speaks JSON, over its pages.
    pub(super) async fn json_list(
        self,
        service: &ApiService,
        operation: &'static str,
        mut input: Value,
        member: &str,
    ) -> Result<Vec<Value>, ApiError> {
        let mut all = Vec::new();
        for _ in 0..MOST_PAGES {
            let answer = self.json(service, operation, input.clone()).await?;
            all.extend(list(&answer, member).iter().cloned());
            let Some(next) = text(&answer, "NextToken") else { return Ok(all) };
            input["NextToken"] = json!(next);
        }
        Err(ApiError::Unexpected(operation))
    }

    /// An operation of a service that takes forms.
    pub(super) async fn form(
        self,
        service: &ApiService,
        operation: &'static str,
        fields: Vec<(&'static str, String)>,
    ) -> Result<Value, ApiError> {
        self.api.ask(service, self.region, operation, &ApiInput::Form(fields)).await
    }

    /// All elements of a list of a service that takes forms, over its pages.
    pub(super) async fn form_list(
        self,
        service: &ApiService,
        operation: &'static str,
        fields: Vec<(&'static str, String)>,
        member: &str,
    ) -> Result<Vec<Value>, ApiError> {
        let (mut all, mut next) = (Vec::new(), None);
        for _ in 0..MOST_PAGES {
            let more = next.map(|next| ("NextToken", next));
            let answer = self.form(service, operation, fields.iter().cloned().chain(more).collect()).await?;
            all.extend(list(&answer, member).iter().cloned());
            let Some(token) = text(&answer, "NextToken") else { return Ok(all) };
            next = Some(token.to_owned());
        }
        Err(ApiError::Unexpected(operation))
    }

    /// What stands at a path of Lambda's.
    pub(super) async fn lambda(self, operation: &'static str, path: String) -> Result<Value, ApiError> {
        self.api.ask(&ApiService::LAMBDA, self.region, operation, &ApiInput::Path(path)).await
    }

    /// The largest value of a metric within the last so much time; none, where CloudWatch has no value.
    pub(super) async fn metric(self, metric: Metric<'_>, within: Duration) -> Result<Option<f64>, ApiError> {
        let Metric { namespace, name, dimension, statistic } = metric;
        let fields = vec![
            ("Namespace", namespace.to_owned()),
            ("MetricName", name.to_owned()),
            ("Dimensions.member.1.Name", dimension.0.to_owned()),
            ("Dimensions.member.1.Value", dimension.1.to_owned()),
            ("StartTime", self.now.minus(within).to_string()),
            ("EndTime", self.now.to_string()),
            // At most 1,440 values are answered.
            ("Period", "300".to_owned()),
            ("Statistics.member.1", statistic.to_owned()),
        ];
        let answer = self.form(&ApiService::CLOUDWATCH, "GetMetricStatistics", fields).await?;
        let values = list(&answer, "Datapoints").iter().filter_map(|point| text(point, statistic)?.parse().ok());
        Ok(values.reduce(f64::max))
    }
}

/// The elements of a list in an answer; none where it is empty or left out.
pub(super) fn list<'v>(answer: &'v Value, member: &str) -> &'v [Value] {
    answer.get(member).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

/// A text in an answer that is not empty.
pub(super) fn text<'v>(answer: &'v Value, member: &str) -> Option<&'v str> {
    answer.get(member)?.as_str().filter(|text| !text.is_empty())
}
