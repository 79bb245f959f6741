//! The Lambda function: wiring only. The road of an event begins in [`offlimits::handler`].

use offlimits::aws::{FunctionSettings, run};

// One event at a time: more threads would only start later.
#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    run(FunctionSettings::from_env()).await
}
