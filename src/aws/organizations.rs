//! What an organization calls its accounts, and the unit of each: asked of AWS Organizations from the command line.
//!
//! Its API is a few documents of JSON over POST ("AWS JSON 1.1"), which takes a signature and no SDK of its own:
//! <https://docs.aws.amazon.com/organizations/latest/APIReference/Welcome.html>.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};

use super::FunctionSettings;
use super::clients::Clients;
use super::sdk::ClientError;
use super::signature::{self, Scope, SigningError};
use crate::cloudtrail::accounts::{AccountFacts, INSIDE, MAX_CHARACTERS, account_number};
use crate::cloudtrail::partition_of;
use crate::text::one_line;

/// How long one request may take.
const TIMEOUT: Duration = Duration::from_secs(20);
/// How often a request is made that AWS asks us to make again, or does not answer.
const ATTEMPTS: u32 = 8;
/// The wait before the second attempt; it doubles.
const FIRST_WAIT: Duration = Duration::from_millis(250);
/// Units within each other that are entered. AWS allows five.
/// <https://docs.aws.amazon.com/organizations/latest/userguide/orgs_reference_limits.html>
const DEEPEST: usize = 32;

/// Asks AWS Organizations, with the rights of its management account or of a delegated administrator.
#[derive(Debug)]
pub struct Organization {
    settings: FunctionSettings,
    clients: Clients,
    place: Place,
}

/// Where AWS Organizations is, and the region that a signature names.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Place {
    url: String,
    region: String,
}

/// The accounts of an organization.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct OrganizationAccounts {
    /// By their [numbers](account_number).
    pub accounts: BTreeMap<u64, AccountFacts>,
    /// How many units there are, also those that hold no account.
    pub units: usize,
}

/// Why an organization does not tell. The text quotes no credential.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OrganizationError {
    /// There is no client: the environment lacks something.
    #[error("{0}")]
    Client(String),
    /// The request cannot be signed.
    #[error("{0}")]
    Signing(String),
    /// Nobody answered, however often they were asked.
    #[error("no answer: {0}")]
    NoAnswer(String),
    /// AWS refused, with its code and message.
    #[error("{operation}: {code}: {message}")]
    Refused {
        /// What was asked.
        operation: &'static str,
        /// AWS's code: `AccessDeniedException`.
        code: String,
        /// AWS's words.
        message: String,
    },
    /// The answer is not what AWS documents.
    #[error("{0} was answered with something else than AWS documents")]
    Unexpected(&'static str),
}

impl From<ClientError> for OrganizationError {
    fn from(error: ClientError) -> Self {
        Self::Client(error.to_string())
    }
}

impl From<SigningError> for OrganizationError {
    fn from(error: SigningError) -> Self {
        match error {
            SigningError::NoKey(error) => error.into(),
            SigningError::Unsignable(_) => Self::Signing(error.to_string()),
        }
    }
}

/// An account, a unit or a root, as the answers have it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Listed {
    id: String,
    #[serde(default)]
    name: String,
}

impl Organization {
    /// Asks with these settings: of them, the region, the credentials, the endpoints and the further roots are used. The region
    /// only says in which partition the organization is.
    pub fn new(settings: FunctionSettings) -> Self {
        let clients = Clients::default();
        let place = Place::of(settings.access.region.as_deref(), settings.access.endpoint("Organizations"));
        Self { settings, clients, place }
    }

    /// All accounts, also those that are suspended: the calls of their last days may still be on their way.
    ///
    /// The tree of units is walked from its root, and each is asked for its accounts: two requests for each unit and 20 accounts,
    /// where asking each account for its unit would be one for each.
    ///
    /// # Errors
    /// AWS did not answer everything: nothing is told by halves.
    pub async fn accounts(&self) -> Result<OrganizationAccounts, OrganizationError> {
        let mut found = OrganizationAccounts::default();
        let roots = self.list("ListRoots", "Roots", None).await?;
        let mut parents: Vec<(String, Vec<String>)> = roots.into_iter().map(|root| (root.id, Vec::new())).collect();
        while let Some((parent, units)) = parents.pop() {
            let unit = (!units.is_empty()).then(|| shown(&units.join(&INSIDE.to_string())));
            for account in self.list("ListAccountsForParent", "Accounts", Some(&parent)).await? {
                let number = account_number(&account.id);
                let number = number.ok_or(OrganizationError::Unexpected("ListAccountsForParent"))?;
                // A name of spaces alone is none.
                let name = Some(shown(&account.name)).filter(|name| !name.is_empty()).unwrap_or(account.id);
                found.accounts.insert(number, AccountFacts { name, unit: unit.clone() });
            }
            if units.len() < DEEPEST {
                let inside =
                    self.list("ListOrganizationalUnitsForParent", "OrganizationalUnits", Some(&parent)).await?;
                found.units += inside.len();
                parents.extend(inside.into_iter().map(|unit| (unit.id, [&units[..], &[unit.name]].concat())));
            }
        }
        Ok(found)
    }

    /// All pages of a list.
    async fn list(
        &self,
        operation: &'static str,
        member: &str,
        parent: Option<&str>,
    ) -> Result<Vec<Listed>, OrganizationError> {
        let (mut all, mut next): (Vec<Listed>, Option<String>) = (Vec::new(), None);
        loop {
            let mut body = json!({});
            if let Some(parent) = parent {
                body["ParentId"] = json!(parent);
            }
            if let Some(token) = &next {
                body["NextToken"] = json!(token);
            }
            let mut answer = self.ask(operation, &body.to_string()).await?;
            let page = answer.get_mut(member).map_or_else(|| json!([]), Value::take);
            let page: Vec<Listed> =
                serde_json::from_value(page).map_err(|_| OrganizationError::Unexpected(operation))?;
            all.extend(page);
            // A page may be empty, and others follow.
            let token = answer.get("NextToken").and_then(Value::as_str).map(str::to_owned);
            if token.is_some() && token == next {
                return Err(OrganizationError::Unexpected(operation));
            }
            next = token;
            if next.is_none() {
                return Ok(all);
            }
        }
    }

