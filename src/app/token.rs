//! The token that writes to the embedded status API need, where the operator names none: made at
//! the first start and kept beside the state, readable by its owner only.

use std::fs;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use crate::config::Secret;

use super::AppError;

const FILE: &str = "api-token";

pub(super) fn given_or_kept(given: Option<Secret>, state_dir: &Path) -> Result<Secret, AppError> {
    match given {
        Some(token) => Ok(token),
        None => load_or_make(state_dir),
    }
}

fn load_or_make(state_dir: &Path) -> Result<Secret, AppError> {
    let path = state_dir.join(FILE);
    let failed = |source| AppError::Token { path: path.clone(), source };
    match fs::read_to_string(&path) {
        Ok(text) if !text.trim().is_empty() => return Ok(Secret::new(text.trim())),
        Ok(_) => {}
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(error) => return Err(failed(error)),
    }
    let mut bytes = [0_u8; 24];
    getrandom::fill(&mut bytes).map_err(AppError::Random)?;
    let token = data_encoding::BASE64URL_NOPAD.encode(&bytes);
    // Written beside and renamed, so that a crash leaves no half of a token.
    let beside = state_dir.join("api-token.new");
    let mut file = fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&beside)
        .map_err(failed)?;
    file.write_all(token.as_bytes()).and_then(|()| file.sync_all()).map_err(failed)?;
    fs::rename(&beside, &path).map_err(failed)?;
    Ok(Secret::new(token))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn made_once_kept_and_nobody_elses() {
        let dir = tempfile::tempdir().unwrap();
        let first = super::load_or_make(dir.path()).unwrap();
        let second = super::load_or_make(dir.path()).unwrap();
        assert!(first == second && first.reveal().len() == 32);
        let mode = std::fs::metadata(dir.path().join("api-token")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}
