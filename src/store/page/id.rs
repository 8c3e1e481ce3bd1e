//! Ids in the form that status APIs use: twelve lower-case letters and digits. They are derived
//! from what they name, so that a client can keep them and a lost database makes the same again.

use sha2::{Digest, Sha256};

use crate::model::{ComponentId, PlatformId};

const ALPHABET: [u8; 36] = *b"0123456789abcdefghijklmnopqrstuvwxyz";
const LENGTH: usize = 12;

/// The id of a platform's page.
pub fn page_id(platform: &PlatformId) -> String {
    derive(&["page", platform.as_str()])
}

/// The id of a component on its platform's page.
pub fn component_page_id(component: &ComponentId) -> String {
    derive(&["component", component.as_str()])
}

pub(super) fn group_id(platform: &PlatformId, name: &str) -> String {
    derive(&["group", platform.as_str(), name])
}

/// The id that `parts` lead to.
pub(super) fn derive(parts: &[&str]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part.as_bytes());
        // A byte that no text holds, lest ("ab", "c") be the same as ("a", "bc").
        hash.update([0xff]);
    }
    // 128 bits of the digest are far more than the 62 that twelve characters hold.
    let mut number = hash.finalize().iter().take(16).fold(0_u128, |n, b| n << 8 | u128::from(*b));
    let mut id = String::with_capacity(LENGTH);
    for _ in 0..LENGTH {
        let digit = usize::try_from(number % 36).unwrap_or(0);
        id.push(char::from(ALPHABET[digit]));
        number /= 36;
    }
    id
}

#[cfg(test)]
mod tests {
    use super::{component_page_id, derive, page_id};
    use crate::model::{ComponentId, PlatformId};

    #[test]
    fn ids_are_stable_and_of_the_right_form() {
        let blip = PlatformId::new("blip");
        let ids = [page_id(&blip), component_page_id(&ComponentId::of(&blip, "desk"))];
        assert_eq!(ids, ["xo2txuiwcih8", "iz372ygtutge"], "clients keep these");
        for id in ids {
            assert_eq!(id.len(), 12);
            assert!(id.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit()), "{id}");
        }
    }

    #[test]
    fn the_parts_do_not_run_together() {
        assert_ne!(derive(&["ab", "c"]), derive(&["a", "bc"]));
    }
}