    /// One request, made again while AWS asks for that. It takes few requests a second of a whole organization.
    async fn ask(&self, operation: &'static str, body: &str) -> Result<Value, OrganizationError> {
        let mut wait = FIRST_WAIT;
        for _ in 1..ATTEMPTS {
            match self.attempt(operation, body).await {
                Err(error) if error.may_pass() => {
                    tokio::time::sleep(wait).await;
                    wait *= 2;
                }
                answered => return answered,
            }
        }
        self.attempt(operation, body).await
    }

    async fn attempt(&self, operation: &'static str, body: &str) -> Result<Value, OrganizationError> {
        let client = self.clients.http(&self.settings)?;
        let mut headers = vec![
            ("content-type".to_owned(), "application/x-amz-json-1.1".to_owned()),
            ("x-amz-target".to_owned(), format!("AWSOrganizationsV20161128.{operation}")),
        ];
        let scope = Scope { service: "organizations", region: &self.place.region };
        headers.extend(signature::headers(&self.settings.access, scope, &self.place.url, &headers, body)?);
        let mut request = client.post(&self.place.url).timeout(TIMEOUT).body(body.to_owned());
        for (name, value) in headers {
            request = request.header(name, value);
        }
        let no_answer = |error: reqwest::Error| OrganizationError::NoAnswer(error.without_url().to_string());
        let response = request.send().await.map_err(no_answer)?;
        let is_success = response.status().is_success();
        let status = response.status().as_u16();
        let answer = response.text().await.map_err(no_answer)?;
        let answer: Option<Value> = serde_json::from_str(&answer).ok();
        if is_success {
            return answer.filter(Value::is_object).ok_or(OrganizationError::Unexpected(operation));
        }
        let text = |keys: &[&str]| {
            let found = keys.iter().find_map(|key| answer.as_ref()?.get(*key)?.as_str());
            found.map(|text| one_line(text, 300).into_owned())
        };
        let code = text(&["__type", "code"]).unwrap_or_else(|| format!("status {status}"));
        // `com.amazonaws…#AccessDeniedException` is the same.
        let code = code.rsplit('#').next().unwrap_or_default().to_owned();
        let message = text(&["message", "Message"]).unwrap_or_else(|| "no reason was given".to_owned());
        Err(OrganizationError::Refused { operation, code, message })
    }
}

impl OrganizationError {
    /// Whether the same request may be answered a moment later.
    fn may_pass(&self) -> bool {
        match self {
            Self::NoAnswer(_) => true,
            Self::Refused { code, .. } => {
                ["TooManyRequestsException", "ThrottlingException", "ServiceException"].contains(&code.as_str())
                    || code.starts_with("status 5")
            }
            _ => false,
        }
    }
}

impl Place {
    /// The place for a partition, which is known by any of its regions.
    /// <https://docs.aws.amazon.com/general/latest/gr/ao.html>
    fn of(region: Option<&str>, endpoint: Option<&str>) -> Self {
        let region = region.unwrap_or_default();
        let (region, suffix) = match partition_of(region) {
            "aws-us-gov" => ("us-gov-west-1", "amazonaws.com"),
            "aws-cn" => ("cn-northwest-1", "amazonaws.com.cn"),
            "aws-eusc" => ("eusc-de-east-1", "amazonaws.eu"),
            _ => ("us-east-1", "amazonaws.com"),
        };
        let url = endpoint.map_or_else(|| format!("https://organizations.{region}.{suffix}"), str::to_owned);
        // A signature covers the path, which is the root's.
        Self { url: format!("{}/", url.trim_end_matches('/')), region: region.to_owned() }
    }
}

/// A name on one line: people of the organization chose it.
fn shown(name: &str) -> String {
    one_line(name, MAX_CHARACTERS).trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_partition_has_its_own_place_and_an_endpoint_comes_before_it() {
        let place = |region, endpoint| {
            let Place { url, region } = Place::of(region, endpoint);
            format!("{url} {region}")
        };
        assert_eq!(place(None, None), "https://organizations.us-east-1.amazonaws.com/ us-east-1");
        assert_eq!(place(Some("eu-west-1"), None), "https://organizations.us-east-1.amazonaws.com/ us-east-1");
        assert_eq!(
            place(Some("us-gov-east-1"), None),
            "https://organizations.us-gov-west-1.amazonaws.com/ us-gov-west-1"
        );
        assert_eq!(
            place(Some("cn-north-1"), None),
            "https://organizations.cn-northwest-1.amazonaws.com.cn/ cn-northwest-1"
        );
        assert_eq!(place(Some("eu-west-1"), Some("http://127.0.0.1:5000")), "http://127.0.0.1:5000/ us-east-1");
    }

    #[test]
    fn what_may_pass_is_asked_again_and_nothing_else() {
        let refused = |code: &str| OrganizationError::Refused {
            operation: "ListRoots",
            code: code.to_owned(),
            message: String::new(),
        };
        assert!(refused("TooManyRequestsException").may_pass() && refused("status 503").may_pass());
        assert!(!refused("AccessDeniedException").may_pass() && !refused("status 403").may_pass());
        assert!(!OrganizationError::Unexpected("ListRoots").may_pass());
    }
}
