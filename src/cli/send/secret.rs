//! Reads the channels' credentials from a file. Nothing of it is ever printed.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use crate::secret::{Credentials, CredentialsError};

/// Bytes of a secret in Secrets Manager:
/// <https://docs.aws.amazon.com/secretsmanager/latest/userguide/reference_limits.html>.
const MAX_LEN: u64 = 65_536;

/// Why the credentials cannot be had. No text quotes them.
#[derive(Debug, thiserror::Error)]
pub(super) enum SecretFileError {
    #[error("cannot read the secret: {0}")]
    Unreadable(#[from] io::Error),
    #[error("the secret has more than the {MAX_LEN} bytes that Secrets Manager takes")]
    TooLong,
    #[error("{0}: write {{\"NAME OF THE CHANNEL\": {{…}}}}, as Secrets Manager holds it")]
    Credentials(#[from] CredentialsError),
}

/// The credentials in a file; `-` is stdin. Whoever else may read the file is warned of on stderr.
pub(super) fn read(path: &Path) -> Result<Credentials, SecretFileError> {
    let mut bytes = Vec::new();
    if path == Path::new("-") {
        io::stdin().lock().take(MAX_LEN + 1).read_to_end(&mut bytes)?;
    } else {
        let file = File::open(path)?;
        if is_open_to_others(&file)? {
            let path = path.display();
            eprintln!("warning: others on this machine may read {path}: chmod 600 {path}");
        }
        file.take(MAX_LEN + 1).read_to_end(&mut bytes)?;
    }
    if bytes.len() as u64 > MAX_LEN {
        return Err(SecretFileError::TooLong);
    }
    let text = String::from_utf8(bytes).map_err(|_| CredentialsError::NotJson)?;
    Ok(Credentials::parse(&text)?)
}

#[cfg(unix)]
fn is_open_to_others(file: &File) -> io::Result<bool> {
    use std::os::unix::fs::PermissionsExt as _;
    let metadata = file.metadata()?;
    Ok(metadata.is_file() && metadata.permissions().mode() & 0o077 != 0)
}

/// What Windows allows to whom is not told by bits.
#[cfg(not(unix))]
#[expect(clippy::unnecessary_wraps, reason = "as on Unix")]
fn is_open_to_others(_: &File) -> io::Result<bool> {
    Ok(false)
}
