//! Whose account it is, in which calls are to be made; whoever's is not the one that was named is left alone.

use serde_json::{Value, json};

use crate::aws::{ApiError, ApiInput, ApiService, AwsApi, FunctionSettings, Organization};
use crate::cli::stack_access::{add_credentials, add_credentials_of_profile};

/// Who makes the calls.
#[derive(Debug)]
pub(super) struct Caller {
    pub(super) account: String,
    /// Its ARN, as STS tells it.
    pub(super) arn: String,
    /// The id of its access key, by which the event history knows its calls.
    pub(super) access_key: String,
}

/// The way to the account in which the calls are made.
pub(super) struct Sandbox {
    pub(super) api: AwsApi,
    pub(super) caller: Caller,
    /// What should be known of it.
    pub(super) note: Option<String>,
}

impl Caller {
    /// A person who has signed in by IAM Identity Center, for a plan of which nobody has been asked: some rules are about people alone.
    pub(super) fn assumed(account: &str) -> Self {
        let arn = format!("arn:aws:sts::{account}:assumed-role/AWSReservedSSO_Drill_0123456789abcdef/drill");
        Self { account: account.to_owned(), arn, access_key: String::new() }
    }

    /// The `userIdentity` that CloudTrail will write.
    /// <https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-user-identity.html>
    pub(super) fn identity(&self) -> Value {
        let (account, arn) = (&self.account, &self.arn);
        let head = arn.split(':').take(2).collect::<Vec<_>>().join(":");
        let resource = arn.rsplit(':').next().unwrap_or_default();
        let parts: Vec<&str> = resource.split('/').collect();
        match parts[..] {
            ["assumed-role", role, ..] => json!({
                "type": "AssumedRole", "arn": arn, "accountId": account, "accessKeyId": self.access_key,
                "sessionContext": { "sessionIssuer": {
                    "type": "Role", "arn": format!("{head}:iam::{account}:role/{role}"), "accountId": account, "userName": role,
                }},
            }),
            ["root"] => json!({"type": "Root", "arn": arn, "accountId": account, "accessKeyId": self.access_key}),
            _ => json!({
                "type": if resource.starts_with("federated-user/") { "FederatedUser" } else { "IAMUser" }, "arn": arn,
                "accountId": account, "accessKeyId": self.access_key, "userName": parts.last(),
            }),
        }
    }
}

impl Sandbox {
    /// Finds the credentials, and makes sure that they are of this account, and that it is not an organization's management account.
    ///
    /// # Errors
    /// They are not, or it is; or nobody says whose they are.
    pub(super) async fn open(account: &str, profile: Option<&str>, region: &str) -> Result<Self, String> {
        let mut settings = FunctionSettings::from_env();
        settings.access.region = Some(region.to_owned());
        match profile {
            Some(profile) => add_credentials_of_profile(&mut settings, profile)?,
            None => add_credentials(&mut settings)?,
        }
        let access_key = settings.access.key.as_ref().map(|(id, _)| id.clone()).unwrap_or_default();
        let api = AwsApi::new(settings.clone());
        let caller = Self::caller(&api, region, access_key).await.map_err(|error| error.to_string())?;
        if caller.account != account {
            return Err(format!(
                "the credentials are of the account {} ({}), and not of the sandbox {account}: nothing was called",
                caller.account, caller.arn
            ));
        }
        let note = match Organization::new(settings).management_account().await {
            Ok(management) if management == account => {
                return Err(format!(
                    "{account} is the management account of its organization, and no sandbox: nothing was called"
                ));
            }
            Ok(_) => None,
            // It is in none.
            Err(ApiError::Refused { code, .. }) if code == "AWSOrganizationsNotInUseException" => None,
            Err(error) => {
                Some(format!("whether {account} is its organization's management account was not told: {error}"))
            }
        };
        Ok(Self { api, caller, note })
    }

    async fn caller(api: &AwsApi, region: &str, access_key: String) -> Result<Caller, ApiError> {
        const OPERATION: &str = "GetCallerIdentity";
        let answer = api.ask(&ApiService::STS, region, OPERATION, &ApiInput::Form(Vec::new())).await?;
        let text = |key: &str| answer.get(key).and_then(Value::as_str).map(str::to_owned);
        let (account, arn) = text("Account").zip(text("Arn")).ok_or(ApiError::Unexpected(OPERATION))?;
        Ok(Caller { account, arn, access_key })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_identity_is_written_as_cloudtrail_writes_it() {
        let of = |arn: &str| {
            let caller =
                Caller { account: "111122223333".to_owned(), arn: arn.to_owned(), access_key: "ASIAX".to_owned() };
            caller.identity()
        };
        let role = of("arn:aws-cn:sts::111122223333:assumed-role/Drill/jana");
        assert_eq!((&role["type"], &role["accessKeyId"]), (&json!("AssumedRole"), &json!("ASIAX")));
        assert_eq!(role["sessionContext"]["sessionIssuer"]["arn"], json!("arn:aws-cn:iam::111122223333:role/Drill"));
        let user = of("arn:aws:iam::111122223333:user/people/jana");
        assert_eq!((&user["type"], &user["userName"]), (&json!("IAMUser"), &json!("jana")));
        assert_eq!(of("arn:aws:iam::111122223333:root")["type"], json!("Root"));
    }
}
