//! Where a deployment of deploy/history.yaml is: its bucket, its state machine, and how many readers it runs at a time.

use crate::aws::AwsApi;
use crate::cli::stack_access::StackAccess;

/// What a deployment's outputs say.
pub(super) struct Deployment {
    /// The bucket of results.
    pub(super) results: String,
    /// The state machine's ARN.
    pub(super) machine: String,
    /// Readers at a time.
    pub(super) readers: u64,
    /// Whether the archive is encrypted by a key of KMS.
    pub(super) is_encrypted: bool,
    pub(super) api: AwsApi,
    pub(super) region: String,
}

impl Deployment {
    /// Asks the stack of this name, in the environment's region.
    ///
    /// # Errors
    /// It does not answer, or is another stack.
    pub(super) fn open(stack: &str) -> Result<Self, String> {
        let access = StackAccess::open_here()?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| error.to_string())?;
        let outputs = access.outputs(stack, ["ResultsBucket", "StateMachineArn", "Readers", "ArchiveKeyArn"]);
        let [results, machine, readers, key] = runtime.block_on(outputs)?;
        let readers = readers.parse().map_err(|_| format!("the stack {stack} runs \"{readers}\" readers"))?;
        let is_encrypted = key.starts_with("arn:");
        Ok(Self { results, machine, readers, is_encrypted, api: access.api, region: access.region })
    }
}
